import numpy as np
import pytest
from PIL import Image

from rpc.data.check import check_store
from rpc.data.check_page import check_page
from rpc.data.check_photos import require_exemplars
from rpc.data.files import DataError, write_json
from rpc.data.store import Store


def test_the_embedded_store_has_no_problem_and_no_note(ministore):
    check = check_store(ministore, decode=False)
    assert check.usable
    assert check.notes == ()
    assert check.cameras == {"0": 72, "1": 72, "2": 72, "3": 72}
    page = check_page(check)
    assert "CC0-1.0" in page
    assert page.endswith("usable")
    assert len(page.splitlines()) < 20


def test_a_sound_store_gets_notes_only(store_root):
    check = check_store(store_root)
    assert check.usable
    assert [split.name for split in check.splits] == ["train", "val"]
    text = "\n".join(map(str, check.notes))
    assert "has no instances_test.json" in text
    assert "1 of 1 images do not fit the level easy" in text
    assert "2 SKUs, 3 items" in text


def problems_of(root, **options):
    check = check_store(root, **options)
    assert not check.usable
    page = check_page(check)
    assert "NOT usable" in page
    return "\n".join(map(str, check.problems))


def test_missing_truncated_and_resized_photos_are_found(store_root, make_photo):
    folder = store_root / "exemplars"
    (folder / "tea_camera1-1.jpg").unlink()
    truncated = folder / "tea_camera0-2.jpg"
    truncated.write_bytes(truncated.read_bytes()[:-200])
    make_photo(folder / "tea_camera1-3.jpg", 20, 30)
    (folder / "tea_camera0-4.jpg").write_text("no image")
    whole = problems_of(store_root)
    assert "exemplars/tea_camera1-1.jpg: is missing" in whole
    assert "exemplars/tea_camera0-2.jpg: the image is truncated" in whole
    assert "exemplars/tea_camera1-3.jpg: is 30x20 px upright, the JSON says 64x48" in whole
    assert "exemplars/tea_camera0-4.jpg: not an image" in whole
    assert "tea_camera0-2" not in problems_of(store_root, decode=False)


def test_damaged_entries_are_reported_all_at_once(store_root, edit):
    def change(content):
        content["annotations"][0]["bbox"] = [0, 0, -1, 1]
        content["annotations"][1]["category_id"] = 9
        content["images"][2]["file_name"] = "../../x.jpg"

    edit(store_root / "instances_train.json", change)
    text = problems_of(store_root)
    assert "annotation 1: bbox" in text
    assert "annotation 2: category_id 9" in text
    assert "'../../x.jpg' leads out of the data folder" in text


def test_a_sku_that_nothing_shows_and_other_products_in_val_are_problems(store_root, edit):
    edit(
        store_root / "instances_train.json",
        lambda c: c["categories"].append({"id": 9, "name": "salt"}),
    )
    text = problems_of(store_root)
    assert "SKU 9 'salt' has no exemplar" in text
    assert "differ from those of train: 3 SKUs against 2" in text


def test_files_without_an_entry_and_entries_without_items_are_notes(store_root, make_photo, edit):
    make_photo(store_root / "val" / "forgotten.jpg")

    def change(content):
        content["annotations"] = content["annotations"][:8]
        content["images"].append(dict(content["images"][0], id=99))

    edit(store_root / "instances_train.json", change)
    check = check_store(store_root)
    assert check.usable
    text = "\n".join(map(str, check.notes))
    assert "1 photos have no entry in the JSON, such as forgotten.jpg" in text
    assert "3 images have no annotation" in text
    assert "1 files are listed twice, such as tea_camera1-1.jpg" in text
    assert "1 of 2 SKUs have fewer than 4 exemplars, such as 'rice' with 3" in text


def test_a_store_without_a_readable_train_file_is_not_usable(store_root):
    (store_root / "instances_train.json").write_text("{")
    assert "not valid JSON" in problems_of(store_root)
    (store_root / "instances_train.json").unlink()
    assert "has no instances_train.json" in problems_of(store_root)


def test_a_long_list_of_problems_is_cut_on_the_page_and_whole_in_the_json(store_root, tmp_path):
    for photo in (store_root / "exemplars").iterdir():
        photo.unlink()
    check = check_store(store_root)
    page = check_page(check, most=3)
    assert "PROBLEMS (10)" in page
    assert "and 7 more" in page
    assert len(check.to_dict()["problems"]) == 10
    write_json(tmp_path / "check.json", check.to_dict())


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(DataError, match="no such folder"):
        check_store(tmp_path / "gone")


def test_missing_photos_are_one_line_and_a_damaged_one_comes_first(store_root):
    folder = store_root / "exemplars"
    for number in range(1, 6):
        (folder / f"tea_camera{number % 2}-{number}.jpg").unlink()
    (folder / "rice_camera0-6.jpg").write_bytes(b"")
    (folder / "._rice_camera0-6.jpg").write_bytes(b"x")
    check = check_store(store_root)
    lines = check_page(check).splitlines()
    start = lines.index("PROBLEMS (6)")
    assert "exemplars/rice_camera0-6.jpg: the file is empty" in lines[start + 1]
    assert (
        "5 of 10 photos of exemplars are missing (1 of 2 SKUs have none), such as "
        "exemplars/tea_camera1-1.jpg, "
    ) in lines[start + 2]
    assert "unpack all parts" in lines[start + 2]
    assert not any("have no entry" in str(note) for note in check.notes)


