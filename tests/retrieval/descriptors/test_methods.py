import numpy as np
import pytest

from rpc.features.encodings.local_encodings import fit_fisher, fit_vlad
from rpc.retrieval.descriptors.mask_picture import draw_mask
from rpc.retrieval.descriptors.methods import METHODS, PhotoMaps, methods_with
from rpc.retrieval.descriptors.scda import selected_descriptors
from rpc.retrieval.descriptors.selection import object_mask


def _maps(seed=0):
    rng = np.random.default_rng(seed)
    last, finer = rng.random((6, 4, 5)), rng.random((3, 8, 10))
    return PhotoMaps(last, finer, (last[:, :, ::-1], finer[:, :, ::-1]))


@pytest.fixture(scope="module")
def methods():
    cells = np.concatenate([selected_descriptors(_maps(seed).last) for seed in range(9)])
    return methods_with(fit_vlad(cells, 2, 0), fit_fisher(cells, 2, 0))


def test_the_tutorial_s_methods_come_in_its_order_with_its_dimensions(methods):
    # 512 channels in the tutorial, 6 and 3 here: VLAD 2 C, FV 4 C, average C, ...
    lengths = {name: len(method(_maps())) for name, method in methods.items()}
    assert list(lengths.items())[:7] == [
        ("VLAD", 12),
        ("FV", 24),
        ("selected avgPool", 6),
        ("selected maxPool", 6),
        ("SCDA", 12),
        ("SCDA+", 18),
        ("SCDA_flip+", 36),
    ]
    assert set(lengths) == {"VLAD", "FV", *METHODS}


def test_pools_of_selected_cells_do_not_see_the_others_and_make_up_scda(methods):
    maps = _maps()
    chosen = object_mask(maps.last)
    cells = maps.last[:, chosen]
    average, maximum = cells.mean(axis=1), cells.max(axis=1)
    parts = [methods["selected avgPool"](maps), methods["selected maxPool"](maps)]
    np.testing.assert_allclose(parts[0], average / np.linalg.norm(average))
    np.testing.assert_allclose(parts[1], maximum / np.linalg.norm(maximum))
    np.testing.assert_allclose(methods["SCDA"](maps), np.concatenate(parts))
    assert not chosen.all()
    assert not np.allclose(methods["avgPool"](maps), parts[0])  # of all cells


def test_no_method_answers_a_silent_map_with_nan(methods):
    last, finer = np.zeros((6, 4, 5)), np.zeros((3, 8, 10))
    for method in methods.values():
        assert not method(PhotoMaps(last, finer, (last, finer))).any()


def test_encodings_that_are_not_fitted_are_left_out():
    assert list(methods_with(None, None)) == list(METHODS)


def test_a_drawn_mask_dims_the_rest_and_keeps_the_photo():
    rgb = np.full((40, 60, 3), 200, np.uint8)
    mask = np.zeros((4, 6), bool)
    mask[1:3, 2:4] = True
    drawn = draw_mask(rgb, mask)
    assert rgb.min() == 200
    assert drawn[20, 30].tolist() == [200] * 3
    assert drawn[2, 2].tolist() == [70] * 3
    assert drawn.shape == rgb.shape


def test_an_empty_mask_dims_all():
    drawn = draw_mask(np.full((8, 8, 3), 100, np.uint8), np.zeros((2, 2), bool))
    assert (drawn == 35).all()
