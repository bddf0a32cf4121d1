import json
import subprocess
import sys
from pathlib import Path

import pytest

from rpc.data import DataError

ROOT = Path(__file__).parents[2]
TEST = ROOT / "examples" / "ministore" / "instances_test.json"
VAL = ROOT / "examples" / "ministore" / "instances_val.json"


@pytest.fixture(scope="module")
def evaluate():
    """The tool's `main`, as imported: quicker than a process each."""
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        import eval_aco
    finally:
        sys.path.pop(0)
    return lambda *arguments: eval_aco.main([str(a) for a in arguments])


def truth_as_results(path, folder, drop=0):
    raw = json.loads(path.read_text(encoding="utf-8-sig"))
    rows = [
        {k: a[k] for k in ("image_id", "category_id", "bbox")} | {"score": 0.8}
        for a in raw["annotations"][drop:]
    ]
    weak = [row | {"score": 0.3} for row in rows[::3]]  # to be kept out by the threshold
    target = folder / f"{path.stem}_results.json"
    target.write_text(json.dumps(rows + weak))
    return target


def report_in(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def test_the_table_is_printed_and_both_files_are_written(evaluate, tmp_path, capsys):
    results = truth_as_results(TEST, tmp_path, drop=1)
    code = evaluate(
        "--gt", TEST, "--results", results, "--out", tmp_path / "o", "--threshold", 0.5,
        "--method", "near [truth]", "--supervision", "V",
    )  # fmt: skip
    printed = capsys.readouterr().out
    assert code == 0
    for word in ("easy", "medium", "hard", "averaged", "cAcc", "mmAP", "near [truth]", "given"):
        assert word in printed
    report = report_in(tmp_path / "o")
    assert report["supervision"] == "V"
    assert report["levels"]["averaged"]["cAcc"] == pytest.approx(35 / 36)
    assert report["levels"]["averaged"]["ACD"] == pytest.approx(1 / 36)
    assert report["manifest"]["threshold"] == {"value": 0.5, "chosen_on": "given"}
    assert len(report["manifest"]["files"]["gt"]["sha256"]) == 64
    assert (tmp_path / "o" / "report.md").read_text().startswith("# Checkout report: near")


def test_the_threshold_is_chosen_on_validation(evaluate, tmp_path):
    results, val_results = truth_as_results(TEST, tmp_path), truth_as_results(VAL, tmp_path)
    code = evaluate(
        "--gt", TEST, "--results", results, "--out", tmp_path / "o", "--no-map",
        "--val-gt", VAL, "--val-results", val_results, "--levels", "averaged",
    )  # fmt: skip
    report = report_in(tmp_path / "o")
    assert code == 0
    assert list(report["levels"]) == ["averaged"]
    assert report["levels"]["averaged"]["cAcc"] == 1.0
    assert report["levels"]["averaged"]["mAP50"] is None
    assert 0.3 < report["counting"]["rule"]["threshold"] <= 0.8
    assert report["counting"]["chosen_on"] == "instances_val.json"
    assert report["counting"]["rule"]["nms_iou"] == 1.0


def test_suppression_is_a_choice(evaluate, tmp_path):
    results = truth_as_results(TEST, tmp_path)  # a third of the boxes are there twice
    table = {}
    for name, extra in (("plain", []), ("suppressed", ["--suppress"])):
        options = ["--gt", TEST, "--results", results, "--out", tmp_path / name, *extra]
        evaluate(*options, "--threshold", 0.1, "--no-map")
        table[name] = report_in(tmp_path / name)["levels"]["averaged"]["cAcc"]
    assert table["plain"] < 0.1
    assert table["suppressed"] > 0.9


def test_an_empty_results_list_is_legal(evaluate, tmp_path):
    (tmp_path / "r.json").write_text("[]")
    options = ["--gt", TEST, "--results", tmp_path / "r.json", "--out", tmp_path]
    assert evaluate(*options, "--threshold", 0.5) == 0
    row = report_in(tmp_path)["levels"]["averaged"]
    assert (row["cAcc"], row["mCIoU"], row["mAP50"], row["images"]) == (0, 0, 0, 36)


def test_a_truth_without_levels_gives_one_row_and_says_why(evaluate, tmp_path, capsys):
    raw = json.loads(TEST.read_text(encoding="utf-8-sig"))
    for image in raw["images"]:
        del image["level"]
    gt = tmp_path / "gt.json"
    gt.write_text(json.dumps(raw))
    results = truth_as_results(TEST, tmp_path)
    options = ["--gt", gt, "--results", results, "--out", tmp_path, "--threshold", 0.5]
    assert evaluate(*options, "--no-map") == 0
    assert list(report_in(tmp_path)["levels"]) == ["averaged"]
    assert "no clutter level" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "no threshold: give --threshold T, or --val-gt and --val-results"),
        (["--val-gt", VAL], "--val-gt and --val-results belong together"),
        (["--threshold", "0.5", "--val-gt", VAL, "--val-results", VAL], "exclude each other"),
        (["--threshold", "2"], "threshold: expected 0 <= value <= 1, got 2.0"),
        (["--threshold", "nan"], "threshold: expected 0 <= value <= 1, got nan"),
        (["--threshold", "0.5", "--levels", "easy,heavy"], "got 'heavy'"),
        (["--val-gt", TEST, "--val-results", VAL], "is the file that is scored"),
        (["--val-gt", VAL, "--val-results", VAL], "expected a COCO results list"),
    ],
)
def test_options_that_do_not_fit_are_refused(evaluate, tmp_path, options, message):
    results = truth_as_results(TEST, tmp_path)
    with pytest.raises(ValueError, match=message):
        evaluate("--gt", TEST, "--results", results, "--out", tmp_path / "o", *options)
    assert not (tmp_path / "o").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[{"image_id": 1}]', "the field 'category_id' is missing"),
        (
            '[{"image_id": 999, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1}]',
            "image_id 999 is none of the 36 images",
        ),
        (
            '[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": NaN}]',
            "score: expected a number 0 to 1, got nan",
        ),
        ("[", "not valid JSON"),
    ],
)
def test_bad_results_are_refused_and_nothing_is_written(evaluate, tmp_path, text, message):
    (tmp_path / "r.json").write_text(text)
    options = ["--gt", TEST, "--results", tmp_path / "r.json", "--out", tmp_path / "o"]
    with pytest.raises(DataError, match=message):
        evaluate(*options, "--threshold", 0.5)
    assert not (tmp_path / "o").exists()


def test_bad_input_is_one_line_and_exit_code_two(tmp_path):
    command = [sys.executable, ROOT / "tools" / "eval_aco.py", "--gt", tmp_path / "gone.json"]
    command += ["--results", tmp_path / "r.json", "--out", tmp_path, "--threshold", "0.5"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "error:" in line]
    assert "gone.json: cannot be read" in line
    assert "Traceback" not in done.stderr
