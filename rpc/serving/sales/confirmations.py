"""Crops that a person named, on their way into the gallery.

When a sale is accepted, the boxes that a cashier renamed, confirmed or added wait here. A crop
enters the gallery where a crop of another accepted tray, named as the same SKU, agrees: to each,
the other is more like than any photo of another SKU in the gallery is. One wrong tap therefore
teaches nothing, and no threshold has to be chosen. It is one change of the gallery, which can be
undone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from rpc.serving.database.models import ConfirmationRow, SaleRow
from rpc.serving.sale import Box, Change
from rpc.serving.sales.sale_rows import items_of_row

NAMING = ("renamed", "confirmed", "added")


@dataclass(frozen=True)
class Confirmed:
    """A crop that waits.

    Attributes:
        id: of the confirmation.
        sku: what a person said.
        sale: where.
        box: on the sale's picture.
        picture: its name.
    """

    id: int
    sku: str
    sale: str
    box: Box
    picture: str


def note_confirmations(session: Session, row: SaleRow, changes: Sequence[Change], now: str) -> None:
    """Keep in mind which boxes of an accepted sale a person named."""
    named = {change.item for change in changes if change.kind in NAMING}
    own = select(ConfirmationRow.item).where(ConfirmationRow.sale == row.id)
    named -= set(session.scalars(own))  # accepted before, reopened, and accepted again
    for item in items_of_row(row):
        if item.id in named and item.counted and item.box is not None and row.picture is not None:
            session.add(
                ConfirmationRow(
                    sku=item.sku,
                    sale=row.id,
                    item=item.id,
                    box=list(item.box),
                    at=now,
                    state="waiting",
                )
            )


def withdraw_confirmations(session: Session, sale: str) -> None:
    """Forget what waits of a sale that is not accepted any more; what entered stays known."""
    waits = ConfirmationRow.state == "waiting"
    session.execute(delete(ConfirmationRow).where(ConfirmationRow.sale == sale, waits))


def waiting(session: Session, skus: Sequence[str] | None = None) -> dict[str, list[Confirmed]]:
    """The crops that wait, by SKU: of SKUs that have them on two trays or more."""
    chosen = (
        select(ConfirmationRow, SaleRow.picture)
        .join(SaleRow, SaleRow.id == ConfirmationRow.sale)
        .where(ConfirmationRow.state == "waiting", SaleRow.picture.is_not(None))
        .order_by(ConfirmationRow.id)
    )
    found: dict[str, list[Confirmed]] = {}
    for row, picture in session.execute(chosen):
        if skus is None or row.sku in skus:
            x1, y1, x2, y2 = row.box
            crop = Confirmed(row.id, row.sku, row.sale, (x1, y1, x2, y2), str(picture))
            found.setdefault(row.sku, []).append(crop)
    return {sku: some for sku, some in found.items() if len({one.sale for one in some}) > 1}


def set_state(session: Session, ids: Sequence[int], state: str) -> None:
    """Move confirmations on: `waiting`, `entered` or `withdrawn`."""
    session.execute(
        update(ConfirmationRow).where(ConfirmationRow.id.in_(list(ids))).values(state=state)
    )
