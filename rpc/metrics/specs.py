"""The table of metrics: how each is called, printed and explained. All printers read it.

docs/metrics.md, 'To add a metric', says what else a new line needs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Unit = Literal["%", ""]
Of = Literal["counts", "boxes"]

ABSENT: Final = "-"


@dataclass(frozen=True)
class MetricSpec:
    """One metric of the results table.

    Attributes:
        name: its key in `report.json`, and its field of `CheckoutMetrics` or `DetectionMetrics`.
        unit: "%": a fraction that is printed in percent; "": a number that is printed as it is.
        decimals: of the printed number, in reports and on the screen.
        higher_is_better: whether a higher value is the better one.
        title: how it is called in print.
        explanation: what it is, a few words for beneath the table.
        of: what it is computed from: the shopping lists ("counts", and it has an interval then), or
            the raw boxes ("boxes": there is no figure for results without boxes).
        paper_decimals: of the printed number in the paper's table.

    Raises:
        ValueError: decimals below 0, or an empty text.
    """

    name: str
    unit: Unit
    decimals: int
    higher_is_better: bool
    title: str
    explanation: str
    of: Of
    paper_decimals: int = 2

    def __post_init__(self) -> None:
        if min(self.decimals, self.paper_decimals) < 0:
            raise ValueError(f"metric {self.name}: expected 0 decimals or more")
        if not (self.name and self.title and self.explanation):
            raise ValueError("metric: expected a name, a title and an explanation")

    @property
    def is_rate(self) -> bool:
        """Whether it is a fraction that is printed in percent."""
        return self.unit == "%"

    @property
    def heading(self) -> str:
        """Its name with its unit, for the head of a column."""
        return f"{self.title} {self.unit}".rstrip()

    def text(self, value: float | None) -> str:
        """A value without its unit, for reports; a dash where it was not measured."""
        return ABSENT if value is None else f"{self._scaled(value):.{self.decimals}f}"

    def unit_text(self, value: float | None) -> str:
        """A value with its unit, where no heading gives it."""
        return ABSENT if value is None else f"{self.text(value)}{self.unit}"

    def change_text(self, value: float) -> str:
        """A difference of two values, with its sign; of rates in points of a percent."""
        return f"{self._scaled(value):+.{self.decimals}f}"

    def paper_text(self, value: float | None) -> str:
        """A value with its unit, as the RPC paper prints it; a dash where it was not measured."""
        if value is None:
            return ABSENT
        return f"{self._scaled(value):.{self.paper_decimals}f}{self.unit}"

    def paper_number(self, value: float) -> float:
        """The number that `paper_text` shows: values that look alike are equal."""
        return float(f"{self._scaled(value):.{self.paper_decimals}f}")

    def spread_text(self, value: float) -> str:
        """A spread beside a `paper_text`: the unit stands there already."""
        return f"{self._scaled(value):.{self.paper_decimals}f}"

    def _scaled(self, value: float) -> float:
        return 100 * value if self.is_rate else value


# In the order of the table.
METRICS: Final[Mapping[str, MetricSpec]] = {
    spec.name: spec
    for spec in (
        MetricSpec("cAcc", "%", 1, True, "cAcc", "carts that are right in every SKU", "counts"),
        MetricSpec("ACD", "", 2, False, "ACD", "items wrong per cart", "counts"),
        MetricSpec(
            "mCCD", "", 3, False, "mCCD", "items wrong per true item, mean over SKUs", "counts"
        ),
        MetricSpec(
            "mCIoU", "%", 1, True, "mCIoU", "agreement of the counts, mean over SKUs", "counts"
        ),
        MetricSpec("mAP50", "%", 1, True, "mAP50", "average precision of the raw boxes", "boxes"),
        MetricSpec("mmAP", "%", 1, True, "mmAP", "average precision of the raw boxes", "boxes"),
    )
}

# Those of two of the report's smaller tables.
OF_SUPERCATEGORIES: Final = ("mCCD", "mCIoU")
OF_SIZES: Final = ("cAcc", "ACD")


def metrics_of(of: Of) -> list[MetricSpec]:
    """The metrics that are computed from the shopping lists, or from the raw boxes."""
    return [spec for spec in METRICS.values() if spec.of == of]


def explanations() -> str:
    """A sentence for each metric; neighbours of one explanation share it."""
    sentences: list[tuple[list[str], str]] = []
    for spec in METRICS.values():
        if sentences and sentences[-1][1] == spec.explanation:
            sentences[-1][0].append(spec.title)
        else:
            sentences.append(([spec.title], spec.explanation))
    return " ".join(f"{listed(titles)}: {text}." for titles, text in sentences)


def listed(names: list[str]) -> str:
    """Names in a sentence: `a`, `a and b`, `a, b and c`."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]
