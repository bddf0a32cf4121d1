"""The shop's products: titles, prices in cents, numbers on their barcodes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rapidfuzz import fuzz
from sqlalchemy import select
from sqlalchemy.orm import Session

from rpc.data.plain_text import plain_text
from rpc.data.taxonomy import Taxonomy
from rpc.serving.database.database import Database
from rpc.serving.database.models import ProductRow
from rpc.serving.errors import ApiError, not_found
from rpc.serving.events.event_bus import EventBus
from rpc.serving.events.events import Who, append_event
from rpc.serving.sale import PricedSku
from rpc.serving.times import Clock, iso
from rpc.structures.gtin import gtin

MOST_CENTS: Final = 100_000_000
ALIKE: Final = 60.0  # of 100: less alike is not found


@dataclass(frozen=True)
class Product:
    """A product.

    Attributes:
        sku: never changes.
        title: for people.
        price_cents: None where nobody said.
        ean: 8, 12, 13 or 14 digits of its barcode.
        retired: not offered any more.
        changed_at: when it last was.

    Raises:
        ValueError: a value is of no use; the text says which.
    """

    sku: str
    title: str
    price_cents: int | None = None
    ean: str | None = None
    retired: bool = False
    changed_at: str = ""

    def __post_init__(self) -> None:
        for what, text in (("sku", self.sku), ("title", self.title)):
            if not text.strip() or len(text) > 200 or not text.isprintable():
                raise ValueError(
                    f"{what}: expected a line of 1 to 200 characters, got {text!r:.80}"
                )
        price = self.price_cents
        if price is not None and not 0 <= price <= MOST_CENTS:
            raise ValueError(f"price: expected 0 to {MOST_CENTS} cents, got {price}")
        if self.ean is not None and gtin(self.ean) is None:
            raise ValueError(
                f"ean: expected 8, 12, 13 or 14 digits that add up, got {self.ean!r:.40}"
            )

    @property
    def priced(self) -> PricedSku:
        """As it enters a sale."""
        return PricedSku(self.sku, self.title, self.price_cents)

    def same_as(self, other: Product) -> bool:
        """Whether all that people set is the same."""
        return replace(self, changed_at="") == replace(other, changed_at="")


class Products:
    """The products of a database.

    Args:
        database: that keeps them.
        bus: hears of changes.
        clock: the time.
    """

    def __init__(self, database: Database, bus: EventBus, clock: Clock) -> None:
        self._database, self._bus, self._clock = database, bus, clock

    def all(self) -> dict[str, Product]:
        """All products, by SKU."""
        with self._database.reading() as session:
            return all_products(session)

    def get(self, sku: str) -> Product:
        """The product of a SKU.

        Raises:
            ApiError: there is none.
        """
        with self._database.reading() as session:
            return product_of(session, sku)

    def add(self, product: Product, who: Who) -> Product:
        """A new product.

        Raises:
            ApiError: the SKU, or the number of its barcode, is taken.
        """
        with self._database.writing() as session:
            if session.get(ProductRow, product.sku) is not None:
                raise ApiError(
                    409, "sku_taken", f"SKU {product.sku!r}: there is one; choose another name"
                )
            made = self._save(session, product, who)
        self._bus.committed()
        return made

    def change(self, sku: str, values: Mapping[str, Any], who: Who) -> Product:
        """A product with other values for some fields.

        Raises:
            ApiError: there is no such product, or the number of its barcode is taken.
            ValueError: a value is of no use.
        """
        with self._database.writing() as session:
            before = product_of(session, sku)
            after = replace(before, **values)
            if after.same_as(before):
                return before
            after = self._save(session, after, who)
        self._bus.committed()
        return after

    def bring_in(self, products: Sequence[Product], who: Who) -> dict[str, int]:
        """Products of a list, all or none: how many were added, changed, unchanged.

        Raises:
            ApiError: the number of a barcode is another product's.
        """
        counts = {"added": 0, "changed": 0, "unchanged": 0}
        with self._database.writing() as session:
            known = all_products(session)
            for product in products:
                before = known.get(product.sku)
                same = before is not None and before.same_as(product)
                counts["added" if before is None else "unchanged" if same else "changed"] += 1
                if not same:
                    self._save(session, product, who)
        self._bus.committed()
        return counts

    def learn_of(self, taxonomy: Taxonomy, who: Who) -> int:
        """Make products of the counter's SKUs that the shop lacks; returns how many."""
        with self._database.reading() as session:
            known = all_products(session)
        lacking = [one for one in taxonomy.categories if one.name not in known]
        made = [Product(one.name, plain_text(one.title or one.name)[:200]) for one in lacking]
        if made:
            self.bring_in(made, who)
        return len(made)

    def _save(self, session: Session, product: Product, who: Who) -> Product:
        product = replace(product, changed_at=iso(self._clock()))
        if product.ean is not None:
            _require_free(session, product)
        row = session.get(ProductRow, product.sku)
        before = None if row is None else product_to_dict(_product(row))
        if row is None:
            row = ProductRow(sku=product.sku)
            session.add(row)
        row.title, row.price_cents, row.ean = product.title, product.price_cents, product.ean
        row.retired, row.changed_at = product.retired, product.changed_at
        data = {"before": before, "product": product_to_dict(product)}
        append_event(session, "product.changed", who, product.changed_at, data)
        return product


