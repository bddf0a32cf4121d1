"""Masks of found boxes are doubted for what their photos show; masks of drawn boxes are not."""

import json

import cv2
import numpy as np
import pytest

from rpc.data import Store, read_cutouts
from rpc.data.images import write_image
from rpc.data.import_told import told_of_import
from rpc.data.importer import import_folder
from synth.drawn.hard_photos import HARDNESSES, draw_hard_photo
from synth.exemplar import build_cutouts
from synth.exemplar.cut import cut_photo
from synth.exemplar.doubts import ENOUGH_SKUS, LEAST_TRUST, USUAL, Doubts, usual_edges
from tests.synth.exemplar.drawn_photos import WholeBox


def test_trust_falls_with_each_doubt_and_the_worst_is_told():
    assert Doubts(edges=0.03, shadow=0.0, contrast=1.0).judge() == (1.0, "")
    for doubts, word in (
        (Doubts(0.3, 0.0, 1.0), "detail goes on"),
        (Doubts(0.0, 0.3, 1.0), "in shadow"),
        (Doubts(0.0, 0.0, 0.5), "no change of colour"),
    ):
        trust, told = doubts.judge()
        assert trust == pytest.approx(LEAST_TRUST)
        assert word in told


def test_what_all_skus_photos_show_around_a_product_is_the_grounds():
    rig = [0.12] * ENOUGH_SKUS
    usual = usual_edges(range(ENOUGH_SKUS), rig)
    assert usual == pytest.approx(0.12)
    assert Doubts(0.12, 0.0, 1.0).judge(usual)[0] == 1
    assert Doubts(0.12, 0.0, 1.0).judge()[0] < 0.7
    # Few SKUs say nothing, nor do many photos of one; a ground cannot excuse everything.
    assert usual_edges([1, 2, 2, 2, 2, 3], [0.1] * 6) == USUAL
    assert usual_edges(range(9), [0.5] * 9) < 0.2


@pytest.mark.parametrize("hardness", HARDNESSES)
def test_a_drawn_photo_shows_its_product_within_its_box_the_same_each_time(hardness):
    photo, again = (draw_hard_photo(hardness, 5, 2, 1) for _ in range(2))
    assert (photo.rgb == again.rgb).all()
    x1, y1, x2, y2 = (round(value) for value in photo.box)
    assert photo.mask[y1:y2, x1:x2].sum() == photo.mask.sum() > 500
    assert draw_hard_photo(hardness, 5, 2, 2).rgb.shape == photo.rgb.shape


def test_only_a_box_that_nobody_drew_is_doubted():
    photo = draw_hard_photo("shadow", 1, 1, 0)
    x1, y1, x2, y2 = photo.box
    box = (x1 - 30, y1 - 30, x2 + 30, y2 + 30)
    assert cut_photo(photo.rgb, box, WholeBox()).measures.doubts is None
    found = cut_photo(photo.rgb, box, WholeBox(), box_found=True).measures
    assert found.doubts is not None
    frame = (0, 0, *photo.rgb.shape[1::-1])
    assert cut_photo(photo.rgb, frame, WholeBox()).measures.doubts is not None


@pytest.fixture
def hard_store(tmp_path):
    """Photos on a white board: a good carton, the same with a hard shadow, and a glass bottle."""
    rng = np.random.default_rng(0)
    for sku in ("carton", "shadow", "glass"):
        for shot in range(2):
            canvas = np.full((240, 320, 3), 228.0) + rng.normal(0, 1, (240, 320, 1))
            left = 90 + 10 * shot
            if sku == "shadow":
                canvas[80:200, left + 30 : left + 130] *= 0.45
            if sku == "glass":
                cv2.rectangle(canvas, (left, 20), (left + 90, 220), (165.0,) * 3, 2)
                cv2.rectangle(canvas, (left + 25, 20), (left + 65, 34), (40, 60, 150), -1)
                cv2.rectangle(canvas, (left, 100), (left + 90, 150), (30, 110, 60), -1)
            else:
                cv2.rectangle(canvas, (left, 60), (left + 90, 180), (220, 160, 30), -1)
            photo = cv2.GaussianBlur(canvas, (0, 0), 0.7).clip(0, 255).astype(np.uint8)
            write_image(tmp_path / "photos" / sku / f"{shot}.png", photo)
    return import_folder(tmp_path / "photos", tmp_path / "store")


def test_wrong_masks_are_not_called_sure_and_their_skus_are_named(hard_store, tmp_path):
    out = tmp_path / "cut"
    cutouts = read_cutouts(build_cutouts(hard_store, out, "grabcut", workers=1).parent)
    names = {c.id: c.name for c in Store.open(hard_store).taxonomy.categories}
    best: dict[str, float] = {}
    for cutout in cutouts.cutouts:
        name = names[cutout.category_id]
        best[name] = max(best.get(name, 0), cutout.quality)
    assert best["carton"] > 0.8
    assert best["shadow"] < 0.5
    assert best["glass"] < 0.5
    report = json.loads((out / "report.json").read_text())
    assert {sku["name"] for sku in report["skus_doubtful"]} == {"glass", "shadow"}
    assert {entry["file"].split("_")[1] for entry in report["doubted"]} >= {"glass", "shadow"}
    assert (out / "again_001.jpg").is_file()


def test_an_import_tells_of_boxes_that_hold_a_shadow_or_a_label_alone(hard_store):
    report = json.loads((hard_store / "import.json").read_text())
    doubtful = {file.partition("/")[0] for file in report["box_doubtful"]}
    assert doubtful == {"shadow", "glass"}
    assert any("box is doubtful" in line for line in told_of_import(report))
