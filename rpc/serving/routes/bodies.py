"""Bodies of requests: JSON that pydantic checks, and photos that are read within a limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from fastapi import Depends, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException

from rpc.data.files import parse_json
from rpc.serving.errors import ApiError
from rpc.serving.products.products import MOST_CENTS
from rpc.serving.sale import Box
from rpc.serving.sales.sales import Correction
from rpc.serving.security.doorkeeper import Caller, needs
from rpc.serving.server import CounterServer

MOST_PHOTOS: Final = 50
MOST_ITEMS: Final = 1000
Number = Annotated[int, Field(ge=0, le=2**31 - 1)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Pixel = Annotated[float, Field(ge=-1e6, le=1e6, allow_inf_nan=False)]
Till = Annotated[Caller, Depends(needs("till"))]
Manager = Annotated[Caller, Depends(needs("manager"))]


async def server_of(request: Request) -> CounterServer:
    """The counter that a request came to; `async` keeps it from being sent to another thread."""
    found: CounterServer = request.app.state.counter
    return found


Server = Annotated[CounterServer, Depends(server_of)]


class Body(BaseModel):
    """A body of JSON: a field that nobody knows is refused, and so is a number as text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewSession(Body):
    """A key that a person typed."""

    key: Annotated[str, Field(min_length=1, max_length=200)]


class ItemCorrection(Body):
    """A correction of one item."""

    kind: Literal["remove", "confirm"]
    item: Number

    def asked(self) -> Correction:
        """As the sales take it."""
        return Correction(self.kind, item=self.item)


class RenameCorrection(Body):
    """An item that is another SKU."""

    kind: Literal["rename"]
    item: Number
    sku: Line

    def asked(self) -> Correction:
        """As the sales take it."""
        return Correction(self.kind, item=self.item, sku=self.sku)


class AddCorrection(Body):
    """An item that the counter did not see."""

    kind: Literal["add"]
    sku: Line
    box: Annotated[list[Pixel], Field(min_length=4, max_length=4)] | None = None

    def asked(self) -> Correction:
        """As the sales take it."""
        box: Box | None = None
        if self.box is not None:
            x1, y1, x2, y2 = self.box
            box = x1, y1, x2, y2
        return Correction(self.kind, sku=self.sku, box=box)


class CountCorrection(Body):
    """How many of a SKU there are."""

    kind: Literal["count"]
    sku: Line
    count: Annotated[int, Field(ge=0, le=MOST_ITEMS)]

    def asked(self) -> Correction:
        """As the sales take it."""
        return Correction(self.kind, sku=self.sku, count=self.count)


class UndoCorrection(Body):
    """The last correction, taken back."""

    kind: Literal["undo"]

    def asked(self) -> Correction:
        """As the sales take it."""
        return Correction(self.kind)


AnyCorrection = Annotated[
    ItemCorrection | RenameCorrection | AddCorrection | CountCorrection | UndoCorrection,
    Field(discriminator="kind"),
]


class Point(Body):
    """A point of a picture."""

    point: Annotated[list[Pixel], Field(min_length=2, max_length=2)]


class NewProduct(Body):
    """A product that comes in."""

    sku: Line | None = None
    title: Line
    price_cents: Annotated[int, Field(ge=0, le=MOST_CENTS)] | None = None
    ean: Annotated[str, Field(max_length=14)] | None = None


class ProductChange(Body):
    """New values of a product; what is left out stays."""

    title: Line | None = None
    price_cents: Annotated[int, Field(ge=0, le=MOST_CENTS)] | None = None
    ean: Annotated[str, Field(max_length=14)] | None = None
    retired: bool | None = None

    def values(self) -> dict[str, Any]:
        """The values that were said; the price and the number may be taken away by null."""
        said = self.model_dump(exclude_unset=True)
        if "ean" in said:
            said["ean"] = said["ean"] or None
        return {
            name: value
            for name, value in said.items()
            if value is not None or name in ("price_cents", "ean")
        }


class NewWebhook(Body):
    """An address that is to be told."""

    url: Annotated[str, Field(min_length=1, max_length=2000)]
    types: Annotated[list[str], Field(max_length=20)] = []


@dataclass(frozen=True)
class TrayBody:
    """The body of a request about a tray.

    Attributes:
        photo: bytes of a file; None where the server's camera is to look.
    """

    photo: bytes | None


async def tray_body(request: Request) -> TrayBody:
    """The photo of a request: a part of a form called `photo`, or the body itself.

    Raises:
        ApiError: no photo came.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().casefold()
    if kind == "application/json":
        if _source(await request.body()) != "camera":
            raise ApiError(422, "invalid", 'body: expected {"source": "camera"}, or a photo')
        return TrayBody(None)
    if kind == "multipart/form-data":
        files = await _files(request, "photo")
        if len(files) != 1:
            raise ApiError(422, "invalid", "body: expected one file in the field 'photo'")
        return TrayBody(files[0][1])
    if kind.startswith("image/") or kind in ("", "application/octet-stream"):
        return TrayBody(await request.body())
    raise ApiError(415, "unsupported_type", f"content-type {kind:.60}: expected image/* or a form")


async def photo_files(request: Request) -> list[tuple[str, bytes]]:
    """The photos of a form, in the field `photos`: names for people, and bytes.

    Raises:
        ApiError: none came, or too many.
    """
    files = await _files(request, "photos")
    if not 1 <= len(files) <= MOST_PHOTOS:
        raise ApiError(
            422, "invalid", f"body: expected 1 to {MOST_PHOTOS} files in the field 'photos'"
        )
    return files


async def raw_body(request: Request) -> bytes:
    """The body as it is."""
    return await request.body()


async def _files(request: Request, field: str) -> list[tuple[str, bytes]]:
    """The files in a field of a form: their names, for people, and their bytes."""
    try:
        async with request.form(max_files=MOST_PHOTOS, max_fields=10) as form:
            return [
                (f"{(one.filename or 'photo'):.200}", await one.read())
                for one in form.getlist(field)
                if isinstance(one, UploadFile)
            ]
    except HTTPException as error:
        raise ApiError(400, "bad_request", f"form: {error.detail}") from error


def _source(body: bytes) -> Any:
    try:
        value = parse_json(body)
    except (ValueError, RecursionError):
        return None
    return value.get("source") if isinstance(value, dict) else None


TRAY: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photo"],
                    "properties": {"photo": {"type": "string", "format": "binary"}},
                }
            },
        },
    }
}
PHOTOS: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["photos"],
                    "properties": {
                        "photos": {
                            "type": "array",
                            "items": {"type": "string", "format": "binary"},
                        }
                    },
                }
            }
        },
    }
}
CSV: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}},
    }
}
