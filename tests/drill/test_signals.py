"""Real processes are sent real signals: one line, exit code 130, and nothing half-written or left.

The slow tests strike every job at three moments drawn by chance, and run it to its end afterwards;
`make drill` does so at twenty.
"""

import signal

import pytest

from tests.drill.jobs import jobs, make_inputs
from tests.drill.strikes import AtLine, AtWorker, broken_off, strike
from tests.drill.sweep import sweep

JOBS = (
    "cut-outs", "compose", "detector", "recogniser", "recognition", "renderer", "render",
    "evaluate", "import", "gallery add", "naming", "quickstart",
)  # fmt: skip


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    return make_inputs(tmp_path_factory.mktemp("inputs"))


def test_every_job_is_swept(inputs):
    assert set(jobs(inputs)) == set(JOBS)


def test_ctrl_c_while_workers_start_is_one_line(inputs, tmp_path):
    job, out = jobs(inputs)["cut-outs"], tmp_path / "out"
    moment = AtWorker(3)  # two of them, and the one that watches semaphores
    struck = strike(job.line(out), tmp_path / "notes", moment, signal.SIGINT)
    assert struck.struck
    assert struck.code == 130
    assert struck.stderr == "stopped; run the same command again to go on\n"
    assert not struck.left
    assert not broken_off(out)


def test_a_sigterm_to_the_group_saves_the_detector(inputs, tmp_path):
    job, out = jobs(inputs)["detector"], tmp_path / "out"
    line = [word.replace("max_iters=12", "max_iters=500") for word in job.line(out)]
    struck = strike(line, tmp_path / "notes", AtLine("training", 0.5), signal.SIGTERM)
    assert struck.struck
    assert struck.faults() == []
    assert struck.code == 130
    assert struck.stderr.endswith("stopped; the same command with --resume goes on from here\n")
    assert (out / "last.pth").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", JOBS)
def test_a_job_struck_at_any_moment_goes_on(inputs, tmp_path, name):
    signals = ("SIGINT", "SIGTERM", "SIGKILL")
    points = list(sweep(jobs(inputs)[name], tmp_path, points=3, seed=1, signals=signals))
    assert len(points) == 3
    assert [(point.signal, point.seconds, *point.faults) for point in points if point.faults] == []
