"""Results, truth and model files that do not fit: one clear line, and nothing lost."""

import json
import subprocess
import sys

import pytest

from rpc.detection.resume import ELAPSED
from rpc.runs.tensor_files import write_tensors
from tests.cli.small_shop import ROOT

# --- what is scored: truth and results that do not fit -------------------------------------------


def box(**change):
    return [{"image_id": 1, "category_id": 1, "bbox": [40, 30, 40, 30], "score": 0.9} | change]


@pytest.mark.parametrize(
    ("results", "told"),
    [
        (box(image_id=7), "entry 0: image_id 7 is none of the 2 images of "),
        (box(category_id=7), "entry 0: category_id 7 is none of the 2 SKUs of "),
        (box(score=float("nan")), "entry 0: score: expected a number 0 to 1, got nan"),
        (box(bbox=[0, 0, float("inf"), 1]), "entry 0: bbox: expected finite numbers"),
        ([3], "entry 0: expected an object, got 3"),
        ({"image_id": 1}, "expected a COCO results list"),
    ],
)
def test_results_that_do_not_fit_the_truth_are_refused(refused, shop, results, told):
    path = shop / "store/results.json"
    path.write_text(json.dumps(results))
    assert f"{path}: {told}" in refused("eval_aco")


@pytest.mark.parametrize(
    ("cart", "told"),
    [
        ({"image_id": 7, "counts": []}, "image_id 7 is none of the 2 images"),
        ({"image_id": 1, "counts": [{"category_id": 7, "count": 1}]}, "category_id 7 is none of"),
        ({"image_id": 1, "counts": [{"category_id": 1, "count": -1}]}, "expected a whole number"),
    ],
)
def test_lists_of_counts_that_do_not_fit_the_truth_are_refused(shop, cart, told):
    path = shop / "counts.json"
    path.write_text(json.dumps([cart]))
    truth = ("--gt", shop / "store/instances_test.json", "--out", shop / "o")
    code, stderr = score(shop, *truth, "--results", path)
    assert code == 2
    (line,) = stderr.splitlines()
    assert f"error: {path}: entry 0: " in line
    assert told in line
    assert not (shop / "o").exists()


def score(shop, *arguments):
    """Call the scoring without the options that the shop would give it."""
    command = [sys.executable, ROOT / "tools/eval_aco.py", *arguments]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_an_annotation_id_that_is_there_twice_is_refused(refused, shop):
    path = shop / "store/instances_test.json"
    content = json.loads(path.read_text())
    content["annotations"].append(content["annotations"][0])
    path.write_text(json.dumps(content))
    line = refused("eval_aco")
    assert f"{path}: annotation 1: " in line
    assert "twice" in line or "2 times" in line


def test_a_truth_without_images_is_refused(refused, shop):
    path = shop / "store/instances_test.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps(content | {"images": [], "annotations": []}))
    (shop / "store/results.json").write_text("[]")
    assert f"{path}: has no images: there is nothing to score" in refused("eval_aco")


def test_an_empty_results_list_is_scored_as_nothing_read(leave, shop):
    (shop / "store/results.json").write_text("[]")
    code, out, stderr = leave("eval_aco")
    assert code == 0, stderr
    assert json.loads((shop / "out/report.json").read_text())["levels"]["averaged"]["cAcc"] == 0
    assert "averaged" in out


def test_a_level_without_images_is_told_and_the_others_are_scored(leave, shop):
    path = shop / "store/instances_test.json"
    content = json.loads(path.read_text())
    for image in content["images"]:
        image["level"] = "hard"
    path.write_text(json.dumps(content))
    code, out, stderr = leave("eval_aco", "--levels", "easy,hard")
    assert code == 0, stderr
    assert "note: Level 'easy' has no images and no row." in out
    assert list(json.loads((shop / "out/report.json").read_text())["levels"]) == ["hard"]


def test_a_truth_without_levels_is_scored_as_a_whole(leave, shop):
    code, out, stderr = leave("eval_aco", "--levels", "easy")
    assert code == 0, stderr
    assert "The images have no clutter level, so there is one row: over all of them." in out
    assert list(json.loads((shop / "out/report.json").read_text())["levels"]) == ["averaged"]


def test_a_damaged_photo_costs_its_picture_and_not_the_report(leave, shop):
    photo_file = shop / "store/test/tray_2.png"
    photo_file.write_bytes(photo_file.read_bytes()[:200])
    code, out, stderr = leave("eval_aco")
    assert code == 0, stderr
    assert "not drawn, no readable photo: tray_2.png" in out


# --- checkpoints: missing, of another data set --------------------------------------------------


@pytest.mark.parametrize("tool", ["demo", "detect", "train"])
def test_a_missing_checkpoint_is_refused(refused, shop, tool):
    gone = shop / "model.pth"
    more = {"detect": ("--data", shop / "store"), "train": (f"start={gone}",)}.get(tool, ())
    line = refused(tool, *more)
    assert line.endswith(f"{gone}: no such checkpoint; expected a file that a training wrote")


@pytest.mark.parametrize("option", ["--start", "--recogniser-start"])
def test_a_missing_start_of_the_job_is_refused(refused, shop, option):
    line = refused("quickstart", option, shop / "gone.pth")
    assert f"{shop / 'gone.pth'}: no such model to start from; 'none' does without" in line


def test_a_model_of_another_data_set_is_refused(refused, shop, save_as):
    path = save_as(("cola", "soap"))
    line = refused("detect", "--data", shop / "store")
    assert f"{path}: checkpoint of another data set: SKU 1 'cola' against 1 'tea'; " in line
    assert line.endswith("choose the data that it was trained on, or train a model for this data")


def test_a_training_of_another_data_set_is_not_resumed(refused, shop):
    point = shop / "out/last.pth"
    meta = {"dataset_meta": {"classes": ("cola", "soap", "chips")}, "iter": 1, ELAPSED: 1.0}
    write_tensors(point, {"meta": meta, "state_dict": {}})
    line = refused("train", "--resume")
    assert f"{point}: checkpoint of another data set (3 classes ('cola', 'soap')..., now 2" in line
    assert line.endswith("choose another work folder")
