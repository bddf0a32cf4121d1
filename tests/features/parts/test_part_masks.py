import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.parts.part_masks import (
    IGNORED,
    box_labels,
    cell_boxes,
    mask_boxes,
    mask_ends,
    masks_through,
    point_ends,
    point_labels,
    square_around,
)
from rpc.features.parts.warp import window_boxes, window_transforms

HEAD, TORSO = (0, 1), (2, 3)


def drawn(*rows):
    return torch.tensor([[".HT".index(mark) for mark in row] for row in rows])


def test_an_upright_toy_bird_gives_the_rectangles_drawn_by_hand():
    bird = torch.tensor([[[45.0, 5, 1], [65, 25, 1], [15, 35, 1], [55, 55, 1]]])  # 80 px, 8 cells
    labels = point_labels(bird, [HEAD, TORSO], 80, (8, 8))
    wanted = drawn(
        "....HHH.",
        "....HHH.",
        "....HHH.",
        ".TTTTT..",
        ".TTTTT..",
        ".TTTTT..",
        "........",
        "........",
    )
    assert torch.equal(labels[0], wanted)


def test_rectangles_and_masks_as_boxes_are_whole_cells_and_nothing_where_nothing_is():
    bird = torch.tensor([[[45.0, 5, 1], [65, 25, 1], [15, 35, 1], [55, 55, 0]]]).repeat(2, 1, 1)
    bird[1, :2, 2] = 0
    head, torso = point_ends(bird, [HEAD, TORSO]).unbind(dim=1)
    assert head.tolist() == [[45, 5, 65, 25], [torch.inf, torch.inf, -torch.inf, -torch.inf]]
    assert torso.tolist() == [[15, 35, 15, 35]] * 2
    boxes = cell_boxes(head, 80, (8, 8))
    assert boxes[0].tolist() == [40, 0, 70, 30]
    assert boxes[1].isnan().all()
    labels = point_labels(bird, [HEAD, TORSO], 80, (8, 8))
    assert torch.equal(mask_boxes(labels == 1, 80).nan_to_num(-1), boxes.nan_to_num(-1))
    assert mask_boxes(labels == 2, 80).tolist() == [[10, 30, 20, 40]] * 2


def test_where_rectangles_overlap_a_line_gives_each_its_half():
    bird = torch.tensor([[[10.0, 10, 1], [39.9, 39.9, 1], [20.4, 20.4, 1], [49, 49, 1]]])
    labels = point_labels(bird, [HEAD, TORSO], 60, (6, 6))
    wanted = drawn("......", ".HHH..", ".HHHT.", ".HHTT.", "..TTT.", "......")
    assert torch.equal(labels[0], wanted)


def test_the_line_stands_across_the_way_from_one_part_to_the_other():
    bird = torch.tensor([[[10.0, 0, 1], [49, 29, 1], [0, 10, 1], [59, 59, 1]]])  # head above
    labels = point_labels(bird, [HEAD, TORSO], 60, (6, 6))
    wanted = drawn(".HHHH.", "THHHHT", "TTTTTT", "TTTTTT", "TTTTTT", "TTTTTT")
    assert torch.equal(labels[0], wanted)


def test_a_part_within_another_keeps_its_cells_whichever_comes_first():
    points = torch.tensor([[[20.0, 20, 1], [39, 39, 1], [0, 0, 1], [59, 49, 1]]])
    for groups, inner in (([HEAD, TORSO], 1), ([TORSO, HEAD], 2)):
        labels = point_labels(points, groups, 60, (6, 6))[0]
        assert (labels[2:4, 2:4] == inner).all()
        assert (labels == inner).sum() == 4


@given(st.integers(0, 10_000), st.integers(2, 4))
def test_a_line_takes_no_cell_from_the_object_and_adds_none(seed, parts):
    chance = torch.Generator().manual_seed(seed)
    points = torch.rand(3, 2 * parts, 3, generator=chance)
    points[:, :, :2] *= 64
    groups = [(2 * n, 2 * n + 1) for n in range(parts)]
    line = point_labels(points, groups, 64, (9, 9))
    first = point_labels(points, groups, 64, (9, 9), "first")
    assert torch.equal(line > 0, first > 0)
    last = point_labels(points, groups[::-1], 64, (9, 9), "first")
    alone = (first > 0) & (first == parts + 1 - last)  # in one rectangle only
    assert torch.equal(line[alone], first[alone])


