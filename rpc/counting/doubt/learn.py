"""Doubt learnt from labelled trays: composed scenes first, then photos.

Key: N trays, M decisions, K SKUs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.decisions import Decisions, Outcomes
from rpc.counting.doubt.doubt import AlikePair, Doubt
from rpc.counting.doubt.fit import GAP, PRIOR, WIDTHS, Decided, fit_calibration
from rpc.counting.doubt.judge import judge
from rpc.counting.doubt.limit import TARGET, JudgedTrays, choose_limit
from rpc.structures.boxes import FloatArray

FOLDS: Final = 5  # a photo's certainty comes from a calibration that did not see it


@dataclass(frozen=True, eq=False)
class Labelled:
    """Trays that were counted, and whose truth is known.

    Attributes:
        made: the decisions of each of the N trays.
        became: what became of them.

    Raises:
        ValueError: other numbers of trays.
    """

    made: tuple[Decisions, ...] = ()
    became: tuple[Outcomes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.made) != len(self.became):
            raise ValueError(f"doubt: {len(self.made)} trays, {len(self.became)} outcomes")

    def __len__(self) -> int:
        return len(self.made)

    def part(self, rows: Sequence[int]) -> Labelled:
        """Some of the trays."""
        return Labelled(
            tuple(self.made[row] for row in rows), tuple(self.became[row] for row in rows)
        )


def learn_calibration(
    photos: Labelled, scenes: Labelled, skus: int, *, bent: bool = True
) -> Calibration:
    """The calibration of scenes, moved by photos as far as they say so.

    Args:
        photos: of validation.
        scenes: composed ones that no training saw.
        skus: K.
        bent: fit curves on scenes; straight lines in log-odds otherwise.
    """
    prior, widths = PRIOR, WIDTHS
    if len(scenes):
        known = Decided.of(scenes.made, scenes.became, skus)
        prior, widths = fit_calibration(known, bent=bent), GAP
    if not len(photos):
        return prior
    return fit_calibration(Decided.of(photos.made, photos.became, skus), prior, widths)


def certainties_of(trays: Labelled, calibration: Calibration) -> FloatArray:
    """Probability (N,) that each tray is right."""
    return _judged(trays, calibration)[:, 0]


def _judged(trays: Labelled, calibration: Calibration) -> FloatArray:
    """For each tray (N, 2): its certainty, and the probability of its decisions alone."""
    found = [judge(one, calibration, 1.0) for one in trays.made]
    return np.array([[one.certainty, one.decided] for one in found]).reshape(-1, 2)


def learn_doubt(
    photos: Labelled,
    scenes: Labelled,
    skus: int,
    *,
    alike: tuple[AlikePair, ...] = (),
    target: float = TARGET,
    bent: bool = True,
) -> Doubt:
    """Calibration and limit, from labelled photos, composed scenes, or both.

    Args:
        photos: of validation, never of the test.
        scenes: composed ones that no training saw.
        skus: K.
        alike: SKUs that cannot be told apart from some views, see `find_alike`.
        target: share of the trays that pass that is to be right.
        bent: see `learn_calibration`.
    """
    names = [name for name, set_ in (("val", photos), ("composed scenes", scenes)) if len(set_)]
    calibration = learn_calibration(photos, scenes, skus, bent=bent)
    judged = [
        _with_truth(photos, _cross_fitted(photos, scenes, skus, bent)),
        _with_truth(scenes, _judged(scenes, calibration)),
    ]
    return Doubt(
        calibration=calibration,
        limit=choose_limit(judged, target),
        target=target,
        chosen_on=" and ".join(names),
        trays=len(photos) + len(scenes),
        alike=alike,
    )


def _with_truth(trays: Labelled, sure: FloatArray) -> JudgedTrays:
    """The trays with how sure a counter was of them, see `_judged`."""
    right = np.array([one.right for one in trays.became], dtype=np.bool_)
    return JudgedTrays(sure[:, 0], sure[:, 1], right)


def _cross_fitted(photos: Labelled, scenes: Labelled, skus: int, bent: bool) -> FloatArray:
    """As `_judged` (N, 2), each photo by a calibration of the others."""
    sure = np.zeros((len(photos), 2))
    for fold in range(min(FOLDS, len(photos))):
        here = [row for row in range(len(photos)) if row % FOLDS == fold]
        others = [row for row in range(len(photos)) if row % FOLDS != fold]
        calibration = learn_calibration(photos.part(others), scenes, skus, bent=bent)
        sure[here] = _judged(photos.part(here), calibration)
    return sure
