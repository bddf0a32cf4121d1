"""Kinds of supervision in training: only results with the same letter can be compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

Supervision = Literal["E", "T", "V"]

SUPERVISION_TEXT: Final[Mapping[Supervision, str]] = {
    "E": "training saw single-product exemplars, and checkout images of train or val at most "
    "without their labels",
    "T": "training also saw the test images themselves, without labels",
    "V": "training also saw labelled checkout images of the validation split",
}
