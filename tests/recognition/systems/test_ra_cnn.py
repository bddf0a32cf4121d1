import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.parts.warp import affine_view, window_transforms
from rpc.recognition.systems.ra_cnn import RaCnn, boxcar, rank_loss, response_centres
from rpc.recognition.systems.system import Batch, GradientPhase


def small(**changes):
    torch.manual_seed(0)
    return RaCnn(3, 64, close_side=48, pretrained=False, **changes)


def batch(count=2):
    chance = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8, generator=chance)
    whole = torch.tensor([[0.0, 0, 64, 64]]).expand(count, 4)
    return Batch(images, torch.arange(count) % 3, whole, torch.zeros(count, 0, 3))


def test_the_whole_square_is_the_photo_resized():
    image = torch.rand(1, 3, 20, 20)
    whole = window_transforms(torch.zeros(1, 2), torch.ones(1))
    wanted = F.interpolate(image, (40, 40), mode="bilinear", align_corners=False)
    assert torch.allclose(affine_view(image, whole, 40), wanted, atol=1e-5)


def of(*sure):
    """Scores whose softmax gives these probabilities to class 0."""
    return [torch.tensor([[np.log(p), np.log(1 - p)]]) for p in sure]


@pytest.mark.parametrize(("sure", "loss"), [((0.2, 0.4, 0.5), 0.0), ((0.5, 0.4, 0.4), 0.15 + 0.05)])
def test_the_rank_loss_by_hand(sure, loss):
    found = rank_loss(of(*sure), torch.tensor([0]), 0.05)
    assert float(found) == pytest.approx(loss, abs=1e-6)


def test_gradients_of_the_rank_loss_and_the_soft_box_are_those_of_differences():
    chance = torch.Generator().manual_seed(0)
    scores = [
        torch.randn(3, 4, generator=chance, dtype=torch.float64, requires_grad=True)
        for _ in range(3)
    ]
    labels = torch.tensor([0, 3, 1])
    assert torch.autograd.gradcheck(lambda *own: rank_loss(list(own), labels, 0.6), scores)
    centres = torch.tensor([[0.13, -0.21]], dtype=torch.float64, requires_grad=True)
    halves = torch.tensor([0.43], dtype=torch.float64, requires_grad=True)

    def box(where, half):
        return boxcar(window_transforms(where, half), 12, steepness=2.0)

    assert torch.autograd.gradcheck(box, (centres, halves))


def test_the_soft_box_is_one_inside_and_nothing_outside():
    box = boxcar(window_transforms(torch.tensor([[0.25, -0.5]]), torch.tensor([0.25])), 64)[0, 0]
    # x 32..48, y 8..24
    assert box[8:24, 32:48].min() > 0.98  # a corner is the product of two flanks of .993
    assert box[8:24, 33:47].min() > 0.99
    outside = box.clone()
    outside[8:24, 32:48] = 0
    assert outside.max() < 0.01


def test_the_centre_of_the_response_has_x_to_the_right():
    maps = torch.zeros(1, 2, 4, 8)
    maps[0, :, 3, 1] = 1.0
    found = response_centres(maps)[0].tolist()
    assert found == pytest.approx([(2 * 1 + 1) / 8 - 1, (2 * 3 + 1) / 4 - 1])


@given(st.integers(0, 10_000), st.floats(0.1, 50), st.floats(0, 20))
def test_the_centre_of_the_response_is_the_same_for_a_stronger_or_brighter_one(seed, gain, more):
    maps = torch.rand(2, 3, 5, 6, generator=torch.Generator().manual_seed(seed))
    assert torch.allclose(response_centres(gain * maps + more), response_centres(maps), atol=1e-3)


def test_a_map_that_is_the_same_everywhere_is_looked_at_in_its_middle():
    assert response_centres(torch.full((2, 3, 5, 5), 0.25)).tolist() == [[0, 0], [0, 0]]
    assert response_centres(torch.zeros(0, 3, 5, 5)).shape == (0, 2)


