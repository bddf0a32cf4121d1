import pytest
import torch

from rpc.features.parts.part_proposals import object_proposals, part_proposals, window_boxes_of


def test_the_first_proposal_is_around_what_is_active():
    activity = torch.rand(2, 10, 10, generator=torch.Generator().manual_seed(0)) * 0.1
    activity[0, 1:5, 2:6] += 1
    activity[1, 4:10, 4:10] += 1
    found = object_proposals(activity, 3)
    assert torch.allclose(found[0, 0], torch.tensor([-0.6, -0.8, 0.2, 0.0]), atol=1e-5)
    assert torch.allclose(found[1, 0], torch.tensor([-0.2, -0.2, 1.0, 1.0]), atol=1e-5)


def test_the_whole_photo_stands_in_for_windows_that_are_too_few():
    found = object_proposals(torch.rand(1, 2, 2), 9, shares=(1.0,))
    assert found.tolist() == [[[-1, -1, 1, 1]] * 9]
    assert object_proposals(torch.zeros(0, 4, 4), 3).shape == (0, 3, 4)


def test_brighter_photos_have_the_same_proposals():
    activity = torch.rand(1, 8, 8, generator=torch.Generator().manual_seed(1))
    assert torch.equal(object_proposals(activity, 4), object_proposals(3 * activity, 4))


def test_parts_are_the_maxima_of_all_windows_in_the_order_of_their_boxes():
    maps = torch.rand(2, 3, 4, 5, generator=torch.Generator().manual_seed(0))
    found, boxes = part_proposals(maps, 2), window_boxes_of(4, 5, (2, 2))
    assert found.shape == (2, 12, 3)
    assert boxes.shape == (12, 4)
    scale = torch.tensor([5.0, 4, 5, 4])
    for n, box in enumerate(boxes):
        left, top, right, bottom = ((box + 1) / 2 * scale).round().int().tolist()
        assert torch.equal(found[:, n], maps[:, :, top:bottom, left:right].amax(dim=(2, 3)))


@pytest.mark.parametrize("size", [1, 4])
def test_windows_of_one_cell_and_of_all(size):
    maps = torch.rand(1, 2, 4, 4)
    wanted = maps.flatten(2) if size == 1 else maps.amax(dim=(2, 3))[..., None]
    assert torch.equal(part_proposals(maps, size), wanted.transpose(1, 2))
