"""The build: what it writes, what it does again, and what it says of bad photos."""

import json
import shutil

import cv2
import numpy as np
import pytest

from rpc.data import DataError, Store, read_cutouts
from synth.compose import CutoutLibrary, compose_scene
from synth.exemplar import build_cutouts, write_sheets
from synth.exemplar import cutouts as build_module
from tests.synth.exemplar.drawn_photos import WholeBox


def snapshot(folder):
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "journal.jsonl")
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


@pytest.fixture
def out(tmp_path):
    return tmp_path / "cutouts"


@pytest.fixture
def work(monkeypatch):
    """The jobs that were really done."""
    done = []
    plain = build_module.cut_and_write

    def counted(job):
        done.append(job.file)
        return plain(job)

    monkeypatch.setattr(build_module, "cut_and_write", counted)
    return done


def build(store, out, **options):
    return read_cutouts(build_cutouts(store, out, WholeBox(), workers=1, **options).parent)


def test_a_store_becomes_one_tight_cut_out_a_photo(tiny_store, out):
    cutouts = build(tiny_store, out)
    assert cutouts.method == "WholeBox"
    assert cutouts.store == "store"
    assert [c.category_id for c in cutouts.cutouts] == [1, 1, 1, 2, 2, 2]
    first = cutouts.cutouts[0]
    assert (first.file, first.source) == ("can/can_camera3-1.png", "can_camera3-1.jpg")
    assert (first.camera, first.view) == (3, 1)
    for cutout in cutouts.cutouts:
        rgba = cutouts.read(cutout)
        assert cutout.keep
        assert cutout.area == (rgba[..., 3] >= 128).sum()
        assert cutout.area == pytest.approx(70 * (48 + 2 * cutout.view), rel=0.05)
        assert rgba[..., 3].any(axis=1).all()
        assert rgba[..., 3].any(axis=0).all()


def test_one_worker_and_two_write_the_same_bytes(tiny_store, tmp_path):
    for workers in (1, 2):
        build_cutouts(tiny_store, tmp_path / str(workers), "grabcut", workers=workers)
    assert snapshot(tmp_path / "1") == snapshot(tmp_path / "2")


def test_a_second_run_does_nothing_again_and_a_killed_one_goes_on(tiny_store, out, work):
    build(tiny_store, out)
    whole = snapshot(out)
    assert len(work) == 6
    build(tiny_store, out)
    assert len(work) == 6
    # A kill: a line half written, a picture and the list not there yet.
    journal = out / "journal.jsonl"
    lines = journal.read_text().splitlines()
    journal.write_text("\n".join(lines[:4]) + "\n" + lines[4][:30])
    (out / "can" / "can_camera3-1.png").unlink()
    (out / "cutouts.json").unlink()
    build(tiny_store, out)
    assert len(work) == 6 + 1 + 3
    assert snapshot(out) == whole


def test_other_settings_or_another_photo_are_made_anew(tiny_store, out, work):
    build(tiny_store, out)
    build(tiny_store, out, max_side=40)
    assert len(work) == 12
    photo = tiny_store / "exemplars" / "bag_camera3-2.jpg"
    cv2.imwrite(str(photo), np.zeros((160, 160, 3), np.uint8))
    build(tiny_store, out, max_side=40)
    assert work[12:] == ["bag/bag_camera3-2.png"]


def test_a_large_product_is_scaled_down_and_keeps_its_size_in_the_scene(tiny_store, tmp_path):
    large = build(tiny_store, tmp_path / "a").cutouts[0]
    small = build(tiny_store, tmp_path / "b", max_side=35).cutouts[0]
    assert max(small.width, small.height) <= 38
    assert small.scale * small.height == pytest.approx(large.scale * large.height, rel=0.06)


