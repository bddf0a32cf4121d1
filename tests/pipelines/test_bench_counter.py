import json
import time
from pathlib import Path

import cv2
import numpy as np
import onnxruntime
import pytest
import torch

from rpc.checkout.counter import Checkout
from rpc.checkout.loading import EXPORTED
from rpc.cli import bench
from rpc.counting import CountingRule
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.shipped import shipped
from rpc.data.taxonomy import Category, Taxonomy
from rpc.detection import runtime
from rpc.pipelines.bench_counter import BenchRequest, measure
from rpc.pipelines.stage_clock import Spent, statistics_of
from rpc.structures import Detections

ROOT = Path(__file__).parents[2]
TRAY = ROOT / "examples/ministore/val"
SLOW, FAST = 0.02, 0.004  # seconds that the parts below take for a photo


class Finds:
    def __init__(self):
        self.batches = []
        self.look = lambda: None

    def predict_batch(self, photos):
        self.look()
        self.batches.append(len(photos))
        time.sleep(SLOW * len(photos))
        boxes = np.array([[0.0, 0, 20, 20], [30, 30, 50, 50]])
        return [Detections(boxes, np.array([0.9, 0.8]), np.array([0, 0])) for _ in photos]


class Names:
    row = (0.9, 0.1, 0.0)

    def batch_probabilities(self, photos, boxes):
        time.sleep(FAST * len(photos))
        return [np.tile(self.row, (len(one), 1)) for one in boxes]

    def probabilities(self, rgb, boxes):
        return self.batch_probabilities([rgb], [boxes])[0]


@pytest.fixture
def counter():
    taxonomy = Taxonomy([Category(1, "tea"), Category(2, "rice")])
    return Checkout(Finds(), taxonomy, Names(), CountingRule.plain(0.5))


@pytest.fixture
def photos(tmp_path):
    rgb = np.full((60, 60, 3), 200, np.uint8)
    return [write_image(tmp_path / f"{n}.png", rgb) for n in range(3)]


def test_detecting_and_naming_are_timed_apart_and_the_whole_holds_both(counter, photos):
    runs, items = measure({1: counter}, photos, batch=1, repeats=2, warm_up=1)
    assert items == 2.0
    (spent,) = runs.values()
    assert {name: len(row) for name, row in spent.items()} == dict.fromkeys(
        ("detecting", "naming", "photo to list", "nothing doubtful"), 6
    )
    detecting, naming, whole, _ = (np.median(row, axis=0) for row in spent.values())
    assert SLOW <= detecting[0] <= whole[0]
    assert FAST <= naming[0] < detecting[0]
    assert detecting[0] + naming[0] <= whole[0]
    assert naming[1] < FAST  # asleep: seconds go by, the processor does nothing


def test_the_time_of_a_batch_is_shared_out_among_its_photos(counter, photos):
    runs, _ = measure({1: counter}, photos, batch=2, repeats=1, warm_up=0)
    assert counter.detector.batches == [2, 1]
    assert all(SLOW <= one.wall < 2 * SLOW for one in runs[1]["detecting"])


def test_a_detector_that_names_items_has_no_naming(counter, photos):
    alone = Checkout(counter.detector, counter.taxonomy, None, counter.rule)
    runs, _ = measure({1: alone}, photos[:1], batch=1, repeats=1, warm_up=0)
    assert "naming" not in runs[1]


def test_trays_with_a_doubtful_item_are_left_out_of_the_stage_without(counter, photos):
    counter.recogniser.row = [0.59, 0.41, 0.0]
    runs, _ = measure({1: counter}, photos, batch=1, repeats=1, warm_up=0)
    assert len(runs[1]["photo to list"]) == 3
    assert "nothing doubtful" not in runs[1]


def test_rounds_with_other_numbers_of_threads_take_turns_and_leave_none_behind(counter, photos):
    before, seen = (cv2.getNumThreads(), torch.get_num_threads()), []
    counter.detector.look = lambda: seen.append((cv2.getNumThreads(), torch.get_num_threads()))
    runs, items = measure({1: counter, 2: counter}, photos[:1], batch=1, repeats=1, warm_up=1)
    assert seen == [(1, 1), (2, 2)] * 2
    assert list(runs) == [1, 2]
    assert items == 2.0
    assert (cv2.getNumThreads(), torch.get_num_threads()) == before


def test_statistics_are_of_known_seconds():
    row = statistics_of([Spent(wall, 2 * wall) for wall in (0.1, 0.2, 0.3, 0.4, 0.5)])
    assert row == {
        "median_ms": 300.0, "p90_ms": 460.0, "processor_ms": 600.0, "images_per_second": 3.333,
    }  # fmt: skip


@pytest.mark.parametrize(
    "wrong", [{"batch": 0}, {"batch": 9}, {"repeats": 0}, {"warm_up": -1}, {"threads": (1, 0)}]
)
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(DataError, match=rf"--{next(iter(wrong)).replace('_', '-')} -?\d"):
        BenchRequest(TRAY, **wrong)


def test_the_verb_measures_the_shipped_counter_and_writes_where_the_numbers_come_from(
    tmp_path, capsys
):
    runtime.setup()  # pytest restores the warning filters for every test
    photo, out = next(iter(sorted(TRAY.glob("*.jpg")))), tmp_path / "bench.json"
    words = [str(photo), "--repeats", "1", "--warm-up", "0", "--device", "cpu"]
    words += ["--threads", "1", "2", "--out", str(out)]
    assert bench.main(words) == 0
    printed = capsys.readouterr().out
    result = json.loads(out.read_text())
    assert [run["threads"] for run in result["runs"]] == [1, 2]
    for run in result["runs"]:
        assert list(run["stages"])[:3] == ["detecting", "naming", "photo to list"]
        for row in run["stages"].values():
            assert 0 < row["median_ms"] <= row["p90_ms"]
            assert row["processor_ms"] > 0
    assert set(result["load"]) == {"before", "after"}
    assert result["photos"]["items"] > 0
    assert result["device"]["name"] == "cpu"
    assert result["model"]["name"] == "ministore.pth"
    assert len(result["model"]["sha256"]) == 64
    assert {"code", "versions", "machine", "settings"} <= set(result)
    for name in result["runs"][1]["stages"]:
        assert printed.count(f"\n{name} ") == 2


def test_an_exported_counter_is_measured_with_networks_of_each_number_of_threads(
    tmp_path, monkeypatch
):
    photo, out, made = next(iter(sorted(TRAY.glob("*.jpg")))), tmp_path / "bench.json", []
    options = onnxruntime.SessionOptions

    def noted():
        made.append(options())
        return made[-1]

    monkeypatch.setattr(onnxruntime, "SessionOptions", noted)
    words = [str(photo), "--repeats", "1", "--warm-up", "0", "--out", str(out)]
    words += ["--model", str(shipped(EXPORTED)), "--threads", "1", "2"]
    assert bench.main(words) == 0
    assert [one.intra_op_num_threads for one in made[:4]] == [1, 1, 2, 2]
    result = json.loads(out.read_text())
    assert [run["threads"] for run in result["runs"]] == [1, 2]
    assert result["model"]["runtime"] == "onnx"
    assert result["model"]["precision"] == "float32"
