"""The web application of a counter."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rpc.data.files import DataError
from rpc.serving.errors import CODES, ApiError, error_body
from rpc.serving.routes import counting, events, products, shop
from rpc.serving.routes.middleware import Measured, RateLimit, SafeHeaders, SizeLimit, error_answer
from rpc.serving.routes.page import page_router
from rpc.serving.server import CounterServer
from rpc.version import __version__

BURST = 4.0  # seconds of requests that one client may send at once
_log = logging.getLogger(__name__)


def create_app(server: CounterServer) -> FastAPI:
    """The application of a counter; it is started and stopped with the application.

    Args:
        server: the counter's parts.
    """

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        server.start()
        yield
        server.close()

    app = FastAPI(
        title="rpc-checkout counter",
        version=__version__,
        docs_url=None,  # its page comes from a content network
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.counter = server
    app.add_exception_handler(ApiError, error_answer)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(DataError, _refused)
    app.add_exception_handler(Exception, _failed)
    for module in (counting, products, events, shop):
        app.include_router(module.router)
    app.include_router(page_router(app, server.settings.static))
    # The last one added is the first one that a request meets.
    app.add_middleware(Measured, metrics=server.metrics)
    app.add_middleware(SizeLimit)
    rate = server.settings.requests_per_second
    app.add_middleware(RateLimit, per_second=rate, burst=BURST * rate)
    app.add_middleware(SafeHeaders)
    return app


def _invalid(request: Request, error: Exception) -> JSONResponse:
    """A request whose values are of no use, in one line."""
    assert isinstance(error, RequestValidationError)
    told = [
        f"{'.'.join(str(part) for part in one['loc'] if part != 'body') or 'body'}: {one['msg']}"
        for one in error.errors()[:3]
    ]
    return JSONResponse(error_body("invalid", "; ".join(told)), 422)


def _http_error(request: Request, error: Exception) -> JSONResponse:
    """An answer of the framework's own."""
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "error")
    body = error_body(code, f"{request.method} {request.url.path:.100}: {error.detail}")
    return JSONResponse(body, error.status_code, headers=error.headers)


def _refused(request: Request, error: Exception) -> JSONResponse:
    """Something that the library refuses, in its own line."""
    return JSONResponse(error_body("refused", str(error)), 400)


def _failed(request: Request, error: Exception) -> JSONResponse:
    """A fault of ours: the log has the rest."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return JSONResponse(error_body("internal", "the server failed; its log says why"), 500)
