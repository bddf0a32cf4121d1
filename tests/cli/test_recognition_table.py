"""The table of recognition systems: what is done stays; means and leads are those of the runs."""

import importlib
import json
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from rpc.data.files import DataError, write_json

ACCURACIES = {"baseline": (0.70, 0.74, 0.72), "isqrt": (0.75, 0.79, 0.77)}


@pytest.fixture
def table():
    return importlib.import_module("rpc.cli.recognition_table")


@pytest.fixture
def running(monkeypatch):
    """The module that runs the cells, on a data set of photos with boxes that is never read."""
    module = importlib.import_module("rpc.pipelines.recognition.table")
    data = SimpleNamespace(known=frozenset({"boxes"}), name="shop")
    monkeypatch.setattr(module, "open_class_set", lambda root, scenes: data)
    return module


@pytest.fixture
def trainings(running, monkeypatch):
    """Trainings that are not run: each writes the figures it was meant to reach."""
    lines, threads = [], []

    def pretend(commands, line, environment):
        lines.append(line)
        threads.append(environment.get("OMP_NUM_THREADS"))
        system, seed = Path(line[len(running.TRAIN)]).stem, int(line[line.index("--seed") + 1])
        if system == "nac":
            return subprocess.CompletedProcess(line, 1, stderr="Traceback\nMemoryError")
        out = Path(line[line.index("--out") + 1])
        out.mkdir(parents=True)
        families = [{"photos": 50, "within": 10 - seed}, {"photos": 50, "within": 2}]
        write_json(out / "confusions.json", {"test": {"families": families}})
        right = ACCURACIES[system][seed]
        budget = {
            name: float(line[line.index(flag) + 1]) if flag in line else None
            for name, flag in (("cpu_minutes", "--cpu-minutes"), ("iterations", "--iterations"))
        }
        result = {
            "accuracy": {"test": {"top1": right}, "val": {"top1": right + 0.1}},
            "training": {"cpu_seconds": 60.0 + seed, "batches": 100, "device": "cpu"},
            "parameters": 3_400_000,
            "config": {"values": {"system": {"side": 160}, "training": budget}},
            "data": {"train": 90, "val": 10, "test": 100},
            "protocol": "learned from crops",
            "manifest": {
                "code": {"commit": f"abc{seed}"},
                "machine": {"cpu": "slow one"},
                "versions": {"torch": "2.9"},
            },
        }
        write_json(out / "result.json", result)  # whole: other cells read it meanwhile
        return subprocess.CompletedProcess(line, 0, stderr="")

    monkeypatch.setattr(running.Commands, "run", pretend)
    running.threads_seen = threads
    return lines


def asked(out, *systems, seeds=3):
    return [
        "--data",
        "shop=photos",
        "--out",
        str(out),
        "--systems",
        *systems,
        "--seeds",
        str(seeds),
    ]


def test_means_spread_and_lead_are_those_of_the_runs(table, trainings, tmp_path):
    assert table.main(asked(tmp_path, "baseline", "isqrt")) == 0
    row = json.loads((tmp_path / "recognition.json").read_text())["systems"]["isqrt"]["shop"]
    assert row["mean"] == pytest.approx(0.77)
    assert row["std"] == pytest.approx(0.02)
    assert row["cpu_seconds"] == 61.0
    assert row["commits"] == ["abc0", "abc1", "abc2"]
    assert (row["machines"], row["torch"]) == (["slow one"], ["2.9"])
    assert row["within_families"] == pytest.approx((12 + 11 + 10) / 300)
    text = (tmp_path / "recognition.md").read_text()
    assert "| isqrt | 88.1 | 77.0 ± 2.0 | 3 | +5.0 | 61 | 11.0 % | 3.40 |" in text


def test_a_cell_that_is_done_is_not_run_again(table, trainings, tmp_path):
    table.main(asked(tmp_path, "baseline", seeds=1))
    before = len(trainings)
    table.main(asked(tmp_path, "baseline", seeds=2))
    assert len(trainings) - before == 1


