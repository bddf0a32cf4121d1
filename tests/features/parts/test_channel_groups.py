import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score

from rpc.features.parts.channel_groups import (
    cell_places,
    distance_loss,
    diversity_loss,
    group_channels,
    part_maps,
    peak_places,
)


def delta(*cells, side=6):
    """Maps (1, P, side, side), all attention in one cell each."""
    maps = torch.zeros(1, len(cells), side, side)
    for part, (row, column) in enumerate(cells):
        maps[0, part, row, column] = 1.0
    return maps


def injected(seed, pictures=12, channels=24, parts=4, side=9):
    """Channels that peak about the centre of their part, which moves from picture to picture."""
    rng = np.random.default_rng(seed)
    labels = np.arange(channels) % parts
    base = np.array([[2, 2], [2, 6], [6, 2], [6, 6]])[:parts]
    chance = torch.Generator().manual_seed(seed)
    maps = 0.1 * torch.rand(pictures, channels, side, side, generator=chance)
    centres = base[None] + rng.integers(-1, 2, (pictures, parts, 2))
    for n in range(pictures):
        for c in range(channels):
            row, column = centres[n, labels[c]]
            maps[n, c, row, column] += 1 + rng.random()
    return maps, labels, centres


def test_all_attention_in_one_cell_is_no_distance():
    assert float(distance_loss(delta((1, 2), (4, 4)))) == 0


def test_parts_apart_are_credited_the_margin_and_parts_alike_are_worst():
    apart, alike = delta((1, 2), (4, 4)), delta((1, 2), (1, 2))
    assert float(diversity_loss(apart, 0.02)) == pytest.approx(-2 * 0.02)
    worst = 2 * (36 - 0.02)  # all in one of 36 cells: 36 times their mean
    assert float(diversity_loss(alike, 0.02)) == pytest.approx(worst)


@given(st.integers(0, 1000), st.floats(0.1, 30))
def test_no_maps_are_worse_than_all_attention_in_one_cell(seed, sharp):
    chance = torch.Generator().manual_seed(seed)
    found = (sharp * torch.rand(1, 3, 36, generator=chance)).softmax(dim=2).view(1, 3, 6, 6)
    alike = delta((1, 2), (1, 2), (1, 2))
    assert float(diversity_loss(found)) <= float(diversity_loss(alike))


@given(st.integers(0, 1000))
def test_maps_of_permuted_parts_are_permuted(seed):
    chance = torch.Generator().manual_seed(seed)
    maps, weights = (
        torch.rand(2, 7, 4, 5, generator=chance),
        torch.rand(2, 3, 7, generator=chance),
    )
    order = torch.randperm(3, generator=chance)
    found = part_maps(maps, weights[:, order])
    assert torch.allclose(found, part_maps(maps, weights)[:, order], atol=1e-6)


@given(st.integers(0, 1000))
def test_the_order_of_the_parts_changes_no_loss(seed):
    chance = torch.Generator().manual_seed(seed)
    attention = torch.rand(2, 4, 5, 5, generator=chance).flatten(2).softmax(dim=2)
    attention = attention.view(2, 4, 5, 5)
    order = torch.randperm(4, generator=chance)
    for loss in (distance_loss, diversity_loss):
        assert float(loss(attention[:, order])) == pytest.approx(float(loss(attention)), rel=1e-5)


def test_the_distance_loss_draws_attention_to_its_peak():
    logits = torch.zeros(1, 1, 5, 5)
    logits[0, 0, 1, 3] = 1.0
    logits.requires_grad_()
    for _ in range(60):
        attention = logits.flatten(2).softmax(dim=2).view(1, 1, 5, 5)
        (step,) = torch.autograd.grad(distance_loss(attention), logits)
        logits = (logits - 5 * step).detach().requires_grad_()
    assert int(logits.argmax()) == 1 * 5 + 3
    assert float(logits.detach().flatten().softmax(0).max()) > 0.5


def test_places_are_x_right_and_y_down():
    assert cell_places(2, 4, torch.zeros(1))[6].tolist() == [0.25, 0.5]
    assert peak_places(delta((5, 0)))[0, 0].tolist() == pytest.approx([-5 / 6, 5 / 6])


@pytest.mark.parametrize("seed", range(3))
def test_injected_parts_are_found_and_their_maps_peak_within_a_cell(seed):
    maps, labels, centres = injected(seed)
    found = group_channels(peak_places(maps).numpy(), 4, np.random.default_rng(seed))
    assert adjusted_rand_score(labels, found) == 1.0
    weights = torch.nn.functional.one_hot(torch.from_numpy(found), 4).T.float()[None]
    attention = part_maps(maps, weights.expand(len(maps), -1, -1))
    assert torch.allclose(attention.sum(dim=(2, 3)), torch.ones(len(maps), 4), atol=1e-5)
    for part in range(4):
        injected_part = labels[np.flatnonzero(found == part)[0]]
        peaks = attention[:, part].flatten(1).argmax(dim=1).numpy()
        rows, columns = peaks // 9, peaks % 9
        assert np.abs(rows - centres[:, injected_part, 0]).max() <= 1
        assert np.abs(columns - centres[:, injected_part, 1]).max() <= 1


def test_a_map_of_zeros_is_spread_evenly():
    attention = part_maps(torch.zeros(1, 3, 4, 4), torch.ones(1, 2, 3))
    assert torch.allclose(attention, torch.full((1, 2, 4, 4), 1 / 16))


def test_gradients_are_those_of_differences():
    chance = torch.Generator().manual_seed(0)
    maps = torch.rand(1, 3, 4, 4, generator=chance, dtype=torch.float64)
    weights = torch.rand(1, 2, 3, generator=chance, dtype=torch.float64).requires_grad_()

    def losses(w):
        attention = part_maps(maps, w)
        return distance_loss(attention) + diversity_loss(attention)

    assert torch.autograd.gradcheck(losses, (weights,))


def test_what_cannot_be_grouped_is_told():
    with pytest.raises(ValueError, match="C >= 4 parts"):
        group_channels(np.zeros((2, 3, 2)), 4, np.random.default_rng(0))
    with pytest.raises(ValueError, match="2 parts or more"):
        diversity_loss(delta((1, 1)))
