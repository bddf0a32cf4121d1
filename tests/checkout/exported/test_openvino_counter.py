"""A folder of OpenVINO's files counts as that of ONNX Runtime does; another one is refused."""

import hashlib
import json
import shutil
import subprocess
import sys

import numpy as np
import pytest

from rpc.checkout.exported.loading import load_exported, read_description
from rpc.checkout.loading import EXPORTED
from rpc.data.files import DataError
from rpc.data.shipped import shipped
from rpc.runs.openvino_files import openvino_bytes

SOURCE = shipped(EXPORTED)
TRAY = shipped("examples/ministore") / "val/val_00003_easy.jpg"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The shipped counter, its two networks in OpenVINO's files."""
    folder = shutil.copytree(SOURCE, tmp_path_factory.mktemp("counter") / "till")
    values = json.loads((folder / "model.json").read_text())
    for name in ("detector", "recogniser"):
        content = openvino_bytes((folder / f"{name}.onnx").read_bytes())
        del values["files"][f"{name}.onnx"]
        (folder / f"{name}.onnx").unlink()
        for ending, data in zip((".xml", ".bin"), content, strict=True):
            (folder / (name + ending)).write_bytes(data)
            values["files"][name + ending] = [len(data), hashlib.sha256(data).hexdigest()]
    (folder / "model.json").write_text(json.dumps({**values, "runtime": "openvino"}))
    return folder


def test_raw_outputs_and_lists_are_those_of_onnx_runtime(folder):
    ours, theirs = load_exported(folder), load_exported(SOURCE)
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (1, 416, 416, 3), np.uint8)
    maps = ours.detector._network(pictures), theirs.detector._network(pictures)
    for found, expected in zip(*maps, strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-4)
    crops = rng.integers(0, 256, (3, 128, 128, 3), np.uint8)
    extents = rng.normal(0, 1, (3, 2)).astype(np.float32)
    logits = ours.recogniser.logits(crops, extents), theirs.recogniser.logits(crops, extents)
    np.testing.assert_allclose(*logits, atol=1e-4)
    assert ours(TRAY).counts == theirs(TRAY).counts


def test_its_files_are_checked_and_no_others_asked_for(folder, tmp_path):
    found = read_description(folder)
    assert (found.runtime, found.precision) == ("openvino", "float32")
    changed = shutil.copytree(folder, tmp_path / "changed")
    path = changed / "recogniser.bin"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"recogniser.bin: another file than was exported"):
        load_exported(changed)
    path.unlink()
    with pytest.raises(DataError, match=r"recogniser.bin: cannot be read"):
        load_exported(changed)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"runtime": "other"}, "runtime: expected onnx or openvino, got 'other'"),
        ({"runtime": ["onnx"]}, "runtime: expected onnx or openvino"),
        ({"runtime": "onnx"}, "files: lacks detector.onnx"),
        ({"precision": "int4"}, "precision: expected float32 or int8, got 'int4'"),
    ],
)
def test_a_wrong_runtime_or_precision_is_told(folder, tmp_path, fields, told):
    values = json.loads((folder / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps({**values, **fields}))
    with pytest.raises(DataError, match=told):
        read_description(tmp_path)


def test_where_openvino_is_not_installed_the_extra_is_named(folder):
    text = (
        "import sys\nsys.modules['openvino'] = None\n"
        "from rpc.checkout.exported.loading import load_exported\n"
        "from rpc.data.files import DataError\n"
        "try:\n    load_exported(sys.argv[1])\nexcept DataError as error:\n    print(error)"
    )
    run = [sys.executable, "-W", "ignore", "-c", text, str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("openvino: needs the extra 'openvino'")


def test_nobody_is_told_over_the_network_that_it_runs(folder):
    text = (
        "import sys\n"
        "def note(event, arguments):\n"
        "    if event.startswith(('socket.connect', 'socket.getaddrinfo', 'urllib.')):\n"
        "        print(event, arguments[0])\n"
        "sys.addaudithook(note)\n"
        "from rpc.checkout.exported.loading import load_exported\n"
        "load_exported(sys.argv[1])\n"
        "assert 'openvino_telemetry.main' not in sys.modules\n"
        "assert 'onnxruntime' not in sys.modules"
    )
    run = [sys.executable, "-W", "ignore", "-c", text, str(folder)]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
