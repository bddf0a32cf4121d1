"""A folder that was changed, or is none, is refused with one line and nothing of it is run."""

import json
import shutil

import pytest

from rpc.checkout.exported.loading import load_exported
from rpc.checkout.loading import EXPORTED, load
from rpc.checkout.parts import SecondLooks
from rpc.data.files import DataError
from rpc.data.shipped import shipped

SOURCE = shipped(EXPORTED)


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(SOURCE, tmp_path / "counter")


def changed(folder, **fields):
    path = folder / "model.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))
    return folder


def test_a_folder_of_something_else_is_told(tmp_path):
    with pytest.raises(DataError, match=r"no exported counter \(no model.json\)"):
        load(tmp_path)


@pytest.mark.parametrize("name", ["detector.onnx", "recogniser.onnx"])
def test_another_network_than_was_exported_is_not_run(folder, name):
    path = folder / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=rf"{name}: another file than was exported"):
        load_exported(folder)
    path.write_bytes(content[:-1])
    with pytest.raises(DataError, match=rf"{name}: \d+ bytes, expected \d+"):
        load_exported(folder)
    path.unlink()
    with pytest.raises(DataError, match=rf"{name}: cannot be read"):
        load_exported(folder)


def test_a_picture_that_was_changed_is_told_where_it_is_needed(folder):
    next((folder / "pictures").iterdir()).write_bytes(b"no picture")
    load_exported(folder)
    with pytest.raises(DataError, match=r"\.jpg: 10 bytes, expected"):
        load_exported(folder, looks=SecondLooks(pictures=True))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"format": "other"}, "not an exported counter"),
        ({"version": 2}, "version 2 of an exported counter, expected 1"),
        ({"image_size": 4.5}, "image_size: expected 32 to 8192 px"),
        ({"image_size": 10**9}, "image_size"),
        ({"labels": 5}, "labels: expected 1 or 12"),
        ({"labels": True}, "labels"),
        ({"head": {}}, "head: expected a dict"),
        ({"objectness": 1}, "objectness"),
        ({"recogniser": {"side": 128}}, "recogniser: expected"),
        ({"recogniser": {"side": 10**7, "turns": 4, "settled": 0.9}}, "recogniser: expected"),
        ({"counting": 3}, "counting: expected an object"),
        ({"categories": "all"}, "damaged"),
        ({"words": [1]}, "words: expected"),
        ({"pictures": [["pictures/../../x.jpg"]] * 12}, "pictures: expected names"),
        ({"pictures": 3}, "pictures: expected a list"),
        ({"gallery": "no"}, "gallery"),
        ({"files": {"../detector.onnx": [3, "0" * 64]}}, "is no file of an exported counter"),
        ({"files": {"detector.onnx": [-3, "0" * 64]}}, "expected a size and a SHA-256"),
        ({"files": {}}, "lacks detector.onnx"),
        ({"origin": []}, "origin"),
    ],
)
def test_a_description_with_a_wrong_field_is_refused_in_a_line(folder, fields, told):
    with pytest.raises(DataError, match=told) as caught:
        load_exported(changed(folder, **fields))
    assert "\n" not in str(caught.value)


def test_a_link_out_of_the_folder_is_refused(folder, tmp_path):
    path = folder / "detector.onnx"
    path.rename(tmp_path / "elsewhere.onnx")
    path.symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(DataError, match="leads out of the data folder through a link"):
        load_exported(folder)


def test_what_an_exported_counter_does_not_do_is_told(folder):
    with pytest.raises(DataError, match="takes no recognition system beside it"):
        load(folder, recogniser="anywhere")
    files = json.loads((folder / "model.json").read_text())["files"]
    files.pop("descriptor.onnx")
    with pytest.raises(DataError, match="export the model again with --descriptor"):
        load(changed(folder, files=files), gallery=folder)
