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
    from rpc.cli.evaluate import main

    return lambda *arguments: main([str(a) for a in arguments])


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
        evaluate(*options, "--threshold", 0.1, "--no-map", "--worst-carts", 0)
        table[name] = report_in(tmp_path / name)["levels"]["averaged"]["cAcc"]
    assert table["plain"] < 0.1
    assert table["suppressed"] > 0.9


def test_an_empty_results_list_is_legal(evaluate, tmp_path):
    (tmp_path / "r.json").write_text("[]")
    options = ["--gt", TEST, "--results", tmp_path / "r.json", "--out", tmp_path]
    assert evaluate(*options, "--threshold", 0.5, "--worst-carts", 0) == 0
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
        (["--threshold", "2"], "--threshold 2.0: expected 0 to 1"),
        (["--threshold", "nan"], "--threshold nan: expected 0 to 1"),
        (["--threshold", "0.5", "--levels", "easy,heavy"], "got 'heavy'"),
        (["--val-gt", TEST, "--val-results", VAL], "is the file that is scored"),
        (["--val-gt", VAL, "--val-results", VAL], "expected a COCO results list"),
        (["--threshold", "0.5", "--protocol", "rpctool"], "chooses its own threshold"),
        (["--suppress", "--protocol", "rpctool"], "counts boxes as they are"),
        (["--threshold", "0.5", "--bootstrap", "-1"], "--bootstrap -1: expected 0 or more"),
        (["--threshold", "0.5", "--images", "gone"], "gone: no such folder; --images names"),
        (["--protocol", "rpctool"], r"rpctool 0.1.6 stops .*: no box scores 0.99 or more"),
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
        ('[{"image_id": 1, "counts": 3}]', "leave --threshold"),
        (
            '[{"image_id": 1, "category_id": 99, "bbox": [0, 0, 1, 1], "score": 1}]',
            "category_id 99 is none of the 12 SKUs",
        ),
    ],
)
def test_bad_results_are_refused_and_nothing_is_written(evaluate, tmp_path, text, message):
    (tmp_path / "r.json").write_text(text)
    options = ["--gt", TEST, "--results", tmp_path / "r.json", "--out", tmp_path / "o"]
    with pytest.raises(DataError, match=message):
        evaluate(*options, "--threshold", 0.5)
    assert not (tmp_path / "o").exists()


def test_all_files_are_written_with_intervals_and_pictures(evaluate, tmp_path):
    results = truth_as_results(TEST, tmp_path, drop=1)
    options = ["--gt", TEST, "--results", results, "--out", tmp_path / "o", "--threshold", 0.5]
    assert evaluate(*options, "--bootstrap", 50) == 0
    files = {p.name for p in (tmp_path / "o").iterdir() if not p.name.startswith(".")}
    tables = {"table.md", "table.csv", "table.tex"}
    pages = {"report.json", "report.md", "report.html", "counts.json", "worst_carts"}
    assert files == pages | tables
    report = report_in(tmp_path / "o")
    low, high = report["levels"]["averaged"]["interval"]["cAcc"]
    assert low < 35 / 36 <= high == 1
    assert report["bootstrap"]["resamples"] == 50
    (picture,) = report["worst_carts"]["pictures"]
    assert (tmp_path / "o" / picture["picture"]).is_file()
    assert picture["picture"] in (tmp_path / "o/report.md").read_text()
    assert picture["picture"] in (tmp_path / "o/report.html").read_text()
    assert {row["supercategory"] for row in report["supercategories"]} >= {"drink"}
    assert report["coverage"]["curve"][-1] == [1.0, 35 / 36]


def test_photos_are_taken_from_the_folder_given_and_a_missing_one_is_named(
    evaluate, tmp_path, capsys
):
    results = truth_as_results(TEST, tmp_path, drop=1)
    (tmp_path / "photos").mkdir()
    options = ["--gt", TEST, "--results", results, "--out", tmp_path / "o", "--threshold", 0.5]
    assert evaluate(*options, "--no-map", "--images", tmp_path / "photos") == 0
    assert "not drawn, no readable photo: test_00000_easy.jpg" in capsys.readouterr().out
    assert report_in(tmp_path / "o")["worst_carts"]["pictures"] == []


def test_intervals_and_pictures_can_be_left_out(evaluate, tmp_path):
    results = truth_as_results(TEST, tmp_path, drop=1)
    options = ["--gt", TEST, "--results", results, "--out", tmp_path / "o", "--threshold", 0.5]
    assert evaluate(*options, "--no-map", "--bootstrap", 0, "--worst-carts", 0) == 0
    report = report_in(tmp_path / "o")
    assert "interval" not in report["levels"]["averaged"]
    assert "worst_carts" not in report
    assert not (tmp_path / "o" / "worst_carts").exists()


def test_a_truth_without_photos_beside_it_is_scored_and_says_how_to_get_pictures(
    evaluate, tmp_path, capsys
):
    results = truth_as_results(TEST, tmp_path, drop=1)
    gt = tmp_path / "truth.json"
    gt.write_bytes(TEST.read_bytes())
    options = ["--gt", gt, "--results", results, "--out", tmp_path / "o", "--threshold", 0.5]
    assert evaluate(*options, "--no-map") == 0
    assert "--images DIR draws the wrong carts" in capsys.readouterr().out


