"""Settings of a counter that serves."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from rpc.data.files import DataError

LANGUAGES: Final = ("en", "de")
STATIC: Final = Path(__file__).resolve().parent / "static"


@dataclass(frozen=True)
class ServingSettings:
    """Settings of a counter that serves.

    Attributes:
        data: folder of everything that is kept.
        shop: its name, for people.
        till: the name of this counter.
        currency: of all prices, three letters of ISO 4217.
        keep_days: that pictures of sales are kept.
        loopback: whether only this machine can reach the server.
        https: whether cookies may travel by https alone.
        demo: whether everything is an example.
        requests_per_second: that one client may send on average.
        static: folder of the page.

    Raises:
        DataError: a value is of no use; says which.
    """

    data: Path
    shop: str = "Shop"
    till: str = "till"
    currency: str = "EUR"
    keep_days: int = 30
    loopback: bool = True
    https: bool = False
    demo: bool = False
    requests_per_second: float = 50.0
    static: Path = STATIC

    def __post_init__(self) -> None:
        for what, text in (("shop", self.shop), ("till", self.till)):
            if not text.strip() or len(text) > 100 or not text.isprintable():
                raise DataError(f"{what}: expected a line of 1 to 100 characters, got {text!r:.60}")
        letters = self.currency
        if len(letters) != 3 or not (letters.isascii() and letters.isalpha() and letters.isupper()):
            raise DataError(f"currency: expected three letters such as EUR, got {letters!r:.20}")
        if not 1 <= self.keep_days <= 3650:
            raise DataError(f"keep days: expected 1 to 3650, got {self.keep_days}")
