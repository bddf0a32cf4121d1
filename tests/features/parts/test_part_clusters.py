import numpy as np
import pytest
import torch

from rpc.features.encodings.local_encodings import fit_fisher
from rpc.features.encodings.whitening import fit_whitening
from rpc.features.parts.part_clusters import PartClusters


def proposals(count, seed=0):
    return np.random.default_rng(seed).normal(size=(count, 6)) * np.arange(1, 7)


@pytest.fixture(scope="module")
def fitted():
    clusters = PartClusters(2, 6, 4, 3)
    for size in range(2):
        clusters.fit(size, proposals(60, size), seed=0)
    return clusters


def photo():
    return [torch.from_numpy(proposals(n, 9)).float() for n in (9, 4)]


def test_gradients_are_those_of_the_whitened_proposals_by_size_and_cluster(fitted):
    found = fitted.gradients(fitted.reduced(photo()))
    assert found.shape == (6, 8)
    for size, own in enumerate(photo()):
        whitening = fit_whitening(proposals(60, size), 4)
        fisher = fit_fisher(whitening.scores(proposals(60, size)), 3, 0)
        wanted = fisher.gradient(whitening.scores(own.numpy())).transpose(1, 0, 2).reshape(3, 8)
        assert np.allclose(found[3 * size : 3 * size + 3], wanted, atol=1e-3)


def test_what_proposals_add_sums_to_the_weighted_gradients(fitted):
    reduced, slopes = fitted.reduced(photo()), np.random.default_rng(1).normal(size=(6, 8))
    added = fitted.added(reduced, slopes)
    assert added.shape == (13,)
    assert added.sum() == pytest.approx(float((slopes * fitted.gradients(reduced)).sum()))


def test_directions_that_do_not_vary_are_zeros():
    flat = proposals(40) * [1, 1, 0, 0, 0, 0]
    clusters = PartClusters(1, 6, 4, 2)
    clusters.fit(0, flat, seed=0)
    reduced = clusters.reduced([torch.from_numpy(flat).float()])[0]
    assert np.abs(reduced[:, :2]).max() > 1
    assert (reduced[:, 2:] == 0).all()
    assert np.isfinite(clusters.gradients([reduced])).all()


def test_all_of_it_is_in_the_state(fitted):
    other = PartClusters(2, 6, 4, 3)
    other.load_state_dict(fitted.state_dict())
    assert np.array_equal(
        other.gradients(other.reduced(photo())), fitted.gradients(fitted.reduced(photo()))
    )


def test_too_few_proposals_are_refused():
    with pytest.raises(ValueError, match="clusters"):
        PartClusters(1, 6, 2, 9).fit(0, proposals(5), seed=0)
