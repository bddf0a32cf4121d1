import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.pooling.global_pooling import average_and_max_pool
from rpc.features.pooling.masked_pooling import (
    average_and_maximum,
    masked_average,
    masked_maximum,
    or_everywhere,
)


def cells(seed, negative=False):
    """Maps (3, 5, 4, 4) and masks, each with a cell in it and one out of it."""
    chance = torch.Generator().manual_seed(seed)
    maps = torch.rand(3, 5, 4, 4, generator=chance) - (0.5 if negative else 0)
    masks = torch.rand(3, 4, 4, generator=chance) < 0.4
    masks[:, 0, 0], masks[:, 3, 3] = True, False
    return maps, masks


def test_all_cells_give_plain_average_and_maximum():
    maps, masks = cells(0)
    found = average_and_maximum(maps, torch.ones_like(masks))
    wanted = np.stack([average_and_max_pool(one) for one in maps.numpy()])
    assert np.allclose(found.numpy(), wanted, atol=1e-6)


@given(st.integers(0, 10_000), st.booleans())
def test_the_vector_is_that_of_the_selected_cells_alone(seed, negative):
    maps, masks = cells(seed, negative)
    for photo in range(3):
        chosen = maps[photo][:, masks[photo]]  # (5, M)
        one = slice(photo, photo + 1)
        found = masked_average(maps[one], masks[one])[0]
        assert torch.allclose(found, chosen.mean(dim=1), atol=1e-6)
        assert torch.equal(masked_maximum(maps[one], masks[one])[0], chosen.amax(dim=1))


@given(st.integers(0, 10_000))
def test_what_lies_outside_changes_nothing_and_gets_no_gradient_at_all(seed):
    maps, masks = cells(seed)
    outside = ~masks[:, None].expand_as(maps)
    changed = maps.clone()
    changed[outside] = torch.randn(int(outside.sum())) * 1e6
    changed[0, 0, 3, 3] = torch.inf  # nor do numbers gone wrong
    assert torch.equal(average_and_maximum(changed, masks), average_and_maximum(maps, masks))
    changed.requires_grad_(True)
    (average_and_maximum(changed, masks) * torch.randn(3, 10)).sum().backward()
    assert (changed.grad[outside] == 0).all()
    assert (changed.grad[~outside] != 0).any()


def test_the_gradient_is_right():
    maps, masks = cells(1)
    maps = maps.double().requires_grad_(True)
    for pool in (masked_average, masked_maximum):
        assert torch.autograd.gradcheck(lambda m, pool=pool: pool(m, masks), maps)


def test_an_empty_mask_gives_zero_unless_everything_is_taken_instead():
    maps, masks = cells(2)
    masks[1] = False
    assert (average_and_maximum(maps, masks)[1] == 0).all()
    filled = or_everywhere(masks)
    assert filled[1].all()
    assert torch.equal(filled[[0, 2]], masks[[0, 2]])
    everything = average_and_maximum(maps, torch.ones_like(masks))
    assert torch.equal(average_and_maximum(maps, filled)[1], everything[1])
    assert average_and_maximum(maps[:0], or_everywhere(masks[:0])).shape == (0, 10)


def test_masks_that_do_not_fit_are_told():
    maps, masks = cells(0)
    with pytest.raises(ValueError, match="expected bool"):
        masked_average(maps, masks.float())
    with pytest.raises(ValueError, match="expected bool"):
        masked_maximum(maps, masks[:2])


def test_under_clutter_selected_descriptors_name_the_class_and_all_descriptors_do_not():
    """The class is a faint pattern on four of 64 cells; the others show anything, brightly."""
    rng = np.random.default_rng(0)
    patterns = rng.uniform(0, 1, (3, 24))
    labels = np.arange(240) % 3
    maps = rng.exponential(1.0, (240, 24, 8, 8)) * (rng.random((240, 1, 8, 8)) < 0.5) * 3
    masks = np.zeros((240, 8, 8), bool)
    for n, label in enumerate(labels):
        row, column = rng.integers(0, 7, 2)
        masks[n, row : row + 2, column : column + 2] = True
        shown = patterns[label][:, None, None] + rng.normal(0, 0.1, (24, 2, 2))
        maps[n, :, row : row + 2, column : column + 2] = shown.clip(0)
    tensors = torch.from_numpy(maps).float(), torch.from_numpy(masks)

    def right(vectors):
        means = np.stack([vectors[:120][labels[:120] == k].mean(axis=0) for k in range(3)])
        away = np.linalg.norm(vectors[120:, None] - means[None], axis=2)
        return (away.argmin(axis=1) == labels[120:]).mean()

    assert right(average_and_maximum(*tensors).numpy()) == 1.0
    everything = average_and_maximum(tensors[0], torch.ones_like(tensors[1])).numpy()
    assert right(everything) < 0.6
