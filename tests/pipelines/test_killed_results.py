"""Results of several files, killed at every file operation: the old one or the new one, whole."""

import json
import re
import shutil

import pytest

from rpc.data.dataset import read_dataset
from rpc.data.files import DataError
from rpc.pipelines import evaluation
from rpc.pipelines.evaluation import EvaluationRequest, evaluate_results
from rpc.reporting import compare_results, read_report_folder, write_comparison
from rpc.reporting.evaluation.report_folder import read_folder_counts
from rpc.runs.folder_lock import writing_folder
from tests.cli.small_shop import BOX, make_shop
from tests.killed_at import killed_at


def files_of(folder):
    """Names and bytes; hidden files, which no reader sees, are left out."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in found
        if not path.name.startswith(".")
    }


def without_dates(files):
    """The bytes of a result but for what two runs of the same command differ in."""
    drop = re.compile(rb'"(date|argv|durations|timings)": [^\n]*|\d{4}-\d\d-\d\dT[^"<`\s]*')
    return {name: drop.sub(b"", data) for name, data in files.items()}


@pytest.fixture
def request_of(tmp_path):
    """An evaluation of the shop's test split with one result or another, into a folder."""
    store = make_shop(tmp_path / "shop") / "store"
    wrong = [{"image_id": 2, "category_id": 1, "bbox": BOX, "score": 0.9}]
    (store / "other.json").write_text(json.dumps(wrong))

    def make(out, results):
        return EvaluationRequest(
            store / "instances_test.json", store / results, out, threshold=0.5, map=False,
            bootstrap=0, method="m",
        )  # fmt: skip

    return make


@pytest.mark.parametrize("step", [5, pytest.param(1, marks=pytest.mark.slow)])
def test_a_killed_evaluation_leaves_the_old_report_or_the_new_one(
    request_of, tmp_path, monkeypatch, step
):
    old, new = tmp_path / "old", tmp_path / "new"
    evaluate_results(request_of(old, "results.json"))
    scored = []
    real = evaluation.evaluate
    monkeypatch.setattr(
        evaluation, "evaluate", lambda *a, **k: scored.append(real(*a, **k)) or scored[0]
    )
    evaluate_results(request_of(new, "other.json"))
    monkeypatch.setattr(evaluation, "evaluate", lambda *_, **__: scored[0])  # once is enough
    truth = read_dataset(request_of(old, "results.json").gt)
    wanted = [without_dates(files_of(old)), without_dates(files_of(new))]
    assert wanted[0].keys() != wanted[1].keys()  # other carts are drawn
    found, last, died = [], 0, True
    while died:
        last += step
        folder = tmp_path / f"try_{last}"
        shutil.copytree(old, folder)
        died = killed_at(
            folder, last, lambda at=folder: evaluate_results(request_of(at, "other.json"))
        )
        read_folder_counts(read_report_folder(folder), truth)  # a reader puts it in order
        files = without_dates(files_of(folder))
        state = next((n for n, whole in enumerate(wanted) if whole.items() <= files.items()), None)
        assert state is not None, f"neither of them after operation {last}: {sorted(files)}"
        page = files["report.html"].decode()
        named = re.findall(r'src="(worst_carts/[^"]+)"', page)
        assert named
        assert all((folder / name).is_file() for name in named)
        if not died:
            assert state == 1
            assert files == wanted[1]
        with writing_folder(folder):
            pass
        assert not list(folder.rglob(".*.part*"))
        found.append(state)
        shutil.rmtree(folder)
    assert found == sorted(found)
    assert last > 20
    assert set(found) == {0, 1}


def test_a_killed_comparison_leaves_the_old_tables_or_the_new_ones(request_of, tmp_path):
    for name, results in (("a", "results.json"), ("b", "other.json")):
        evaluate_results(request_of(tmp_path / name, results))
    truth = read_dataset(request_of(tmp_path, "results.json").gt)
    a, b = (read_report_folder(tmp_path / name) for name in "ab")

    compared = {
        one.path.name: compare_results([one, two], truth, resamples=10)
        for one, two in ((a, b), (b, a))
    }

    def write(out, folders):
        with writing_folder(out):
            write_comparison(out, compared[folders[0].path.name], folders)

    wholes = []
    for name, folders in (("old", [a, b]), ("new", [b, a])):
        write(tmp_path / name, folders)
        wholes.append(files_of(tmp_path / name))
    found, last, died = [], 0, True
    while died:
        last += 1
        folder = tmp_path / f"try_{last}"
        shutil.copytree(tmp_path / "old", folder)
        died = killed_at(folder, last, lambda at=folder: write(at, [b, a]))
        with writing_folder(folder):
            pass
        found.append(wholes.index(files_of(folder)))
    assert found == sorted(found)
    assert set(found) == {0, 1}


@pytest.mark.parametrize("name", ["gt", "results"])
@pytest.mark.parametrize("in_place", [True, False])
def test_a_file_that_changes_while_it_is_scored_is_told_and_nothing_is_written(
    request_of, tmp_path, monkeypatch, name, in_place
):
    request = request_of(tmp_path / "out", "results.json")
    path, real = getattr(request, name), evaluation.evaluate

    def replaced(*args, **kwargs):
        scored = real(*args, **kwargs)
        text = path.read_text()
        if not in_place:
            path.unlink()
        path.write_text(text + " ")
        return scored

    monkeypatch.setattr(evaluation, "evaluate", replaced)
    with pytest.raises(DataError, match=f"{path}: was changed while it was read; run again"):
        evaluate_results(request)
    assert not (tmp_path / "out").exists()
