"""Requests that nobody would think of, made from the interface's own description."""

import http.client

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from tests.serving.coloured_shop import jpeg

HUNTS = settings(
    max_examples=25,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.slow
def test_every_answer_to_a_request_by_the_description_is_as_described(served):
    import schemathesis
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        response_schema_conformance,
        status_code_conformance,
    )

    _, port = served
    connection = http.client.HTTPConnection("127.0.0.1", port)
    for _ in range(3):
        connection.request("POST", "/v1/sales", jpeg("tea", "soap", "olive"))
        connection.getresponse().read()
    connection.close()
    url = f"http://127.0.0.1:{port}"
    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    statuses = {}
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]

    def check(case):
        answer = case.call(base_url=url, timeout=30)
        case.validate_response(answer, checks=checks)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    for operation in schema.get_all_operations():
        HUNTS(given(case=operation.ok().as_strategy())(check))()
    assert sum(statuses.values()) > 300
    assert statuses[200] > 30
    assert statuses[422] > 30
