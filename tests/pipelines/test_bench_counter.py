import json
import time
from pathlib import Path

import numpy as np
import pytest

from rpc.checkout.counter import Checkout
from rpc.cli import bench
from rpc.counting import CountingRule
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.data.taxonomy import Category, Taxonomy
from rpc.detection import runtime
from rpc.pipelines.bench_counter import BenchRequest, measure, statistics_of
from rpc.structures import Detections

ROOT = Path(__file__).parents[2]
TRAY = ROOT / "examples/ministore/val"
SLOW, FAST = 0.02, 0.004  # seconds that the parts below take for a photo


class Finds:
    def __init__(self):
        self.batches = []

    def predict_batch(self, photos):
        self.batches.append(len(photos))
        time.sleep(SLOW * len(photos))
        boxes = np.array([[0.0, 0, 20, 20], [30, 30, 50, 50]])
        return [Detections(boxes, np.array([0.9, 0.8]), np.array([0, 0])) for _ in photos]


class Names:
    def batch_probabilities(self, photos, boxes):
        time.sleep(FAST * len(photos))
        return [np.tile([0.9, 0.1, 0.0], (len(one), 1)) for one in boxes]

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
    seconds, items = measure(counter, photos, batch=1, repeats=2, warm_up=1)
    assert items == 2.0
    assert {name: len(row) for name, row in seconds.items()} == dict.fromkeys(
        ("detecting", "naming", "photo to list"), 6
    )
    detecting, naming, whole = (np.median(row) for row in seconds.values())
    assert SLOW <= detecting <= whole
    assert FAST <= naming < detecting
    assert detecting + naming <= whole


def test_the_time_of_a_batch_is_shared_out_among_its_photos(counter, photos):
    seconds, _ = measure(counter, photos, batch=2, repeats=1, warm_up=0)
    assert counter.detector.batches == [2, 1]
    assert all(SLOW <= one < 2 * SLOW for one in seconds["detecting"])


def test_a_detector_that_names_items_has_no_naming(counter, photos):
    alone = Checkout(counter.detector, counter.taxonomy, None, counter.rule)
    seconds, _ = measure(alone, photos[:1], batch=1, repeats=1, warm_up=0)
    assert list(seconds) == ["detecting", "photo to list"]


def test_statistics_are_of_known_seconds():
    row = statistics_of([0.1, 0.2, 0.3, 0.4, 0.5])
    assert row == {"median_ms": 300.0, "p95_ms": 480.0, "images_per_second": 3.333}


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"batch": 9}, {"repeats": 0}, {"warm_up": -1}])
def test_numbers_out_of_range_are_refused(wrong):
    with pytest.raises(DataError, match=rf"--{next(iter(wrong)).replace('_', '-')} -?\d"):
        BenchRequest(TRAY, **wrong)


def test_the_verb_measures_the_shipped_counter_and_writes_where_the_numbers_come_from(
    tmp_path, capsys
):
    runtime.setup()  # pytest restores the warning filters for every test
    photo, out = next(iter(sorted(TRAY.glob("*.jpg")))), tmp_path / "bench.json"
    words = [str(photo), "--repeats", "1", "--warm-up", "0", "--device", "cpu", "--out", str(out)]
    assert bench.main(words) == 0
    printed = capsys.readouterr().out
    result = json.loads(out.read_text())
    assert list(result["stages"]) == ["detecting", "naming", "photo to list"]
    assert result["photos"]["items"] > 0
    assert result["device"]["name"] == "cpu"
    assert result["model"]["name"] == "ministore.pth"
    assert len(result["model"]["sha256"]) == 64
    assert {"code", "versions", "machine", "settings"} <= set(result)
    for name in result["stages"]:
        assert f"\n{name} " in printed