def test_lists_that_say_what_was_asked_have_a_coverage_on_the_screen(evaluate, tmp_path, capsys):
    results = truth_as_results(TEST, tmp_path, drop=9)
    boxes = ["--gt", TEST, "--results", results, "--out", tmp_path / "b", "--threshold", 0.5]
    evaluate(*boxes, "--no-map", "--bootstrap", 0)
    lists = json.loads((tmp_path / "b" / "counts.json").read_text())
    asked = [entry | {"questions": int(row < 10)} for row, entry in enumerate(lists)]
    (tmp_path / "asked.json").write_text(json.dumps(asked))
    options = ["--gt", TEST, "--results", tmp_path / "asked.json", "--bootstrap", 0]
    assert evaluate(*options, "--out", tmp_path / "o") == 0
    row = report_in(tmp_path / "o")["doubt"]["levels"]["averaged"]
    assert (row["images"], row["passed"]) == (36, 26)
    assert (
        "Coverage: 72.2 % of the trays pass with no question (26 of 36" in capsys.readouterr().out
    )


def test_the_counts_it_writes_are_results_with_the_same_count_metrics(evaluate, tmp_path, capsys):
    results = truth_as_results(TEST, tmp_path, drop=9)
    options = ["--gt", TEST, "--results", results, "--out", tmp_path / "boxes", "--threshold", 0.5]
    evaluate(*options)
    lists = tmp_path / "boxes" / "counts.json"
    assert evaluate("--gt", TEST, "--results", lists, "--out", tmp_path / "lists") == 0
    boxes, counted = report_in(tmp_path / "boxes"), report_in(tmp_path / "lists")
    for name, row in counted["levels"].items():
        unknown = dict.fromkeys(("mAP50", "mmAP", "threshold"))
        assert row == boxes["levels"][name] | unknown
    assert counted["coverage"] == boxes["coverage"]
    assert counted["carts"] == boxes["carts"]
    assert counted["manifest"]["threshold"]["value"] is None
    assert "shopping lists without boxes" in capsys.readouterr().out
    assert (tmp_path / "lists/counts.json").read_bytes() == lists.read_bytes()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--threshold", "0.5"], "holds counts per image, which need no threshold"),
        (["--suppress"], "leave .*--suppress out"),
        (["--val-gt", VAL, "--val-results", VAL], "leave --threshold, --val-gt"),
        (["--protocol", "rpctool"], "give a COCO results list"),
    ],
)
def test_lists_of_counts_are_not_mixed_with_options_for_boxes(evaluate, tmp_path, options, message):
    lists = tmp_path / "counts.json"
    lists.write_text('[{"image_id": 1, "counts": []}]')
    with pytest.raises(DataError, match=message):
        evaluate("--gt", TEST, "--results", lists, "--out", tmp_path / "o", *options)
    assert not (tmp_path / "o").exists()


def test_images_that_a_list_of_counts_lacks_are_empty_carts_and_counted(evaluate, tmp_path, capsys):
    lists = tmp_path / "counts.json"
    lists.write_text('[{"image_id": 1, "counts": []}]')
    assert evaluate("--gt", TEST, "--results", lists, "--out", tmp_path / "o") == 0
    assert "35 images are not in the list; they count as empty" in capsys.readouterr().out
    assert report_in(tmp_path / "o")["levels"]["averaged"]["cAcc"] == 0


def test_the_official_figures_come_with_their_quirks(evaluate, tmp_path, capsys):
    raw = json.loads(TEST.read_text(encoding="utf-8-sig"))
    rows = [
        {k: a[k] for k in ("image_id", "category_id", "bbox")} | {"score": 0.995}
        for a in raw["annotations"]
    ]
    first = raw["images"][0]["id"]
    read = [row for row in rows if row["image_id"] == first]
    read[1] |= {"score": 0.9}
    (tmp_path / "r.json").write_text(json.dumps(read))
    options = ["--gt", TEST, "--results", tmp_path / "r.json", "--out", tmp_path / "o"]
    options += ["--worst-carts", 0, "--levels", "easy,hard,averaged"]
    assert evaluate(*options, "--protocol", "rpctool") == 0
    report = report_in(tmp_path / "o")
    assert (report["protocol"], report["bootstrap"], report["supervision"]) == (
        "rpctool",
        None,
        "E",
    )
    averaged = report["levels"]["averaged"]
    # One image of 36 has boxes: the tool forgets the others, and there takes the threshold that
    # fits. Its item-by-item truth is lost with them: SKUs are absent, so there is no mean.
    assert (averaged["cAcc"], averaged["images"], averaged["mCIoU"]) == (1.0, 1, None)
    assert averaged["mAP50"] < 0.1
    assert report["levels"]["hard"]["cAcc"] is None
    printed = capsys.readouterr().out
    assert "protocol rpctool" in printed
    assert "Row 'hard' has no figures" in printed
    assert "mCIoU nan" in printed
    # The other tables count every image.
    assert report["wrong_carts"] == 35
    assert report["counting"]["rule"]["threshold"] == averaged["threshold"]
    assert "rpctool, for each level again" in (tmp_path / "o/report.md").read_text()


def test_bad_input_is_one_line_and_exit_code_two(tmp_path):
    command = [sys.executable, ROOT / "tools" / "eval_aco.py", "--gt", tmp_path / "gone.json"]
    command += ["--results", tmp_path / "r.json", "--out", tmp_path, "--threshold", "0.5"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "error:" in line]
    assert "gone.json: cannot be read" in line
    assert "Traceback" not in done.stderr
