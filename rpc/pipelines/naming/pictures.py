"""Exemplar pictures laid on the crops beside the descriptor: how many more are named right.

Key: N queries, E exemplars, K SKUs.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from rpc.features.local.picture_evidence import PictureEvidence
from rpc.features.local.sku_pictures import pack_pictures, unpack_pictures
from rpc.pipelines.naming.run import Crops
from rpc.pipelines.naming.words import spread_photos
from rpc.recognition.local_look import LIKELY
from rpc.retrieval.gallery.exemplar_photos import COMPARED

FloatArray = NDArray[np.float64]


def picture_evidence(
    exemplars: Crops,
    owner: NDArray[np.integer],
    queries: Crops,
    scores: FloatArray,
    progress: Callable[[int, int], None],
) -> FloatArray:
    """Evidence (N, K) of the exemplars of each query's likeliest SKUs.

    Args:
        exemplars: E pictures; `COMPARED` of each SKU are, as a model file keeps them.
        owner: (E,) SKU of each.
        queries: N pictures.
        scores: (N, K) by which SKUs are likely.
        progress: is told how many queries of how many are done.
    """
    packed = [
        pack_pictures(exemplars.pictures[photo] for photo in photos)
        for photos in spread_photos(exemplars, owner, COMPARED)
    ]
    compare = PictureEvidence(lambda sku: unpack_pictures(packed[sku]), [len(p) for p in packed])
    likely = np.argsort(-scores, axis=1, kind="stable")[:, :LIKELY]
    rows = []
    for picture, skus in zip(queries.pictures, likely, strict=True):
        rows.append(compare.evidence(picture, skus.tolist())[:-1])
        progress(len(rows), len(likely))
    return np.array(rows).reshape(scores.shape)
