"""Files of arrays come back equal; no room is made for what a file only claims."""

import io
import zipfile

import numpy as np
import pytest

from rpc.runs.array_files import array_of, read_arrays


def saved(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def bytes_of(array):
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_arrays_come_back_equal(tmp_path):
    arrays = {
        "a": np.arange(12.0).reshape(3, 4),
        "columns": np.asfortranarray(np.arange(6, dtype=np.int16).reshape(2, 3)),
        "number": np.array(7),
        "text": np.array("über"),
        "none": np.zeros((0, 3), np.float16),
    }
    (tmp_path / "a.npz").write_bytes(saved(**arrays))
    found = read_arrays(tmp_path / "a.npz")
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)
    assert str(found["text"]) == "über"


def header(text):
    data = bytes_of(np.zeros(2))
    old = b"'shape': (2,), }"
    assert old in data
    changed = data.replace(old, text)
    return changed[:8] + (len(changed) - 10 - 16).to_bytes(2, "little") + changed[10:]


@pytest.mark.parametrize(
    "data",
    [
        header(b"'shape': (1000000, 1000000), }"),
        header(b"'shape': (-1,), }"),
        header(b"'shape': (2,), 'x': " + b"(" * 400 + b")" * 400 + b"}"),
        header(b"'shape': 2, }"),
        b"",
        b"\x93NUMPY\x02\x00",
        bytes_of(np.array([None, {}], dtype=object)),
        bytes_of(np.zeros(9))[:-8],
        bytes_of(np.zeros(2)).replace(b"<f8", b"|O8"),
        bytes_of(np.zeros(2)).replace(b"<f8", b"xxx"),
    ],
)
def test_an_array_that_is_none_is_refused(data, tmp_path):
    with pytest.raises(ValueError, match=r"."):
        array_of(data)
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("a.npy", data)
    with pytest.raises(ValueError, match=r"."):
        read_arrays(tmp_path / "a.npz")


def test_a_compressed_or_damaged_archive_is_refused(tmp_path):
    path = tmp_path / "a.npz"
    np.savez_compressed(path, a=np.zeros(10**7))
    with pytest.raises(ValueError, match="compressed"):
        read_arrays(path)
    good = saved(a=np.arange(50.0))
    chance = np.random.default_rng(3)
    for _ in range(100):
        bad = bytearray(good)
        bad[chance.integers(len(bad))] = chance.integers(256)
        path.write_bytes(bad)
        try:
            read_arrays(path)
        except ValueError:
            continue
