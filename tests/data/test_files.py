import errno
import gc
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import (
    DataError,
    atomic_path,
    free_memory,
    parse_json,
    path_problem,
    read_json,
    read_json_value,
    require_room,
    safe_join,
    uncollected,
    write_json,
)

names = st.dictionaries(st.text(max_size=5), st.integers() | st.text() | st.floats(-1e9, 1e9))


@given(names)
def test_json_comes_back_as_it_was_written(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("json") / "x.json"
    assert read_json(write_json(path, content)) == content


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()


@given(
    st.recursive(SCALARS, lambda part: st.lists(part) | st.dictionaries(st.text(), part)),
    st.booleans(),
)
def test_json_is_parsed_as_the_standard_library_does(value, is_ascii):
    text = json.dumps(value, ensure_ascii=is_ascii)  # floats include NaN and the infinities
    assert repr(parse_json(text.encode("utf-8"))) == repr(json.loads(text))


@given(st.binary(max_size=12) | st.text('[]{}",:0123456789.eE+- nulltrefasINy', max_size=9))
def test_what_is_no_json_is_refused_as_the_standard_library_does(text):
    raw = text.encode("utf-8") if isinstance(text, str) else text

    def outcome(parse):
        try:
            return repr(parse(raw))
        except ValueError as error:
            return f"{type(error).__name__} {error}"

    assert outcome(parse_json) == outcome(lambda raw: json.loads(raw.decode("utf-8")))


def test_a_byte_order_mark_is_passed_over(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({"a": 1}).encode())
    assert read_json(path) == {"a": 1}


def test_numpy_numbers_are_written_as_plain_ones(tmp_path):
    path = write_json(tmp_path / "x.json", {"n": np.int64(3), "a": np.zeros(2)})
    assert read_json(path) == {"n": 3, "a": [0.0, 0.0]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), "\ud800"])
def test_a_value_without_json_form_is_refused_and_nothing_is_left(tmp_path, value):
    with pytest.raises(DataError, match="cannot be written as JSON"):
        write_json(tmp_path / "x.json", {"v": value})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "line 1, column 1"),
        (b'{"a": 1,\n "b" 2}', "line 2, column 6"),
        (b"[1, 2]", "expected a JSON object {...}, got a list"),
        (b"\xff\xfe\x00", "not UTF-8"),
        (b"[" * 100_000, "not usable JSON"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not usable JSON"),
    ],
)
def test_a_file_that_is_no_json_object_is_refused(tmp_path, content, message):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.json") as caught:
        read_json(path)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.json: cannot be read: No such file"):
        read_json(tmp_path / "gone.json")


def test_a_file_beyond_the_free_memory_is_refused_before_it_is_read(tmp_path, monkeypatch):
    path = tmp_path / "x.json"
    path.touch()
    with path.open("r+b") as file:
        file.truncate(1_000_000_000)  # a hole: it takes no place on the disk
    monkeypatch.setattr("rpc.data.files.free_memory", lambda: 3_000_000_000)
    message = r"x\.json: 1\.0 GB take about 9 GB of memory to read, and 3\.0 GB are free: split"
    with pytest.raises(DataError, match=message):
        read_json_value(path)


def test_a_small_file_is_read_whatever_the_memory(tmp_path, monkeypatch):
    path = write_json(tmp_path / "x.json", {"a": 1})
    monkeypatch.setattr("rpc.data.files.free_memory", lambda: 0)
    assert read_json(path) == {"a": 1}


def test_the_free_memory_is_known_or_not():
    free = free_memory()
    assert free is None or 1_000_000 < free < 1 << 50


def test_the_collector_is_as_it_was_after_a_pause():
    assert gc.isenabled()
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            pass
        assert not gc.isenabled()
    assert gc.isenabled()


def test_a_full_disk_leaves_the_old_file_and_no_temporary_one(tmp_path, monkeypatch):
    path = write_json(tmp_path / "x.json", {"old": 1})

    def full(self, data):
        with open(self, "wb") as file:  # noqa: PTH123
            file.write(data[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DataError, match=r"x\.json: cannot be written: No space left on device"):
        write_json(path, {"new": 2})
    assert read_json(path) == {"old": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["x.json"]


def test_a_file_in_place_of_the_folder_is_told(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        write_json(tmp_path / "taken" / "x.json", {})


def test_an_interrupted_write_leaves_nothing(tmp_path):
    def interrupted():
        with atomic_path(tmp_path / "x.jpg") as part:
            part.write_bytes(b"half")
            assert part.suffix == ".jpg"
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "name", ["", ".", "/etc/passwd", "../x", "a/../../x", "a\\b", "a\0b", None, 3, ["x"]]
)
def test_a_path_out_of_the_root_is_refused(tmp_path, name):
    with pytest.raises(DataError):
        safe_join(tmp_path, name)


def test_a_link_out_of_the_root_is_refused(tmp_path):
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "secret.txt").write_text("")
    (root / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(DataError, match="through a link"):
        safe_join(root, "link.txt")


def test_links_that_stay_inside_and_a_linked_root_are_fine(tmp_path):
    root = tmp_path / "root"
    (root / "a").mkdir(parents=True)
    (root / "b").symlink_to(root / "a")
    (tmp_path / "alias").symlink_to(root)
    assert safe_join(root, "b/x.jpg") == root / "b/x.jpg"
    assert safe_join(tmp_path / "alias", "a/x.jpg") == tmp_path / "alias/a/x.jpg"


@given(st.text())
def test_a_harmless_name_never_leaves_the_root(name):
    if path_problem(name) is None:
        root = Path("/data/root")
        parts = (root / name).parts
        assert parts[:3] == root.parts
        assert ".." not in parts


def test_files_that_find_no_room_are_told_before_they_are_copied(tmp_path, monkeypatch):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"x" * 1000)
    free = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=1999))
    require_room(tmp_path / "new" / "store", [file, tmp_path / "missing.jpg"])
    with pytest.raises(DataError, match=r"store: 0\.00 GB are to be copied .* free: make room"):
        require_room(tmp_path / "new" / "store", [file, file])
