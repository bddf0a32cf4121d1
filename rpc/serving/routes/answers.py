"""Answers of the interface, as its description (OpenAPI) shows them and as they are checked."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, TypeAlias

from fastapi import Response
from pydantic import BaseModel, Field

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]
Time = Annotated[str, Field(description="ISO 8601 in UTC with Z", min_length=27, max_length=27)]
BoxList = Annotated[
    list[float], Field(min_length=4, max_length=4, description="x1, y1, x2, y2 px of the picture")
]


class Alternative(BaseModel):
    """A SKU that an item may be."""

    sku: str
    title: str
    probability: Share


class Item(BaseModel):
    """One item of a sale, or a place about which a question is open."""

    id: Annotated[int, Field(description="within the sale; never given twice")]
    sku: str
    title: str
    price_cents: int | None
    box: BoxList | None
    probability: Share | None
    counted: Annotated[bool, Field(description="part of the sum")]
    open: Annotated[bool, Field(description="its question waits for an answer")]
    reason: Literal["view", "name", "item", "unknown"] | None
    text: Annotated[str, Field(description="the question, in English; empty where there is none")]
    alternatives: Annotated[list[Alternative], Field(description="best first, five at most")]
    source: Literal["counted", "added"]


class Line(BaseModel):
    """All items of a SKU at one price."""

    sku: str
    title: str
    count: Count
    price_cents: int | None
    sum_cents: int | None


class Listing(BaseModel):
    """Items, and what they come to."""

    items: Annotated[list[Item], Field(description="open questions first, then by probability")]
    lines: Annotated[list[Line], Field(description="counted items, by title")]
    total_cents: int
    unpriced: Annotated[int, Field(description="counted items without a price")]


class Counted(Listing):
    """A photo that was counted and not kept."""

    certainty: Share
    passes: Annotated[bool, Field(description="nothing is asked")]
    questions: Count
    width: Count
    height: Count
    seconds: float


class SaleHead(BaseModel):
    """A sale without its items."""

    id: Annotated[str, Field(description="ids of later sales sort later")]
    state: Literal["open", "accepted", "void"]
    created_at: Time
    accepted_at: Time | None
    till: str
    by: Annotated[str, Field(description="the name of a key, `open` or `camera`")]
    currency: str
    picture: Annotated[str | None, Field(description="address of the JPEG")]
    width: Count
    height: Count
    seconds: Annotated[float, Field(description="that counting took")]
    certainty: Share
    passes: Annotated[bool, Field(description="no question is open")]
    questions: Annotated[int, Field(description="open ones")]
    corrections: Annotated[int, Field(description="those that stand")]
    can_undo: bool


class Sale(SaleHead, Listing):
    """A sale."""


class SaleSummary(SaleHead):
    """A sale as a line of a list."""

    total_cents: int
    unpriced: int
    lines_count: int
    items_count: int


class SalePage(BaseModel):
    """Sales, newest first."""

    sales: list[SaleSummary]
    next: Annotated[str | None, Field(description="the next page is `before` this id")]


class Suggestion(BaseModel):
    """Products that may lie at a point of a picture."""

    box: BoxList
    alternatives: list[Alternative]


class ProductAnswer(BaseModel):
    """A product of the shop."""

    sku: str
    title: str
    price_cents: int | None
    ean: str | None
    retired: bool
    in_model: Annotated[bool, Field(description="the counter can name it")]
    photos: Annotated[int, Field(description="in the gallery")]
    photo: Annotated[str | None, Field(description="address of a small JPEG")]
    changed_at: Time


class ProductList(BaseModel):
    """Products of the shop."""

    products: list[ProductAnswer]


class ProductsImported(BaseModel):
    """Products of a CSV file, counted."""

    added: Count
    changed: Count
    unchanged: Count


class LeftOut(BaseModel):
    """A photo that did not go into the gallery."""

    name: str
    why: str


class PhotosAdded(BaseModel):
    """Photos of a product that went into the gallery."""

    added: Count
    left_out: list[LeftOut]
    generation: Count
    seconds: float


class ConfirmedCrop(BaseModel):
    """A crop of an accepted sale that entered the gallery."""

    sku: str
    at: Time
    sale: str


class GalleryAnswer(BaseModel):
    """The gallery that names products."""

    generation: Annotated[int, Field(description="how often it was changed")]
    skus: Count
    photos: Count
    confirmed: list[ConfirmedCrop]


class Event(BaseModel):
    """Something that happened; docs/counter_api.md says what `data` holds by `type`."""

    seq: Annotated[int, Field(description="in the order of the commits, without gaps")]
    id: str
    type: str
    at: Time
    actor: str
    till: str
    sale: str | None
    data: dict[str, Any]


class Webhook(BaseModel):
    """An address that is told what happens."""

    id: str
    url: str
    types: Annotated[list[str], Field(description="none means all")]
    created_at: Time
    disabled_at: Time | None


class WebhookMade(Webhook):
    """A webhook that was just made."""

    secret: Annotated[str, Field(description="shown this once")]


class WebhookList(BaseModel):
    """All webhooks, without their secrets."""

    webhooks: list[Webhook]


class Sums(BaseModel):
    """Accepted sales, and what they come to."""

    trays: Count
    total_cents: int


class SettingsAnswer(BaseModel):
    """Values that a page needs first."""

    shop: str
    till: str
    currency: str
    version: str
    model: str
    role: Literal["manager", "till"] | None
    needs_key: bool
    camera: Literal["none", "server"]
    can_add_products: Annotated[bool, Field(description="a gallery names the products")]
    demo: bool
    keep_days: int
    languages: list[str]
    today: Sums


class HealthDay(BaseModel):
    """Accepted trays of a day, in UTC."""

    day: str
    trays: Count
    uncorrected: Count
    passed: Count


class Confusion(BaseModel):
    """A SKU that was read as another one, and renamed by a person."""

    sku: str
    title: str
    read_as: str
    read_as_title: str
    times: Count
    last_sale: str


class HealthWarning(BaseModel):
    """Something that somebody should look at."""

    code: str
    text: str
    sku: str | None
    since: Time | None


class HealthAnswer(BaseModel):
    """How well the counter does; a share of nothing is null."""

    days: list[HealthDay]
    trays: Count
    uncorrected_share: Share | None
    passed_share: Share | None
    passed_right_share: Share | None
    confused: list[Confusion]
    warnings: list[HealthWarning]


class CameraAnswer(BaseModel):
    """The server's camera."""

    state: Literal["empty", "moving", "still", "read", "left", "off"]
    message: str | None
    size: Annotated[list[int], Field(min_length=2, max_length=2)] | None


