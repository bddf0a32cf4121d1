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
def tools():
    """The tools' `main`s, as imported: quicker than a process each."""
    from rpc.cli import compare, evaluate

    return {
        "eval": lambda *arguments: evaluate.main([str(a) for a in arguments]),
        "compare": lambda *arguments: compare.main([str(a) for a in arguments]),
    }


@pytest.fixture(scope="module")
def scored(tools, tmp_path_factory):
    """Score the truth with some of its boxes left out; the report's folder."""
    root = tmp_path_factory.mktemp("scored")

    def score(name, drop, *options, gt=TEST):
        folder = root / f"{name}_{gt.stem}"
        raw = json.loads(gt.read_text(encoding="utf-8-sig"))
        rows = [
            {key: item[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1.0}
            for place, item in enumerate(raw["annotations"])
            if place % drop
        ]
        folder.mkdir()
        (folder / "results.json").write_text(json.dumps(rows))
        tools["eval"](
            "--gt", gt, "--results", folder / "results.json", "--out", folder, "--threshold", 0.5,
            "--method", name, "--no-map", "--bootstrap", 2, "--worst-carts", 0, *options,
        )  # fmt: skip
        return folder

    return score


@pytest.fixture(scope="module")
def two(scored):
    """The baseline misses every second item, the other every twentieth."""
    return scored("coarse", 2), scored("fine", 20)


def test_results_of_the_evaluator_are_compared_end_to_end(tools, two, tmp_path, capsys):
    code = tools["compare"]("--gt", TEST, *two, "--out", tmp_path / "o", "--bootstrap", 50)
    printed = capsys.readouterr().out
    assert code == 0
    found = json.loads((tmp_path / "o" / "comparison.json").read_text(encoding="utf-8"))
    reports = [json.loads((folder / "report.json").read_text()) for folder in two]
    (entry,) = found["levels"]["averaged"]
    coarse, fine = (report["levels"]["averaged"] for report in reports)
    assert entry["differences"]["cAcc"]["value"] == pytest.approx(fine["cAcc"] - coarse["cAcc"])
    assert entry["differences"]["cAcc"]["interval"][0] > 0 > entry["differences"]["ACD"]["value"]
    # The other has right what the baseline has right, and more: p is that of all-or-none signs.
    assert entry["carts"]["only_baseline_right"] == 0
    assert entry["carts"]["p"]["cAcc"] == pytest.approx(
        2 ** (1 - entry["carts"]["only_this_right"])
    )
    for word in ("against coarse", "fine", "averaged", "< 0.0001", "another training"):
        assert word in printed
    for name in ("comparison.md", "table.md", "table.csv", "table.tex"):
        assert "fine" in (tmp_path / "o" / name).read_text(encoding="utf-8")


def test_the_same_results_twice_differ_in_nothing(tools, two, tmp_path):
    options = ("--gt", TEST, two[0], two[0], "--out", tmp_path, "--bootstrap", 5)
    assert tools["compare"](*options, "--levels", "averaged,hard") == 0
    found = json.loads((tmp_path / "comparison.json").read_text(encoding="utf-8"))
    assert list(found["levels"]) == ["hard", "averaged"]
    for (entry,) in found["levels"].values():
        assert entry["carts"]["p"] == {"cAcc": 1, "ACD": 1}
        assert entry["differences"]["mCIoU"] == {"value": 0, "interval": [0, 0]}


def test_results_of_other_supervision_need_the_option_mix(tools, two, scored, tmp_path, capsys):
    other = scored("labelled", 30, "--supervision", "V")
    options = ("--gt", TEST, *two, other, "--out", tmp_path / "o", "--bootstrap", 5)
    with pytest.raises(DataError, match="supervision: coarse has 'E', labelled has 'V'"):
        tools["compare"](*options)
    assert not (tmp_path / "o").exists()
    assert tools["compare"](*options, "--mix") == 0
    assert "(Holm)" in capsys.readouterr().out
    assert "not comparable" in (tmp_path / "o" / "table.md").read_text(encoding="utf-8")


def test_results_of_the_official_protocol_share_a_table_only_when_told(
    tools, two, tmp_path, capsys
):
    folder = tmp_path / "official"
    tools["eval"](
        "--gt", TEST, "--results", two[1] / "results.json", "--out", folder, "--no-map",
        "--protocol", "rpctool", "--method", "old", "--worst-carts", 0,
    )  # fmt: skip
    options = ("--gt", TEST, two[0], folder, "--out", tmp_path / "o", "--bootstrap", 5)
    with pytest.raises(DataError, match="protocol: coarse has 'honest', old has 'rpctool'"):
        tools["compare"](*options)
    assert tools["compare"](*options, "--mix") == 0
    assert "note: old was scored by the protocol rpctool" in capsys.readouterr().out


def test_results_on_another_ground_truth_are_refused_also_when_mixed(tools, two, scored, tmp_path):
    other = scored("val", 3, gt=VAL)
    for more in ((), ("--mix",)):
        with pytest.raises(DataError, match="was scored on another ground truth than"):
            tools["compare"]("--gt", TEST, two[0], other, "--out", tmp_path / "o", *more)
    with pytest.raises(DataError, match="was scored on another ground truth than"):
        tools["compare"]("--gt", VAL, *two, "--out", tmp_path / "o")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--levels", "easy,heavy"], "got 'heavy'"),
        (["--bootstrap", "0"], "expected one resample or more, got 0"),
        (["--seed", "-1"], "--seed -1: expected 0 to 4294967295"),
    ],
)
def test_options_that_make_no_sense_are_refused(tools, two, tmp_path, options, message):
    with pytest.raises(ValueError, match=message):
        tools["compare"]("--gt", TEST, *two, "--out", tmp_path / "o", *options)
    assert not (tmp_path / "o").exists()


def test_bad_input_is_one_line_and_exit_code_two(two, tmp_path):
    command = [sys.executable, ROOT / "tools" / "compare_aco.py", "--gt", TEST, two[0]]
    command += [tmp_path / "gone", "--out", tmp_path / "o"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if "error:" in line]
    assert "gone/report.json: cannot be read" in line
    assert "Traceback" not in done.stderr
