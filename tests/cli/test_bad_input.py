"""Bad input to every tool: one clear line, a non-zero exit code, and nothing lost."""

import json
import resource
from contextlib import contextmanager

import numpy as np
import pytest
from PIL import Image

from rpc.data.cutouts import read_cutouts
from rpc.data.images import write_image
from tests.cli.small_shop import photo

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
