import pytest

from tests.serving import coloured_shop as shop


@pytest.fixture
def parts(tmp_path):
    return shop.server(tmp_path)


@pytest.fixture
def web(parts):
    with shop.client(parts) as made:
        yield shop.priced(made)
