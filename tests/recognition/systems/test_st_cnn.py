import numpy as np
import pytest
import torch

from rpc.recognition.systems.st_cnn import StCnn
from rpc.recognition.systems.system import Batch, GradientPhase


def small(**changes):
    torch.manual_seed(0)
    return StCnn(3, 64, window_side=32, look_side=32, pretrained=False, **changes)


@pytest.mark.parametrize("transform", ["translation", "affine"])
@pytest.mark.parametrize("windows", [1, 2, 4])
def test_windows_start_side_by_side(windows, transform):
    looks = small(windows=windows, transform=transform).look(torch.rand(2, 3, 64, 64) * 255)
    boxes = looks[0].boxes
    assert boxes.shape == (windows, 4)
    assert np.allclose(looks[1].boxes, boxes)  # whatever the photo shows
    covered = np.zeros((64, 64), int)
    for x1, y1, x2, y2 in boxes.round().astype(int):
        covered[y1:y2, x1:x2] += 1
    assert covered.max() == 1
    if windows == 4:
        assert covered.min() == 1  # they tile the photo


def test_making_one_leaves_the_statistics_of_its_layers_alone():
    state = small(backbone="resnet18").locator.state_dict()  # lite's normalisation is folded in
    means = [value for name, value in state.items() if name.endswith("running_mean")]
    assert len(means) > 10
    assert all((mean == 0).all() for mean in means)


def test_the_locating_network_learns_slowly():
    system = small(locator_lr_mult=1e-4)
    phase = system.phases()[-1]
    assert [group.lr_mult for group in phase.groups] == [1.0, 0.3, 1e-4]
    learned = {id(p) for group in phase.groups for p in group.parameters}
    rests = len(list(system.first_head.parameters()))
    assert len(learned) == sum(p.requires_grad for p in system.parameters()) - rests


def test_each_window_starts_by_itself_where_no_time_is_given_to_a_common_start():
    assert [phase.name for phase in small(start_share=0.0).phases()] == ["all"]
    shares = [
        phase.share for phase in small(start_share=0.3).phases() if isinstance(phase, GradientPhase)
    ]
    assert shares == [0.3, 0.7]


class Passes:
    """Stands in for the passes of `PhotoBatches`."""

    def some(self, count):
        chance = torch.Generator().manual_seed(1)
        images = torch.randint(0, 255, (4, 3, 64, 64), dtype=torch.uint8, generator=chance)
        whole = torch.tensor([[0.0, 0, 64, 64]]).expand(4, 4)
        yield Batch(images, torch.zeros(4, dtype=torch.int64), whole, torch.zeros(4, 0, 3))


@torch.no_grad()
def test_windows_begin_with_one_network_and_say_the_mean_of_what_each_says():
    system = small().eval()
    system.phases()[1].fit(Passes())
    photos = next(Passes().some(4)).images
    pixels = torch.rand(2, 3, 32, 32) * 255
    one, other = system.backbones
    assert torch.equal(one(pixels)[-1], other(pixels)[-1])
    each = torch.stack([system.first_head(vectors) for vectors in system.vectors(photos)])
    mean = each.mean(dim=0)
    assert torch.allclose(system(photos), mean, rtol=0.1, atol=0.1 * float(mean.abs().max()))


@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_scores(count):
    system = small().eval()
    scores = system(torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8))
    assert scores.shape == (count, 3)
    assert torch.isfinite(scores).all()


def test_the_loss_moves_the_windows():
    system = small()
    photos = torch.rand(2, 3, 64, 64) * 255
    system(photos).square().sum().backward()
    assert float(system.where.bias.grad.abs().max()) > 0


def test_a_saved_system_is_the_same_again():
    system, other = small().eval(), small().eval()
    torch.nn.init.normal_(system.where.weight, std=0.05)
    other.load_state_dict(system.state_dict())
    photos = torch.rand(1, 3, 64, 64) * 255
    assert torch.equal(other(photos), system(photos))


def test_three_windows_are_refused():
    with pytest.raises(ValueError, match="1, 2 or 4 windows"):
        small(windows=3)


def test_a_start_that_takes_all_the_time_is_refused():
    with pytest.raises(ValueError, match="0 <= start_share < 1"):
        small(start_share=1.0)
