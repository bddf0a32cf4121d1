import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.cutouts import Cutout, CutoutSet, read_cutouts, write_cutouts
from rpc.data.files import DataError
from rpc.data.images import write_image

GOOD = {
    "file": "tea/tea_camera0-1.png",
    "source": "tea_camera0-1.jpg",
    "category_id": 1,
    "camera": 0,
    "view": 1,
    "width": 6,
    "height": 4,
    "area": 20,
    "quality": 0.9,
    "pose_ratio": 1.0,
}


@given(st.floats(0, 1), st.floats(0, 100), st.booleans(), st.none() | st.integers(0, 9))
def test_cutouts_come_back_from_their_file(tmp_path_factory, quality, weight, keep, camera):
    root = tmp_path_factory.mktemp("cutouts")
    fields = GOOD | {"quality": quality, "weight": weight, "keep": keep, "camera": camera}
    cutouts = CutoutSet((Cutout.from_dict(fields),), root, "grabcut", "ministore")
    assert write_cutouts(root, cutouts) == root / "cutouts.json"
    again = read_cutouts(root)
    assert again == cutouts
    assert len(again.kept()) == (keep and weight > 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "../x.png"}, "leads out"),
        ({"file": None}, "expected a file name"),
        ({"width": 2.5}, "width: expected an integer >= 0, got 2.5"),
        ({"quality": 1.5}, "quality: expected a fraction"),
        ({"quality": float("nan")}, "quality: expected a fraction"),
        ({"weight": -1}, "weight: expected a finite number >= 0"),
        ({"scale": "big"}, "scale: expected a finite number"),
        ({"keep": "yes"}, "keep: expected true or false"),
    ],
)
def test_a_cutout_out_of_range_is_refused(change, message):
    with pytest.raises(DataError, match=message):
        Cutout.from_dict(GOOD | change)


def test_a_missing_field_is_named():
    with pytest.raises(DataError, match=r"tea_camera0-1\.png': the field 'area' is missing"):
        Cutout.from_dict({name: value for name, value in GOOD.items() if name != "area"})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"version": 2, "cutouts": []}, "expected version 1, got 2"),
        ({"version": 1}, "expected the field 'cutouts'"),
        ({"version": 1, "cutouts": [3]}, "expected an object"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path, content, message):
    (tmp_path / "cutouts.json").write_text(json.dumps(content))
    with pytest.raises(DataError, match=message):
        read_cutouts(tmp_path)


def test_a_missing_png_is_told_when_it_is_read_and_not_before(tmp_path):
    write_cutouts(tmp_path, CutoutSet((Cutout.from_dict(GOOD),), tmp_path, "hand"))
    cutouts = read_cutouts(tmp_path)
    with pytest.raises(DataError, match=r"tea_camera0-1\.png: cannot be read"):
        cutouts.read(cutouts.cutouts[0])
    pixels = np.full((4, 6, 4), 9, dtype=np.uint8)
    write_image(tmp_path / GOOD["file"], pixels)
    np.testing.assert_array_equal(cutouts.read(cutouts.cutouts[0]), pixels)
    write_image(tmp_path / GOOD["file"], pixels[:2])
    with pytest.raises(DataError, match=r"expected 6x4 px as cutouts\.json says, got 6x2"):
        cutouts.read(cutouts.cutouts[0])


@pytest.mark.parametrize("value", [10**400, float("inf"), float("nan"), -1])
def test_a_number_that_no_picture_has_is_refused(value):
    entry = {"file": "a.png", "source": "a.jpg", "category_id": 1, "width": 9, "height": 9}
    entry |= {"camera": None, "view": None, "area": 9, "quality": 1.0, "pose_ratio": 1.0}
    assert Cutout.from_dict(entry).weight == 1
    with pytest.raises(DataError, match="weight: expected a finite number >= 0"):
        Cutout.from_dict({**entry, "weight": value})