def all_products(session: Session, skus: Iterable[str] | None = None) -> dict[str, Product]:
    """All products, or those of some SKUs, by SKU."""
    chosen = select(ProductRow).order_by(ProductRow.sku)
    if skus is not None:
        chosen = chosen.where(ProductRow.sku.in_(sorted(skus)))
    return {row.sku: _product(row) for row in session.scalars(chosen)}


def product_of(session: Session, sku: str) -> Product:
    """The product of a SKU.

    Raises:
        ApiError: there is none.
    """
    row = session.get(ProductRow, sku) if sku.isprintable() else None
    if row is None:
        raise not_found(f"SKU {sku!r:.80}: no such product; GET /v1/products lists them")
    return _product(row)


def product_to_dict(product: Product) -> dict[str, Any]:
    """Plain values, for JSON."""
    return {
        "sku": product.sku,
        "title": product.title,
        "price_cents": product.price_cents,
        "ean": product.ean,
        "retired": product.retired,
        "changed_at": product.changed_at,
    }


def search(products: Iterable[Product], query: str) -> list[Product]:
    """The products that a person may mean, best first; letters may be wrong or missing.

    Example:
        >>> tea, soap = Product("tea", "Green tea 20 bags"), Product("soap", "Soap")
        >>> [product.sku for product in search([soap, tea], "gren tee")]
        ['tea']
    """
    asked = _folded(query)
    if not asked:
        return sorted(products, key=lambda one: (one.title.casefold(), one.sku))
    scored = [(_alike(asked, one), one) for one in products]
    found = [(score, one) for score, one in scored if score >= ALIKE]
    found.sort(key=lambda pair: (-pair[0], pair[1].title.casefold(), pair[1].sku))
    return [one for _, one in found]


def sku_of_title(title: str, taken: Iterable[str]) -> str:
    """A SKU's name made of its title, such as `green_tea_20_bags`; numbered where it is taken."""
    words = re.findall(r"[a-z0-9]+", _folded(title))
    base = "_".join(words)[:80] or "product"
    known = set(taken)
    names = (base if number == 1 else f"{base}_{number}" for number in range(1, len(known) + 2))
    return next(name for name in names if name not in known)


def _alike(asked: str, product: Product) -> float:
    if asked in (product.sku.casefold(), product.ean):
        return 101.0
    title = _folded(product.title)
    if asked in title or asked in _folded(product.sku):
        return 100.0 + (0.5 if title.startswith(asked) else 0.0)
    words = title.split()
    return 0.99 * sum(_best(one, words) for one in asked.split()) / len(asked.split())


def _best(asked: str, words: Sequence[str]) -> float:
    """How like the most alike of some words a typed word is, or the beginning of one: to 100."""
    scores = (max(fuzz.ratio(asked, one), fuzz.ratio(asked, one[: len(asked)])) for one in words)
    return max(scores, default=0.0)


def _folded(text: str) -> str:
    """Small letters without accents."""
    apart = unicodedata.normalize("NFKD", text.strip().casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _require_free(session: Session, product: Product) -> None:
    others = select(ProductRow.sku).where(
        ProductRow.ean == product.ean, ProductRow.sku != product.sku
    )
    other = session.scalars(others).first()
    if other is not None:
        raise ApiError(409, "ean_taken", f"EAN {product.ean}: belongs to {other!r:.80} already")


def _product(row: ProductRow) -> Product:
    return Product(row.sku, row.title, row.price_cents, row.ean, row.retired, row.changed_at)