def test_where_rectangles_overlap_the_first_group_wins_if_asked():
    bird = torch.tensor([[[10.0, 10, 1], [30, 30, 1], [25, 25, 1], [55, 35, 1]]])
    labels = point_labels(bird, [HEAD, TORSO], 60, (6, 6), "first")
    assert torch.equal(labels[0], drawn("......", ".HHH..", ".HHHTT", ".HHHTT", "......", "......"))
    swapped = point_labels(bird, [TORSO, HEAD], 60, (6, 6), "first")
    assert (swapped[0] == 1).sum() == 8  # all of the torso's 2 x 4 cells
    assert ((swapped > 0) == (labels > 0)).all()  # the object is the same


def test_points_out_of_sight_do_not_count_and_without_any_nothing_is_known():
    bird = torch.tensor([[[5.0, 5, 1], [500, 5, 0], [0, 0, 0], [0, 0, 0]]]).repeat(2, 1, 1)
    bird[1, :, 2] = 0
    labels = point_labels(bird, [HEAD, TORSO], 40, (4, 4))
    assert labels[0].flatten().tolist() == [1] + [0] * 15
    assert (labels[1] == IGNORED).all()


@given(st.integers(0, 10_000))
def test_every_point_in_sight_lies_in_its_part_or_an_earlier_one(seed):
    chance = torch.Generator().manual_seed(seed)
    points = torch.rand(3, 4, 3, generator=chance)
    points[:, :, :2] *= 64
    points[:, :, 2] = (points[:, :, 2] > 0.3).float()
    labels = point_labels(points, [HEAD, TORSO], 64, (7, 7), "first")
    for photo in range(3):
        for number, (x, y, seen) in enumerate(points[photo].tolist()):
            if seen:
                label = int(labels[photo, int(y * 7 / 64), int(x * 7 / 64)])
                assert 1 <= label <= 1 + number // 2


@pytest.mark.parametrize("groups", [[(0, 4)], [()], [(-1,)]])
def test_points_that_are_not_there_are_told(groups):
    with pytest.raises(ValueError, match="expected numbers from 0 to 3"):
        point_labels(torch.zeros(1, 4, 3), groups, 32, (4, 4))


def test_a_box_covers_the_cells_it_touches():
    boxes = torch.tensor([[0.0, 0, 40, 40], [10, 20, 30, 40], [11, 1, 12, 2]])
    labels = box_labels(boxes, 40, (4, 4))
    assert labels.flatten(1).sum(dim=1).tolist() == [16, 4, 1]
    assert labels[1, 2:, 1:3].min() == 1
    assert labels[2, 0, 1] == 1


def test_the_ends_of_a_mask_are_those_of_its_cells_and_of_the_photo_if_it_is_empty():
    masks = torch.zeros(2, 4, 8, dtype=torch.bool)
    masks[0, 1, 2] = masks[0, 2, 5] = True
    ends = mask_ends(masks)
    assert ends[0].tolist() == [-0.5, -0.5, 0.5, 0.5]
    assert ends[1].tolist() == [-1, -1, 1, 1]
    assert mask_ends(masks[:0]).shape == (0, 4)


@given(st.integers(0, 10_000))
def test_the_square_holds_its_rectangle(seed):
    rng = np.random.default_rng(seed)
    ends = torch.from_numpy(np.sort(rng.uniform(-1, 1, (5, 2, 2)), axis=1).reshape(5, 4))
    centres, halves = square_around(ends, least=0.2)
    assert (halves >= 0.2).all()
    boxes = window_boxes(window_transforms(centres, halves), 2) - 1  # px of a photo of side 2
    assert (boxes[:, :2] <= ends[:, :2] + 1e-9).all()
    assert (boxes[:, 2:] >= ends[:, 2:] - 1e-9).all()


def test_a_mask_is_seen_through_a_window_where_it_lies():
    masks = torch.zeros(1, 8, 8, dtype=torch.bool)
    masks[0, 4:, :4] = True  # lower left
    whole = torch.eye(3)[:2][None]
    seen = masks_through(masks, whole, 4)
    assert torch.equal(seen[0], masks[0, ::2, ::2])
    lower_left = window_transforms(torch.tensor([[-0.5, 0.5]]), torch.tensor([0.5]))
    assert masks_through(masks, lower_left, 4).all()
    assert not masks_through(~masks & False, whole, 4).any()


def test_an_object_smaller_than_a_cell_is_not_lost():
    masks = torch.zeros(1, 28, 28, dtype=torch.bool)
    masks[0, 9, 18] = True
    seen = masks_through(masks, torch.eye(3)[:2][None], 7)
    assert seen.nonzero().tolist() == [[0, 2, 4]]
