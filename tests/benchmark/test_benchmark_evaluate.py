import json
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "tools" / "benchmark"


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark's modules: the whole tool, the files that it makes, one job."""
    sys.path.insert(0, str(BENCHMARK))
    try:
        import checkout_files
        import evaluate
        import evaluate_job
    finally:
        sys.path.pop(0)
    return evaluate, checkout_files, evaluate_job


def test_the_files_are_the_same_for_a_seed_and_of_the_shape_asked_for(benchmark, tmp_path):
    _, files, _ = benchmark
    shape = files.Shape(images=6, items=4, detections=9, skus=5, seed=3)
    written = files.write_files(tmp_path / "a", shape)
    assert [p.read_bytes() for p in written] == [
        p.read_bytes() for p in files.write_files(tmp_path / "b", shape)
    ]
    truth, results = (json.loads(p.read_text()) for p in written)
    assert len(truth["annotations"]) == 24
    assert len(results) == 54
    assert [image["level"] for image in truth["images"]] == ["easy"] * 2 + ["medium"] * 2 + [
        "hard"
    ] * 2


def test_a_small_run_measures_each_evaluator_and_says_whether_they_agree(
    benchmark, tmp_path, capsys
):
    evaluate, _, _ = benchmark
    options = ["--images", "9", "--items", "3", "--detections", "6", "--skus", "4"]
    options += ["--repeats", "1", "--warm-up", "0", "--out", str(tmp_path / "x.json")]
    assert evaluate.main(options) == 0
    printed = capsys.readouterr().out
    assert "rpctool: left out; give --rpctool-python" in printed
    result = json.loads((tmp_path / "x.json").read_text())
    (size,) = result["sizes"]
    assert size["agree"]["pycocotools"] is True
    assert set(size["runs"]) >= {"ours", "pycocotools", "eval_aco"}
    assert size["runs"]["ours"]["peak_mb"] > 20
    assert size["ratios"]["wall"]["pycocotools, mAP"] > 0
    assert {"processor", "cores", "commit", "repeats"} <= set(result["settings"])
