"""int8 is refused where shopping lists change, before anything is written."""

from pathlib import Path

import pytest

from rpc.cli.main import main
from rpc.data.files import DataError
from rpc.pipelines.export import ExportRequest
from rpc.pipelines.int8 import Trial, changed_trays


class Counts:
    """A counter that says the same of each tray, but for some."""

    def __init__(self, others=()):
        self.others = others

    def __call__(self, tray):
        counts = {"tea": 2, "rice": 1} if tray.name not in self.others else {"tea": 3}
        return type("Receipt", (), {"counts": counts})()


class Images:
    def __init__(self, names):
        self.images = names


class Trays:
    """A store of val trays alone."""

    root = "shop"

    def __init__(self, number):
        self.names = [f"{row:03}.jpg" for row in range(number)]

    def has_split(self, split):
        return bool(self.names) and split == "val"

    def split(self, name):
        return Images(self.names)

    def image_path(self, split, image):
        return Path(split) / image


def test_lists_that_stay_are_written_down():
    trial = Trial.begin(Trays(18), Counts())
    assert len(trial.trays) == 18
    assert trial.end(Counts()) == {"scenes": 300, "val_trays": 18, "changed": []}


def test_one_of_eighteen_lists_is_too_many_and_is_named():
    trial = Trial.begin(Trays(18), Counts())
    told = (
        r"int8 changes the shopping lists of 1 of 18 val trays, expected at most 1%: 007.jpg; "
        "nothing was written; export without --int8"
    )
    with pytest.raises(DataError, match=told):
        trial.end(Counts(["007.jpg"]))


@pytest.mark.parametrize(
    ("trays", "changed", "fine"), [(99, 1, False), (100, 1, True), (300, 4, False)]
)
def test_one_list_in_a_hundred_may_change(trays, changed, fine):
    names = [str(row) for row in range(trays)]
    before = [{"tea": 1}] * trays
    after = [{"tea": 2}] * changed + before[changed:]
    if fine:
        assert changed_trays(names, before, after) == names[:changed]
        return
    with pytest.raises(DataError, match=f"of {changed} of {trays} val trays"):
        changed_trays(names, before, after)


def test_many_changed_trays_are_told_by_the_first():
    names = [str(row) for row in range(18)]
    with pytest.raises(DataError, match="0, 1, 2, 3, 4 and 13 more; nothing"):
        changed_trays(names, [{"tea": 1}] * 18, [{}] * 18)


def test_of_many_trays_three_hundred_are_compared():
    trial = Trial.begin(Trays(1000), Counts())
    assert len(trial.trays) == 300
    assert trial.trays[0].name == "000.jpg"
    assert trial.trays[-1].name == "999.jpg"


def test_a_store_without_val_trays_is_told():
    with pytest.raises(DataError, match="has no val trays to compare the lists of int8 on"):
        Trial.begin(Trays(0), Counts())


def test_what_does_not_go_together_is_told(tmp_path):
    with pytest.raises(DataError, match="--format other: expected onnx or openvino"):
        ExportRequest(tmp_path, tmp_path, format="other")
    words = ["export", str(tmp_path / "model.pth"), "--out", str(tmp_path / "till"), "--int8"]
    for more, told in (
        ([], "is made for OpenVINO alone; add --format openvino"),
        (["--format", "openvino"], "expected --data STORE"),
    ):
        with pytest.raises(DataError, match=told):
            main([*words, *more])
    assert not (tmp_path / "till").exists()
