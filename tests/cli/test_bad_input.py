"""Bad input to every tool: one clear line, a non-zero exit code, and nothing lost."""

import json
import resource
import subprocess
import sys
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from rpc.data.cutouts import read_cutouts
from rpc.data.images import write_image
from rpc.runs.tensor_files import write_tensors
from tests.cli.small_shop import ROOT, photo

# --- photos: truncated, no image at all, 20,000 px ----------------------------------------------


def truncated(path):
    path.write_bytes(path.read_bytes()[:-700])
    return "the image is truncated or damaged: ", "replace it"


def no_image(path):
    path.write_text("<html>404</html>")
    return "not an image: a web page", "fetch the photo again"


def huge(path):
    Image.new("L", (20_000, 4)).save(path, format="PNG")
    return "the image is too large: 20000x4 px; expected sides below 20,000 px", "scale it down"


each_damage = pytest.mark.parametrize("damage", [truncated, no_image, huge])


@each_damage
@pytest.mark.parametrize(
    ("tool", "more", "file"),
    [
        ("demo", (), "store/test/tray_1.png"),
        ("detect", ("--photos", "store/test"), "store/test/tray_2.png"),
        ("detect", ("--data", "store"), "store/test/tray_2.png"),
        ("compose_scenes", (), "trays/empty.png"),
        ("compose_scenes", (), "cutouts/tea/tea_camera0-1.png"),
        ("compose_scenes", ("--preview", 1), "cutouts/tea/tea_camera0-1.png"),
        ("train_recognition", (), "store/exemplars/tea_camera0-1.png"),
        ("train_recognition", (), "store/test/tray_2.png"),
    ],
)
def test_a_bad_photo_is_refused(refused, shop, model, cutouts, tool, more, file, damage):
    told, todo = damage(shop / file)
    line = refused(
        tool, *(shop / text if text in ("store", "store/test") else text for text in more)
    )
    assert f"{shop / file}: {told}" in line
    assert todo in line


@each_damage
def test_a_bad_exemplar_is_on_the_page_of_the_check(leave, shop, damage):
    told, todo = damage(shop / "store/exemplars/tea_camera0-1.png")
    code, page, stderr = leave("check_data")
    assert code == 1
    assert "error" not in stderr
    (line,) = [line for line in page.splitlines() if "tea_camera0-1.png" in line]
    assert told in line
    assert todo in line


def test_a_training_stops_at_a_bad_photo(refused, shop):
    tea = shop / "store/exemplars/tea_camera0-1.png"
    told, todo = truncated(tea)
    line = refused("train")
    assert f"{tea}: {told}" in line
    assert todo in line


# --- annotations: missing field, unknown category, box outside or NaN, path out of the root -----


def missing_field(item, image):
    del item["bbox"]
    return "annotation 1: the field 'bbox' is missing; expected [x, y, width, height]"


def unknown_category(item, image):
    item["category_id"] = 99
    return "annotation 1: category_id 99: no category has this id (they go from 1 to 2)"


def box_outside(item, image):
    item["bbox"] = [100, 30, 40, 30]
    return "annotation 1: bbox [x, y, width, height] = [100, 30, 40, 30] lies outside its image"


def box_without_value(item, image):
    item["bbox"] = [float("nan"), 30, 40, 30]
    return "annotation 1: bbox: expected [x, y, width, height], four finite numbers, got [nan"


def way_out(item, image):
    image["file_name"] = "../../secret.png"
    return "'../../secret.png' leads out of the data folder; expected a path"


each_mistake = pytest.mark.parametrize(
    "mistake", [missing_field, unknown_category, box_outside, box_without_value]
)


def change(path, mistake):
    content = json.loads(path.read_text())
    told = mistake(content["annotations"][0], content["images"][0])
    path.write_text(json.dumps(content))
    return f"{path}: {told}"


@each_mistake
@pytest.mark.parametrize("tool", ["make_cutouts", "train", "quickstart"])
def test_a_bad_entry_of_the_exemplars_is_refused(refused, shop, tool, mistake):
    told = change(shop / "store/instances_train.json", mistake)
    line = refused(tool)
    assert told in line
    assert line.endswith("correct the file")


