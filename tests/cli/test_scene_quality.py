"""tools/scene_quality.py, called as from the shell on a small store and two sets of scenes."""

import importlib
import json
import shutil
import sys
from functools import partial

import cv2
import numpy as np
import pytest

from rpc.data.images import write_image
from synth.quality.features import PhotoEncoder
from tests.cli.small_shop import SKUS

SIDE = 140
COUNTS = {"train": 2, "val": 10, "test": 10}
FOLDERS = {"train": "exemplars", "val": "val", "test": "test"}


def photo(seed, ground=190.0):
    """A few coloured plates on a grey ground with noise."""
    rng = np.random.default_rng(seed)
    rgb = np.full((SIDE, SIDE, 3), ground)
    for _ in range(3):
        top, left = rng.integers(0, SIDE - 50, 2)
        rgb[top : top + 45, left : left + 45] = rng.integers(0, 255, 3)
    return np.clip(rgb + rng.normal(0, 2, rgb.shape), 0, 255).astype(np.uint8)


def write_split(json_path, folder, photos, names):
    images, items = [], []
    for n, (rgb, name) in enumerate(zip(photos, names, strict=True), start=1):
        write_image(folder / name, rgb)
        images.append({"id": n, "file_name": name, "width": SIDE, "height": SIDE})
        box = {"bbox": [9, 9, 45, 45], "visible": 1.0}
        items.append({"id": n, "image_id": n, "category_id": 1 + n % 2, **box})
    skus = [{"id": n, "name": name} for n, name in enumerate(SKUS, start=1)]
    content = {"images": images, "annotations": items, "categories": skus}
    json_path.write_text(json.dumps(content))


@pytest.fixture
def place(tmp_path):
    """A store, a set of scenes like its photos, and one of the same scenes, blurred."""
    for split, count in COUNTS.items():
        names = [f"{split}_{n}.png" for n in range(count)]
        if split == "train":
            names = [f"{sku}_camera0-1.png" for sku in SKUS]
        folder = tmp_path / "store" / FOLDERS[split]
        photos = [photo([count, n]) for n in range(count)]
        write_split(tmp_path / "store" / f"instances_{split}.json", folder, photos, names)
    photos = [photo([5, n]) for n in range(12)]
    blurred = [cv2.GaussianBlur(rgb, (0, 0), 2.0) for rgb in photos]
    for name, rgbs in {"like": photos, "blurred": blurred}.items():
        folder = tmp_path / name
        names = [f"{n:08d}.png" for n in range(12)]
        write_split_of_scenes(folder, rgbs, names)
    return tmp_path


def write_split_of_scenes(folder, photos, names):
    (folder / "images").mkdir(parents=True)
    write_split(folder / "instances.json", folder / "images", photos, names)


@pytest.fixture
def quality(place, monkeypatch, capsys):
    """Call the tool on the store; its exit code, and its stdout and stderr."""
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)

    def run(*more, scenes=("like", "blurred")):
        sets = [word if "=" in word else f"{word}={place / word}" for word in scenes]
        line = ["--data", place / "store", "--out", place / "out", "--scenes", *sets, *more]
        monkeypatch.setattr(sys, "argv", ["scene_quality.py", *map(str, line)])
        tool = importlib.import_module("rpc.cli.quality")
        # Fewer and smaller pictures: what is tested here is the command line.
        measuring = importlib.import_module("rpc.pipelines.quality.measure")
        monkeypatch.setattr(measuring, "PhotoEncoder", partial(PhotoEncoder, count=2, tray=64))
        with pytest.raises(SystemExit) as left:
            importlib.import_module("rpc.cli.leave").run(tool.main)
        return left.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def refused(quality, place):
    def run(*more, **sets):
        code, _, stderr = quality(*more, **sets)
        assert code == 2, stderr
        assert not (place / "out").exists()
        (line,) = stderr.splitlines()
        return line

    return run