def test_hand_held_photos_from_any_distance_are_all_kept_at_one_size(tiny_store, out):
    path = tiny_store / "instances_train.json"
    content = json.loads(path.read_text())
    for number, (image, annotation) in enumerate(
        zip(content["images"], content["annotations"], strict=True)
    ):
        old = tiny_store / "exemplars" / image["file_name"]
        image["file_name"] = f"IMG_{number}.jpg"
        zoom = (1, 2, 3)[number % 3]
        rgb = cv2.imread(str(old))
        x, y, width, height = annotation["bbox"]
        rgb = cv2.resize(rgb, None, fx=zoom, fy=zoom)[: 70 * zoom + y * zoom, :]
        rgb = np.pad(rgb, ((0, 600 - rgb.shape[0]), (0, 600 - rgb.shape[1]), (0, 0)))
        cv2.imwrite(str(tiny_store / "exemplars" / image["file_name"]), rgb)
        image["width"] = image["height"] = 600
        annotation["bbox"] = [v * zoom for v in (x, y, width, height)]
    path.write_text(json.dumps(content))
    cutouts = build(tiny_store, out).cutouts
    assert all(c.keep and c.camera is None for c in cutouts)
    shown = [c.scale * c.height for c in cutouts]
    assert max(shown) / min(shown) < 1.1
    assert max(c.height for c in cutouts) > 2 * min(c.height for c in cutouts)


def test_a_damaged_or_missing_photo_is_left_out_and_reported(tiny_store, out):
    (tiny_store / "exemplars" / "can_camera3-1.jpg").write_bytes(b"\xff\xd8\xff")
    (tiny_store / "exemplars" / "bag_camera3-3.jpg").unlink()
    assert len(build(tiny_store, out)) == 4
    report = json.loads((out / "report.json").read_text())
    assert [entry["file"] for entry in report["skipped"]] == [
        "can_camera3-1.jpg",
        "bag_camera3-3.jpg",
    ]
    assert all(entry["file"] in entry["why"] for entry in report["skipped"])
    assert (report["exemplars"], report["kept"]) == (6, 4)


def test_a_product_without_any_usable_photo_is_named(tiny_store, out):
    for view in (1, 2, 3):
        (tiny_store / "exemplars" / f"bag_camera3-{view}.jpg").write_bytes(b"no photo")
    with pytest.raises(DataError, match=r"no usable exemplar, such as 'bag': .*bag_camera3-1"):
        build(tiny_store, out)


class OnlyRed(WholeBox):
    """Finds the can and never the bag, which is blue."""

    def __call__(self, rgb, box):
        return super().__call__(rgb, box) * (rgb[..., 0].mean() > rgb[..., 2].mean())

    def __repr__(self):
        return "OnlyRed()"


def test_a_product_without_a_cut_out_keeps_no_other_back(tiny_store, out):
    with pytest.raises(DataError, match=r"SKU bag .*no usable cut-out.*again_001.jpg"):
        build_cutouts(tiny_store, out, OnlyRed(), workers=1)
    assert [c.category_id for c in read_cutouts(out).kept()] == [1, 1, 1]
    report = json.loads((out / "report.json").read_text())
    assert [sku["name"] for sku in report["skus_missing"]] == ["bag"]
    assert (out / "again_001.jpg").is_file()
    assert read_cutouts(out).left_out == ()
    with pytest.raises(DataError, match="no kept cut-out for category_id 2"):
        CutoutLibrary.open(out, taxonomy=Store.open(tiny_store).taxonomy)


def test_scenes_go_on_without_a_sku_where_somebody_says_so(tiny_store, out):
    for view in (1, 2, 3):
        (tiny_store / "exemplars" / f"bag_camera3-{view}.jpg").write_bytes(b"no photo")
    cutouts = build(tiny_store, out, allow_missing=True)
    assert cutouts.left_out == (2,)
    library = CutoutLibrary(cutouts, taxonomy=Store.open(tiny_store).taxonomy)
    assert library.category_ids == (1,)
    assert library.taxonomy.ids == (1, 2)  # the counter's labels stay
    scene = compose_scene(library, seed=1, index=0)
    assert set(scene.labels.tolist()) == {0}


