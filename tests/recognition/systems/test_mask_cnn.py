import numpy as np
import pytest
import torch

from rpc.data.files import DataError
from rpc.features.parts.key_point_groups import BIRD
from rpc.metrics.parts import part_rates
from rpc.recognition.systems.mask_cnn import MaskCnn
from rpc.recognition.systems.system import Batch

GROUPS = {"head": (0, 1), "torso": (2, 3)}


def small(pretrained=False, side=64, **changes):
    torch.manual_seed(0)
    settings = {"groups": GROUPS, "part_side": 48} | changes
    return MaskCnn(2, side, pretrained=pretrained, **settings)


def noise(count):
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8, generator=chance)


@pytest.mark.parametrize(
    ("changes", "boxes", "size"),
    [
        ({}, ("head", "torso"), 3),
        ({"streams": 4}, ("object", "head", "torso"), 4),
        ({"masks": "boxes"}, ("object",), 1),
        ({"masks": "boxes", "streams": 4}, ("object",), 2),
    ],
)
def test_streams_are_those_of_the_two_papers(changes, boxes, size):
    system = small(**changes).eval()
    assert len(system.backbones) == size
    for count in (0, 1, 3):
        images = noise(count)
        vectors = system.vectors(images)
        assert vectors.shape == (count, size * 2 * (112 + 320))
        assert system(images).shape == (count, 2)
        looks = system.look(images)
        assert len(looks) == count
        for look in looks:
            assert look.names == boxes
            assert look.boxes.shape == (len(boxes), 4)
            assert look.boxes.min() >= -1e-3
            assert look.boxes.max() <= 64 + 1e-3
            assert look.heat.shape == (32, 32)


def test_the_groups_of_a_bird_are_its_fifteen_points():
    assert sorted([*BIRD["head"], *BIRD["torso"]]) == list(range(15))


def injected_masks(system, monkeypatch, rows):
    """The locating network says `rows` of a map of 8 x 8 cells whatever it sees."""
    classes = torch.tensor([[".HT".index(mark) for mark in row] for row in rows])
    scores = torch.nn.functional.one_hot(classes, 3).permute(2, 0, 1).float()
    monkeypatch.setattr(
        system.locator, "forward", lambda photos: scores.expand(len(photos), -1, -1, -1)
    )


BIRD_DRAWN = (
    "........", "HH......", "HH......", "..TTTT..", "..TTTT..", "..TTTT..", ".......H", "........",
)  # fmt: skip


def test_windows_lie_around_the_largest_piece_of_each_part(monkeypatch):
    system = small(streams=4).eval()
    injected_masks(system, monkeypatch, BIRD_DRAWN)
    boxes = system.look(noise(1))[0].boxes
    assert np.allclose(boxes[0], [0, 4, 48, 52], atol=1e-3)  # the object: 48 x 40 px, squared
    assert np.allclose(boxes[1], [0, 8, 16, 24], atol=1e-3)  # without the stray cell
    assert np.allclose(boxes[2], [16, 20, 48, 52], atol=1e-3)


def test_no_descriptor_outside_the_mask_learns(monkeypatch):
    system = small().eval()
    injected_masks(system, monkeypatch, BIRD_DRAWN)
    kept = []

    def remember(module, inputs, outputs):
        for maps in outputs:
            maps.retain_grad()
        kept.extend(outputs)

    system.backbones[0].register_forward_hook(remember)
    # Weights drawn by chance give every channel some response at every cell of a small photo.
    system(noise(2)).square().sum().backward()
    fine = kept[0]  # 4 x 4 cells of 16 px: the object has 2 x 2 to 3 x 3 of them
    chosen = torch.zeros(4, 4, dtype=torch.bool)
    chosen[:3, :3] = True
    assert (fine.grad[:, :, ~chosen] == 0).all()
    assert (fine.grad[:, :, 2, 1] != 0).any()


def test_an_empty_mask_means_the_whole_photo(monkeypatch):
    nothing, system = ("........",) * 8, small(streams=4).eval()
    injected_masks(system, monkeypatch, nothing)
    assert np.allclose(system.look(noise(1))[0].boxes, [0, 0, 64, 64])
    whole = system.vectors(noise(1))[:, :864]
    injected_masks(system, monkeypatch, ("HHHHTTTT",) * 8)
    assert torch.equal(system.vectors(noise(1))[:, :864], whole)


def test_data_without_key_points_are_refused_in_one_line():
    photos = Batch(noise(2), torch.tensor([0, 1]), torch.zeros(2, 4), torch.zeros(2, 0, 3))
    system = small()
    assert system.needs == ("points",)
    assert small(masks="boxes").needs == ("boxes",)
    with pytest.raises(DataError, match=r"photos have 0 key points, .* need 4; .*\"boxes\"$"):
        system.phases()[0].loss(photos, torch.Generator())


def test_another_number_of_streams_is_told():
    with pytest.raises(ValueError, match="expected 3 or 4 streams, got 2"):
        small(streams=2)


def test_parts_whose_masks_lie_on_the_key_points_are_found(monkeypatch):
    system = small().eval()
    rows = ["........", ".HH.....", ".HH.....", "....TTT.", "....TTT.", *["........"] * 3]
    injected_masks(system, monkeypatch, rows)
    points = torch.tensor([[[10.0, 10, 1], [23, 23, 1], [33, 25, 1], [55, 39, 1]]]).repeat(3, 1, 1)
    points[1, :, :2] += torch.tensor([16.0, 8])  # elsewhere
    points[2, :2, 2] = 0  # the head is out of sight
    batch = Batch(noise(3), torch.tensor([0, 1, 0]), torch.zeros(3, 4), points)
    found, true = system.found_parts(batch.images), system.true_parts(batch)
    assert found[0].tolist() == true[0].tolist() == [[8, 8, 24, 24], [32, 24, 56, 40]]
    rates = part_rates(found, true)
    assert rates.rates.tolist() == [1 / 2, 2 / 3]
    assert rates.true.tolist() == [2, 3]


def test_masks_of_boxes_have_no_parts_to_be_found():
    assert small(masks="boxes").part_names == ()
