"""Events, as a list or as a stream (server-sent events), and webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from rpc.serving.events.event_bus import Subscription
from rpc.serving.events.events import events_after, last_seq
from rpc.serving.routes.answers import ERRORS, EVENTS, WebhookList, WebhookMade
from rpc.serving.routes.bodies import Manager, NewWebhook, Server, server_of
from rpc.serving.security.doorkeeper import needs
from rpc.serving.server import CounterServer

router = APIRouter(tags=["events"], responses=ERRORS)
STREAM: Final = "text/event-stream"
LOOK: Final = 2.0  # seconds between looks at the database, for what other processes write
HEARTBEAT: Final = 15.0  # seconds of silence, after which a comment is sent
Seq = Annotated[int | None, Query(ge=0, le=2**31 - 1)]


# A stream lives for hours: it waits in the event loop, not in a thread of its own.
@router.get(
    "/v1/events",
    dependencies=[Depends(needs("till"))],
    response_model=None,
    responses=EVENTS,
)
async def events(
    request: Request, after: Seq = None, limit: Annotated[int, Query(ge=1, le=1000)] = 1000
) -> Response:
    """Events after a number, oldest first; as a stream where `Accept` asks for one."""
    server = await server_of(request)
    if STREAM not in request.headers.get("accept", ""):
        found = await run_in_threadpool(_after, server, after or 0, limit)
        return JSONResponse(found)
    resume = request.headers.get("last-event-id", "")
    start = int(resume) if resume.isascii() and resume.isdigit() and len(resume) < 10 else after
    listener = server.bus.subscribe(asyncio.get_running_loop())
    pieces = _stream(request, server, listener, start)
    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    return StreamingResponse(pieces, media_type=STREAM, headers=headers)


async def _stream(
    request: Request, server: CounterServer, listener: Subscription, start: int | None
) -> AsyncIterator[str]:
    try:
        seq = await run_in_threadpool(_last, server) if start is None else start
        yield "retry: 2000\n\n"
        silent = 0.0
        while not await request.is_disconnected():
            found = await run_in_threadpool(_after, server, seq, 1000)
            for event in found:
                seq = event["seq"]
                yield piece(event["type"], event, seq)
            passing = listener.take_passing()
            for kind, data in passing:
                yield piece(kind, data)
            silent = 0.0 if found or passing else silent
            if not await listener.wait(LOOK):
                silent += LOOK
            if silent >= HEARTBEAT:
                silent = 0.0
                yield ": still here\n\n"
    finally:
        server.bus.leave(listener)


def piece(kind: str, data: Any, seq: int | None = None) -> str:
    """An event as a stream writes it; one without a number is not kept."""
    number = "" if seq is None else f"id: {seq}\n"
    return f"{number}event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def _after(server: CounterServer, seq: int, limit: int) -> list[dict[str, Any]]:
    with server.database.reading() as session:
        return events_after(session, seq, limit)


def _last(server: CounterServer) -> int:
    with server.database.reading() as session:
        return last_seq(session)


@router.get("/v1/webhooks", response_model=WebhookList)
def webhooks(caller: Manager, server: Server) -> dict[str, Any]:
    """All webhooks."""
    return {"webhooks": server.webhooks.list()}


@router.post("/v1/webhooks", status_code=201, response_model=WebhookMade)
def add_webhook(caller: Manager, server: Server, body: NewWebhook) -> dict[str, Any]:
    """A new webhook; its secret is told this once."""
    return server.webhooks.add(body.url, body.types)


@router.delete("/v1/webhooks/{number}", status_code=204)
def remove_webhook(caller: Manager, server: Server, number: str) -> None:
    """Forget a webhook."""
    server.webhooks.remove(number)