def test_a_cell_of_another_budget_is_not_mixed_in(table, trainings, tmp_path):
    table.main(asked(tmp_path, "baseline", seeds=1))
    with pytest.raises(DataError, match=r"cpu_minutes: 3\.0 then, 5\.0 now"):
        table.main([*asked(tmp_path, "baseline", seeds=1), "--cpu-minutes", "5"])
    with pytest.raises(DataError, match=r"3\.0 then, None now; iterations: None then, 2000"):
        table.main([*asked(tmp_path, "baseline", seeds=1), "--iterations", "2000"])


def test_figures_of_a_given_checkpoint_are_no_cell(table, trainings, tmp_path):
    table.main(asked(tmp_path, "baseline", seeds=1))
    path = tmp_path / "shop/baseline/seed0/result.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "training": None}))
    with pytest.raises(DataError, match="a model that was trained elsewhere"):
        table.main(asked(tmp_path, "baseline", seeds=1))


def test_a_budget_in_batches_is_handed_on_and_said(table, trainings, tmp_path):
    line = [*asked(tmp_path, "baseline", seeds=1), "--iterations", "2000"]
    table.main(line)
    assert trainings[0][trainings[0].index("--iterations") + 1] == "2000"
    assert "--cpu-minutes" not in trainings[0]
    table.main(line)
    assert len(trainings) == 1
    result = json.loads((tmp_path / "recognition.json").read_text())
    assert (result["cpu_minutes"], result["iterations"]) == (None, 2000)
    assert result["systems"]["baseline"]["shop"]["devices"] == ["cpu"]
    assert "2,000 batches for all gradient phases" in (tmp_path / "recognition.md").read_text()


@pytest.mark.parametrize(("more", "device"), [([], "auto"), (["--device", "cpu"], "cpu")])
def test_the_device_is_handed_on_to_every_cell(table, trainings, tmp_path, more, device):
    table.main([*asked(tmp_path, "baseline", seeds=2), *more])
    assert [line[line.index("--device") + 1] for line in trainings] == [device, device]


def test_cells_side_by_side_give_the_same_table_and_share_the_cores(
    table, running, trainings, tmp_path, monkeypatch
):
    monkeypatch.setattr(running.os, "cpu_count", lambda: 8)
    table.main(asked(tmp_path / "one", "baseline", "isqrt", "part_rcnn"))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before = len(running.threads_seen)
    table.main([*asked(tmp_path / "more", "baseline", "isqrt", "part_rcnn"), "--jobs", "3"])
    one, more = (
        json.loads((tmp_path / name / "recognition.json").read_text()) for name in ("one", "more")
    )
    assert more["systems"] == one["systems"]
    assert more["not_run"] == one["not_run"]
    assert set(running.threads_seen[before:]) == {"2"}


def test_a_system_that_wants_what_the_data_lack_is_named_and_not_run(table, trainings, tmp_path):
    table.main(asked(tmp_path, "part_rcnn", "baseline"))
    assert len(trainings) == 3  # of the baseline
    assert not any("part_rcnn" in " ".join(line) for line in trainings)
    text = (tmp_path / "recognition.md").read_text()
    assert "| part_rcnn | 73.9 | not run |" in text
    assert "has no key points" in text


def test_a_data_set_that_is_missing_is_told_before_any_training(table, tmp_path):
    with pytest.raises(DataError, match="photos"):
        table.main(asked(tmp_path, "baseline"))
    assert not (tmp_path / "recognition.json").exists()


def test_a_training_that_fails_stops_the_table_with_its_last_line(table, trainings, tmp_path):
    with pytest.raises(DataError, match="shop / nac / seed 0: MemoryError"):
        table.main(asked(tmp_path, "baseline", "nac"))
    assert (tmp_path / "recognition.json").is_file()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (["--data", "photos"], "NAME=FOLDER"),
        (["--data", "shop=photos", "--scenes", "other=x"], "no --data of this name"),
        (["--data", "shop=photos", "--systems", "resnet"], "expected some of"),
        (["--data", "shop=photos", "--jobs", "0"], "--jobs 0: expected 1 to 4096"),
        (["--data", "shop=photos", "shop=others"], "a name is there twice"),
    ],
)
def test_wrong_lines_are_told(table, line, told, tmp_path):
    with pytest.raises(DataError, match=told):
        table.main([*line, "--out", str(tmp_path)])
