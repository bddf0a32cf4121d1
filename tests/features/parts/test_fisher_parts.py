import numpy as np
import pytest

from rpc.features.encodings.local_encodings import fit_fisher
from rpc.features.parts.fisher_parts import contributions, linear_slopes


def test_what_descriptors_add_sums_to_the_score():
    rng = np.random.default_rng(0)
    fisher = fit_fisher(rng.normal(size=(60, 4)), 3, 0)
    photo, weights = rng.normal(size=(9, 4)), rng.normal(size=(2, 3, 4))
    slopes = linear_slopes(fisher.gradient(photo), weights)
    found = contributions(fisher, photo, slopes)
    assert found.shape == (9,)
    assert found.sum() == pytest.approx(float(fisher(photo) @ weights.ravel()))


def test_nothing_adds_nothing():
    fisher = fit_fisher(np.random.default_rng(0).normal(size=(20, 2)), 2, 0)
    zeros = np.zeros((2, 2, 2))
    assert linear_slopes(zeros, zeros + 1).tolist() == zeros.tolist()
    assert contributions(fisher, np.zeros((0, 2)), zeros).shape == (0,)
