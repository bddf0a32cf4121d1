"""Names of crops in the light of the other items of their photo: how many more are right.

Key: N queries, K SKUs.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rpc.counting.repeats import NamedBoxes, choose_gain, with_repeats
from rpc.pipelines.naming.run import Crops

FloatArray = NDArray[np.float64]


def in_the_light_of_trays(
    log_likelihoods: FloatArray, queries: Crops, truth: NDArray[np.int64]
) -> FloatArray:
    """Probabilities (N, K), in cross-validation by group.

    The gain (`rpc.counting.repeats`) of a group's photos is the one under which the true SKUs of
    all other groups are likeliest; with a single group it is 0.

    Args:
        log_likelihoods: (N, K) of each SKU for each query.
        queries: N crops, their photos, boxes and groups.
        truth: (N,) the right SKU.
    """
    shares = np.exp(log_likelihoods - log_likelihoods.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    photos = np.asarray(queries.names)
    rows_of = [np.flatnonzero(photos == photo) for photo in np.unique(photos)]
    trays = [_named(queries.boxes[rows], shares[rows]) for rows in rows_of]
    answers = [(queries.boxes[rows], truth[rows]) for rows in rows_of]
    group_of = np.array([queries.groups[rows[0]] for rows in rows_of])
    found = shares.copy()
    for group in np.unique(group_of):
        others = np.flatnonzero(group_of != group)
        if not len(others):
            continue
        gain = choose_gain([trays[n] for n in others], [answers[n] for n in others])
        for n in np.flatnonzero(group_of == group):
            found[rows_of[n]] = with_repeats(trays[n], gain)[:, :-1]
    return np.asarray(found, dtype=np.float64)


def _named(boxes: FloatArray, shares: FloatArray) -> NamedBoxes:
    """True boxes: each of them is an item, and of one of the SKUs."""
    nothing = np.zeros((len(boxes), 1))
    return NamedBoxes(boxes, np.ones(len(boxes)), np.concatenate([shares, nothing], axis=1))
