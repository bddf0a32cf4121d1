"""The tool on a few drawn photos: its files, its table, going on after a stop, bad input."""

import json
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from rpc.data.class_sets.cub import CUB
from rpc.data.files import DataError
from rpc.data.images import read_image, write_image

TOOLS = Path(__file__).parents[2] / "tools"
COLOURS = {"red": (220, 40, 40), "blue": (40, 60, 220)}


def _drawn(colour, seed):
    rng = np.random.default_rng(seed)
    photo = rng.integers(90, 120, (64, 64, 3), dtype=np.uint8)
    at = tuple(int(x) for x in rng.integers(24, 40, 2))
    if colour == COLOURS["red"]:
        cv2.circle(photo, at, 16, colour, -1)
    else:
        cv2.rectangle(photo, (at[0] - 14, at[1] - 14), (at[0] + 14, at[1] + 14), colour, 4)
    return photo


@pytest.fixture(scope="module")
def tools():
    """The tool and its parts, as imported: quicker than a process each."""
    from rpc.cli import retrieve
    from rpc.pipelines.retrieval import page, run, sheets

    return SimpleNamespace(
        eval_retrieval=retrieve, retrieval_page=page, retrieval_run=run, retrieval_sheets=sheets
    )


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    root = tmp_path_factory.mktemp("photos")
    for split, count in (("train", 3), ("test", 2)):
        for name, colour in COLOURS.items():
            for number in range(count):
                seed = number + 10 * (split == "test") + 100 * (name == "red")
                write_image(root / split / name / f"{number}.png", _drawn(colour, seed))
    return root


@pytest.fixture(scope="module")
def result(tools, photos, tmp_path_factory):
    out = tmp_path_factory.mktemp("result")
    methods = ["VLAD", "FV", "avgPool", "SCDA", "SCDA_flip+"]
    options = ["--methods", *methods, "--whiten", "4"]
    assert tools.eval_retrieval.main(["--data", str(photos), "--out", str(out), *options]) == 0
    return out, options


def test_it_writes_figures_table_and_pictures(result):
    out, _ = result
    report = json.loads((out / "retrieval.json").read_text())
    assert set(report["methods"]) == {
        "VLAD", "FV", "avgPool", "SCDA", "SCDA_flip+", "SCDA whitened", "SCDA_flip+ whitened"
    }  # fmt: skip
    for figures in report["methods"].values():
        assert 0 <= figures["top1"] <= 1
        assert 0 <= figures["top5"] <= 1
    assert report["methods"]["SCDA"]["top1"] == 1.0
    assert report["methods"]["SCDA"]["dimension"] == 2560
    assert report["methods"]["SCDA whitened"]["dimension"] == 4
    assert report["data"] | {"name": ""} == {
        "name": "", "classes": 2, "gallery": 6, "queries": 4, "limited": 0,
        "split": "train as gallery, test as queries",
    }  # fmt: skip
    assert "| SCDA | 2560 | 100.00 |" in (out / "retrieval.md").read_text()
    for name in ("masks.jpg", "answers.jpg"):
        assert min(read_image(out / name).shape[:2]) > 100


def test_run_again_it_describes_no_photo_a_second_time(tools, photos, result, monkeypatch):
    out, options = result
    before = json.loads((out / "retrieval.json").read_text())["methods"]

    def never(*_arguments):
        raise AssertionError("described again")

    monkeypatch.setattr(tools.retrieval_run, "_describer", lambda *_arguments: never)
    assert tools.eval_retrieval.main(["--data", str(photos), "--out", str(out), *options]) == 0
    assert json.loads((out / "retrieval.json").read_text())["methods"] == before


def test_another_setting_wants_another_folder(tools, photos, result):
    out, options = result
    arguments = ["--data", str(photos), "--out", str(out), *options, "--seed", "1"]
    with pytest.raises(DataError, match=r"other settings \(settings\."):
        tools.eval_retrieval.main(arguments)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--methods", "SCDAA"], "--methods SCDAA: expected some of VLAD"),
        (["--limit", "-1"], "--limit -1: expected 0 or more"),
        (["--backbone", "nothing"], "backbone nothing: unknown"),
        (["--layers", "9", "last"], "no layer 9"),
        (["--short-side", "5"], "--short-side 5: expected 64"),
    ],
)
def test_bad_options_are_told_in_one_line(tools, photos, tmp_path, options, told):
    with pytest.raises(DataError, match=told):
        tools.eval_retrieval.main(["--data", str(photos), "--out", str(tmp_path / "o"), *options])
    assert not (tmp_path / "o").exists()


def test_published_figures_stand_beside_ours_and_are_marked(tools):
    figures = {"top1": 0.5, "top5": 0.6, "dimension": 8, "seconds": 0.2}
    report = {
        "methods": {"selected avgPool": figures, "SCDA+": figures, "avgPool": figures},
        "data": {
            "name": CUB,
            "classes": 200,
            "gallery": 10,
            "queries": 10,
            "limited": 0,
            "split": "",
        },
        "backbone": {"backbone": "vgg16", "weights": "w.pth", "layers": ["30", "27"]},
        "backbone_seconds": 0.1,
        "photos": 20,
    }
    lines = tools.retrieval_page.retrieval_text(report).splitlines()
    assert "| selected avgPool | 8 | 50.00 | 60.00 | 10.00 | 56.42 | 63.14 | 52.7 |" in lines
    assert "| SCDA+ | 8 | 50.00 | 60.00 | 10.00 |  |  | 56.2 |" in lines
    assert "| avgPool | 8 | 50.00 | 60.00 | 10.00 |  |  |  |" in lines
    assert any("Published figures were not measured here" in line for line in lines)


def test_two_stages_bring_the_fine_ranking_with_them(tools):
    run = tools.retrieval_run
    assert run.require_methods(["RootSIFT two-stage"]) == run.HAND
