import importlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from rpc.data.dataset import read_dataset
from rpc.data.files import DataError
from rpc.data.images import write_image

TOOLS = Path(__file__).parents[2] / "tools"
NAMES = ("tea", "tin")


@pytest.fixture
def call(monkeypatch):
    """The tool's main, in this process."""

    def run(*arguments):
        return importlib.import_module("rpc.cli.colocalise").main([str(a) for a in arguments])

    return run


def draw(number, width=160, height=120):
    rng = np.random.default_rng(number)
    rgb = rng.integers(80, 110, (height, width, 3)).astype(np.uint8)
    x, y = (int(v) for v in rng.integers(20, (width - 80, height - 80)))
    rgb[y : y + 60, x : x + 60] = (200, 40, 40)
    cv2.circle(rgb, (x + 30, y + 30), 20, (250, 240, 60), -1)
    return rgb, (x, y, 60, 60)


def make_store(root):
    images, annotations = [], []
    for number in range(1, 7):
        rgb, bbox = draw(number)
        name = f"{NAMES[number % 2]}_camera0-{number}.jpg"
        write_image(root / "exemplars" / name, rgb)
        images.append({"id": number, "file_name": name, "width": 160, "height": 120})
        annotations.append(
            {
                "id": number,
                "image_id": number,
                "category_id": 1 + number % 2,
                "bbox": bbox,
                "area": 3600,
            }
        )
    categories = [{"id": 1 + i, "name": name} for i, name in enumerate(NAMES)]
    content = {"images": images, "annotations": annotations, "categories": categories}
    (root / "instances_train.json").write_text(json.dumps(content))
    return root


def test_a_store_gives_boxes_a_score_and_a_sheet(call, tmp_path, capsys):
    out = tmp_path / "out"
    assert call("--data", make_store(tmp_path / "store"), "--out", out) == 0
    content = json.loads((out / "colocalise.json").read_text())
    assert [row["name"] for row in content["sets"]] == list(NAMES)
    assert 0 <= content["corloc"] <= 1
    rates = [row["corloc"] for row in content["sets"]]
    assert content["corloc_of_sets"] == pytest.approx(sum(rates) / len(rates))
    for row in content["sets"]:
        assert len(row["signs"]) == 2  # a layer each
        for sign in row["signs"]:
            assert sign["disagree"] == (sign["skewness"] * sign["border_gap"] < 0)
    boxes = read_dataset(out / "boxes.json")  # COCO that our own reader takes
    assert len(boxes.images) == content["photos"] == 6
    assert (out / "sheet_001.jpg").is_file()
    told = capsys.readouterr()
    assert "CorLoc (IoU > 0.5): " in told.out
    assert "mean of the sets: " in told.out


def test_sets_whose_signs_disagree_are_named_in_one_warning(monkeypatch, call, tmp_path, capsys):
    from rpc.retrieval.colocalisation.ddt import CommonAxis

    monkeypatch.setattr(CommonAxis, "signs_disagree", property(lambda axis: True))
    assert call("--data", make_store(tmp_path / "store"), "--out", tmp_path / "out") == 0
    told = capsys.readouterr()
    assert "not sure in 2 of 2 sets (tea, tin)" in told.out + told.err


def test_a_video_gives_a_box_on_each_chosen_frame_and_a_score_by_its_truth(call, tmp_path, capsys):
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (160, 120))
    for number in range(9):
        writer.write(draw(number)[0][..., ::-1].copy())
    writer.release()
    out = tmp_path / "out"
    assert call("--video", path, "--frames", 5, "--out", out, "--sheet", 0) == 0
    content = json.loads((out / "colocalise.json").read_text())
    assert content["video"] == {"frames": [0, 2, 4, 6, 8], "rate": 10}
    assert content["corloc"] is None
    assert content["smoothed"] == 0
    assert not list(out.glob("sheet*"))
    truth = tmp_path / "truth.json"
    boxes = json.loads((out / "boxes.json").read_text())
    for note in boxes["annotations"]:  # as found, but on one frame
        if note["image_id"] == 5:
            note["bbox"] = [0, 0, 5, 5]
        del note["segmentation"]
    truth.write_text(json.dumps(boxes))
    again = ("--video", path, "--frames", 5, "--truth", truth, "--sheet", 0)
    capsys.readouterr()
    call(*again, "--out", tmp_path / "plain")
    assert json.loads((tmp_path / "plain/colocalise.json").read_text())["corloc"] == 0.8
    assert "CorLoc (IoU > 0.5): 80.0 % of 5 photos" in capsys.readouterr().out
    call(*again, "--smooth", 2, "--out", tmp_path / "smooth")
    assert json.loads((tmp_path / "smooth/colocalise.json").read_text())["smoothed"] == 2
    assert "boxes smoothed over 2 frames on either side" in capsys.readouterr().out


def test_bad_input_is_one_clear_line(call, tmp_path):
    photos = tmp_path / "photos"
    write_image(photos / "a.png", draw(1)[0])
    with pytest.raises(DataError, match="1 photo;"):
        call("--photos", photos, "--out", tmp_path / "o")
    (photos / "b.png").write_text("no photo")
    with pytest.raises(DataError, match=r"b\.png: not an image"):
        call("--photos", photos, "--out", tmp_path / "o")
    with pytest.raises(DataError, match="--short-side 3"):
        call("--photos", photos, "--out", tmp_path / "o", "--short-side", 3)
    assert not (tmp_path / "o").exists()


def test_photos_without_anything_in_common_are_refused(call, tmp_path, monkeypatch):
    for name in ("a.png", "b.png"):
        write_image(tmp_path / "plain" / name, np.full((96, 96, 3), 127, np.uint8))

    def constant(self, rgb):  # a network without padding sees no difference on a plain photo
        return tuple(np.ones((3, 4, 4), np.float32) for _ in self.layers)

    monkeypatch.setattr("rpc.features.backbones.feature_maps.FeatureMaps.__call__", constant)
    with pytest.raises(DataError, match="plain: no common object on its 2 photos"):
        call("--photos", tmp_path / "plain", "--out", tmp_path / "o")
