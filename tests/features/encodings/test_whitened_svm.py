import numpy as np
import pytest
import torch

from rpc.features.encodings.whitened_svm import WhitenedSvm
from rpc.features.encodings.whitening import Whitening


def loud_nuisance(seed, count=240, size=40):
    """What tells the classes has a hundredth of the strength of what says nothing."""
    rng = np.random.default_rng(seed)
    labels = np.arange(count) % 3
    vectors = 0.002 * rng.normal(size=(count, size))
    vectors[:, :20] += rng.normal(size=(count, 20))
    vectors[np.arange(count), 20 + labels] += 0.01
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), labels


def share_right(machine):
    vectors, labels = loud_nuisance(1)
    return float((machine(torch.from_numpy(vectors)).argmax(dim=1).numpy() == labels).mean())


def not_whitened(vectors, dimension):
    size = vectors.shape[1]
    return Whitening(np.zeros(size), np.eye(size), np.ones(size))


@pytest.mark.parametrize("whitened", [True, False])
def test_what_a_loud_nuisance_drowns_is_read_after_whitening_alone(monkeypatch, whitened):
    if not whitened:
        monkeypatch.setattr("rpc.features.encodings.whitened_svm.fit_whitening", not_whitened)
    machine = WhitenedSvm(40, 3)
    machine.fit(*loud_nuisance(0))
    assert (share_right(machine) >= 0.95) == whitened
    assert whitened or share_right(machine) <= 0.6


def test_whitened_vectors_are_alike_strong_in_every_direction():
    machine = WhitenedSvm(40, 3)
    vectors, labels = loud_nuisance(0)
    machine.fit(vectors, labels)
    raw = torch.nn.functional.linear(torch.from_numpy(vectors) - machine.mean, machine.axes)
    assert torch.allclose(torch.cov(raw.T), torch.eye(40), atol=1e-3)
    assert torch.allclose(
        machine.whitened(torch.from_numpy(vectors)).norm(dim=1), torch.ones(240), atol=1e-5
    )


@pytest.mark.parametrize(("count", "wanted"), [(30, 20), (240, 25), (3, 2)])
def test_few_photos_allow_few_directions(count, wanted):
    machine = WhitenedSvm(40, 3, dimension=25)
    machine.fit(*(part[:count] for part in loud_nuisance(0)))
    assert int((machine.axes != 0).any(dim=1).sum()) == wanted
    assert machine.axes.shape == (25, 40)


def test_equal_vectors_are_told():
    with pytest.raises(ValueError, match="all gallery vectors are equal"):
        WhitenedSvm(4, 2).fit(np.ones((6, 4), np.float32), np.arange(6) % 2)
