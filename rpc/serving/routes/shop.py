"""Settings, sessions, health, the camera, and what machines ask."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from rpc.serving.counting.counted_trays import model_name
from rpc.serving.errors import ApiError, not_found
from rpc.serving.routes.answers import (
    ERRORS,
    JPEG,
    NO_JSON,
    Alive,
    CameraAnswer,
    HealthAnswer,
    Jpeg,
    PlainText,
    SettingsAnswer,
)
from rpc.serving.routes.bodies import Manager, NewSession, Server, Till
from rpc.serving.sales.sale_lists import sums_since
from rpc.serving.security.doorkeeper import (
    CSRF_COOKIE,
    SESSION_COOKIE,
    needs,
    require_same_origin,
    wrong_key,
)
from rpc.serving.security.keys import SESSION_SECONDS
from rpc.serving.settings import LANGUAGES
from rpc.version import __version__

router = APIRouter(tags=["shop"], responses=ERRORS)


@router.get("/v1/settings", response_model=SettingsAnswer)
def settings(request: Request, server: Server) -> dict[str, Any]:
    """Values that a page needs first; no key is needed, and sums are told to those who have one."""
    try:
        caller = server.doorkeeper.caller(request)
    except ApiError as error:
        if error.status != 401:
            raise
        caller = None
    told, today = server.settings, datetime.now().astimezone()
    start = today.replace(hour=0, minute=0, second=0, microsecond=0)
    nothing = {"trays": 0, "total_cents": 0}
    return {
        "shop": told.shop,
        "till": told.till if caller is None else caller.who.till,
        "currency": told.currency,
        "version": __version__,
        "model": model_name(server.thread.counter),
        "role": None if caller is None else caller.role,
        "needs_key": server.doorkeeper.needs_key(),
        "camera": "none" if server.camera.source is None else "server",
        "can_add_products": server.gallery.gallery is not None,
        "demo": told.demo,
        "keep_days": told.keep_days,
        "languages": list(LANGUAGES),
        "today": nothing if caller is None else sums_since(server.database, start),
    }


@router.post("/v1/session", status_code=204)
def open_session(request: Request, response: Response, server: Server, body: NewSession) -> None:
    """Give a browser a session for a key."""
    require_same_origin(request)
    key = server.keys.find(body.key.strip())
    if key is None:
        raise wrong_key()
    made = server.keys.open_session(key)
    for name, value, hidden in (
        (SESSION_COOKIE, made.secret, True),
        (CSRF_COOKIE, made.csrf, False),
    ):
        response.set_cookie(
            name,
            value,
            max_age=SESSION_SECONDS,
            httponly=hidden,
            secure=server.settings.https,
            samesite="strict",
        )


@router.delete("/v1/session", status_code=204, dependencies=[Depends(needs("till"))])
def close_session(request: Request, response: Response, server: Server) -> None:
    """End a browser's session."""
    secret = request.cookies.get(SESSION_COOKIE)
    if secret is not None:
        server.keys.close_session(secret)
    response.delete_cookie(SESSION_COOKIE)
    response.delete_cookie(CSRF_COOKIE)


@router.get("/v1/health", response_model=HealthAnswer)
def health(
    caller: Manager, server: Server, days: Annotated[int, Query(ge=1, le=366)] = 7
) -> dict[str, Any]:
    """How well the counter does."""
    return server.health.report(days)


@router.get("/v1/camera", response_model=CameraAnswer)
def camera(caller: Till, server: Server) -> dict[str, Any]:
    """The state of the server's camera."""
    return server.camera.status()


@router.get(
    "/v1/camera/frame.jpg",
    response_class=Jpeg,
    responses=JPEG,
    dependencies=[Depends(needs("till"))],
)
def camera_frame(server: Server) -> Response:
    """The newest picture of the server's camera."""
    data = server.camera.last_frame()
    if data is None:
        raise not_found("camera: there is no picture")
    return Jpeg(data)


@router.get("/healthz", response_model=Alive)
def alive(server: Server) -> dict[str, Any]:
    """Whether the counter works; no key is needed."""
    return {"ok": True, "counting": server.thread.alive, "queue": server.thread.waiting}


@router.get(
    "/metrics",
    response_class=PlainText,
    responses=NO_JSON,
    dependencies=[Depends(needs("till"))],
)
def metrics(server: Server) -> Response:
    """Figures for Prometheus."""
    return Response(server.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
