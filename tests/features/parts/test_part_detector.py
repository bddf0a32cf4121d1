import pytest
import torch

from rpc.features.parts.part_detector import PartDetector


@pytest.fixture(scope="module")
def detector():
    torch.manual_seed(0)
    return PartDetector(2, 64, channels=16, proposals=12, pretrained=False)


def photos(count):
    chance = torch.Generator().manual_seed(0)
    return torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8, generator=chance)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_candidates_by_class_the_surest_first(detector, count):
    detector.eval()
    found = detector.candidates(detector.maps(photos(count)))
    assert len(found) == count
    for photo in found:
        assert len(photo) == 3
        for one in photo:
            assert one.boxes.shape == (len(one), 4)
            assert (one.scores[:-1] >= one.scores[1:]).all()
            assert (one.scores > 0.01).all()
            if len(one):
                assert one.boxes.min() >= 0
                assert one.boxes.max() <= 64


def test_every_layer_learns_from_boxes_also_where_parts_are_hidden(detector):
    detector.train()
    nan = torch.nan
    boxes = torch.tensor([
        [[8.0, 8, 56, 56], [10, 10, 30, 30], [nan] * 4],
        [[0.0, 0, 64, 64], [nan] * 4, [20, 20, 50, 60]],
        [[nan] * 4, [nan] * 4, [5.0, 5, 5, 5]],
    ])  # fmt: skip
    terms = detector.losses(photos(3), boxes)
    assert len(terms) == 4
    assert all(torch.isfinite(term) for term in terms.values())
    sum(terms.values()).backward()
    for module in (detector.joins, detector.rpn, detector.roi_heads):
        assert all(p.grad is not None for p in module.parameters())
    assert any(p.grad is not None for p in detector.backbone.learnable())


def test_a_look_is_of_unit_length_and_of_the_box_alone(detector):
    maps = torch.rand(1, 16, 4, 4, generator=torch.Generator().manual_seed(0))
    box = torch.tensor([[0.0, 0, 16, 16], [16, 16, 64, 64]])
    looks = detector.appearances(maps, [box])
    assert looks.shape == (2, detector.appearance_size)
    assert torch.allclose(looks.norm(dim=1), torch.ones(2))
    changed = maps.clone()
    changed[:, :, 2:, 2:] += 1
    assert torch.allclose(detector.appearances(changed, [box])[0], looks[0])
    assert not torch.allclose(detector.appearances(changed, [box])[1], looks[1])


@pytest.mark.parametrize(
    ("bounds", "labels"),
    [({}, [2, 2, -1, -1, 0]), ({"foreground": 0.5}, [2, 2, 2, -1, 0])],
)
def test_regions_show_a_part_from_seven_tenths_of_overlap_and_nothing_below_three(bounds, labels):
    detector = PartDetector(2, 64, channels=16, proposals=12, pretrained=False, **bounds)
    true = torch.tensor([[0.0, 0, 40, 40]])
    widths = torch.tensor([40.0, 29, 24, 14, 8])  # of 40: the overlap
    regions = torch.stack([0 * widths, 0 * widths, widths, 0 * widths + 40], dim=1)
    found = detector.roi_heads.assign_targets_to_proposals([regions], [true], [torch.tensor([2])])
    assert found[1][0].tolist() == labels


@pytest.mark.parametrize(("background", "foreground"), [(0.8, 0.7), (-0.1, 0.7), (0.0, 0.0)])
def test_overlaps_that_make_no_sense_are_told(background, foreground):
    with pytest.raises(ValueError, match="0 <= background <= foreground <= 1"):
        PartDetector(2, 64, pretrained=False, background=background, foreground=foreground)
