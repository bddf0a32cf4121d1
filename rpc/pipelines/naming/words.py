"""Words on the crops beside the descriptor: how many more are named right.

Key: N queries, E exemplars, K SKUs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from rpc.data.evenly_spaced import evenly_spaced
from rpc.features.text.sku_words import words_of_texts
from rpc.features.text.word_evidence import WordEvidence
from rpc.pipelines.naming.run import Crops
from rpc.retrieval.gallery.exemplar_photos import READ
from rpc.retrieval.gallery.open_set import OpenSet, choose_temperature
from rpc.structures.readings import ReadsPacks

FloatArray = NDArray[np.float64]


def word_evidence(
    exemplars: Crops,
    owner: NDArray[np.integer],
    queries: Crops,
    read: ReadsPacks,
    progress: Callable[[int, int], None],
) -> FloatArray:
    """Evidence (N, K) of what is read on the queries, by the words of the exemplars.

    Args:
        exemplars: E pictures; `READ` of each SKU are read, spread evenly in the order of names.
        owner: (E,) SKU of each.
        queries: N pictures.
        read: the reader.
        progress: is told how many pictures of how many are read.
    """
    chosen = spread_photos(exemplars, owner, READ)
    total, done = sum(map(len, chosen)) + len(queries.pictures), 0
    words = []
    for photos in chosen:
        words.append(words_of_texts(read(exemplars.pictures[photo]) for photo in photos))
        done += len(photos)
        progress(done, total)
    compared = WordEvidence(words)
    rows = []
    for picture in queries.pictures:
        rows.append(compared.evidence(read(picture).readings)[:-1])
        done += 1
        progress(done, total)
    return np.array(rows).reshape(len(rows), len(words))


def spread_photos(exemplars: Crops, owner: NDArray[np.integer], most: int) -> list[list[int]]:
    """At most so many exemplars of each SKU, spread evenly in the order of their names."""
    chosen = []
    for sku in range(int(owner.max()) + 1):
        photos = sorted(np.flatnonzero(owner == sku).tolist(), key=lambda e: exemplars.names[e])
        chosen.append([photos[place] for place in evenly_spaced(len(photos), most)])
    return chosen


def with_words(
    scores: FloatArray,
    evidence: FloatArray,
    truth: NDArray[np.int64],
    groups: Sequence[str] | NDArray[np.str_],
) -> FloatArray:
    """Log-likelihoods (N, K) of descriptor and words together, in cross-validation by group.

    A group's similarities become log-likelihoods by the temperature under which the true SKUs of
    all other groups are likeliest; words are added as they are. With a single group it is the
    temperature of an untuned gallery.

    Args:
        scores: similarities (N, K).
        evidence: of the words, (N, K).
        truth: (N,) the right SKU.
        groups: (N,) cart or tray.
    """
    names = np.asarray(groups)
    joined = np.empty(scores.shape)
    for group in np.unique(names):
        rows, others = names == group, names != group
        temperature = (
            choose_temperature(scores[others], truth[others])
            if others.any()
            else OpenSet().temperature
        )
        joined[rows] = scores[rows] / temperature + evidence[rows]
    return joined