def test_a_product_with_masks_below_the_cut_keeps_the_best_or_is_named(tiny_store, out):
    kept = build(tiny_store, out, quality_cut=1.0).kept()
    assert {c.category_id for c in kept} == {1, 2}

    class Nothing(WholeBox):
        def __call__(self, rgb, box):
            return np.zeros(rgb.shape[:2], np.float32)

        def __repr__(self):
            return "Nothing()"

    with pytest.raises(DataError, match=r"SKU can.*and 1 more.*no product found"):
        build_cutouts(tiny_store, out, Nothing(), workers=1)


def test_a_mask_by_hand_replaces_and_only_its_photo_is_cut_again(tiny_store, out, work):
    build(tiny_store, out)
    (out / "overrides").mkdir()
    mask = np.zeros((160, 160), np.uint8)
    mask[60:100, 70:90] = 255
    cv2.imwrite(str(out / "overrides" / "can_camera3-2.png"), mask)
    by_hand = build(tiny_store, out).cutouts[1]
    assert work[6:] == ["can/can_camera3-2.png"]
    assert (by_hand.width, by_hand.height) == pytest.approx((20, 40), abs=2)
    assert by_hand.quality == 1
    shutil.rmtree(out / "overrides")
    assert build(tiny_store, out).cutouts[1].width > 40


def test_a_drop_list_drops_without_cutting_again(tiny_store, out, work):
    build(tiny_store, out)
    (out / "overrides").mkdir()
    drop = out / "overrides" / "drop.txt"
    drop.write_text("# blurred\ncan_camera3-1.png\nbag_camera3-2.jpg  # hand in view\n")
    cutouts = build(tiny_store, out).cutouts
    assert [c.reason for c in cutouts] == ["hand", "", "", "", "hand", ""]
    assert [c.weight > 0 for c in cutouts] == [c.keep for c in cutouts]
    assert len(work) == 6
    drop.write_text("can_camera3-1.jpg\ncan_camera3-2.jpg\ncan_camera3-3.jpg\n")
    with pytest.raises(DataError, match=r"SKU can.*dropped by hand"):
        build(tiny_store, out)


def test_an_override_that_fits_nothing_is_refused(tiny_store, out):
    (out / "overrides").mkdir(parents=True)
    (out / "overrides" / "drop.txt").write_text("cam_camera3-1.png\n")
    with pytest.raises(DataError, match=r"drop\.txt.*'cam_camera3-1\.png'"):
        build(tiny_store, out)
    (out / "overrides" / "drop.txt").write_text("")
    cv2.imwrite(str(out / "overrides" / "mug.png"), np.zeros((9, 9), np.uint8))
    with pytest.raises(DataError, match=r"mug\.png.*no cut-out"):
        build(tiny_store, out)


def test_a_mask_by_hand_of_another_size_is_reported(tiny_store, out):
    (out / "overrides").mkdir(parents=True)
    cv2.imwrite(str(out / "overrides" / "can_camera3-2.png"), np.full((9, 9), 255, np.uint8))
    build(tiny_store, out)
    report = json.loads((out / "report.json").read_text())
    assert "9x9" in report["skipped"][0]["why"]


def test_names_of_products_never_lead_out_of_the_folder(tiny_store, out):
    path = tiny_store / "instances_train.json"
    content = json.loads(path.read_text())
    content["categories"][0]["name"] = "../../etc/可乐 330 ml"
    path.write_text(json.dumps(content))
    cutouts = build(tiny_store, out)
    assert {c.file.split("/")[0] for c in cutouts.cutouts} == {"_.._etc_可乐_330_ml", "bag"}


def test_settings_out_of_range_are_refused(tiny_store, out):
    for options in ({"workers": 0}, {"workers": 1, "max_side": 3}, {"quality_cut": 2.0}):
        with pytest.raises(ValueError, match="expected"):
            build_cutouts(tiny_store, out, WholeBox(), **options)


def test_sheets_show_a_row_a_product_and_old_pages_go(tiny_store, out):
    cutouts = build(tiny_store, out)
    (out / "sheet_007.jpg").write_bytes(b"old")
    (path,) = write_sheets(cutouts, names={1: "can", 2: "bag"})
    picture = cv2.imread(str(path))
    assert picture.shape[0] % 2 == 0
    assert sorted(p.name for p in out.glob("sheet_*")) == ["sheet_001.jpg"]
    magenta = (abs(picture.astype(int) - (255, 0, 255)) < 30).all(axis=2)
    assert magenta.mean() > 0.1


