"""The shop's products as CSV: sku, title, price as 2.49, ean, retired; for a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from typing import Final

from rpc.data.files import DataError
from rpc.data.plain_text import csv_cell
from rpc.serving.products.products import Product

COLUMNS: Final = ("sku", "title", "price", "ean", "retired")
PRICE: Final = re.compile(r"(\d{1,7})(?:[.,](\d{1,2}))?")
TRUE: Final = ("true", "yes", "1", "x")
FALSE: Final = ("false", "no", "0", "")


def write_catalogue(products: Iterable[Product]) -> str:
    """Products as CSV text, by SKU."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for one in sorted(products, key=lambda product: product.sku):
        price = "" if one.price_cents is None else price_text(one.price_cents)
        values = (one.sku, one.title, price, one.ean or "", "true" if one.retired else "false")
        writer.writerow([csv_cell(value) for value in values])
    return file.getvalue()


def read_catalogue(data: bytes, known: Mapping[str, Product]) -> list[Product]:
    """Products of CSV text, comma or semicolon; a column that is missing leaves a value as it is.

    Args:
        data: of the file, UTF-8.
        known: the products that are there, by SKU.

    Raises:
        DataError: a line is wrong; says which, and what was expected.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(f"CSV line {line}: not UTF-8 text; save it as 'CSV UTF-8'") from error
    first = text.split("\n", 1)[0]
    sign = ";" if ";" in first else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=sign, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if any(cell.strip() for cell in row)]
    except csv.Error as error:
        raise DataError(f"CSV line {reader.line_num}: {error}") from error
    if not rows:
        raise DataError(f"CSV: empty; expected a first line with {','.join(COLUMNS)}")
    columns = _columns(rows[0][1])
    made: dict[str, Product] = {}
    codes: dict[str, str] = {}
    for line, row in rows[1:]:
        product = _product(line, dict(zip(columns, row, strict=False)), known)
        if len(row) > len(columns):
            raise DataError(f"CSV line {line}: {len(row)} cells, {len(columns)} columns")
        if product.sku in made:
            raise DataError(f"CSV line {line}: SKU {product.sku!r} stands there twice")
        if product.ean and product.ean in codes:
            raise DataError(f"CSV line {line}: EAN {product.ean} is {codes[product.ean]!r}'s too")
        made[product.sku] = product
        if product.ean:
            codes[product.ean] = product.sku
    return list(made.values())


def price_text(cents: int) -> str:
    """Cents as people write them.

    Example:
        >>> price_text(249), price_text(5)
        ('2.49', '0.05')
    """
    return f"{cents // 100}.{cents % 100:02d}"


def price_cents(text: str) -> int | None:
    """Cents of a price such as `2.49` or `2,49`; None of an empty text.

    Raises:
        ValueError: no such price.
    """
    if not text.strip():
        return None
    found = PRICE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"price: expected something like 2.49, got {text!r:.40}")
    return int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))


def _columns(row: list[str]) -> list[str]:
    columns = [cell.strip().casefold() for cell in row]
    wrong = [name for name in columns if name not in COLUMNS]
    if wrong or "sku" not in columns or len(set(columns)) < len(columns):
        raise DataError(
            f"CSV line 1: expected the columns {','.join(COLUMNS)}, sku among them, "
            f"got {','.join(columns)!r:.200}"
        )
    return columns


def _product(line: int, cells: Mapping[str, str], known: Mapping[str, Product]) -> Product:
    values = {name: _plain(cell) for name, cell in cells.items()}
    before = known.get(values.get("sku", ""))
    try:
        title = values.get("title") or (before.title if before else "")
        if not title:
            raise ValueError("title: a new product needs one")
        return Product(
            values.get("sku", ""),
            title,
            price_cents(values["price"])
            if "price" in values
            else (before.price_cents if before else None),
            (values["ean"] or None) if "ean" in values else (before.ean if before else None),
            _truth(values["retired"])
            if "retired" in values
            else (before.retired if before else False),
        )
    except ValueError as error:
        raise DataError(f"CSV line {line}: {error}") from error


def _plain(cell: str) -> str:
    """A cell without the apostrophe that kept a spreadsheet from reading a formula."""
    text = cell.strip()
    return text[1:] if len(text) > 1 and text[0] == "'" and csv_cell(text[1:]) == text else text


def _truth(text: str) -> bool:
    word = text.casefold()
    if word not in TRUE + FALSE:
        raise ValueError(f"retired: expected true or false, got {text!r:.40}")
    return word in TRUE
