"""Layers that every request passes: its size, how often one client asks, safe headers."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable
from typing import Any, Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rpc.serving.errors import ApiError
from rpc.serving.health.metrics import Metrics
from rpc.serving.photos.photo_input import MOST_BYTES, too_large
from rpc.serving.security.keys import digest

PHOTOS: Final = "/photos"  # the one path that takes many photos
MOST_PHOTOS_BYTES: Final = 50 * 5 * 1024 * 1024
MOST_OVERHEAD: Final = 64 * 1024  # of a multipart body around its photo
HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "media-src 'self' blob:; connect-src 'self'; manifest-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class HttpLayer(ABC):
    """A layer that HTTP requests pass; whatever else comes (the server's start and end) it skips.

    Args:
        app: behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what comes."""
        passed = self.request if scope["type"] == "http" else self.app
        await passed(scope, receive, send)

    @abstractmethod
    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""


class SafeHeaders(HttpLayer):
    """Adds the headers that keep a browser from trusting what it should not."""

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                if scope["path"].startswith("/v1"):
                    headers.setdefault("cache-control", "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


class SizeLimit(HttpLayer):
    """Refuses bodies that are too large, by what they say and by what comes."""

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        many = scope["path"].endswith(PHOTOS)
        most = (MOST_PHOTOS_BYTES if many else MOST_BYTES) + MOST_OVERHEAD
        error = too_large(f"the body is larger than {most // 2**20} MB; send less")
        said = Headers(scope=scope).get("content-length", "0")
        if not said.isdigit() or len(said) > 15 or int(said) > most:
            await answer(error)(scope, receive, send)
            return
        came, began = 0, False

        async def counted() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > most:
                raise error
            return message

        async def noted(message: Message) -> None:
            nonlocal began
            began = True
            await send(message)

        try:
            await self.app(scope, counted, noted)
        except ApiError as raised:
            if began:
                raise
            await answer(raised)(scope, receive, send)


class RateLimit(HttpLayer):
    """Lets each client ask so often: a bucket of tokens that fills steadily.

    Args:
        app: behind it.
        per_second: requests that a client may send on average.
        burst: and at once.
        clock: seconds.
    """

    MOST_CLIENTS: Final = 10_000

    def __init__(
        self,
        app: ASGIApp,
        per_second: float,
        burst: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(app)
        self.per_second, self.burst, self.clock = per_second, burst, clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if not self.allows(client_of(scope)):
            wait = str(max(1, round(1 / self.per_second)))
            error = ApiError(429, "too_many_requests", "slow down", {"Retry-After": wait})
            await answer(error)(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def allows(self, client: str) -> bool:
        """Whether a client may ask now; counts it if so."""
        now = self.clock()
        with self._lock:
            tokens, before = self._buckets.pop(client, (self.burst, now))
            tokens = min(self.burst, tokens + (now - before) * self.per_second)
            allowed = tokens >= 1
            self._buckets[client] = (tokens - allowed, now)
            if len(self._buckets) > self.MOST_CLIENTS:
                self._buckets.popitem(last=False)
        return allowed


class Measured(HttpLayer):
    """Counts requests and their seconds, by route; a browser is told the milliseconds of each.

    Args:
        app: behind it.
        metrics: of the counter.
    """

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        super().__init__(app)
        self.metrics = metrics

    async def request(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        began, status = time.perf_counter(), 500

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                spent = f"app;dur={1000 * (time.perf_counter() - began):.1f}"
                MutableHeaders(scope=message).append("server-timing", spent)
            await send(message)

        try:
            await self.app(scope, receive, noted)
        finally:
            route = getattr(scope.get("route"), "path", "none")
            self.metrics.requests.labels(scope["method"], route, str(status)).inc()
            seconds = time.perf_counter() - began
            self.metrics.request_seconds.labels(scope["method"], route).observe(seconds)


def client_of(scope: Scope) -> str:
    """Who a request counts for: its address, and its key, whether it is valid or not."""
    headers = Headers(scope=scope)
    shown = headers.get("authorization") or ""
    address = scope["client"][0] if scope.get("client") else ""
    return f"{address} {digest(shown)[:16] if shown else ''}"


def answer(error: ApiError) -> JSONResponse:
    """The response to an error."""
    return JSONResponse(error.to_dict(), error.status, headers=error.headers)


def error_answer(request: Any, error: Exception) -> JSONResponse:
    """The response to an error, as the framework asks for it."""
    assert isinstance(error, ApiError)
    return answer(error)
