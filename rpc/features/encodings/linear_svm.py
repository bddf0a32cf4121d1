"""Linear support vector machines, one class against the rest, as plain weights.

Key: N vectors, D dimensions, K classes.
"""

from __future__ import annotations

import warnings
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.packages import needed
from rpc.features.encodings.normalise import check_finite

Floats = NDArray[np.floating[Any]]

NEVER: Final = -1e4  # score of a class of which there was no example


def fit_linear_svm(
    vectors: Floats, labels: NDArray[np.integer[Any]], classes: int, *, cost: float = 1.0
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights (K, D) and bias (K,): the score of class k is weights[k] . x + bias[k].

    Squared hinge loss times `cost`, plus half the squared length of the weights (liblinear).

    Args:
        vectors: (N, D), best of about unit length.
        labels: (N,), from 0 to K - 1; a class without examples scores `NEVER`.
        classes: K.
        cost: C; more fits the examples closer.

    Raises:
        ValueError: shapes or labels that do not fit, one class alone, or a value is not finite.
    """
    with needed("sklearn"):
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.svm import LinearSVC
    check_finite(vectors)
    there = np.unique(labels)
    if vectors.ndim != 2 or labels.shape != vectors.shape[:1] or len(there) < 2:
        raise ValueError(
            f"support vectors: expected (N, D) and (N,) of 2 classes or more, got {vectors.shape} "
            f"and {labels.shape} of {len(there)}"
        )
    if there[0] < 0 or there[-1] >= classes:
        raise ValueError(f"support vectors: expected labels from 0 to {classes - 1}")
    machine = LinearSVC(C=cost, random_state=0, tol=1e-3, max_iter=20_000)
    with warnings.catch_warnings():  # of few photos: weights short of their end name them as well
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(vectors.astype(np.float64), labels)
    weights = np.zeros((classes, vectors.shape[1]), np.float32)
    bias = np.full(classes, NEVER, np.float32)
    signs = np.array([[-1.0], [1.0]]) if len(there) == 2 else np.ones((len(there), 1))
    weights[there] = signs * machine.coef_  # of two classes there is one machine
    bias[there] = signs[:, 0] * machine.intercept_
    return weights, bias
