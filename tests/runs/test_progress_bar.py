import importlib

import pytest


@pytest.fixture
def baking(monkeypatch):
    """A bar of a log file, and the clock that it looks at."""
    module = importlib.import_module("rpc.runs.progress")
    now = [0.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return module.bar("baking"), now


def test_a_log_gets_a_line_now_and_then_with_the_time_left(capsys, baking):
    bar, now = baking
    with bar as progress:
        for done in range(1, 11):
            now[0] += 20
            progress(done, 10, f"batch {done}")
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "baking  2/10  2:40 left  batch 2"
    assert lines[-1] == "baking  10/10  0:00 left  batch 10"
    assert len(lines) == 5


def test_a_log_gets_no_line_for_a_quick_step(capsys, baking):
    bar, now = baking
    with bar as progress:
        for done in range(1, 4):
            now[0] += 5
            progress(done, 3)
    assert capsys.readouterr().err == ""