def test_squares_start_at_a_size_between_the_bounds_and_within_each_other():
    look = small().look(batch().images)[0]
    assert look.names == ("scale 2", "scale 3")
    sides = look.boxes[:, 2] - look.boxes[:, 0]
    assert 64 / 3 < sides[1] < sides[0] < 64
    outer, inner = look.boxes
    assert (outer[:2] - 1e-3 <= inner[:2]).all()
    assert (inner[2:] <= outer[2:] + 1e-3).all()


def test_squares_start_at_injected_blobs():
    system = small(scales=2)
    maps = 0.1 * torch.rand(3, 320, 7, 7, generator=torch.Generator().manual_seed(0))
    for n, (row, column) in enumerate([(2, 4), (5, 1), (3, 3)]):
        maps[n, :, row, column] += 1.0
    wanted = torch.tensor([[4, 2], [1, 5], [3, 3]]) * 2 / 7 + 1 / 7 - 1
    with torch.no_grad():
        found = system._square(0, maps)
    assert torch.allclose(found[:, :, 2], wanted.clamp(-0.4, 0.4), atol=0.05)
    assert torch.allclose(found[:, 0, 0], torch.full((3,), 0.6), atol=0.01)


@pytest.mark.parametrize("cut", ["grid", "boxcar"])
def test_the_rank_loss_moves_attention_and_rests_the_backbones(cut):
    system = small(cut=cut)
    phase = next(p for p in system.phases() if p.name == "attend 1")
    system.requires_grad_(False)
    for parameter in phase.groups[0].parameters:
        parameter.requires_grad_(True)
    sum(phase.loss(batch(), torch.Generator()).values()).backward()
    assert max(float(p.grad.abs().max()) for p in system.attention[0].parameters()) > 0
    assert all(p.grad is None for p in system.backbones.parameters())


def test_the_phases_are_the_papers():
    names = [phase.name for phase in small(rounds=2).phases()]
    assert names == [
        "classify", "closer scales", "attend 1", "classify 1", "attend 2",
        "classify 2", "fusion start", "fusion",
    ]  # fmt: skip
    learns = [phase for phase in small(rounds=3).phases() if isinstance(phase, GradientPhase)]
    assert sum(phase.share for phase in learns) == pytest.approx(1)


class Passes:
    """Stands in for the passes of `PhotoBatches`."""

    rng = np.random.default_rng(0)

    def some(self, count):
        yield batch(4)


def fitted(system, name):
    next(phase for phase in system.phases() if phase.name == name).fit(Passes())


def test_closer_scales_begin_with_what_the_first_knows():
    system = small()
    fitted(system, "closer scales")
    pixels = torch.rand(2, 3, 48, 48) * 255
    first, second, third = (backbone(pixels)[-1] for backbone in system.backbones)
    assert torch.equal(first, second)
    assert torch.equal(first, third)
    assert torch.equal(system.heads[0].weight, system.heads[2].weight)
    with torch.no_grad():
        next(system.backbones[2].learnable()).add_(1.0)
    assert not torch.equal(
        system.backbones[2](pixels)[-1], third
    )  # copies, each with its own weights
    assert torch.equal(system.backbones[1](pixels)[-1], second)


@torch.no_grad()
def test_the_fusion_begins_near_the_mean_of_the_scales():
    system = small().eval()
    fitted(system, "fusion start")
    images = batch(4).images
    mean = torch.stack(system.scores(images)).mean(dim=0)
    assert torch.allclose(system(images), mean, rtol=0.1, atol=0.05 * float(mean.abs().max()))


def test_while_scales_classify_no_gradient_goes_through_the_squares():
    system = small(scales=2, smoothing=0.0)
    loss = system._class_loss(batch(), torch.Generator())["scale 2"]
    loss.backward()
    assert all(p.grad is None for p in system.backbones[0].parameters())
    assert all(p.grad is None for p in system.attention.parameters())
    assert any(p.grad is not None for p in system.backbones[1].parameters())


@pytest.mark.parametrize("cut", ["grid", "boxcar"])
@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_scores(count, cut):
    system = small(cut=cut).eval()
    scores = system(batch(count).images)
    assert scores.shape == (count, 3)
    assert torch.isfinite(scores).all()
    assert [s.shape for s in system.scores(batch(count).images)] == [(count, 3)] * 3
