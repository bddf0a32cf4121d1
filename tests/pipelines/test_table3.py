"""The table of methods and seeds: cells in order, the file's shape, what is refused."""

import importlib
import json

import pytest

from rpc.data.files import DataError
from rpc.detection import runtime
from rpc.pipelines.store_job.job import Job
from rpc.pipelines.table3 import Table3Request, make_table3
from tests.cli.small_shop import make_store

LEVELS = ("easy", "averaged")
CACC = {"Single": 0.0, "Syn": 0.5, "Render": 0.6, "Syn+Render": 0.55}


def a_report(job):
    """A report as a cell writes it: later seeds are a tenth better."""
    value = CACC[job.method] + 0.1 * job.seed
    row = {"cAcc": value, "ACD": 1.0, "mCCD": 0.1, "mCIoU": 0.9, "mAP50": 0.9, "mmAP": None}
    return {
        "protocol": "honest",
        "supervision": "E",
        "method": job.method,
        "levels": dict.fromkeys(LEVELS, row),
        "timings": {"detector": 120.0, "recogniser": 240.0},
        "manifest": {
            "threshold": {"value": 0.5, "chosen_on": "val"},
            "code": {"commit": "0123456789abcdef"},
            "machine": {"cpu": "a processor"},
            "data": {"name": "store"},
        },
    }


@pytest.fixture(autouse=True)
def quiet():
    runtime.setup()  # pytest restores the warning filters for every test


@pytest.fixture
def request_of(tmp_path):
    """A request on a small store."""

    def made(**settings):
        return Table3Request(make_store(tmp_path / "store"), tmp_path / "out", **settings)

    return made


@pytest.fixture
def cells(monkeypatch):
    """Cells that are written at once, in the order in which they were asked for."""
    made = []
    table3 = importlib.import_module("rpc.pipelines.table3")

    def run_job(job, *, report_again):
        assert not report_again  # a cell that is done is not measured again
        made.append((job.seed, job.method, job.prepared))
        job.out.mkdir(parents=True, exist_ok=True)
        path = job.out / "report.json"
        path.write_text(json.dumps(a_report(job)))
        return path

    monkeypatch.setattr(table3, "run_job", run_job)
    monkeypatch.setattr(table3, "prepare_scenes", lambda job: made.append((job.seed, "scenes")))
    return made


@pytest.fixture
def run(request_of):
    """Make the table of a small store; what it holds."""

    def call(**settings):
        path = make_table3(request_of(**settings))
        return json.loads(path.with_suffix(".json").read_text())

    return call


def test_every_method_and_seed_has_a_cell_and_all_but_single_share_a_seeds_scenes(
    tmp_path, cells, run
):
    table = run(seeds=2)
    trained = [cell for cell in cells if cell[1] != "scenes"]
    assert [cell[:2] for cell in trained] == [(s, m) for s in (0, 1) for m in CACC]
    for seed, method, prepared in trained:
        shared = tmp_path / "out" / f"seed{seed}" / "scenes"
        assert prepared == (None if method == "Single" else shared)
    assert set(table["rows"]) == set(CACC)
    assert table["settings"]["seeds"] == dict.fromkeys(CACC, 2)


def test_the_file_holds_mean_and_spread_by_method_level_and_metric(cells, run):
    rows = run(seeds=2)["rows"]
    cell = rows["Syn"]["averaged"]["cAcc"]
    assert cell["mean"] == pytest.approx(0.55)
    assert cell["std"] == pytest.approx(0.1 / 2**0.5)
    assert rows["Syn"]["easy"]["mmAP"]["mean"] is None
    assert set(rows["Single"]) == set(LEVELS)


def test_the_text_says_whether_the_papers_order_holds(tmp_path, cells, run):
    order = run(seeds=1)["order"]
    assert [step["rises"] for step in order] == [True, True, False]
    printed = (tmp_path / "out" / "table3.md").read_text()
    assert "Syn to Render: averaged cAcc rises (+10.0 points)" in printed
    assert "Render to Syn+Render: averaged cAcc does not rise (-5.0 points)" in printed


def test_single_alone_needs_no_scenes(cells, run):
    run(methods=("Single",), seeds=1)
    assert cells == [(0, "Single", None)]


def test_no_seed_is_refused(cells, run):
    with pytest.raises(DataError, match="--seeds"):
        run(seeds=0)
    assert cells == []


def test_a_store_without_val_is_refused_before_any_work(request_of):
    request = request_of(methods=("Single",))
    (request.data / "instances_val.json").unlink()
    with pytest.raises(DataError, match=r"instances_val\.json"):
        make_table3(request)
    assert not request.out.exists()


def test_a_cell_is_the_job_of_the_quickstart_but_for_what_the_table_compares(request_of):
    request = request_of()
    job = request.job(1, "Syn", request.out)
    updates = {"detector_updates": request.iterations, "recogniser_updates": 440}
    alone = {"words": False, "pictures": False}
    asked = Job(request.data, request.out, seed=1, scenes=2000, **alone, **updates)
    assert not job.streams  # the same scenes for every method
    assert job == asked
