"""Open-set decisions: a threshold on similarity, and similarities as probabilities.

The score of a crop is the best inner product with any exemplar of any SKU. Below the threshold, it
is none of the gallery's products. The rule by which the threshold is chosen, on validation crops,
where unknown products are among them (`choose_threshold`):

1. A crop of a known product is handled right where its SKU comes first and its score reaches the
   threshold; a crop of anything else where its score stays below.
2. Known and unknown count alike, however many there are of each: the mean of the two shares.
3. Of thresholds that are equally good (within half a crop), the middle of the longest run is taken.

Where no unknown product is at hand, the threshold keeps 95% of the known crops that are named right
(`keeping_threshold`): what an unknown looks like cannot be learnt from those. How an unknown among
look-alikes would do can be told all the same: each known crop with its own SKU left out
(`unknown_scores`).

Key: N crops, K SKUs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
KEPT: Final = 0.95
TEMPERATURES: Final = tuple(float(t) for t in np.geomspace(0.004, 0.5, 43))


@dataclass(frozen=True)
class OpenSet:
    """When a crop is believed, and how similarities become probabilities.

    Attributes:
        threshold: least score of a product of the gallery, -1 to 1.
        temperature: how far similarities must be apart for one to be e times as likely; above 0.

    Raises:
        ValueError: a value is out of its range.
    """

    threshold: float = 0.5
    temperature: float = 0.03

    def __post_init__(self) -> None:
        for name, low in (("threshold", -1.0), ("temperature", 0.0)):
            value = getattr(self, name)
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if not number or not low <= value <= 1 or (name == "temperature" and value == 0):
                raise ValueError(f"open set: {name}: expected {low} to 1, got {value!r:.40}")
            object.__setattr__(self, name, float(value))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> OpenSet:
        """The rule of `to_dict`; other fields, such as where it was chosen, are passed over.

        Raises:
            ValueError: a field is missing or out of its range.
        """
        try:
            return cls(values["threshold"], values["temperature"])
        except KeyError as error:
            raise ValueError(f"open set: the field {error} is missing") from error

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    def probabilities(self, similarities: FloatArray) -> FloatArray:
        """(N, K + 1) of similarities (N, K), rows summing to 1; the last column is 'none of them'.

        A softmax in which 'none of them' has the similarity `threshold`: a crop at the threshold
        is as likely unknown as the SKU that is most like it. Without a SKU, all is unknown.
        """
        limit = np.full((len(similarities), 1), self.threshold)
        return softmax(np.concatenate([similarities, limit], axis=1) / self.temperature)


@dataclass(frozen=True)
class OpenSetChoice:
    """A chosen threshold and what it does on the crops that it was chosen on.

    Attributes:
        threshold: see `OpenSet`.
        known: share of known crops that are accepted under their right name.
        unknown: share of unknown crops that are rejected.
    """

    threshold: float
    known: float
    unknown: float


def choose_threshold(
    scores: FloatArray, right: NDArray[np.bool_], unknown: FloatArray
) -> OpenSetChoice:
    """The threshold by the rule above.

    Args:
        scores: best similarity (N,) of crops of known products.
        right: (N,) whether the SKU that comes first is the true one.
        unknown: best similarity of crops of unknown products, any number of them.

    Raises:
        ValueError: no known or no unknown crop, or lengths differ.
    """
    if len(scores) == 0 or len(unknown) == 0 or len(scores) != len(right):
        raise ValueError(
            "open set: expected one known and one unknown crop or more, got "
            f"{len(scores)} known ({len(right)} judged) and {len(unknown)} unknown"
        )
    levels = np.unique(np.concatenate([scores, unknown]))
    # Between two neighbouring scores all thresholds are alike: the middle stands for the gap.
    ends = np.concatenate([[max(levels[0] - 0.02, -1)], levels, [min(levels[-1] + 0.02, 1)]])
    steps = (ends[:-1] + ends[1:]) / 2
    good, unknowns = np.sort(scores[right]), np.sort(unknown)
    known = (len(good) - np.searchsorted(good, steps, side="left")) / len(scores)
    rejected = np.searchsorted(unknowns, steps, side="left") / len(unknown)
    value = (known + rejected) / 2
    slack = 0.25 / max(len(scores), len(unknown)) + 1e-12
    step = _middle_of_longest(value >= value.max() - slack, ends)
    return OpenSetChoice(float(steps[step]), float(known[step]), float(rejected[step]))


def keeping_threshold(scores: FloatArray, right: NDArray[np.bool_], share: float = KEPT) -> float:
    """The highest threshold that keeps `share` of the crops (N,) whose SKU comes first rightly.

    -1, which rejects nothing, where none is right.

    Raises:
        ValueError: lengths differ.
    """
    if len(scores) != len(right):
        raise ValueError(f"open set: expected as many judgements as scores, got {len(right)}")
    good = np.sort(scores[right])
    return float(good[int((1 - share) * len(good))]) if len(good) else -1.0


def unknown_scores(similarities: FloatArray, labels: NDArray[np.int64]) -> FloatArray:
    """Best similarity (N,) of each crop with the SKUs that it is not: as if its own were unknown.

    Args:
        similarities: (N, K), K of two or more.
        labels: (N,) true SKU.
    """
    others = np.array(similarities, dtype=np.float64)
    others[np.arange(len(others)), labels] = -np.inf
    return np.asarray(others.max(axis=1))


def choose_temperature(similarities: FloatArray, labels: NDArray[np.int64]) -> float:
    """The temperature under which the true SKUs (N,) are likeliest, from similarities (N, K).

    Raises:
        ValueError: no crop.
    """
    if len(labels) == 0:
        raise ValueError("open set: expected one known crop or more, got none")
    rows = np.arange(len(labels))
    costs = [
        -np.log(np.maximum(softmax(similarities / t)[rows, labels], 1e-12)).mean()
        for t in TEMPERATURES
    ]
    return TEMPERATURES[int(np.argmin(costs))]


def softmax(logits: FloatArray) -> FloatArray:
    """Softmax of each row of numbers (N, C)."""
    power = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(power / power.sum(axis=1, keepdims=True))


def _middle_of_longest(good: NDArray[np.bool_], ends: FloatArray) -> int:
    """Step nearest the middle of the widest run of good steps; step i spans ends[i : i + 2]."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], good, [False]]).astype(np.int8)))
    runs = edges.reshape(-1, 2)
    first, stop = runs[int(np.argmax(ends[runs[:, 1]] - ends[runs[:, 0]]))]
    middle = (ends[first] + ends[stop]) / 2
    steps = (ends[first:stop] + ends[first + 1 : stop + 1]) / 2
    return int(first + np.argmin(np.abs(steps - middle)))
