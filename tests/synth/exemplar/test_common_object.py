"""The way to cut-outs that learns from all photos of a SKU first."""

import json
import pickle

import cv2
import numpy as np
import pytest

from rpc.data import DataError, Store
from rpc.data.cutouts import read_cutouts
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.ddt import CommonAxis
from synth.exemplar import build_cutouts
from synth.exemplar.methods.common_object import FOLDER, CommonObject, soft_indicator
from synth.exemplar.segmenter import SetSegmenter
from tests.synth.exemplar.drawn_photos import COLOURS, draw_photo


def colocaliser(variance=4.0):
    return Colocaliser((CommonAxis(np.zeros(1), np.ones(1), variance, 1.0, 1.0, 1.0),))


def states(folder):
    return {p.name: (p.stat().st_mtime_ns, p.read_bytes()) for p in sorted(folder.glob("*.npz"))}


@pytest.fixture(scope="module")
def way():
    return CommonObject(least_side=96)


@pytest.fixture
def learned(tiny_store, tmp_path, way):
    exemplars = Store.open(tiny_store).exemplars()
    return exemplars, way.prepare(exemplars, tmp_path / "out", 512, lambda e: e.path.name)


def test_the_guess_is_a_half_where_the_map_is_0_and_sure_a_deviation_off():
    maps = (np.array([[[0.0, -2.0], [1.0, 8.0]]], np.float32),)
    guess = soft_indicator(colocaliser(), maps, 2, 2)
    np.testing.assert_allclose(guess, [[0.5, 0], [0.75, 1]])
    assert soft_indicator(colocaliser(), maps, 30, 20).shape == (30, 20)


def test_two_layers_give_the_mean_of_their_guesses():
    both = Colocaliser(colocaliser().axes * 2)
    maps = (np.full((1, 2, 2), 2, np.float32), np.full((1, 4, 4), -2, np.float32))
    np.testing.assert_allclose(soft_indicator(both, maps, 8, 8), 0.5)


def test_a_set_that_does_not_vary_gives_no_guess_rather_than_nan():
    still = Colocaliser((CommonAxis(np.zeros(1), np.zeros(1), 0.0, 0.0, 0.0, 0.0),))
    assert (soft_indicator(still, (np.ones((1, 2, 2), np.float32),), 4, 4) == 0.5).all()


def test_a_plain_product_is_found_from_its_sku_s_photos(learned, way):
    _, segmenters = learned
    assert isinstance(way, SetSegmenter)
    assert sorted(segmenters) == [1, 2]
    rgb, truth, box = draw_photo(54, 70, COLOURS["can"], seed=9)
    found = segmenters[1](rgb, box) > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_a_learned_segmenter_travels_to_another_process_and_says_the_same(learned):
    _, segmenters = learned
    rgb, _, box = draw_photo(54, 70, COLOURS["can"], seed=9)
    twin = pickle.loads(pickle.dumps(segmenters[1]))
    assert repr(twin) == repr(segmenters[1]) != repr(segmenters[2])
    assert (twin(rgb, box) == segmenters[1](rgb, box)).all()


def test_what_was_learned_is_kept_until_a_photo_changes(learned, tmp_path, way):
    exemplars, segmenters = learned
    out = tmp_path / "out"
    before = states(out / FOLDER)
    assert set(before) == {"1.npz", "2.npz"}
    again = way.prepare(exemplars, out, 512, lambda e: e.path.name)
    assert again == segmenters
    assert states(out / FOLDER) == before
    other = way.prepare(exemplars, out, 512, lambda e: e.path.name + "x" * (e.category_id == 2))
    assert repr(other[1]) == repr(segmenters[1])
    assert repr(other[2]) != repr(segmenters[2])
    after = states(out / FOLDER)
    assert after["1.npz"] == before["1.npz"]
    assert after["2.npz"] != before["2.npz"]


def test_a_damaged_file_is_learned_again(learned, tmp_path, way):
    exemplars, _ = learned
    path = tmp_path / "out" / FOLDER / "1.npz"
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    way.prepare(exemplars, tmp_path / "out", 512, lambda e: e.path.name)
    assert path.read_bytes() == whole


def test_a_store_is_cut_and_a_second_run_cuts_nothing_again(tiny_store, tmp_path, way):
    told = []

    def build():
        build_cutouts(
            tiny_store,
            tmp_path / "out",
            way,
            workers=1,
            learning=lambda done, total: told.append((done, total)),
        )
        return {p: p.stat().st_mtime_ns for p in (tmp_path / "out").rglob("*.png")}

    first = build()
    assert len(first) == 6
    assert build() == first
    assert told[:2] == [(1, 2), (2, 2)]
    kept = read_cutouts(tmp_path / "out").kept()
    assert {c.category_id for c in kept} == {1, 2}
    for cutout in kept:
        assert abs(cutout.width * cutout.height / cutout.area - 1) < 0.1


def test_a_sku_with_one_photo_is_told_in_one_line(tiny_store, tmp_path, way):
    path = tiny_store / "instances_train.json"
    content = json.loads(path.read_text())
    content["annotations"] = content["annotations"][:4]  # of the second SKU one is left
    path.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"category 2 .*1 readable photos.*method combined"):
        build_cutouts(tiny_store, tmp_path / "out", way, workers=1)


def test_a_photo_that_cannot_be_read_does_not_stop_the_others(tiny_store, tmp_path, way):
    (tiny_store / "exemplars" / "can_camera3-1.jpg").write_text("no photo")
    build_cutouts(tiny_store, tmp_path / "out", way, workers=1)
    assert len(list((tmp_path / "out").rglob("*.png"))) == 5
    assert cv2.imread(str(next((tmp_path / "out").rglob("*.png")))) is not None
