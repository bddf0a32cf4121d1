import threading

import pytest
import uvicorn

from rpc.serving.app import create_app
from tests.serving import coloured_shop as shop


@pytest.fixture
def parts(tmp_path):
    return shop.server(tmp_path)


@pytest.fixture
def web(parts):
    with shop.client(parts) as made:
        yield shop.priced(made)


@pytest.fixture
def served(tmp_path):
    """A counter on a port of this machine."""
    parts = shop.server(tmp_path)
    config = uvicorn.Config(create_app(parts), port=0, log_level="error", lifespan="on")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        assert thread.is_alive()
    yield parts, server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = server.force_exit = True
    thread.join()
