import errno
import json
import os
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rpc.data.files import DataError, write_json
from rpc.runs import folder_lock
from rpc.runs.folder_lock import (
    HOLDER,
    LOCK,
    prepare_files,
    settle,
    writes_files,
    writes_into,
    writing_folder,
)

ORPHAN = ".0123456789abcdef.part.jpg"
HOLD = """
import sys, time
from rpc.runs.folder_lock import writing_folder
with writing_folder(sys.argv[1]):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that writes into `out`."""
    out = tmp_path / "out"
    line = [sys.executable, "-c", HOLD, str(out)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout.read(4) == b"held"
        yield out, process
        process.kill()


def test_a_second_process_is_told_who_is_writing_and_a_dead_one_holds_nothing(holder, monkeypatch):
    out, process = holder
    monkeypatch.setattr(folder_lock, "PATIENCE", 0.05)
    told = rf"out: another process \(PID {process.pid}, `-c`, since .*\) is writing here; wait for"
    with pytest.raises(DataError, match=told), writing_folder(out):
        pass
    settle(out)  # nothing to finish: the earlier result is whole
    write_json(out / ".0123456789abcdef.renames.json", {"renames": []})
    with pytest.raises(DataError, match=told):
        settle(out)
    process.kill()
    process.wait()
    (out / ORPHAN).write_bytes(b"half")
    settle(out)
    assert not list(out.glob(".*.renames.json"))
    with writing_folder(out):
        assert json.loads((out / HOLDER).read_text())["process"] == os.getpid()
        assert not (out / ORPHAN).exists()
    assert {path.name for path in out.iterdir()} == {LOCK}


def test_the_steps_of_a_job_enter_its_folder_again_and_other_threads_do_not(tmp_path):
    with writing_folder(tmp_path):
        with writing_folder(tmp_path / "." / "sub" / ".."):
            pass
        with ThreadPoolExecutor(1) as other, pytest.raises(DataError, match=f"PID {os.getpid()}"):
            other.submit(writing_folder(tmp_path).__enter__).result()
        assert (tmp_path / HOLDER).is_file()


def test_a_folder_that_another_process_writes_into_keeps_its_parts(holder):
    out, _ = holder
    (out / ORPHAN).write_bytes(b"half")
    other = out.parent / "other"
    other.mkdir()
    (other / ORPHAN).write_bytes(b"half")
    with writing_folder(out.parent):
        assert (out / ORPHAN).is_file()
        assert not (other / ORPHAN).exists()


@pytest.mark.parametrize("deep", [False, True])
def test_parts_are_removed_in_the_folders_of_a_job_and_never_behind_a_link(tmp_path, deep):
    victim, out = tmp_path / "victim", tmp_path / "out"
    places = [out, out / "a", out / "a" / "b", out / "a" / "b" / "c"]
    for place in (victim, places[-1]):
        place.mkdir(parents=True)
    (out / "a" / "link").symlink_to(victim)
    for place in (victim, *places):
        (place / ORPHAN).write_bytes(b"half")
    with writing_folder(out, deep=deep):
        left = [place for place in places if (place / ORPHAN).exists()]
        assert left == ([] if deep else places[-1:])
    assert (victim / ORPHAN).is_file()


def test_a_job_that_fails_at_once_leaves_no_folder(tmp_path):
    @writes_into(lambda out, **_: out)
    def job(out, *, name=""):
        if name:
            write_json(out / name, {})
        raise DataError("wrong input")

    with pytest.raises(DataError, match="wrong input"):
        job(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()
    with pytest.raises(DataError, match="wrong input"):
        job(tmp_path / "a" / "b", name="kept.json")
    assert [path.name for path in (tmp_path / "a" / "b").iterdir()] == ["kept.json"]


def test_what_is_no_folder_is_told(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for out, told in (("file", "file: is a file"), ("file/sub", "file: is a file"),
                      ("link/sub", "link: is a link that leads nowhere")):  # fmt: skip
        with (
            pytest.raises(DataError, match=f"{told}; expected a folder"),
            writing_folder(tmp_path / out),
        ):
            pass
    with pytest.raises(DataError, match="is a folder; expected the name of a file"):
        prepare_files(tmp_path)


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EROFS, "Read-only file system; allow this account to write there or choose another"),
        (errno.EACCES, "Permission denied; allow this account to write there or choose another"),
        (errno.ENOSPC, "No space left on device; make room or choose another folder"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    tmp_path, monkeypatch, number, told
):
    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "write_text", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)
    with (
        pytest.raises(DataError, match=f"out: cannot be written: {told}"),
        writing_folder(tmp_path / "out"),
    ):
        pytest.fail("the work began")
    with pytest.raises(DataError, match=f"a.json: cannot be written: {told}"):
        prepare_files(tmp_path / "out" / "a.json")
    assert not (tmp_path / "out").exists()


def test_a_file_system_without_locks_has_them_among_temporary_files(tmp_path, monkeypatch):
    real, out = folder_lock.FileLock, tmp_path / "out"

    class NoLocks(real):
        def acquire(self, *args, **kwargs):
            if Path(self.lock_file).parent == out:
                raise OSError(errno.ENOLCK, "No locks available")
            return super().acquire(*args, **kwargs)

    monkeypatch.setattr(folder_lock, "FileLock", NoLocks)
    monkeypatch.setattr(folder_lock.tempfile, "gettempdir", lambda: str(tmp_path))
    with writing_folder(out), ThreadPoolExecutor(1) as other:
        second = other.submit(writing_folder(out).__enter__)
        with pytest.raises(DataError, match=f"out: another process .PID {os.getpid()}"):
            second.result()
    with writing_folder(out):
        pass


def test_who_holds_a_folder_is_told_without_what_a_screen_would_obey(tmp_path):
    facts = {"process": "1\x1b[2J", "host": socket.gethostname(), "command": "a\nb", "since": 3}
    write_json(tmp_path / HOLDER, facts)
    assert "(PID 1[2J, `ab`, since 3) is writing here" in folder_lock.refusal(tmp_path)
    write_json(tmp_path / HOLDER, [])
    assert "out: another process is writing here" in folder_lock.refusal(tmp_path / "out")


def test_a_single_file_loses_its_own_orphans_alone(tmp_path):
    mine = folder_lock.part_of(tmp_path / "a.json").name
    dead = f"{mine[:9]}000000{mine[15:]}"
    other = ".0123456789abcdef.part.json"
    for name in (dead, other):
        (tmp_path / name).write_bytes(b"half")
    prepare_files(tmp_path / "a.json")
    assert [path.name for path in tmp_path.iterdir()] == [other]


@pytest.mark.parametrize(
    ("launcher", "variables", "writes"),
    [
        ("none", {"RANK": "1"}, True),
        ("pytorch", {"RANK": "1"}, False),
        ("pytorch", {"RANK": "0"}, True),
        ("pytorch", {}, True),
        ("slurm", {"SLURM_PROCID": "3"}, False),
    ],
)
def test_of_processes_that_train_together_the_first_one_writes(
    monkeypatch, launcher, variables, writes
):
    for name in ("RANK", "SLURM_PROCID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert writes_files(launcher) is writes
