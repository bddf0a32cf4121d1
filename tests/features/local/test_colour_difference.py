import numpy as np
import pytest

from rpc.features.local.alignment import Alignment
from rpc.features.local.colour_difference import CELL, colour_cells, colour_costs, colour_leads
from tests.features.local.packs import LABEL, pack

SAME = Alignment(np.eye(2, 3), np.ones(9, bool))
POINTS = np.array([[x, y] for x in (40, 90, 140) for y in (60, 125, 200)], np.float32)


def costs(crop, exemplar, alignment=SAME):
    return colour_costs(colour_cells(crop), colour_cells(exemplar), alignment, POINTS)


def test_colours_differ_where_the_label_does_and_nowhere_else():
    found = costs(pack(), pack(label=(30, 40, 200)))
    label = np.zeros(found.shape, bool)
    label[tuple(slice(s.start // CELL + 1, s.stop // CELL - 1) for s in LABEL)] = True
    assert np.nanmin(found[label]) > 0.9
    away = np.ones(found.shape, bool)
    away[tuple(slice(s.start // CELL - 2, s.stop // CELL + 3) for s in LABEL)] = False
    assert np.nanmax(found[away]) < 0.05


def test_a_darker_light_is_no_difference():
    rgb = pack()
    cells = colour_cells(rgb)
    assert np.nanmax(colour_costs(cells - [15, 4, -6], cells, SAME, POINTS)) < 1e-6


def test_a_shifted_exemplar_is_laid_where_the_map_says():
    moved = np.roll(pack(), 24, axis=0)
    back = Alignment(np.array([[1.0, 0, 0], [0, 1, -24]]), SAME.agree)
    assert np.nanmedian(costs(pack(), moved, back)) < 0.01 < np.nanmedian(costs(pack(), moved))


def test_what_lies_outside_of_the_crop_says_nothing():
    far = Alignment(np.array([[1.0, 0, 5000], [0, 1, 0]]), SAME.agree)
    assert costs(pack(), pack(), far) is None


def test_leads_are_against_the_mean_of_those_seen_there():
    nan = np.nan
    found = colour_leads(np.array([[[0.0, 0.3, 0.5]], [[1.0, 0.3, nan]], [[nan, 0.3, nan]]]))
    assert found == pytest.approx([0.5, -0.5, 0.0])  # alone at a place, or alike: nothing
