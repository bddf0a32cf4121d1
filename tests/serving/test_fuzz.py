"""Requests that nobody would think of, made from the interface's own description."""

import pytest

from tests.serving import coloured_shop as shop


@pytest.mark.slow
def test_no_request_by_the_description_is_a_fault_of_ours(tmp_path):
    import schemathesis
    from hypothesis import HealthCheck, Phase, settings
    from schemathesis.checks import not_a_server_error

    parts = shop.server(tmp_path)
    with shop.client(parts) as web:
        shop.priced(web)
        web.post("/v1/sales", content=shop.jpeg("tea", "soap", "olive"))
        schema = schemathesis.openapi.from_asgi("/openapi.json", web.app)
        tried = 0
        for operation in (found.ok() for found in schema.get_all_operations()):

            @settings(
                max_examples=20,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
                derandomize=True,
            )
            @operation_strategy(operation)
            def check(case):
                nonlocal tried
                tried += 1
                case.call_and_validate(
                    base_url="http://127.0.0.1:8080", session=web, checks=[not_a_server_error]
                )

            check()
    assert tried > 300


def operation_strategy(operation):
    from hypothesis import given

    return given(case=operation.as_strategy())
