import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rpc.data.files import DataError
from rpc.features.parts.joined_head import JoinedHead, mean_lengths


def made(seed, sizes, photos=5, classes=4):
    """Layers of single vectors, and vectors of one length each."""
    torch.manual_seed(seed)
    layers = [nn.Linear(size, classes) for size in sizes]
    lengths = torch.rand(len(sizes)) + 0.5
    vectors = [
        length * nn.functional.normalize(torch.randn(photos, size), dim=1)
        for size, length in zip(sizes, lengths, strict=True)
    ]
    return layers, lengths, vectors


@given(st.integers(0, 10_000), st.lists(st.integers(2, 9), min_size=1, max_size=4))
def test_it_begins_exactly_at_the_mean_of_the_layers(seed, sizes):
    layers, lengths, vectors = made(seed, sizes)
    head = JoinedHead(sizes, 4)
    head.start(layers, lengths)
    each = [layer(own) for layer, own in zip(layers, vectors, strict=True)]
    assert torch.allclose(head(vectors), torch.stack(each).mean(dim=0), atol=1e-5)


@given(st.integers(0, 10_000), st.floats(0.01, 100))
def test_a_vectors_length_says_nothing(seed, factor):
    _, _, vectors = made(seed, (3, 5))
    head = JoinedHead((3, 5), 4)
    longer = [factor * vectors[0], vectors[1]]
    assert torch.allclose(head(longer), head(vectors), atol=1e-5)


def test_gradients_of_the_layer_and_the_vectors():
    head = JoinedHead((3, 2), 2).double()
    vectors = [torch.rand(2, n, dtype=torch.double, requires_grad=True) + 0.1 for n in (3, 2)]
    scores = head(vectors)
    assert scores.dtype == torch.double
    assert torch.autograd.gradcheck(lambda *own: head(own), vectors)


@pytest.mark.parametrize("count", [0, 1])
def test_no_photo_and_one_and_a_zero_vector(count):
    scores = JoinedHead((3, 2), 4)([torch.zeros(count, 3), torch.ones(count, 2)])
    assert scores.shape == (count, 4)
    assert torch.isfinite(scores).all()


def test_mean_lengths_are_those_of_the_photos():
    batches = [torch.full((count, 3, 2, 2), value) for count, value in ((1, 1.0), (3, 3.0))]
    found = mean_lengths(batches, lambda photos: [photos[:, :, 0, 0], 2 * photos[:, :1, 0, 0]])
    assert torch.allclose(found, torch.tensor([2.5 * 3**0.5, 5.0]))


def test_started_by_photos_it_says_the_mean_for_vectors_as_long_as_theirs():
    layers, _, _ = made(0, (3, 2))
    head = JoinedHead((3, 2), 4)
    photos = 1 + torch.rand(6, 3, 2, 2, generator=torch.Generator().manual_seed(0))

    def describe(pixels):
        first = 3 * nn.functional.normalize(pixels[:, :, 0, 0], dim=1)
        return [first, pixels.new_ones(len(pixels), 2)]

    head.start_by(layers, photos.split(4), describe)
    each = [layer(own) for layer, own in zip(layers, describe(photos), strict=True)]
    assert torch.allclose(head(describe(photos)), torch.stack(each).mean(dim=0), atol=1e-5)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_network_that_says_nothing_is_told(value):
    with pytest.raises(DataError, match="says nothing of any photo"):
        mean_lengths([torch.ones(2, 3, 4, 4)], lambda photos: [torch.full((2, 3), value)])


def test_other_layers_than_vectors_are_refused():
    head = JoinedHead((3, 2), 4)
    with pytest.raises(ValueError, match=r"expected layers of \(3, 2\)"):
        head.start([nn.Linear(3, 4), nn.Linear(3, 4)], torch.ones(2))
    with pytest.raises(ValueError, match="a vector or more"):
        JoinedHead((), 4)
