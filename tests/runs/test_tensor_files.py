"""Tensors come back equal; what could execute does not (more of it: the detector's model files)."""

import os

import pytest
import torch

from rpc.data import DataError
from rpc.runs.tensor_files import read_tensors, write_tensors


def test_tensors_and_plain_values_come_back_equal(tmp_path):
    content = {"w": torch.arange(6.0).reshape(2, 3), "step": 3, "names": ["a"], "none": None}
    path = write_tensors(tmp_path / "new" / "a.pth", content)
    back = read_tensors(path)
    assert torch.equal(back.pop("w"), content.pop("w"))
    assert back == content


def test_a_failed_write_leaves_the_older_file(tmp_path, monkeypatch):
    path = write_tensors(tmp_path / "a.pth", {"step": 1})

    def full(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(DataError, match="No space left"):
        write_tensors(path, {"step": 2})
    assert read_tensors(path) == {"step": 1}
    assert [p.name for p in tmp_path.iterdir()] == ["a.pth"]


class _RunsACommand:
    def __init__(self, command):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_a_hidden_command_is_refused_by_name_and_not_run(tmp_path):
    trace = tmp_path / "executed"
    torch.save({"a": [_RunsACommand(f"touch {trace}")]}, tmp_path / "evil.pth")
    with pytest.raises(DataError, match=r"refused: it holds '\w+\.system'"):
        read_tensors(tmp_path / "evil.pth")
    assert not trace.exists()