def test_blurred_scenes_are_farther_than_sharp_ones_and_the_report_says_so(quality, place):
    code, stdout, stderr = quality()
    assert code == 0, stderr
    out = place / "out"
    assert stdout.strip() == str(out / "quality.md")
    report = json.loads((out / "quality.json").read_text())
    apart = report["comparisons"]
    assert apart["blurred"]["kernel"]["look"]["value"] > apart["like"]["kernel"]["look"]["value"]
    floor = apart["real against real"]
    assert apart["blurred"]["kernel"]["look"]["value"] > 3 * floor["kernel"]["look"]["spread"]
    assert apart["blurred"]["figures"]["edge_width"]["value"] > 1
    assert report["supervision"] == "E"
    assert report["settings"]["photos_a_side"] == 5
    assert report["sets"]["real"]["photos"] == 10
    assert "items" not in report["titles"]
    assert set(report["manifest"]["files"]) == {"like", "blurred"}
    text = (out / "quality.md").read_text()
    assert "| blurred | 12 |" in text
    assert "Labels of the photos were not read" in text
    assert "blurred" in (out / "quality.svg").read_text()
    sheet = cv2.imread(str(out / "quality.jpg"))
    assert sheet.shape[0] > 3 * 2 * 256


def test_the_same_command_gives_the_same_figures(quality, place):
    quality("--photos", 11, scenes=("like",))
    first = json.loads((place / "out/quality.json").read_text())
    quality("--photos", 11, scenes=("like",))
    again = json.loads((place / "out/quality.json").read_text())
    assert first.pop("manifest")["seeds"] == again.pop("manifest")["seeds"]
    assert first == again
    assert first["sets"]["like"]["photos"] == 11


def test_labels_are_read_where_they_are_asked_for_and_the_report_is_marked(quality, place):
    shutil.copytree(place / "like/images", place / "plain")
    code, _, stderr = quality("--labels", scenes=("like", "plain"))
    assert code == 0, stderr
    report = json.loads((place / "out/quality.json").read_text())
    assert report["supervision"] == "V"
    assert report["comparisons"]["like"]["figures"]["items"]["value"] == 0
    assert report["comparisons"]["like"]["figures"]["visible"]["value"] == 0
    assert "items" not in report["comparisons"]["plain"]["figures"]
    assert "items on the tray: not known for plain." in report["notes"]
    assert any("Labels of the photos were read" in note for note in report["notes"])


def test_test_photos_are_refused_unless_asked_for_and_then_marked(quality, place):
    code, _, stderr = quality("--split", "test")
    assert code == 2
    assert "test photos as target: refused" in stderr
    assert not (place / "out").exists()
    assert quality("--split", "test", "--allow-test", scenes=("like",))[0] == 0
    report = json.loads((place / "out/quality.json").read_text())
    assert report["supervision"] == "T"
    assert report["settings"]["split"] == "test"


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("like=", "expected NAME=DIR"),
        ("real=like", "the name real is taken"),
        ("none=nowhere", "nowhere: no such folder; expected scenes"),
    ],
)
def test_sets_that_are_none_are_refused(refused, word, told):
    assert told in refused(scenes=(word,))


def test_two_sets_of_one_name_are_refused(refused):
    assert "the name like is taken" in refused(scenes=("like", "like"))


def test_an_empty_folder_is_refused(refused, place):
    (place / "empty").mkdir()
    assert f"{place / 'empty'}: holds no photo; expected scenes" in refused(scenes=("empty",))


def test_a_damaged_scene_is_named(refused, place):
    path = place / "like/images/00000003.png"
    path.write_bytes(b"no picture")
    assert f"{path}: not an image" in refused(scenes=("like",))
    path.unlink()
    assert f"{path}: cannot be read" in refused(scenes=("like",))


def test_too_few_photos_or_scenes_are_told_with_how_many_it_needs(refused, place):
    line = refused("--photos", 9)
    assert f"{place / 'store'}: split val: 9 real photos are too few for a distance" in line
    assert "expected 10 or more" in line
    photos = [photo([6, n]) for n in range(4)]
    write_split_of_scenes(place / "few", photos, [f"{n}.png" for n in range(4)])
    line = refused(scenes=("few",))
    assert f"{place / 'few'}: 4 scenes are too few for a distance; expected 5 or more" in line
