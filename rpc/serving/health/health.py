"""How well the counter does: trays without correction, SKUs that are confused, and warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from scipy.stats import fisher_exact
from sqlalchemy import select

from rpc.serving.database.database import Database
from rpc.serving.database.models import EventRow, SaleRow
from rpc.serving.health import tray_looks
from rpc.serving.products.products import all_products
from rpc.serving.times import Clock, iso, utc_now

SHOWN: Final = 20  # confused pairs
RECENT: Final = 20  # items of a SKU whose corrections are compared with the ones before
CHANCE: Final = 0.001  # that a pack is called changed that is not, each time somebody looks
LOOKS: Final = 300  # newest trays whose pictures are compared
HISTORY: Final = 2000  # newest accepted sales in which packs are looked for


@dataclass(frozen=True)
class Tray:
    """An accepted sale, as far as health is concerned.

    Attributes:
        sale: its id.
        at: when it was counted.
        passed: whether nothing was asked.
        corrections: how many stand.
    """

    sale: str
    at: str
    passed: bool
    corrections: int


def shares(trays: Sequence[Tray]) -> dict[str, Any]:
    """Trays by day, and the shares of all; a share of nothing is None."""
    days: dict[str, Counter[str]] = {}
    for tray in trays:
        day = days.setdefault(tray.at[:10], Counter())
        day["trays"] += 1
        day["uncorrected"] += tray.corrections == 0
        day["passed"] += tray.passed
    total: Counter[str] = sum(days.values(), Counter())
    passed = [tray for tray in trays if tray.passed]
    return {
        "days": [
            {"day": day, **{name: found[name] for name in ("trays", "uncorrected", "passed")}}
            for day, found in sorted(days.items())
        ],
        "trays": total["trays"],
        "uncorrected_share": _share(total["uncorrected"], total["trays"]),
        "passed_share": _share(total["passed"], total["trays"]),
        "passed_right_share": _share(sum(t.corrections == 0 for t in passed), len(passed)),
    }


def pack_changed(wrong: Sequence[bool]) -> bool:
    """Whether a SKU is read worse of late than before: its items in time, True where corrected.

    By Fisher's exact test of the last `RECENT` items against those before.
    """
    new, before = list(wrong[-RECENT:]), list(wrong[:-RECENT])
    if len(before) < RECENT or sum(new) * len(before) <= sum(before) * len(new):
        return False
    table = [[sum(new), len(new) - sum(new)], [sum(before), len(before) - sum(before)]]
    return float(fisher_exact(table, "greater")[1]) < CHANCE


class Health:
    """The health of a database's sales.

    Args:
        database: with sales and events.
        camera: warnings of the server's camera, for JSON.
        clock: the time.
    """

    def __init__(
        self,
        database: Database,
        camera: Callable[[], list[dict[str, Any]]] = list,
        clock: Clock = utc_now,
    ) -> None:
        self._database, self._camera, self._clock = database, camera, clock

    def report(self, days: int) -> dict[str, Any]:
        """All of the last days, for JSON."""
        since = iso(self._clock() - timedelta(days=days))
        chosen = select(SaleRow.id, SaleRow.created_at, SaleRow.passed, SaleRow.corrections).where(
            SaleRow.state == "accepted", SaleRow.created_at >= since
        )
        with self._database.reading() as session:
            trays = [Tray(*row) for row in session.execute(chosen)]
        confused = self._confused({tray.sale for tray in trays}, since)
        return {**shares(trays), "confused": confused, "warnings": self.warnings()}

    def warnings(self) -> list[dict[str, Any]]:
        """Things that somebody should look at."""
        newest = (
            select(SaleRow.look, SaleRow.created_at)
            .where(SaleRow.look.is_not(None))
            .order_by(SaleRow.created_at.desc())
            .limit(LOOKS)
        )
        with self._database.reading() as session:
            rows = [(look, at) for look, at in session.execute(newest) if look][::-1]
        since = rows[-min(tray_looks.NEW, len(rows))][1] if rows else None
        found = tray_looks.warnings_of([look for look, _ in rows])
        told = [
            {"code": code, "text": text, "sku": None, "since": since}
            for code, text in found.items()
        ]
        live = self._camera()
        known = {one["code"] for one in live}
        told = [one for one in told if one["code"] not in known]
        return live + told + self._changed_packs()

    def _changed_packs(self) -> list[dict[str, Any]]:
        with self._database.reading() as session:
            chosen = (
                select(SaleRow.id, SaleRow.items, SaleRow.created_at)
                .where(SaleRow.state == "accepted")
                .order_by(SaleRow.created_at.desc())
                .limit(HISTORY)
            )
            sales = list(session.execute(chosen))[::-1]
            first = sales[0][2] if sales else iso(self._clock())
            taken_from = self._taken_from(first)
            titles = {sku: one.title for sku, one in all_products(session).items()}
        history: dict[str, list[tuple[bool, str]]] = {}
        for sale, items, at in sales:
            for item in items:
                if item["source"] == "counted" and item["counted"]:
                    wrong = (sale, item["id"], item["sku"]) in taken_from
                    history.setdefault(item["sku"], []).append((wrong, at))
        return [
            {
                "code": "pack_changed",
                "text": f"{titles.get(sku, sku)} is read wrongly more often than before: "
                "has the pack changed? Add photos of it",
                "sku": sku,
                "since": found[-min(RECENT, len(found))][1],
            }
            for sku, found in sorted(history.items())
            if pack_changed([wrong for wrong, _ in found])
        ]

    def _taken_from(self, since: str) -> set[tuple[str, int, str]]:
        """Sale, item and SKU of items that a person had to rename to this SKU."""
        return {
            (event.sale or "", event.data["item"], event.data["sku"])
            for event in self._renamed(since)
        }

    def _confused(self, sales: set[str], since: str) -> list[dict[str, Any]]:
        pairs: Counter[tuple[str, str]] = Counter()
        last: dict[tuple[str, str], str] = {}
        for event in self._renamed(since):
            pair = (event.data["sku"], event.data["sku_before"])
            if event.sale in sales and pair[0] != pair[1]:
                pairs[pair] += 1
                last[pair] = event.sale or ""
        with self._database.reading() as session:
            titles = {sku: one.title for sku, one in all_products(session).items()}
        return [
            {
                "sku": sku,
                "title": titles.get(sku, sku),
                "read_as": read_as,
                "read_as_title": titles.get(read_as, read_as),
                "times": times,
                "last_sale": last[sku, read_as],
            }
            for (sku, read_as), times in sorted(pairs.items(), key=lambda one: (-one[1], one[0]))
        ][:SHOWN]

    def _renamed(self, since: str) -> list[EventRow]:
        chosen = (
            select(EventRow)
            .where(EventRow.type == "sale.corrected", EventRow.at >= since)
            .order_by(EventRow.seq)
        )
        with self._database.reading() as session:
            events: Mapping[str, list[EventRow]] = _by_sale(session.scalars(chosen))
        return [event for some in events.values() for event in _standing_renames(some)]


def _by_sale(events: Any) -> dict[str, list[EventRow]]:
    found: dict[str, list[EventRow]] = {}
    for event in events:
        found.setdefault(event.sale, []).append(event)
    return found


def _standing_renames(events: Sequence[EventRow]) -> list[EventRow]:
    """The renames of a sale that nobody took back."""
    left: list[EventRow] = []
    for event in events:
        if event.data["kind"] != "undone":
            left.append(event)
        elif left:
            left.pop()
    return [event for event in left if event.data["kind"] == "renamed"]


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
