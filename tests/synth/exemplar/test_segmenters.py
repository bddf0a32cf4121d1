"""The ways to find a product: on drawn photos with known masks, and on the embedded store."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from rpc.data import DataError, Store, read_image
from synth.exemplar import (
    METHODS,
    CombinedSegmenter,
    GrabCutSegmenter,
    SaliencySegmenter,
    make_segmenter,
)
from synth.exemplar.mask_shape import box_fit, main_part
from synth.exemplar.methods.grabcut import run_grabcut
from synth.exemplar.methods.saliency import best_threshold, resize_graph, shift_threshold
from synth.exemplar.segmenter import SetSegmenter
from synth.exemplar.window import Window, check_box
from tests.synth.exemplar.drawn_photos import draw_photo

# Ways that need one photo only; the others are in test_common_object.py.
ALONE = [name for name in METHODS if not isinstance(make_segmenter(name), SetSegmenter)]

MINISTORE = Path(__file__).parents[3] / "examples" / "ministore"


@pytest.mark.parametrize("method", ALONE)
def test_every_way_finds_a_plain_product(method, photo):
    rgb, truth, box = photo
    soft = make_segmenter(method)(rgb, box)
    assert soft.shape == truth.shape
    assert soft.dtype == np.float32
    assert 0 <= soft.min() <= soft.max() <= 1
    found = soft > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.9


@pytest.mark.parametrize("method", ALONE)
def test_every_way_says_the_same_twice_and_travels_to_another_process(method, photo):
    rgb, _, box = photo
    segmenter = make_segmenter(method)
    twin = pickle.loads(pickle.dumps(segmenter))
    assert repr(twin) == repr(segmenter)
    assert (twin(rgb, box) == segmenter(rgb, box)).all()


@pytest.mark.parametrize("method", ALONE)
def test_a_box_that_is_the_whole_photo_gives_a_mask_too(method):
    rgb, truth, _ = draw_photo(100, 110, (200, 40, 40))
    soft = make_segmenter(method)(rgb, (0, 0, 160, 160))
    found = soft > 0.5
    assert (found & truth).sum() / (found | truth).sum() > 0.8


@pytest.mark.parametrize("method", ALONE)
def test_a_box_outside_the_photo_is_refused(method, photo):
    with pytest.raises(ValueError, match="box"):
        make_segmenter(method)(photo[0], (200, 200, 240, 240))


def test_another_way_is_refused_by_name():
    with pytest.raises(DataError, match=r"magic.*grabcut, saliency, combined, ddt"):
        make_segmenter("magic")


def test_masks_of_the_embedded_store_have_the_area_that_was_rendered():
    """Oracle: the store's `area` is exact; no segmenter sees it."""
    store = Store.open(MINISTORE)
    area = {a.image_id: a.area for a in store.split("train").annotations}
    images = store.split("train").images[::36]
    exemplars = store.exemplars()[::36]
    errors, fits = {}, {}
    for method in (GrabCutSegmenter(), SaliencySegmenter()):
        name = type(method).__name__
        for image, exemplar in zip(images, exemplars, strict=True):
            soft = method(read_image(exemplar.path), exemplar.box)
            mask = main_part(soft > 0.5, exemplar.box)
            errors.setdefault(name, []).append(abs(mask.sum() / area[image.id] - 1))
            fits.setdefault(name, []).append(box_fit(mask, exemplar.box))
    assert np.median(errors["SaliencySegmenter"]) < 0.02
    assert np.median(errors["GrabCutSegmenter"]) < 0.06
    assert min(np.median(fits[name]) for name in fits) > 0.95


def test_the_threshold_that_fits_the_box_is_taken():
    soft = np.zeros((60, 60), dtype=np.float32)
    soft[10:50, 10:50] = 0.7  # a turntable
    soft[20:40, 15:45] = 1.0
    assert best_threshold(soft, (10, 10, 50, 50)) == 0.5
    chosen = best_threshold(soft, (15, 20, 45, 40))
    assert chosen == 0.8
    assert ((shift_threshold(soft, chosen) > 0.5) == (soft > chosen)).all()


def test_a_graph_is_declared_smaller_and_no_byte_longer():
    declared = b"\x0a\x03\x08\xc0\x02"  # a dimension of 320
    model = b"head" + declared * 2 + b"tail" + declared
    assert resize_graph(model, 256) == b"head" + b"\x0a\x03\x08\x80\x02" * 2 + b"tail" + declared
    assert resize_graph(model, 320) == model
    for side in (100, 64, 2048):
        with pytest.raises(ValueError, match="multiple of 32"):
            resize_graph(model, side)


def test_grabcut_with_nothing_to_separate_returns_the_labels():
    rgb = np.zeros((20, 20, 3), dtype=np.uint8)
    assert not run_grabcut(rgb, np.zeros((20, 20), np.uint8), 1).any()
    assert run_grabcut(rgb, np.full((20, 20), 3, np.uint8), 1).all()


def test_combined_stops_at_the_first_good_mask(photo):
    class Refusing:
        def __call__(self, *args, **kwargs):
            raise AssertionError("not needed")

    rgb, truth, box = photo
    segmenter = CombinedSegmenter(wide=Refusing(), grabcut=Refusing())
    assert (segmenter(rgb, box) > 0.5).sum() == pytest.approx(truth.sum(), rel=0.1)


def test_combined_takes_the_mask_that_fits_when_the_first_does_not(photo):
    rgb, truth, box = photo

    class Leaking:
        def __call__(self, rgb, box, prior=None):
            return np.ones(rgb.shape[:2], dtype=np.float32)

    class Right:
        def __call__(self, rgb, box, prior=None):
            return truth.astype(np.float32)

    segmenter = CombinedSegmenter(narrow=Leaking(), wide=Leaking(), grabcut=Right())
    assert ((segmenter(rgb, box) > 0.5) == truth).all()


def test_a_window_is_cut_to_the_photo_and_goes_back_to_it():
    window = Window.around((10, 10, 30, 20), 0.5, 40, 35)
    assert (window.x1, window.y1, window.x2, window.y2) == (0, 0, 35, 30)
    assert window.box_inside((10, 10, 30, 20)) == (10, 10, 30, 20)
    assert window.paste(np.ones((30, 35), np.float32)).sum() == 30 * 35


@pytest.mark.parametrize("box", [(5, 5, 6, 30), (float("nan"), 1, 9, 9), (30, 5, 10, 20), (1, 2)])
def test_a_box_that_is_none_is_refused(box):
    with pytest.raises(ValueError, match="box"):
        check_box(box, 40, 40)