def test_turned_photos_are_told_with_the_cause(store_root):
    def turn(path, orientation, size=(64, 48)):
        exif = Image.Exif()
        exif[0x0112] = orientation
        rgb = np.full((size[1], size[0], 3), 225, np.uint8)
        rgb[4:20, 6:24] = (150, 20, 30)
        Image.fromarray(rgb).save(path, exif=exif, quality=95)

    folder = store_root / "exemplars"
    turn(folder / "tea_camera1-1.jpg", 6)  # the entry has the size before the turn
    turn(folder / "tea_camera0-2.jpg", 3)  # a box in the middle fits both
    check = check_store(store_root)
    assert [p.where for p in check.problems] == ["exemplars/tea_camera1-1.jpg"]
    assert "is 48x64 px upright, the JSON says 64x48: the size of the photo before its" in (
        check.problems[0].what
    )
    (note,) = [note for note in check.notes if "EXIF" in note.what]
    assert note.where == "exemplars/tea_camera0-2.jpg"
    assert "keeps its size (180 degrees)" in note.what
    assert "exiftool" in note.remedy
    fast = check_store(store_root, decode=False)
    assert [p.where for p in fast.problems] == ["exemplars/tea_camera1-1.jpg"]


def test_a_box_drawn_before_a_turn_that_keeps_the_size_is_a_problem(store_root, edit):
    exif = Image.Exif()
    exif[0x0112] = 3
    rgb = np.full((48, 64, 3), 225, np.uint8)
    rgb[6:20, 8:26] = (150, 20, 30)
    Image.fromarray(rgb).save(store_root / "exemplars/tea_camera1-1.jpg", exif=exif, quality=95)
    box = {"bbox": [8, 6, 18, 14]}
    edit(store_root / "instances_train.json", lambda c: c["annotations"][0].update(box))
    assert "its box fits the photo before its EXIF turn" in problems_of(store_root)
    upright = {"bbox": [64 - 26, 48 - 20, 18, 14]}
    edit(store_root / "instances_train.json", lambda c: c["annotations"][0].update(upright))
    check = check_store(store_root)
    assert check.usable
    assert not any("EXIF" in note.what for note in check.notes)


def test_names_that_differ_in_accents_only_are_found_and_told(store_root, edit):
    composed, decomposed = "caf\u00e9.jpg", "cafe\u0301.jpg"
    (store_root / "exemplars/tea_camera1-1.jpg").rename(store_root / "exemplars" / decomposed)
    name = {"file_name": composed}
    edit(store_root / "instances_train.json", lambda c: c["images"][0].update(name))
    check = check_store(store_root)
    assert check.usable
    (note,) = [note for note in check.notes if "accent" in note.what]
    assert note.what.startswith("differs from the file's name only in how an accent is written")
    assert not any("have no entry" in note.what for note in check.notes)


def test_other_json_files_are_named_where_the_train_file_is_missing(store_root):
    (store_root / "instances_train.json").rename(store_root / "result.json")
    text = problems_of(store_root)
    assert "has no instances_train.json; found instances_val.json, result.json" in text


def test_photos_on_another_disk_are_checked_where_links_may_be_followed(store_root, tmp_path):
    (store_root / "val").rename(tmp_path / "disk")
    (store_root / "val").symlink_to(tmp_path / "disk")
    assert "through a link" in problems_of(store_root)
    assert check_store(store_root, follow_links=True).usable


def test_a_sku_without_a_usable_exemplar_is_refused_before_any_work(store_root, make_photo):
    require_exemplars(Store.open(store_root))
    folder = store_root / "exemplars"
    for number in range(1, 6):
        make_photo(folder / f"tea_camera{number % 2}-{number}.jpg", 96, 128)
    (folder / "rice_camera0-6.jpg").unlink()
    store = Store.open(store_root)
    with pytest.raises(DataError) as caught:
        require_exemplars(store)
    text = str(caught.value)
    assert "1 of 2 SKUs have no usable exemplar" in text
    assert (
        "of 10 photos of exemplars are missing" in text or "rice_camera0-6.jpg: is missing" in text
    )
    assert "5 photos are twice as large as the JSON says, such as exemplars/tea_camera1-1" in text
    assert "\n" not in text
    require_exemplars(store, ["rice"])


def test_photos_with_another_suffix_are_named_as_the_likely_ones(store_root):
    for path in (store_root / "exemplars").iterdir():
        path.rename(path.with_suffix(".jpeg"))
    page = check_page(check_store(store_root))
    assert "10 of 10 photos of exemplars are missing (2 of 2 SKUs have none)" in page
    assert "exemplars/ has 'tea_camera1-1.jpeg' for the first: write the names" in page
