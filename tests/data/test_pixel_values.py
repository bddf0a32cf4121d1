import io

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from rpc.data.files import DataError
from rpc.data.images import image_size, read_image, read_photo, read_with_notes
from rpc.data.pixel_values import to_8_bit
from tests.data.tiff_bytes import tiff_bytes

ROWS, COLUMNS = 24, 36
LIGHT = np.linspace(0, 255, ROWS * COLUMNS).reshape(ROWS, COLUMNS).round()  # all of the range
COLOURS = np.stack([LIGHT, 255 - LIGHT, LIGHT[::-1]], axis=-1)


def deep(values, bits):
    return np.rint(values * ((1 << bits) - 1) / 255).astype(np.uint16)


@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
@pytest.mark.parametrize("values", [LIGHT, COLOURS], ids=["grey", "colour"])
def test_a_camera_s_bits_in_16_come_back_as_8_and_are_told(tmp_path, bits, suffix, values):
    path = tmp_path / f"x{suffix}"
    order = np.s_[..., ::-1] if values.ndim == 3 else np.s_[...]
    cv2.imwrite(str(path), deep(values, bits)[order])
    expected = values if values.ndim == 3 else np.repeat(values[..., None], 3, axis=2)
    found = read_with_notes(path)
    np.testing.assert_allclose(found.rgb, expected, atol=1)
    assert str(bits) in found.notes[0]
    with Image.open(path) as opened:  # not decoded yet
        np.testing.assert_array_equal(read_photo(opened), found.rgb)
    np.testing.assert_array_equal(read_photo(path.read_bytes()), found.rgb)


@pytest.mark.parametrize("white", [1, 255, 65_535])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_float_values_are_taken_by_their_range(tmp_path, white, kind):
    path = tmp_path / "x.tif"
    cv2.imwrite(str(path), (COLOURS / 255 * white).astype(kind)[..., ::-1])
    np.testing.assert_allclose(read_image(path), COLOURS, atol=1)
    assert image_size(path) == (COLUMNS, ROWS)
    Image.fromarray((LIGHT / 255 * white).astype(np.float32)).save(path)
    np.testing.assert_allclose(read_image(path)[..., 0], LIGHT, atol=1)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (deep(LIGHT, 12).astype(np.int32) - 2048, "signed values from -2,048 to 2,047"),
        ((LIGHT / 127.5 - 1).astype(np.float32), "negative"),
        ((LIGHT / 85).astype(np.float32), "neither 0 to 1, 0 to 255 nor"),
        (np.where(LIGHT > 9, LIGHT, np.nan).astype(np.float32), "not finite"),
        ((LIGHT > 99).astype(np.uint16), "a mask or a map of labels, or a black photo"),
    ],
)
def test_values_of_which_nobody_knows_the_white_are_refused(tmp_path, values, message):
    path = tmp_path / "x.tif"
    Image.fromarray(values).save(path)
    with pytest.raises(DataError, match=rf"x\.tif: .*{message}.*: export the photo with 8 bits"):
        read_image(path)


def test_bits_that_a_tiff_states_are_believed(tmp_path):
    """A dark photo of 12 bits that are packed, without a value above 1,000."""
    path = tmp_path / "x.tif"
    dark = deep(LIGHT, 12) // 5
    pairs = dark.reshape(-1, 2).astype(np.uint32)
    packed = np.stack([pairs[:, 0] >> 4, (pairs[:, 0] & 15) << 4 | pairs[:, 1] >> 8, pairs[:, 1]])
    path.write_bytes(tiff_bytes(COLUMNS, ROWS, 12, packed.T.astype(np.uint8).tobytes()))
    np.testing.assert_allclose(read_image(path)[..., 0], dark / 4095 * 255, atol=1)


def test_a_scanner_s_inverted_grey_is_turned_round(tmp_path):
    Image.fromarray(deep(LIGHT, 16)).save(tmp_path / "x.tif", tiffinfo={262: 0})
    np.testing.assert_allclose(read_image(tmp_path / "x.tif")[..., 1], 255 - LIGHT, atol=1)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("mode", ["RGB", "L", "I;16"])
def test_a_turned_tiff_is_upright_and_its_size_agrees(tmp_path, orientation, mode):
    exif = Image.Exif()
    exif[0x0112] = orientation
    values = {"RGB": COLOURS.astype(np.uint8), "L": LIGHT.astype(np.uint8)}.get(mode)
    image = Image.fromarray(deep(LIGHT, 16) if values is None else values)
    image.save(tmp_path / "x.tif", exif=exif)
    expected = np.rot90(COLOURS[..., 0], {1: 0, 3: 2, 6: -1, 8: 1}[orientation])
    found = read_image(tmp_path / "x.tif")
    np.testing.assert_allclose(found[..., 0], expected, atol=1)
    assert image_size(tmp_path / "x.tif") == found.shape[1::-1]


def test_transparent_parts_of_16_bits_become_white(tmp_path):
    rgba = np.dstack([COLOURS, np.full_like(LIGHT, 255)])
    rgba[:9, :, 3] = 0
    cv2.imwrite(str(tmp_path / "x.png"), deep(rgba, 16)[..., [2, 1, 0, 3]])
    found = read_image(tmp_path / "x.png")
    assert (found[:9] == 255).all()
    np.testing.assert_allclose(found[9:], COLOURS[9:], atol=1)


@pytest.mark.parametrize(("kind", "what"), [("TIFF", "pages"), ("GIF", "frames")])
def test_pages_beyond_the_first_are_told(kind, what):
    file = io.BytesIO()
    first, second = (Image.fromarray(c.astype(np.uint8)) for c in (COLOURS, 255 - COLOURS))
    first.save(file, kind, save_all=True, append_images=[second])
    found = read_with_notes(file.getvalue())
    np.testing.assert_allclose(found.rgb, COLOURS, atol=255 if kind == "GIF" else 0)
    assert found.notes == (f"2 {what}: the first is taken",)


def test_a_plain_photo_has_nothing_to_tell(tmp_path):
    Image.fromarray(COLOURS.astype(np.uint8)).save(tmp_path / "x.png")
    assert read_with_notes(tmp_path / "x.png").notes == ()


@settings(max_examples=60, deadline=None)
@given(st.integers(16, 65_535), st.integers(0, 2**31))
def test_scaling_keeps_the_order_and_never_ends_black(high, seed):
    values = np.random.default_rng(seed).integers(0, high + 1, (7, 9)).astype(np.uint16)
    values[0, 0] = high
    found, _ = to_8_bit(values)
    order = np.argsort(values, axis=None, kind="stable")
    assert (np.diff(found.ravel()[order].astype(int)) >= 0).all()
    assert found.max() >= 16 or high < 32
