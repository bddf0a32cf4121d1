"""Selective convolutional descriptor aggregation: SCDA, SCDA+ and SCDA_flip+.

Wei, Luo, Wu, Zhou, 'Selective Convolutional Descriptor Aggregation for Fine-Grained Image
Retrieval', TIP 2017. Every block (average, maximum) has unit length by itself, so a descriptor has
length sqrt(2) (SCDA), sqrt(2.5) (SCDA+) or sqrt(5) (flip+); similarity is the cosine.

Key: C channels of the last map, F of the finer one, h x w cells of the last map.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.features.encodings.normalise import l2_normalised
from rpc.features.pooling.global_pooling import check_map
from rpc.retrieval.descriptors.selection import Mask, activation_mask, object_mask, resized_mask

FloatArray = NDArray[np.floating[Any]]
Rgb = NDArray[np.uint8]

ALPHA: Final = 0.5  # weight of the finer layer's blocks


def selected_pool(feature_map: FloatArray, mask: Mask) -> FloatArray:
    """Average and maximum of the chosen cells, each of unit length: (2C,); zeros where none is.

    Args:
        feature_map: (C, h, w).
        mask: (h, w).

    Raises:
        ValueError: the two do not fit, or a value is not finite.
    """
    check_map(feature_map)
    if mask.shape != feature_map.shape[1:]:
        raise ValueError(f"mask: expected {feature_map.shape[1:]}, got {mask.shape}")
    if not mask.any():
        return np.zeros(2 * feature_map.shape[0], feature_map.dtype)
    chosen = feature_map[:, mask]  # (C, M)
    return np.concatenate([l2_normalised(chosen.mean(axis=1)), l2_normalised(chosen.max(axis=1))])


def selected_pools(last: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Average and maximum of the cells that SCDA keeps of a map (C, h, w), by themselves: (C,)."""
    average, maximum = np.split(scda(last), 2)
    return average, maximum


def selected_descriptors(feature_map: FloatArray) -> FloatArray:
    """The descriptors (M, C) of the cells that SCDA keeps of a map (C, h, w)."""
    return feature_map[:, object_mask(feature_map)].T


def scda(last: FloatArray) -> FloatArray:
    """SCDA of the last map (C, h, w): average and maximum over the object's cells (2C,)."""
    return selected_pool(last, object_mask(last))


def scda_plus(last: FloatArray, finer: FloatArray, alpha: float = ALPHA) -> FloatArray:
    """SCDA+ : beside SCDA of the last map, the same of a finer one, times `alpha` (2C + 2F,).

    Of the finer map, cells count that are above its own mean and lie on the object of the last map
    (section III-D); no second search for the largest piece.

    Args:
        last: (C, h, w), as VGG's pool5.
        finer: (F, h', w') of about twice the cells, as VGG's relu5_2.
        alpha: weight of the finer map's blocks.
    """
    mask = object_mask(last)
    finer_mask = activation_mask(finer) & resized_mask(mask, finer.shape[1], finer.shape[2])
    return np.concatenate([selected_pool(last, mask), alpha * selected_pool(finer, finer_mask)])


def scda_flip_plus(rgb: Rgb, maps: Callable[[Rgb], tuple[FloatArray, ...]]) -> FloatArray:
    """SCDA_flip+ : SCDA+ of a photo beside SCDA+ of its mirror image (4C + 4F,).

    The mirror image goes through the network again and gets its own mask: on one and the same map
    mirroring changes nothing, as average and maximum do not know where a cell lies.

    Args:
        rgb: (H, W, 3) uint8.
        maps: photo to the last and the finer map, as `FeatureMaps(name, ("last", "finer"))`.
    """
    parts = []
    for side in (rgb, np.ascontiguousarray(rgb[:, ::-1])):
        last, finer = maps(side)
        parts.append(scda_plus(last, finer))
    return np.concatenate(parts)
