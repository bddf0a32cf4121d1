import contextlib
import io
import os
import struct
import sys
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from rpc.data.files import DataError
from rpc.data.images import image_size, read_image, read_photo, read_rgba, write_image
from tests.data.heic_photo import PLAIN, TURNED


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)


def png_header(width, height):
    """A PNG that announces a size and holds no pixel."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    ihdr = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", ihdr) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def encoded(rgb, kind, **options):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return file.getvalue()


@pytest.mark.parametrize("shape", [(40, 60, 3), (40, 60, 4), (1, 1, 3)])
def test_a_png_comes_back_pixel_by_pixel(tmp_path, shape):
    pixels = np.random.default_rng(1).integers(0, 256, shape, dtype=np.uint8)
    path = write_image(tmp_path / "x.png", pixels)
    again = read_rgba(path) if shape[2] == 4 else read_image(path)
    np.testing.assert_array_equal(again, pixels)


def test_a_jpeg_keeps_the_order_of_colours(tmp_path):
    red = np.zeros((16, 16, 3), dtype=np.uint8)
    red[..., 0] = 200
    again = read_image(write_image(tmp_path / "x.jpg", red))
    assert np.abs(again.astype(int) - red).max() < 6


def test_the_array_that_is_read_can_be_written_to(tmp_path, noise):
    rgb = read_image(write_image(tmp_path / "x.jpg", noise))
    rgb[0, 0] = 7
    assert rgb.flags.owndata
    assert rgb.flags.c_contiguous


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_rotated_photo_is_read_upright_and_its_size_agrees(tmp_path, orientation, noise):
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "x.png"
    Image.fromarray(noise).save(path, exif=exif)
    expected = {
        1: noise,
        2: noise[:, ::-1],
        3: noise[::-1, ::-1],
        4: noise[::-1],
        5: noise.transpose(1, 0, 2),
        6: np.rot90(noise, -1),
        7: np.rot90(noise, 2).transpose(1, 0, 2),
        8: np.rot90(noise),
    }[orientation]
    rgb = read_image(path)
    np.testing.assert_array_equal(rgb, expected)
    assert image_size(path) == (rgb.shape[1], rgb.shape[0])


def test_other_kinds_of_pixels_become_rgb(tmp_path, noise):
    grey = noise[..., 0]
    cases = {
        "grey.png": Image.fromarray(grey),
        "grey16.png": Image.fromarray(grey.astype(np.uint16) * 256),
        "palette.png": Image.fromarray(noise).convert("P"),
        "bit.png": Image.fromarray(grey > 127),
        "cmyk.jpg": Image.fromarray(noise).convert("CMYK"),
        "anim.gif": Image.fromarray(noise).convert("P"),
        "x.webp": Image.fromarray(noise),
        "x.bmp": Image.fromarray(noise),
        "x.tiff": Image.fromarray(noise),
    }
    for name, image in cases.items():
        image.save(tmp_path / name)
        rgb = read_image(tmp_path / name)
        assert rgb.shape == (40, 60, 3), name
        assert rgb.dtype == np.uint8, name
    for name in ("grey.png", "grey16.png"):
        np.testing.assert_array_equal(read_image(tmp_path / name)[..., 1], grey)


def test_transparent_parts_become_white(tmp_path):
    rgba = np.zeros((4, 4, 4), dtype=np.uint8)
    rgba[:2, :, 3] = 255
    rgb = read_image(write_image(tmp_path / "x.png", rgba))
    assert (rgb[:2] == 0).all()
    assert (rgb[2:] == 255).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "BMP", "TIFF"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9])
def test_a_truncated_image_is_refused(tmp_path, noise, kind, part):
    data = encoded(noise, kind)
    path = tmp_path / "x.img"
    path.write_bytes(data[: max(1, int(len(data) * part))])
    with pytest.raises(DataError, match=r"x\.img") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"not an image at all", "not an image: expected JPEG, PNG"),
        (b"\x89PNG\r\n\x1a\n", "x.heic"),
        (png_header(20_000, 20_000), "too large"),
        (png_header(20_000, 10), "too large: 20000x10 px"),
        (png_header(10, 30_000), "too large: 10x30000 px"),
        (png_header(19_999, 19_999), "too large"),
        (png_header(2**31 - 1, 2**31 - 1), "too large"),
        (png_header(8, 8), "truncated or damaged"),
    ],
)
def test_a_file_that_is_no_sensible_image_is_refused(tmp_path, content, message):
    path = tmp_path / "x.heic"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"x\.heic") as caught:
        read_image(path)
    assert message in str(caught.value)


def test_the_size_limit_is_the_callers_to_lower(tmp_path, noise):
    path = write_image(tmp_path / "x.png", noise)
    assert read_image(path, max_side=61).shape == (40, 60, 3)
    with pytest.raises(DataError, match="expected sides below 60 px"):
        read_image(path, max_side=60)
    with pytest.raises(DataError, match="too large"):
        image_size(path, max_side=60)


def test_a_missing_photo_and_a_folder_are_refused(tmp_path):
    with pytest.raises(DataError, match="No such file"):
        read_image(tmp_path / "gone.jpg")
    with pytest.raises(DataError, match="cannot be read"):
        read_image(tmp_path)
    with pytest.raises(DataError, match="No such file"):
        image_size(tmp_path / "gone.jpg")


def test_a_damaged_heic_is_told_as_such(tmp_path):
    (tmp_path / "x.heic").write_bytes(b"\0\0\0\x18ftypheic")
    with pytest.raises(DataError, match="a HEIC photo that cannot be decoded"):
        read_image(tmp_path / "x.heic")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["JPEG", "PNG", "GIF", "TIFF"]), st.data())
def test_a_damaged_image_is_read_or_refused_but_never_crashes(tmp_path, kind, data):
    rgb = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)
    raw = bytearray(encoded(rgb, kind))
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "x.img"
    path.write_bytes(bytes(raw))
    with contextlib.suppress(DataError):
        assert read_image(path, max_side=200).shape[2] == 3


def test_an_array_that_is_no_image_is_not_written(tmp_path, noise):
    with pytest.raises(DataError, match=r"ends in \.jpg or \.png"):
        write_image(tmp_path / "x.gif", noise)
    for wrong in (noise[..., 0], noise.astype(float), np.zeros((0, 3, 3), np.uint8)):
        with pytest.raises(ValueError, match="expected uint8"):
            write_image(tmp_path / "x.png", wrong)
    with pytest.raises(ValueError, match=r"\(H, W, 3\)"):
        write_image(tmp_path / "x.jpg", np.zeros((3, 3, 4), np.uint8))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_a_photo_is_the_same_in_every_form(tmp_path, noise, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noise, "JPEG", exif=exif)
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    expected = read_image(path)
    assert expected.shape == ((60, 40, 3) if orientation == 6 else (40, 60, 3))
    given = Image.open(io.BytesIO(data))
    for photo in (path, str(path), data, bytearray(data), given, given, expected):
        np.testing.assert_array_equal(read_photo(photo), expected)


@pytest.mark.parametrize("photo", [None, 5, [], np.zeros((4, 4, 3)), np.zeros((4, 4), np.uint8)])
def test_what_is_no_photo_is_refused_by_the_name_it_was_given(photo):
    with pytest.raises(DataError, match=r"^tray 3: expected a path, bytes, a PIL image or an RGB"):
        read_photo(photo, "tray 3")


@pytest.mark.parametrize("data", [b"", b"no image", png_header(10, 10), png_header(30_000, 10)])
def test_bytes_that_are_no_whole_sensible_image_are_refused_in_one_line(data):
    with pytest.raises(DataError, match=r"^photo: ") as caught:
        read_photo(data)
    assert "\n" not in str(caught.value)


def test_a_pil_image_that_is_too_large_or_cut_off_is_refused(noise):
    with pytest.raises(DataError, match="photo: the image is too large"):
        read_photo(Image.new("1", (30_000, 2)))
    cut = Image.open(io.BytesIO(encoded(noise, "PNG")[:-200]))
    with pytest.raises(DataError, match="photo: the image is truncated"):
        read_photo(cut)


QUARTERS = np.array([[[220, 30, 30], [30, 200, 30]], [[30, 30, 220], [240, 240, 240]]])


@pytest.mark.parametrize("name", ["IMG_1.HEIC", "x.jpg", "x.png", "x"])
def test_heic_is_read_by_its_content_and_turned_once(tmp_path, name):
    pytest.importorskip("pi_heif")
    for data, expected in ((PLAIN, QUARTERS), (TURNED, np.rot90(QUARTERS, -1))):
        path = tmp_path / name
        path.write_bytes(data)
        rgb = read_image(path)
        height, width = (80, 48) if data is TURNED else (48, 80)
        assert rgb.shape == (height, width, 3)
        assert image_size(path) == (width, height)
        middles = rgb[height // 4 :: height // 2, width // 4 :: width // 2].astype(int)
        assert np.abs(middles - expected).max() < 12
        np.testing.assert_array_equal(read_photo(data), rgb)


def test_heic_without_its_reader_names_the_extra(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pi_heif", None)
    (tmp_path / "x.jpg").write_bytes(PLAIN)
    with pytest.raises(DataError, match=r"a HEIC photo: .*pip install 'rpc-checkout\[heic\]'"):
        read_image(tmp_path / "x.jpg")


@pytest.mark.parametrize("name", ["a.jpg", "a.heic", "a.JPE", "a.JPG.download", "a", "a.png"])
def test_a_jpeg_is_one_whatever_it_is_called(tmp_path, name, noise):
    (tmp_path / name).write_bytes(encoded(noise, "JPEG"))
    assert read_image(tmp_path / name).shape == noise.shape


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\0\0\0\x18ftypisom\0\0\0\0isommp42", "a video; take stills from it"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0crx isom", "a camera RAW photo; develop it"),
        (b"%PDF-1.7", "a PDF document; export its pages"),
        (b"<!DOCTYPE html><html>", "the download gave a page instead of the photo"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "an SVG drawing; export it"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"PK\x03\x04", "an archive; unpack it"),
        (b"AAAA", "expected JPEG, PNG"),
    ],
)
def test_what_is_called_a_photo_and_is_none_is_named(tmp_path, data, message):
    (tmp_path / "x.jpg").write_bytes(data)
    with pytest.raises(DataError, match=r"x\.jpg: not an image: ") as caught:
        read_image(tmp_path / "x.jpg")
    assert message in str(caught.value)


def test_a_pipe_is_refused_and_does_not_hang(tmp_path):
    os.mkfifo(tmp_path / "x.jpg")
    with pytest.raises(DataError, match=r"x\.jpg: a pipe, socket or device"):
        read_image(tmp_path / "x.jpg")
