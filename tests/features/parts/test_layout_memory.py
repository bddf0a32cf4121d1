import numpy as np
import pytest
import torch

from rpc.features.parts.layout_memory import LayoutMemory
from rpc.features.parts.part_geometry import fit_mixture


def layouts(count=40):
    return np.random.default_rng(0).normal(0, 0.3, (count, 4))


def test_before_anything_was_seen_there_is_no_prior():
    memory = LayoutMemory(2, 3)
    assert memory.mixture(0) is None
    assert memory.alike(1, np.zeros(3), 5) is None


@pytest.mark.parametrize("count", [1, 5, 40])
def test_the_stored_mixture_is_the_fitted_one_also_of_few_layouts(count):
    memory, known = LayoutMemory(2, 3), layouts(count)
    seed = int(np.random.default_rng(7).integers(2**31))
    memory.fit(1, known, np.random.default_rng(7))
    fitted, asked = fit_mixture(known, 4, seed), layouts(9) / 2
    assert np.allclose(memory.mixture(1)(asked), fitted(asked), atol=1e-5)
    assert memory.mixture(0) is None


def test_the_prior_is_around_the_layouts_of_what_looks_alike():
    memory = LayoutMemory(1, 2, remembered=10)
    looks = np.repeat(np.eye(2), 5, axis=0)
    known = np.repeat([[-0.4, 0, 0, 0], [0.4, 0, 0, 0]], 5, axis=0)
    memory.remember(0, looks, known, np.random.default_rng(0))
    prior = memory.alike(0, np.array([0.1, 0.9]), 5)
    assert prior(np.array([0.4, 0, 0, 0])) == pytest.approx(1, abs=1e-5)
    assert prior(np.array([-0.4, 0, 0, 0])) < 1e-6


def test_of_many_photos_some_are_remembered_and_looks_keep_their_layouts():
    memory = LayoutMemory(1, 4, remembered=6)
    known = layouts(30)
    memory.remember(0, known, known, np.random.default_rng(0))
    assert int(memory.known[0]) == 6
    assert torch.equal(memory.looks, memory.layouts)
    assert len(np.unique(memory.layouts[0].numpy(), axis=0)) == 6


def test_all_of_it_is_in_the_state():
    memory, other = LayoutMemory(1, 4), LayoutMemory(1, 4)
    memory.fit(0, layouts(), np.random.default_rng(0))
    memory.remember(0, layouts(), layouts(), np.random.default_rng(0))
    other.load_state_dict(memory.state_dict())
    asked = layouts(5)
    assert np.array_equal(other.mixture(0)(asked), memory.mixture(0)(asked))
    assert np.array_equal(other.alike(0, asked[0], 3)(asked), memory.alike(0, asked[0], 3)(asked))
