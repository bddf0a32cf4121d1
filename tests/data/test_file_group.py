import os

import pytest

from rpc.data.file_group import file_group, finish_group, is_unfinished, remove_with_group
from rpc.data.files import DataError, atomic_path, part_of, remove_parts, write_bytes, write_json
from tests.killed_at import killed_at

NAMES = ("counts.json", "report.json", "pictures/1.jpg")


def write_result(folder, text):
    with file_group(folder):
        for name in NAMES:
            write_bytes(folder / name, text.encode())
        remove_with_group(folder / "old.jpg")


def result_of(folder):
    return {name: (folder / name).read_text() for name in NAMES}


def test_a_kill_at_any_file_operation_leaves_the_old_files_or_the_new_ones(tmp_path):
    found, last, died = [], 0, True
    while died:
        last += 1
        folder = tmp_path / str(last)
        write_result(folder, "old")
        (folder / "old.jpg").write_bytes(b"")
        died = killed_at(folder, last, lambda at=folder: write_result(at, "new"))
        unfinished = is_unfinished(folder)
        if not unfinished:  # nothing to finish: the folder itself is never mixed
            assert len(set(result_of(folder).values())) == 1
        finish_group(folder)
        remove_parts(folder)
        remove_parts(folder / "pictures")
        assert len(set(result_of(folder).values())) == 1
        found.append((result_of(folder)["report.json"], unfinished))
        left = {path.name for path in folder.rglob("*") if path.is_file()}
        assert left - {"old.jpg"} == {"counts.json", "report.json", "1.jpg"}
    states = [state for state, _ in found]
    assert states == sorted(states, reverse=True)  # old, old, ..., new, new
    assert {"old", "new"} == set(states)
    assert any(unfinished for _, unfinished in found)


def test_a_group_that_fails_changes_nothing(tmp_path):
    write_result(tmp_path, "old")
    (tmp_path / "old.jpg").write_bytes(b"")
    (tmp_path / "other.json").mkdir()

    def half():
        with file_group(tmp_path):
            write_bytes(tmp_path / "counts.json", b"new")
            remove_with_group(tmp_path / "old.jpg")
            write_json(tmp_path / "other.json", {})

    with pytest.raises(DataError, match=r"other.json: cannot be written"):
        half()
    assert set(result_of(tmp_path).values()) == {"old"}
    assert (tmp_path / "old.jpg").is_file()
    assert not list(tmp_path.rglob(".*"))


def test_what_lies_outside_of_the_group_is_written_at_once(tmp_path):
    with file_group(tmp_path / "in"):
        write_bytes(tmp_path / "out.json", b"1")
        write_bytes(tmp_path / "in" / "a.json", b"1")
        assert (tmp_path / "out.json").is_file()
        assert not (tmp_path / "in" / "a.json").exists()
    assert (tmp_path / "in" / "a.json").read_bytes() == b"1"


@pytest.mark.parametrize(
    "pair",
    [
        ["../.0123456789abcdef.part", "../x"],
        [".0123456789abcdef.part", "../x"],
        ["precious.txt", "x"],
        [".0123456789abcdef.part", "sub/x"],
        "x",
    ],
)
def test_a_record_that_is_not_ours_moves_nothing(tmp_path, pair):
    folder = tmp_path / "in"
    folder.mkdir()
    for path in (folder / "precious.txt", tmp_path / ".0123456789abcdef.part"):
        path.write_bytes(b"1")
    write_json(folder / ".0123456789abcdef.renames.json", {"renames": [pair]})
    with pytest.raises(DataError, match="not a record of this program"):
        finish_group(folder)
    assert (folder / "precious.txt").is_file()
    assert (tmp_path / ".0123456789abcdef.part").is_file()


def test_only_own_parts_of_dead_processes_are_removed_and_none_behind_a_link(tmp_path):
    victim = tmp_path / "victim"
    victim.mkdir()
    ours = ".00112233fffffe4455667788.part.json"
    (victim / ours).write_bytes(b"1")
    folder = tmp_path / "out"
    (folder / "room").mkdir(parents=True)
    (folder / "link").symlink_to(victim)
    kept = {".hidden", ".x.part.json", "0123456789abcdef.part", "a.json", ".0123456789abcdef.par"}
    for name in (*kept, ours, ".0123456789abcdef.part.jpg", f"room/{ours}"):
        (folder / name).write_bytes(b"1")
    (folder / ".aaaaaaaaffffff0000000000.part.json").symlink_to(victim / ours)
    with atomic_path(folder / "b.json") as written:
        written.write_bytes(b"1")
        assert remove_parts(folder) == 2
        assert written.is_file()
    assert remove_parts(folder / "room") == 1
    left = {path.name for path in folder.iterdir()} - {"room", "link", "b.json"}
    assert left == kept | {".aaaaaaaaffffff0000000000.part.json"}
    assert (victim / ours).is_file()


def test_parts_stay_as_long_as_their_process_lives(tmp_path):
    ready, done = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        part_of(tmp_path / "a.json").write_bytes(b"1")
        os.write(ready[1], b"1")
        os.read(done[0], 1)
        os._exit(0)
    os.read(ready[0], 1)
    assert remove_parts(tmp_path) == 0
    os.write(done[1], b"1")
    os.waitid(os.P_PID, child, os.WEXITED | os.WNOWAIT)  # dead, and not yet asked for
    assert remove_parts(tmp_path) == 1
    os.waitpid(child, 0)
