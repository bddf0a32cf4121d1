import io
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from rpc.data.files import DataError
from rpc.data.images import read_image
from tests.data.tiff_bytes import tiff_bytes

ROOT = Path(__file__).parents[2]


@pytest.fixture
def noise():
    return np.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=np.uint8)


def encoded(rgb, kind, **options):
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, kind, **options)
    return file.getvalue()


def claiming(data, width, height):
    """A JPEG with another size in its header."""
    at = min(at for at in (data.find(b"\xff\xc0\0"), data.find(b"\xff\xc2\0")) if at > 0)
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return data[: at + 5] + size + data[at + 9 :]


CODINGS = {
    "plain": {},
    "progressive": {"progressive": True},
    "no subsampling": {"subsampling": 0},
    "restarts": {"restart_marker_blocks": 4},
    "grey": {},
}


def photo(noise, coding):
    return encoded(noise[..., 0] if coding == "grey" else noise, "JPEG", **CODINGS[coding])


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize(
    ("size", "message"),
    [((9_000, 9_000), "too little data"), ((256, 192), "data ends before its last pixels")],
)
def test_a_jpeg_that_claims_more_than_it_holds_is_refused(tmp_path, noise, coding, size, message):
    path = tmp_path / "x.jpg"
    path.write_bytes(claiming(photo(noise, coding), *size))
    with pytest.raises(DataError, match=rf"x\.jpg: the image is truncated or damaged: .*{message}"):
        read_image(path)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("part", [0.4, 0.8])
def test_a_jpeg_whose_data_ends_early_is_refused_even_with_an_end_mark(
    tmp_path, noise, coding, part
):
    data = photo(noise, coding)
    start = data.index(b"\xff\xda") + 16
    end = data.find(b"\xff\xc4", start)  # of a progressive one's first pass: later ones sharpen
    end = end if coding == "progressive" else len(data)
    path = tmp_path / "x.jpg"
    path.write_bytes(data[: start + int((end - start) * part)] + b"\xff\xd9")
    with pytest.raises(DataError, match="the image is truncated or damaged"):
        read_image(path)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_whole_photo_that_ends_in_grey_is_read(tmp_path, noise, coding):
    noise[40:] = 128
    path = tmp_path / "x.jpg"
    for data in (photo(noise, coding), photo(np.full_like(noise, 128), coding)):
        path.write_bytes(data)
        assert (read_image(path)[-8:] == 128).all()


@pytest.mark.parametrize("options", [{}, {"optimize": True, "progressive": True, "quality": 1}])
def test_the_emptiest_jpeg_is_not_below_the_limit(tmp_path, options):
    path = tmp_path / "x.jpg"
    path.write_bytes(encoded(np.full((2500, 2500, 3), 255, np.uint8), "JPEG", **options))
    assert read_image(path).shape == (2500, 2500, 3)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "TIFF", "BMP"])
def test_the_emptiest_photo_of_each_format_is_read(tmp_path, kind):
    options = {"compression": "tiff_lzw"} if kind == "TIFF" else {}
    path = tmp_path / "x"
    path.write_bytes(encoded(np.full((2000, 2000, 3), 255, np.uint8), kind, **options))
    assert (read_image(path) == 255).all()


MEMORY = """
import resource, sys
from rpc.data.files import DataError
from rpc.data.images import read_image
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for path in sys.argv[1:]:
    try:
        read_image(path)
    except DataError:
        continue
    print(path, "was read")
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in KiB on Linux alone")
def test_files_that_claim_much_take_no_memory(tmp_path, noise):
    png = bytearray(encoded(noise, "PNG"))
    png[16:24] = (13_000).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    bmp = bytearray(encoded(noise, "BMP"))
    bmp[18:26] = (13_000).to_bytes(4, "little") * 2
    gif = bytearray(encoded(noise[..., 0], "GIF"))
    gif[6:10] = (13_000).to_bytes(2, "little") * 2
    files = {
        "x.jpg": claiming(photo(noise, "plain"), 13_000, 13_000),
        "p.jpg": claiming(photo(noise, "progressive"), 13_000, 13_000),
        "x.png": png,
        "x.bmp": bmp,
        "x.gif": gif,
        "x.tif": tiff_bytes(13_000, 13_000, 8, bytes(50_000)),
        "f.tif": tiff_bytes(13_000, 13_000, 64, bytes(50_000)),
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    paths = [str(tmp_path / name) for name in files]
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, *paths], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) < 60_000, done.stdout  # KiB; one of them decoded takes 700,000