def one_colour_store(root, photos):
    """A store of photos on white: `photos` are (file, SKU, colour of its product)."""
    names = sorted({sku for _, sku, _ in photos})
    images, annotations = [], []
    for number, (file, sku, colour) in enumerate(photos, start=1):
        picture = np.full((60, 60, 3), 255, np.uint8)
        picture[10:50, 10:50] = colour
        (root / "exemplars" / file).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "exemplars" / file), picture[..., ::-1])
        images.append({"id": number, "file_name": file, "width": 60, "height": 60})
        annotations.append(
            {"id": number, "image_id": number, "category_id": 1 + names.index(sku), "area": 1600}
            | {"bbox": [10, 10, 40, 40], "iscrowd": 0}
        )
    categories = [{"id": n, "name": name} for n, name in enumerate(names, start=1)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "instances_train.json").write_text(json.dumps(content))
    return root


PHOTOS = [
    ("1.png", "7up/lime"),
    ("1.bmp", "7up/lime"),
    ("1_2.png", "7up/lime"),
    ("a/1.png", "7up/lime"),
    ("a_1.png", "7up/lime"),
    ("A/1.png", "7up lime"),
    ("2.png", "7up lime"),
    ("3.png", "7UP_LIME"),
    ("\u00e9.png", "caf\u00e9"),
    ("e\u0301.png", "caf\u00e9"),
    ("4.png", "CAF\u00c9"),
    ("x" * 240 + ".png", "y" * 300),
    ("x" * 241 + ".png", "y" * 300),
    ("5.png", "y" * 301),
    ("6.png", "CON"),
    ("nul.png", "..."),
]


@pytest.mark.parametrize("workers", [1, 2])
def test_the_cut_out_of_each_exemplar_is_its_own_pixels(tmp_path, workers):
    colours = [(10 + 12 * i, 200 - 12 * i, (60 * i) % 200) for i in range(len(PHOTOS))]
    photos = [(*photo, colour) for photo, colour in zip(PHOTOS, colours, strict=True)]
    store = one_colour_store(tmp_path / "store", photos)
    path = build_cutouts(store, tmp_path / "cut", WholeBox(), workers=workers, quality_cut=0)
    cutouts = read_cutouts(path.parent)
    assert [c.source for c in cutouts.cutouts] == [file for file, _ in PHOTOS]
    assert len({c.file.casefold() for c in cutouts.cutouts}) == len(PHOTOS)
    for cutout, colour in zip(cutouts.cutouts, colours, strict=True):
        assert tuple(cutouts.read(cutout)[20, 20, :3]) == colour
    folders = {}
    for cutout in cutouts.cutouts:
        folders.setdefault(cutout.file.partition("/")[0].casefold(), set()).add(cutout.category_id)
    assert all(len(ids) == 1 for ids in folders.values())


def test_a_mask_by_hand_is_never_taken_for_two_cut_outs(tmp_path):
    store = one_colour_store(
        tmp_path / "store", [("a.png", "cola", (200, 0, 0)), ("b.png", "tea", (0, 0, 200))]
    )
    raw = json.loads((store / "instances_train.json").read_text())
    raw["annotations"][1]["image_id"] = 1  # both SKUs on one photo
    (store / "instances_train.json").write_text(json.dumps(raw))
    out = tmp_path / "cut"
    mask = np.zeros((60, 60), np.uint8)
    mask[20:40, 20:40] = 255
    (out / "overrides" / "tea").mkdir(parents=True)
    cv2.imwrite(str(out / "overrides" / "a.png"), mask)
    with pytest.raises(
        DataError, match=r"2 cut-outs have this name; .*overrides/cola/a\.png, or tea"
    ):
        build(store, out)
    (out / "overrides" / "a.png").rename(out / "overrides" / "tea" / "a.png")
    cola, tea = build(store, out).cutouts
    assert cola.area > 1200
    assert tea.area < 500
