import numpy as np
import pytest
import torch
import torch.nn.functional as F

from rpc.features.warp import affine_view, window_transforms
from rpc.recognition.system import Photos
from rpc.recognition.systems.ra_cnn import RaCnn, boxcar, peaks, rank_loss


def small(**changes):
    torch.manual_seed(0)
    return RaCnn(3, 64, close_side=48, pretrained=False, **changes)


def photos(count=2):
    chance = torch.Generator().manual_seed(0)
    images = torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8, generator=chance)
    whole = torch.tensor([[0.0, 0, 64, 64]]).expand(count, 4)
    return Photos(images, torch.arange(count) % 3, whole, torch.zeros(count, 0, 3))


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


def test_the_soft_box_is_one_inside_and_nothing_outside():
    box = boxcar(window_transforms(torch.tensor([[0.25, -0.5]]), torch.tensor([0.25])), 64)[0, 0]
    # x 32..48, y 8..24
    assert box[8:24, 32:48].min() > 0.98
    assert box[8:24, 32:48].mean() > 0.99
    outside = box.clone()
    outside[7:25, 31:49] = 0
    assert outside.max() < 0.01


def test_the_peak_is_found_with_x_to_the_right():
    maps = torch.zeros(1, 2, 4, 8)
    maps[0, :, 3, 1] = 1.0
    assert peaks(maps)[0].tolist() == [(2 * 1 + 1) / 8 - 1, (2 * 3 + 1) / 4 - 1]


def test_squares_start_in_the_middle_at_a_size_between_the_bounds():
    look = small().look(photos().images)[0]
    assert look.names == ("scale 2", "scale 3")
    sides = look.boxes[:, 2] - look.boxes[:, 0]
    assert 64 / 3 < sides[1] < sides[0] < 64
    assert np.allclose(look.boxes[:, :2] + look.boxes[:, 2:], 64, atol=4)


def test_attention_start_goes_to_the_planted_peaks(monkeypatch):
    system = small(scales=2)
    maps = torch.rand(3, 320, 7, 7, generator=torch.Generator().manual_seed(0))
    for n, (row, column) in enumerate([(2, 4), (5, 1), (3, 3)]):
        maps[n, :, row, column] += 1.0
    monkeypatch.setattr(system, "_trunk", lambda scale: lambda pixels: (maps,))
    wanted = peaks(maps).clamp(-0.4, 0.4)
    optimizer = torch.optim.Adam(system.attention.parameters(), lr=1e-3)
    for _ in range(200):
        optimizer.zero_grad()
        loss = system._start_loss(photos(3), torch.Generator())["square 1"]
        loss.backward()
        optimizer.step()
    found = system._square(0, maps)
    assert torch.allclose(found[:, :, 2], wanted, atol=0.03)
    assert torch.allclose(found[:, 0, 0], torch.full((3,), 0.6), atol=0.03)


@pytest.mark.parametrize("cut", ["grid", "boxcar"])
def test_the_rank_loss_moves_attention_and_rests_the_backbones(cut):
    system = small(cut=cut)
    phase = next(p for p in system.phases() if p.name == "attend 1")
    system.requires_grad_(False)
    for parameter in phase.groups[0].parameters:
        parameter.requires_grad_(True)
    sum(phase.loss(photos(), torch.Generator()).values()).backward()
    assert max(float(p.grad.abs().max()) for p in system.attention[0].parameters()) > 0
    assert all(p.grad is None for p in system.trunks.parameters())


def test_the_phases_are_the_papers():
    names = [phase.name for phase in small(rounds=2).phases()]
    assert names[:4] == ["classify", "attention start", "attend 1", "classify 1"]
    assert names[-1] == "fusion"
    assert sum(phase.share for phase in small().phases()) == pytest.approx(1.35)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_scores(count):
    system = small().eval()
    scores = system(photos(count).images)
    assert scores.shape == (count, 3)
    assert torch.isfinite(scores).all()
    assert [s.shape for s in system.scores(photos(count).images)] == [(count, 3)] * 3
