import importlib
import sys
from types import SimpleNamespace

import pytest

from rpc.detection import runtime
from rpc.pipelines import doctor
from rpc.pipelines.doctor import broken_imports, counted_tray, examine, missing_extras


@pytest.fixture(autouse=True)
def _quiet():
    runtime.setup()  # pytest restores the warning filters for every test


def test_a_sound_installation_counts_what_is_on_the_tray():
    found = examine("cpu")
    assert (found.usable, found.problems) == (True, [])
    assert found.counter["counts"] == found.counter["expected"] != {}
    assert found.counter["load_seconds"] > 0
    assert found.counter["photo_seconds"] > 0
    assert found.counter["device"] == "cpu"
    assert not any(found.extras.values())
    assert {"rpc-checkout", "python", "torch", "mmdet", "timm"} <= set(found.versions)


def test_a_library_that_is_not_there_is_named_and_nothing_else_is_tried(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    found = examine("cpu")
    assert not found.usable
    assert found.problems[0].startswith("timm: cannot be imported: ")
    assert found.counter == {}


def test_opencv_without_a_screens_libraries_is_told_the_remedy(monkeypatch):
    def fail(name):
        raise ImportError("libGL.so.1: cannot open shared object file")

    monkeypatch.setattr(importlib, "import_module", fail)
    (line,) = broken_imports(("cv2",))
    assert line.startswith("cv2: ")
    assert line.endswith("--no-deps opencv-python-headless")


def test_an_extra_that_is_not_there_is_no_problem_but_told(monkeypatch):
    monkeypatch.setattr(doctor, "find_spec", lambda name: None if name == "faiss" else name)
    lacking = missing_extras()
    assert lacking.pop("gallery") == ["faiss"]
    assert not any(lacking.values())


def test_another_list_than_the_trays_is_a_problem(monkeypatch):
    receipt = SimpleNamespace(counts={"soap": 3})
    counter = type("Counter", (), {"device": "cpu", "__call__": lambda self, photo: receipt})()
    monkeypatch.setattr("rpc.checkout.loading.load", lambda **given: counter)
    found, (line,) = counted_tray("cpu")
    assert found["counts"] == {"soap": 3}
    assert "expected" in line
    assert "got {'soap': 3}" in line


def test_a_device_that_is_not_there_is_a_problem():
    found, (line,) = counted_tray("cuda:99")
    assert found == {}
    assert line.startswith("counting: device cuda:99")