@each_mistake
@pytest.mark.parametrize("tool", ["detect", "eval_aco", "quickstart"])
def test_a_bad_entry_of_the_trays_is_refused(refused, shop, model, tool, mistake):
    told = change(shop / "store/instances_test.json", mistake)
    line = refused(tool, *(("--data", shop / "store") if tool == "detect" else ()))
    assert told in line
    assert line.endswith("correct the file")


@each_mistake
@pytest.mark.parametrize("split", ["train", "test"])
def test_a_bad_entry_is_on_the_page_of_the_check(leave, shop, split, mistake):
    told = change(shop / f"store/instances_{split}.json", mistake)
    code, page, stderr = leave("check_data")
    assert code == 1
    assert "error" not in stderr
    assert len([line for line in page.splitlines() if told in line]) == 1


@pytest.mark.parametrize(
    ("tool", "split"),
    [(tool, "train") for tool in ("make_cutouts", "train", "quickstart")] + [("detect", "test")],
)
def test_a_file_name_that_leads_out_is_refused_by_who_opens_it(refused, shop, model, tool, split):
    path = shop / f"store/instances_{split}.json"
    told = change(path, way_out).removeprefix(f"{path}: ")
    assert told in refused(tool, *(("--data", shop / "store") if tool == "detect" else ()))


def test_a_file_name_that_leads_out_is_on_the_page_of_the_check(leave, shop):
    path = shop / "store/instances_test.json"
    told = change(path, way_out).removeprefix(f"{path}: ")
    code, page, _ = leave("check_data")
    assert code == 1
    assert told in page


@pytest.mark.parametrize("tool", ["make_cutouts", "train", "quickstart"])
def test_a_link_out_of_the_store_is_not_followed(refused, shop, tool):
    tea = shop / "store/exemplars/tea_camera0-1.png"
    tea.rename(shop / "secret.png")
    tea.symlink_to(shop / "secret.png")
    line = refused(tool)
    assert "tea_camera0-1.png' leads out of the data folder through a link" in line
    assert "put the file itself there, or say --follow-links" in line


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"quality": None}, "the field 'quality' is missing"),
        ({"quality": float("nan")}, "quality: expected a fraction 0 to 1, got nan"),
        ({"file": "../../secret.png"}, "'../../secret.png' leads out of the data folder"),
    ],
)
def test_a_bad_list_of_cut_outs_is_refused(refused, cutouts, values, told):
    edit_first_cutout(cutouts, values)
    line = refused("compose_scenes")
    assert f"{cutouts / 'cutouts.json'}: cut-out " in line
    assert told in line
    assert line.endswith("make the cut-outs again")


def edit_first_cutout(folder, values):
    """Set fields; None removes one."""
    content = json.loads((folder / "cutouts.json").read_text())
    first = content["cutouts"][0] | values
    content["cutouts"][0] = {name: value for name, value in first.items() if value is not None}
    (folder / "cutouts.json").write_text(json.dumps(content))


# --- full disk ----------------------------------------------------------------------------------


