import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.parts.warp import (
    affine_view,
    inside,
    window_boxes,
    window_transforms,
    windows_by_chance,
)

IDENTITY = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])


def picture(seed=0, side=16, batch=1):
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(batch, 3, side, side, generator=chance)


def test_the_identity_gives_the_picture():
    assert torch.allclose(affine_view(picture(), IDENTITY, 16), picture(), atol=1e-6)


def test_the_lower_right_quarter_is_the_quarter_resized():
    view = affine_view(picture(), torch.tensor([[[0.5, 0, 0.5], [0, 0.5, 0.5]]]), 16)
    quarter = F.interpolate(picture()[..., 8:, 8:], (16, 16), mode="bilinear", align_corners=False)
    assert torch.allclose(view[..., 1:-1, 1:-1], quarter[..., 1:-1, 1:-1], atol=1e-6)


def test_minus_one_mirrors():
    view = affine_view(picture(), torch.tensor([[[-1.0, 0, 0], [0, 1, 0]]]), 16)
    assert torch.allclose(view, picture().flip(3), atol=1e-6)


def test_x_is_to_the_right_and_y_down():
    image = torch.zeros(1, 1, 448, 448)
    image[0, 0, 10, 200] = 1.0
    centre = torch.tensor([[(200.5 / 448) * 2 - 1, (10.5 / 448) * 2 - 1]])
    view = affine_view(image, window_transforms(centre, torch.tensor([0.02])), 9)
    assert int(view.argmax()) == 4 * 9 + 4


def test_a_view_that_shrinks_skips_nothing():
    stripes = torch.zeros(1, 1, 64, 64)
    stripes[..., ::2] = 1.0
    view = affine_view(stripes, IDENTITY, 16)
    assert (view - 0.5).abs().max() < 0.1


@given(st.floats(0.2, 0.9), st.floats(-1.5, 1.5), st.floats(-1.5, 1.5))
def test_windows_are_kept_in_the_picture_and_their_boxes_tell_where(half, x, y):
    centres = inside(torch.tensor([[x, y]]), half)
    box = window_boxes(window_transforms(centres, torch.tensor([half])), 100)[0]
    assert (box >= -1e-4).all()
    assert (box <= 100 + 1e-4).all()
    assert torch.allclose(box[2:] - box[:2], torch.full((2,), 100 * half), atol=1e-3)


def test_gradients_pass_the_bound():
    centres = torch.tensor([[2.0, 0.1]], requires_grad=True)
    inside(centres, 0.5).sum().backward()
    assert centres.grad.tolist() == [[1.0, 1.0]]


def test_gradients_are_those_of_differences():
    image = F.interpolate(picture(3, 6).double(), (12, 12), mode="bicubic")
    centres = torch.tensor([[0.13, -0.21]], dtype=torch.float64, requires_grad=True)
    half = torch.tensor([0.43], dtype=torch.float64, requires_grad=True)

    def view(c, h):
        return affine_view(image, window_transforms(c, h), 5)

    assert torch.autograd.gradcheck(view, (centres, half))


def test_no_picture_gives_no_view_and_a_wrong_shape_is_told():
    assert affine_view(picture(batch=0), torch.zeros(0, 2, 3), 8).shape == (0, 3, 8, 8)
    with pytest.raises(ValueError, match=r"expected \(1, 2, 3\), got \(2, 2, 3\)"):
        affine_view(picture(), torch.zeros(2, 2, 3), 8)


@given(st.integers(0, 10_000), st.floats(0.1, 1.0))
def test_windows_by_chance_lie_in_the_picture_and_are_the_same_for_the_same_chance(seed, least):
    windows = windows_by_chance(9, least, torch.Generator().manual_seed(seed))
    again = windows_by_chance(9, least, torch.Generator().manual_seed(seed))
    assert torch.equal(windows, again)
    boxes = window_boxes(windows, 100)
    assert boxes.min() >= -1e-3
    assert boxes.max() <= 100 + 1e-3
    sides = boxes[:, 2:] - boxes[:, :2]
    assert torch.allclose(sides[:, 0], sides[:, 1], atol=1e-3)
    assert sides.min() >= 100 * least - 1e-3


@given(st.integers(0, 1000))
def test_what_is_seen_of_a_picture_does_not_depend_on_the_others(seed):
    chance = torch.Generator().manual_seed(seed)
    images = torch.rand(4, 3, 64, 48, generator=chance)
    halves = 0.15 + 0.85 * torch.rand(4, 2, generator=chance)
    halves[0], halves[1] = 1.0, 0.2  # one view that shrinks, one that does not
    windows = window_transforms(torch.rand(4, 2, generator=chance) - 0.5, halves)
    together = affine_view(images, windows, 16)
    for n in range(4):
        alone = affine_view(images[n : n + 1], windows[n : n + 1], 16)
        assert torch.allclose(together[n], alone[0], atol=1e-6)


def test_gradients_of_all_six_numbers_where_views_shrink_and_where_not():
    image = F.interpolate(picture(3, 6).double(), (24, 24), mode="bicubic").expand(2, 3, 24, 24)
    numbers = torch.tensor(
        [[[0.9, 0.1, 0.03], [-0.08, 0.8, 0.05]], [[0.2, 0.02, 0.1], [0.01, 0.25, -0.1]]],
        dtype=torch.float64,
        requires_grad=True,
    )
    assert torch.autograd.gradcheck(lambda own: affine_view(image, own, 7), (numbers,))


def test_a_view_keeps_its_places_in_half_precision():
    image = picture(0, 200)
    window = window_transforms(torch.tensor([[0.313, -0.271]]), torch.tensor([0.377]))
    wanted = affine_view(image, window, 96)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = affine_view(image, window, 96)
    assert found.dtype == torch.float32
    assert torch.equal(found, wanted)
