"""Crops named in the light of their photo's other items, the gain chosen on the other groups."""

import numpy as np

from rpc.pipelines.naming.repeats import in_the_light_of_trays
from rpc.pipelines.naming.run import Crops

# On each photo: surely SKU 0, and one that is hardly told from SKU 1.
ROWS = np.log([[0.98, 0.01, 0.01], [0.45, 0.5, 0.05]])


def crops(photos, groups):
    count = 2 * photos
    boxes = np.tile([[0.0, 0, 20, 20], [30, 0, 50, 20]], (photos, 1))
    names = [f"{n // 2}.jpg" for n in range(count)]
    return Crops([], np.zeros(count, int), np.repeat(groups, 2), names, boxes)


def test_where_products_repeat_a_close_call_goes_to_what_lies_there_already():
    rows = np.tile(ROWS, (6, 1))
    trays = crops(6, ["a", "a", "a", "b", "b", "b"])
    again = in_the_light_of_trays(rows, trays, np.tile([0, 0], 6))
    assert (again.argmax(axis=1) == 0).all()
    never = in_the_light_of_trays(rows, trays, np.tile([0, 1], 6))
    np.testing.assert_allclose(never, np.exp(rows))


def test_a_groups_own_answers_choose_nothing_for_it():
    rows = np.tile(ROWS, (4, 1))
    trays = crops(4, ["a", "a", "b", "b"])
    found = in_the_light_of_trays(rows, trays, np.array([0, 0, 0, 0, 0, 1, 0, 1]))
    assert found[:4].argmax(axis=1).tolist() == [0, 1, 0, 1]  # by group b, nothing repeats
    assert (found[4:].argmax(axis=1) == 0).all()


def test_one_group_alone_is_left_as_it_is():
    rows = np.tile(ROWS, (3, 1))
    found = in_the_light_of_trays(rows, crops(3, ["a"] * 3), np.zeros(6, int))
    np.testing.assert_allclose(found, np.exp(rows))
