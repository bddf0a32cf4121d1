import numpy as np
import pytest

from rpc.metrics.corloc import corloc
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.descriptors.selection import object_mask
from rpc.structures import mask_to_box
from tests.retrieval.injected import injected_set

CELL = 16  # px


def found_boxes(maps):
    colocaliser = Colocaliser.fit([[m] for m in maps])
    return [colocaliser.find([m], *(CELL * n for n in m.shape[1:])).box for m in maps]


@pytest.mark.parametrize("seed", range(4))
def test_ddt_finds_the_common_object_where_scda_takes_the_brighter_distractor(seed):
    maps, boxes = injected_set(20, seed=seed)
    truths = [[np.multiply(box, CELL)] for box in boxes]
    assert corloc(found_boxes(maps), truths).rate >= 0.9
    scda = [mask_to_box(object_mask(m)) for m in maps]
    scda = [None if box is None else np.multiply(box, CELL) for box in scda]
    assert corloc(scda, truths).rate <= 0.3


def test_an_image_without_a_positive_cell_has_no_box():
    maps, _ = injected_set(10, seed=1)
    colocaliser = Colocaliser.fit([[m] for m in maps])
    axis = colocaliser.axes[0]
    without = np.tile((axis.mean - axis.axis)[:, None, None], (1, 5, 6))
    found = colocaliser.find([without], 80, 96)
    assert found.box is None
    assert found.presence == 0
    assert found.mask.shape == (80, 96)
    assert not found.mask.any()


def test_of_two_objects_the_larger_is_taken_and_the_box_is_tight():
    maps = np.zeros((2, 3, 8, 8))
    maps[:, 0, 1:3, 1:4] = 9
    maps[:, 0, 6, 6] = 9
    found = Colocaliser.fit([[m] for m in maps]).find([maps[0]], 80, 160)
    assert found.box == (20, 10, 80, 30)
    assert found.mask.sum() == 60 * 20


def test_ddt_plus_keeps_what_both_layers_see():
    coarse, fine = np.zeros((2, 1, 4, 4)), np.zeros((2, 2, 8, 8))
    coarse[:, 0, 1:3, 1:3] = 1
    fine[:, 1, 3:5, 3:8] = 1
    layers = list(zip(coarse, fine, strict=True))
    found = Colocaliser.fit(layers).find(layers[0], 8, 8)
    assert found.box == (3, 3, 6, 5)
    assert found.indicator.shape == (4, 4)


def test_ddt_plus_of_layers_that_nowhere_agree_finds_nothing():
    first, second = np.zeros((1, 1, 6, 6)), np.zeros((1, 1, 6, 6))
    first[..., 1:5, 1], second[..., 1:5, 4] = 1, 1
    layers = list(zip(first, second, strict=True))
    assert Colocaliser.fit(layers).find(layers[0], 6, 6).box is None


def test_a_set_of_constant_images_has_no_object():
    maps = [np.full((3, 4, 4), 0.1, np.float32)] * 2
    assert found_boxes(maps) == [None, None]


def test_images_of_two_sizes_get_boxes_in_their_own_pixels():
    small, large = np.zeros((1, 4, 4)), np.zeros((1, 8, 6))
    small[0, 1, 1] = 1
    large[0, 6, 4] = 1
    assert found_boxes([small, large]) == [(16, 16, 32, 32), (64, 96, 80, 112)]


def test_other_layers_than_in_the_fit_are_refused():
    maps, _ = injected_set(3)
    colocaliser = Colocaliser.fit([[m] for m in maps])
    with pytest.raises(ValueError, match="2 layers, expected 1"):
        colocaliser.find([maps[0], maps[0]], 10, 10)
    with pytest.raises(ValueError, match=r"1 \(DDT\) or 2"):
        Colocaliser.fit([[m] * 3 for m in maps])