@contextmanager
def full_disk(room):
    """No file can take more than `room` bytes: the kernel breaks its writing off in the middle."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(
    ("tool", "more", "room", "file"),
    [
        ("check_data", (), 2, "check.json"),
        ("detect", ("--data", "store"), 2, "results.json"),
        ("detect", ("--photos", "store/test"), 2, "results.json"),
        ("eval_aco", (), 2, ""),
        ("eval_aco", (), 400, "worst_carts/001_2.jpg"),
        ("eval_aco", ("--worst-carts", 0), 400, "table.tex"),
        ("make_cutouts", (), 2000, "tea/tea_camera0-1.png"),
        ("compose_scenes", (), 2000, "scenes/images/00000000.jpg"),
        ("demo", (), 2000, "tray_1_counted.jpg"),
        ("import_folder", (), 2000, "exemplars/1_"),
        ("train", (), 100_000, "last.pth"),
    ],
)
def test_a_full_disk_is_told_and_loses_nothing(
    refused, shop, model, cutouts, tool, more, room, file
):
    more = [shop / text if text in ("store", "store/test") else text for text in more]
    with full_disk(room):
        line = refused(tool, *more)
    assert f"{shop / 'out' / file}" in line
    assert ": cannot be written: File too large; " in line
    assert line.endswith("make room or choose another folder and run again")


def test_a_training_whose_log_finds_no_room_stops_in_one_line(refused, shop):
    with full_disk(9000):
        line = refused("train")
    assert f"{shop / 'out'}: cannot be written: File too large; what was saved is kept" in line
    assert line.endswith("make room and resume")


@pytest.mark.parametrize("name", ["report.json", "report.md", "report.html"])
def test_a_report_takes_the_place_of_the_earlier_one_with_all_pages_or_not_at_all(
    refused, shop, name
):
    taken = shop / "out" / name
    taken.unlink(missing_ok=True)
    taken.mkdir()  # the others could be written
    assert f"{taken}: cannot be written: Is a directory; choose another" in refused("eval_aco")


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
    truncated(shop / "store/test/tray_2.png")
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
    meta = {"dataset_meta": {"classes": ("cola", "soap", "chips")}}
    write_tensors(point, {"meta": meta, "state_dict": {}})
    line = refused("train", "--resume")
    assert f"{point}: checkpoint of another data set (3 classes ('cola', 'soap')..., now 2" in line
    assert line.endswith("choose another work folder")


# --- products: none in a folder, none in a mask -------------------------------------------------


@pytest.mark.parametrize("tool", ["make_cutouts", "train", "detect", "quickstart"])
def test_an_empty_exemplar_folder_is_refused(refused, shop, model, tool):
    for path in (shop / "store/exemplars").iterdir():
        path.unlink()
    line = refused(tool, *(("--data", shop / "store") if tool == "detect" else ()))
    assert f"{shop / 'store/exemplars'}: is empty; expected one photo or more of each SKU" in line


def test_an_empty_folder_of_photos_is_not_imported(refused, shop):
    (shop / "photos/tea/1.png").unlink()
    line = refused("import_folder")
    assert f"{shop / 'photos/tea'}: the SKU has no readable photo at all; add one or" in line


@each_damage
def test_a_sku_without_a_good_photo_is_not_imported(refused, shop, damage):
    told, _ = damage(shop / "photos/tea/1.png")
    line = refused("import_folder")
    assert f"{shop / 'photos/tea'}: the SKU has no readable photo: tea/1.png: {told}" in line
    assert line.endswith("add one or remove the folder")
    assert not (shop / "out/instances_train.json").exists()


def without_product(path):
    write_image(path, np.full_like(photo(), 220))
    return "", ""  # the one way to cut finds a bad mask, the other one none


@pytest.mark.parametrize("damage", [truncated, no_image, huge])
@pytest.mark.parametrize("tool", ["make_cutouts", "quickstart"])
def test_a_sku_without_a_readable_photo_is_refused_before_any_work(refused, shop, tool, damage):
    told, _ = damage(shop / "store/exemplars/tea_camera0-1.png")
    line = refused(tool)
    assert "no usable exemplar, such as 'tea': " in line
    assert told in line
    assert line.endswith("--allow-missing-skus goes on with the other SKUs")


@pytest.mark.parametrize("tool", ["make_cutouts", "quickstart"])
def test_a_sku_without_a_usable_mask_keeps_no_other_back(leave, shop, tool):
    without_product(shop / "store/exemplars/tea_camera0-1.png")
    code, _, stderr = leave(tool)
    lines = [line for line in stderr.splitlines() if line.startswith("error: ")]
    assert (code, len(lines)) == (2, 1), stderr
    assert "SKU tea (category 1) has no usable cut-out: " in lines[0]
    assert lines[0].endswith("the others are cut out (1): --allow-missing-skus goes on with them")
    made = shop / ("out/job/cutouts" if tool == "quickstart" else "out")
    assert [c.category_id for c in read_cutouts(made).kept()] == [2]
    assert (made / "again_001.jpg").is_file()


def test_cut_outs_go_on_without_a_sku_where_somebody_says_so(leave, shop):
    truncated(shop / "store/exemplars/tea_camera0-1.png")
    code, stdout, stderr = leave("make_cutouts", "--out", shop / "cut", "--allow-missing-skus")
    assert code == 0, stderr
    assert "HAVE NO CUT-OUT" in stdout
    assert "  - tea: " in stdout
    assert read_cutouts(shop / "cut").left_out == (1,)


def test_a_sku_whose_masks_are_all_dropped_is_not_composed(refused, cutouts):
    edit_first_cutout(cutouts, {"keep": False, "reason": "hand"})
    line = refused("compose_scenes")
    assert f"{cutouts}: no kept cut-out for category_id 1; keep or draw a mask by hand, or" in line
