"""The content term lets light change and keeps things where they are."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import uniform_filter

from synth.render.training.content import NOISE, WINDOW, content_loss, local_structure


def board(shift=0, low=-0.5, high=0.5):
    """Squares of 8 px, moved to the right by `shift`."""
    rows, columns = torch.meshgrid(torch.arange(48), torch.arange(48) + shift, indexing="ij")
    squares = ((rows // 8 + columns // 8) % 2).float() * (high - low) + low
    return squares.expand(1, 3, 48, 48).clone()


def test_structure_against_a_plain_loop_over_pixels():
    rgb = torch.rand(1, 3, 12, 14, generator=torch.Generator().manual_seed(0)) * 2 - 1
    light = (rgb[0] * torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(0).numpy() / 2
    right, down = light * 0, light * 0
    right[:, :-1], down[:-1] = light[:, 1:] - light[:, :-1], light[1:] - light[:-1]
    strength = uniform_filter(right**2 + down**2, WINDOW, mode="constant")
    found = local_structure(rgb)[0]
    for row, column in ((6, 6), (5, 7), (7, 5)):  # whole windows
        expected = right[row, column] / (strength[row, column] + NOISE**2) ** 0.5
        assert found[0, row, column].item() == pytest.approx(expected, rel=1e-4)


@given(gain=st.floats(0.4, 1.6), offset=st.floats(-0.1, 0.1))
def test_another_light_counts_for_little_and_another_place_for_much(gain, offset):
    lit = content_loss(board(), board() * gain + offset)
    moved = content_loss(board(), board(shift=3))
    assert lit < 0.1 * moved


def test_a_thing_that_vanishes_or_appears_counts_the_same():
    ground = torch.zeros(1, 3, 48, 48)
    thing = ground.clone()
    thing[..., 16:32, 16:32] = 0.6
    vanished, appeared = content_loss(thing, ground), content_loss(ground, thing)
    assert vanished.item() == pytest.approx(appeared.item())
    assert vanished > 0.02


def test_noise_of_a_camera_on_even_ground_counts_for_little():
    ground = torch.zeros(1, 3, 48, 48)
    noisy = ground + 0.004 * torch.randn(ground.shape, generator=torch.Generator().manual_seed(0))
    assert content_loss(ground, noisy) < 0.25 * content_loss(board(), board(shift=3))


def test_no_change_costs_nothing_and_has_a_gradient_everywhere_finite():
    rgb = board().requires_grad_()
    loss = content_loss(board(), rgb)
    loss.backward()
    assert loss.item() == 0
    assert rgb.grad.isfinite().all()
