"""How much parts of an encoding tell of the class: mutual information with the label.

Zhang, Wei, Wu, Cai, Lu, Nguyen, Do, TIP 2016, after Zhang, Wu, Cai, CVPR 2014 (values by one bit).

Key: N photos, K classes, V values, T clusters.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]


def mutual_information(
    bits: NDArray[np.bool_], labels: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    """I(bit; label) of bits (N, V) and labels (N,): (V,), in nats, from counts.

    0 where a bit tells nothing; the label's entropy where two classes are told apart fully. Counts
    of few photos overstate it, of all bits alike: about (K - 1) / 2N.

    Raises:
        ValueError: shapes that do not fit, or no photo.
    """
    if bits.ndim != 2 or labels.shape != bits.shape[:1] or not len(labels):
        raise ValueError(
            f"mutual information: expected bits (N, V) and labels (N,) of a photo or more, got "
            f"{bits.shape} and {labels.shape}"
        )
    of_class = (labels[:, None] == np.unique(labels)).astype(np.float64)  # (N, K)
    share = of_class.mean(axis=0)[:, None]
    ones = of_class.T @ bits / len(labels)  # (K, V)
    information = np.zeros(bits.shape[1])
    for joint in (ones, share - ones):
        alone = np.broadcast_to(share * joint.sum(axis=0), joint.shape)
        there = joint > 1e-12
        ratio = np.divide(joint, alone, out=np.ones_like(joint), where=there)
        information += np.where(there, joint * np.log(ratio), 0.0).sum(axis=0)
    return information.clip(0)


def cluster_importance(encodings: Floats, labels: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
    """Information that clusters give about the class, (T,), nats: the mean over the values of each.

    A value is a bit: whether it is above its mean over the photos. (Of a Fisher vector, whose
    values have mean 0 where it was fitted, this is nearly the sign.)

    Args:
        encodings: (N, T, V), of each photo the values of each cluster.
        labels: (N,).

    Raises:
        ValueError: shapes that do not fit, or no photo.
    """
    if encodings.ndim != 3 or not len(encodings):
        raise ValueError(f"importance: expected encodings (N, T, V), got {encodings.shape}")
    bits = encodings > encodings.mean(axis=0)
    information = mutual_information(bits.reshape(len(bits), -1), labels)
    return np.asarray(information.reshape(encodings.shape[1:]).mean(axis=1))