class Alive(BaseModel):
    """Whether the counter works."""

    ok: bool
    counting: Annotated[bool, Field(description="the thread that counts runs")]
    queue: Annotated[int, Field(description="trays that wait for it")]


class ErrorLine(BaseModel):
    """An error: a code for programs, a line for people."""

    code: str
    message: Annotated[str, Field(description="what, where, what to do")]


class ErrorAnswer(BaseModel):
    """Every answer that is no success."""

    error: ErrorLine


class Jpeg(Response):
    """A picture."""

    media_type = "image/jpeg"


class Csv(Response):
    """A table."""

    media_type = "text/csv"


class PlainText(Response):
    """Text."""

    media_type = "text/plain"


Answers: TypeAlias = dict[int | str, dict[str, Any]]
_NO_SUCCESS: Final = "Every answer that is no success"
ERRORS: Final[Answers] = {"default": {"model": ErrorAnswer, "description": _NO_SUCCESS}}
# Where a success is no JSON, an error still is.
_ERROR: Final = {"schema": {"$ref": f"#/components/schemas/{ErrorAnswer.__name__}"}}
NO_JSON: Final[Answers] = {
    "default": {"description": _NO_SUCCESS, "content": {"application/json": _ERROR}}
}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
JPEG: Final[Answers] = {200: {"content": {"image/jpeg": _BINARY}}, **NO_JSON}
EVENTS: Final[Answers] = {
    200: {
        "model": list[Event],
        "description": "A list, or a stream where `Accept` asks for one",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}
