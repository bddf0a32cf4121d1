"""Every verb that writes, where another one writes, where a kill left files, where none may write.

All of it is told before the work: the inputs here are good enough to begin with, and no more.
"""

import errno
import importlib
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rpc.detection import runtime
from rpc.runs.folder_lock import LOCK, writing_folder
from tests.cli.small_shop import CONFIG, ROOT, VERB

ORPHANS = (".0123456789abcdef.part.jpg", "room/.0123456789abcdef.part.pth")
RENDER, RECOGNITION = ROOT / "configs" / "render", ROOT / "configs" / "recognition"


def lines(shop):
    """How a verb that writes a folder is called; OUT stands for the folder."""
    store, results = shop / "store", shop / "store" / "results.json"
    truth, model = store / "instances_test.json", shop / "model.pth"
    return {
        "colocalise": ("--photos", shop / "photos" / "tea", "--out", "OUT"),
        "compare_aco": (shop / "a", shop / "b", "--gt", truth, "--out", "OUT"),
        "compose_scenes": (shop / "cutouts", "OUT", "--count", 1),
        "eval_aco": ("--gt", truth, "--results", results, "--out", "OUT", "--threshold", 0.5),
        "eval_retrieval": ("--data", store, "--out", "OUT"),
        "fuse_recogniser": (
            model, "--recogniser", model, "--data", store, "--out", "OUT",
        ),
        "gallery": ("add", "OUT", "tea", shop / "photos" / "tea" / "1.png", "--whole"),
        "held_out": ("--data", store, "--without", "tea", "--out", "OUT"),
        "import_folder": (shop / "photos", "OUT"),
        "make_cutouts": ("--data", store, "--out", "OUT"),
        "make_folds": ("--data", store, "--out", "OUT"),
        "make_start": ("detector", "--out", "OUT"),
        "name_crops": ("--data", store, "--out", "OUT"),
        "quickstart": ("--data", store, "--out", "OUT"),
        "recognition_table": (
            "--data", f"shop={store}", "--systems", "baseline", "--out", "OUT",
        ),
        "render_scenes": (shop / "scenes", "OUT", "--renderer", model),
        "scene_quality": ("--data", store, "--scenes", f"syn={shop / 'scenes'}", "--out", "OUT"),
        "table3": ("--data", store, "--out", "OUT"),
        "train": (CONFIG, "--data", store, "--work-dir", "OUT"),
        "train_recognition": (
            RECOGNITION / "baseline.py", "--data", store, "--out", "OUT", "--iterations", 1,
        ),
        "train_render": (
            RENDER / "classical.py", "--scenes", shop / "scenes", "--data", store, "--out", "OUT",
        ),
    }  # fmt: skip


FOLDERS = sorted(lines(Path()))
FILES = {
    "check_data": lambda shop, out: (shop / "store", "--json", out),
    "detect": lambda shop, out: (
        shop / "model.pth", "--photos", shop / "store" / "test", "--out", out,
    ),
    "make_descriptor": lambda _, out: ("--out", out),
}  # fmt: skip


@pytest.fixture
def told(shop, monkeypatch, capsys):
    """Call a verb that must refuse in one line, which is returned."""
    runtime.setup()  # pytest restores the warning filters for every test
    monkeypatch.delenv("RPC_TRACEBACK", raising=False)

    def run(tool, words):
        monkeypatch.setattr("sys.argv", [f"{tool}.py", *map(str, words)])
        main = importlib.import_module(VERB[tool]).main
        with pytest.raises(SystemExit) as left:
            importlib.import_module("rpc.cli.leave").run(main)
        out, stderr = capsys.readouterr()
        assert left.value.code == 2, stderr
        assert out.count("\n") <= 1  # no work has begun
        return stderr

    return run


def called(shop, tool, out):
    return [out if word == "OUT" else word for word in lines(shop)[tool]]


@pytest.mark.parametrize("tool", FOLDERS)
def test_a_second_process_is_told_before_the_work(shop, told, tool):
    out = shop / "mine"
    (out / "room").mkdir(parents=True)
    with ThreadPoolExecutor(1) as other:
        held = writing_folder(out)
        other.submit(held.__enter__).result()
        for name in ORPHANS:  # of the one that writes
            (out / name).write_bytes(b"half")
        stderr = told(tool, called(shop, tool, out))
        other.submit(held.__exit__, None, None, None).result()
    assert f"{out}: another process (PID {os.getpid()}, " in stderr
    assert stderr.endswith("is writing here; wait for it or choose another folder\n")
    assert {path.name for path in out.iterdir()} == {LOCK, "room", ORPHANS[0]}


@pytest.mark.parametrize("tool", FOLDERS)
def test_what_a_kill_left_is_removed_at_the_next_start(shop, told, tool, monkeypatch):
    out = shop / "mine"
    (out / "room").mkdir(parents=True)
    kept = ("a.part.jpg", ".hidden.jpg", "room/0123456789abcdef.part.jpg")
    for name in (*ORPHANS, *kept):
        (out / name).write_bytes(b"half")
    stop = "rpc.runs.folder_lock._remove_parts"
    remove = importlib.import_module("rpc.runs.folder_lock")._remove_parts

    def and_no_further(*args, **kwargs):
        remove(*args, **kwargs)
        raise ValueError("no further")

    monkeypatch.setattr(stop, and_no_further)
    assert "no further" in told(tool, called(shop, tool, out))
    assert not [name for name in ORPHANS if (out / name).exists()]
    assert not [name for name in kept if not (out / name).exists()]


def refuse(*_, **__):
    raise OSError(errno.EROFS, os.strerror(errno.EROFS))


@pytest.mark.parametrize("tool", FOLDERS)
def test_a_folder_that_cannot_be_written_is_told_before_the_work(shop, told, tool, monkeypatch):
    out = shop / "mine"
    out.mkdir()
    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    stderr = told(tool, called(shop, tool, out))
    assert f"{out}: cannot be written: Read-only file system; allow this account" in stderr
    assert list(out.iterdir()) == []


@pytest.mark.parametrize("tool", FOLDERS)
def test_an_output_folder_that_is_a_file_is_told_before_the_work(shop, told, tool):
    out = shop / "mine"
    out.write_bytes(b"precious")
    stderr = told(tool, called(shop, tool, out))
    assert f"{out}: is a file; expected a folder to write into, or a new name" in stderr
    assert out.read_bytes() == b"precious"


@pytest.mark.parametrize("tool", FILES)
def test_a_file_that_cannot_be_written_is_told_before_the_work(shop, told, tool, monkeypatch):
    stderr = told(tool, FILES[tool](shop, shop / "photos"))
    assert f"{shop / 'photos'}: is a folder; expected the name of a file" in stderr
    stderr = told(tool, FILES[tool](shop, shop / "store" / "results.json" / "x.json"))
    assert f"{shop / 'store' / 'results.json'}: is a file; expected a folder" in stderr
    monkeypatch.setattr(Path, "write_bytes", refuse)
    stderr = told(tool, FILES[tool](shop, shop / "new" / "x.json"))
    assert f"{shop / 'new' / 'x.json'}: cannot be written: Read-only file system" in stderr
    assert not (shop / "new").exists()
