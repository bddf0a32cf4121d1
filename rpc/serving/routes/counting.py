"""Counting and sales."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Response
from fastapi.responses import StreamingResponse

from rpc.serving.errors import ApiError
from rpc.serving.events.events import event_to_dict, events_of_sale
from rpc.serving.routes.answers import (
    ERRORS,
    JPEG,
    NO_JSON,
    Counted,
    Csv,
    Event,
    Jpeg,
    Sale,
    SalePage,
    Suggestion,
)
from rpc.serving.routes.bodies import (
    TRAY,
    AnyCorrection,
    Point,
    Server,
    Till,
    TrayBody,
    tray_body,
)
from rpc.serving.sales.sale_lists import Filter, list_sales, sales_csv
from rpc.serving.security.doorkeeper import needs
from rpc.serving.server import picture_gone
from rpc.serving.times import parse_time

router = APIRouter(tags=["sales"], responses=ERRORS)
Photo = Annotated[TrayBody, Depends(tray_body)]
IdempotencyKey = Annotated[str | None, Header(min_length=1, max_length=200)]
State = Literal["open", "accepted", "void"]


# Who asks is looked at before the body is read: dependencies of a route come first.
@router.post(
    "/v1/count",
    openapi_extra=TRAY,
    response_model=Counted,
    dependencies=[Depends(needs("till"))],
)
def count(server: Server, body: Photo) -> dict[str, Any]:
    """Count a photo; nothing is kept."""
    if body.photo is None:
        raise ApiError(422, "invalid", "body: expected a photo")
    return server.count(body.photo)


@router.post("/v1/sales", status_code=201, openapi_extra=TRAY, response_model=Sale)
def open_sale(
    caller: Till, server: Server, body: Photo, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Count a photo, or what lies under the server's camera, and keep it as an open sale."""
    if body.photo is None:
        told = server.open_camera_sale(caller.who, idempotency_key)
    else:
        told = server.open_sale(body.photo, caller.who, idempotency_key)
    server.metrics.events.labels("sale.counted").inc()
    return told


def wanted_sales(
    state: State | None = None,
    start: Annotated[str | None, Query(alias="from", max_length=40)] = None,
    end: Annotated[str | None, Query(alias="to", max_length=40)] = None,
    corrected: bool | None = None,
) -> Filter:
    """Which sales a request asks for; a day as `to` is taken with all of it."""
    last = _moment("to", end)
    if last is not None and end is not None and len(end.strip()) == 10:
        last += timedelta(days=1)
    return Filter(state, _moment("from", start), last, corrected)


def _moment(name: str, text: str | None) -> datetime | None:
    try:
        return None if not text else parse_time(text)
    except (ValueError, OverflowError) as error:
        raise ApiError(
            422,
            "invalid",
            f"{name}: expected a time such as 2026-03-01T09:30:00Z, got {text!r:.60}",
        ) from error


Wanted = Annotated[Filter, Depends(wanted_sales)]


@router.get("/v1/sales", response_model=SalePage)
def sales(
    caller: Till,
    server: Server,
    wanted: Wanted,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=36)] = None,
) -> dict[str, Any]:
    """Sales, newest first; the next page comes before the id in `next`."""
    return list_sales(server.database, wanted, limit, before)


@router.get(
    "/v1/sales.csv",
    response_class=Csv,
    responses=NO_JSON,
    dependencies=[Depends(needs("till"))],
)
def sales_as_csv(server: Server, wanted: Wanted) -> StreamingResponse:
    """Sales as CSV, a row a line of a sale, oldest first."""
    pieces: Iterator[str] = sales_csv(server.database, wanted)
    return StreamingResponse(pieces, media_type="text/csv", headers=attachment("sales.csv"))


@router.get("/v1/sales/{number}", response_model=Sale)
def sale(caller: Till, server: Server, number: str) -> dict[str, Any]:
    """A sale."""
    return server.sales.get(number)


@router.get(
    "/v1/sales/{number}/picture",
    response_class=Jpeg,
    responses=JPEG,
    dependencies=[Depends(needs("till"))],
)
def picture(server: Server, number: str) -> Response:
    """The picture of a sale, JPEG; 410 once it was deleted by age."""
    name = server.sales.row(number).picture
    data = None if name is None else server.pictures.read(name)
    if data is None:
        raise picture_gone(number)
    headers = {"cache-control": "private, max-age=86400, immutable"}
    return Jpeg(data, headers=headers)


@router.get("/v1/sales/{number}/events", response_model=list[Event])
def sale_events(caller: Till, server: Server, number: str) -> list[dict[str, Any]]:
    """All that happened to a sale, oldest first."""
    server.sales.row(number)
    with server.database.reading() as session:
        return [event_to_dict(row) for row in events_of_sale(session, number)]


@router.post("/v1/sales/{number}/corrections", response_model=Sale)
def correct(
    caller: Till,
    server: Server,
    number: str,
    body: AnyCorrection,
    idempotency_key: IdempotencyKey = None,
) -> dict[str, Any]:
    """Change an open sale."""
    told = server.sales.correct(number, body.asked(), caller.who, idempotency_key)
    server.metrics.events.labels("sale.corrected").inc()
    return told


@router.post("/v1/sales/{number}/suggest", response_model=Suggestion)
def suggest(caller: Till, server: Server, number: str, body: Point) -> dict[str, Any]:
    """Products that may lie at a point of the picture: a box, and the likeliest ones."""
    x, y = body.point
    return server.suggest(number, x, y)


@router.post("/v1/sales/{number}/accept", response_model=Sale)
def accept(
    caller: Till, server: Server, number: str, idempotency_key: IdempotencyKey = None
) -> dict[str, Any]:
    """Make an open sale a sold one."""
    told = server.sales.accept(number, caller.who, idempotency_key)
    server.metrics.events.labels("sale.accepted").inc()
    server.housekeeping.sale_accepted()
    return told


@router.post("/v1/sales/{number}/void", response_model=Sale)
def void(caller: Till, server: Server, number: str) -> dict[str, Any]:
    """Take a sale back: an open one, or, for a manager, an accepted one."""
    told = server.sales.void(number, caller.who, manager=caller.is_manager)
    server.metrics.events.labels("sale.voided").inc()
    return told


@router.post("/v1/sales/{number}/reopen", response_model=Sale)
def reopen(caller: Till, server: Server, number: str) -> dict[str, Any]:
    """Open a sale again that was closed at this till within ten minutes."""
    told = server.sales.reopen(number, caller.who)
    server.metrics.events.labels("sale.reopened").inc()
    return told


def attachment(name: str) -> dict[str, str]:
    """The header that makes a browser save an answer under a name."""
    return {"content-disposition": f'attachment; filename="{name}"'}
