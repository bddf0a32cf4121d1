"""The descriptors of the founding tutorial by name, and those beside them: maps in, vector out.

Key: C channels of the last map, F of the finer one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.local_encodings import FisherVector, Vlad
from rpc.features.pooling.global_pooling import (
    average_and_max_pool,
    average_pool,
    gem_pool,
    max_pool,
    rmac_pool,
)
from rpc.retrieval.descriptors.scda import scda, scda_plus, selected_descriptors, selected_pools

FloatArray = NDArray[np.floating[Any]]

FLIP: Final = "SCDA_flip+"
ENCODED: Final = ("VLAD", "FV")  # fitted on gallery photos before they can be used


@dataclass(frozen=True)
class PhotoMaps:
    """The network's maps of a photo.

    Attributes:
        last: (C, h, w).
        finer: (F, h', w').
        mirrored: the same two of the mirror image; None where no method asks for it.
    """

    last: FloatArray
    finer: FloatArray
    mirrored: tuple[FloatArray, FloatArray] | None = None


Method = Callable[[PhotoMaps], FloatArray]


def _flip_plus(maps: PhotoMaps) -> FloatArray:
    assert maps.mirrored is not None, "asked for with the mirror image's maps only"
    return np.concatenate([scda_plus(maps.last, maps.finer), scda_plus(*maps.mirrored)])


# Of the cells that SCDA selects, in the order of the tutorial's table, whose "avg&maxPool" is SCDA.
TUTORIAL: Final[Mapping[str, Method]] = {
    "selected avgPool": lambda maps: selected_pools(maps.last)[0],
    "selected maxPool": lambda maps: selected_pools(maps.last)[1],
    "SCDA": lambda maps: scda(maps.last),
    "SCDA+": lambda maps: scda_plus(maps.last, maps.finer),
    FLIP: _flip_plus,
}
# Of all cells, to be compared with: these are no rows of the tutorial.
ALL_CELLS: Final[Mapping[str, Method]] = {
    "avgPool": lambda maps: average_pool(maps.last),
    "maxPool": lambda maps: max_pool(maps.last),
    "avg&maxPool": lambda maps: average_and_max_pool(maps.last),
    "GeM": lambda maps: gem_pool(maps.last),
    "R-MAC": lambda maps: rmac_pool(maps.last),
}
METHODS: Final[Mapping[str, Method]] = {**TUTORIAL, **ALL_CELLS}


def methods_with(vlad: Vlad | None, fisher: FisherVector | None) -> dict[str, Method]:
    """All methods: first VLAD and FV of the cells that SCDA selects, where they are given."""
    encoders = {"VLAD": vlad, "FV": fisher}
    found: dict[str, Method] = {
        name: _selected_then(encoder) for name, encoder in encoders.items() if encoder is not None
    }
    return {**found, **METHODS}


def _selected_then(encode: Callable[[FloatArray], FloatArray]) -> Method:
    return lambda maps: encode(selected_descriptors(maps.last))
