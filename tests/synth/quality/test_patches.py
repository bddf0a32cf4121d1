"""Photos at a common size, and patches of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.data.images import write_image
from synth.quality.crops import PATCH, SIDE, common_side, fit, patches


def photo(height, width):
    """Every pixel tells where it is."""
    rgb = np.zeros((height, width, 3), np.uint8)
    rgb[..., 0] = (np.arange(height) % 256)[:, None]
    rgb[..., 1] = (np.arange(width) % 256)[None]
    return rgb


@given(st.integers(0, 99), st.integers(20, 200), st.integers(20, 200), st.integers(1, 20))
def test_a_patch_is_a_part_of_the_photo(seed, height, width, count):
    rgb = photo(height, width)
    cut = patches(rgb, np.random.default_rng(seed), count, 20)
    assert cut.shape == (count, 20, 20, 3)
    for patch in cut:
        top, left = patch[0, 0, :2]
        np.testing.assert_array_equal(patch, rgb[top : top + 20, left : left + 20])


def test_patches_reach_every_corner_of_the_photo():
    cut = patches(photo(22, 21), np.random.default_rng(0), 200, 20)
    places = {(int(p[0, 0, 0]), int(p[0, 0, 1])) for p in cut}
    assert places == {(y, x) for y in range(3) for x in range(2)}


def test_a_narrow_photo_is_continued_by_its_mirror_image():
    (patch,) = patches(photo(5, 40), np.random.default_rng(0), 1, 20)
    rows = patch[:, 0, 0].tolist()
    assert rows == [0, 1, 2, 3, 4, 4, 3, 2, 1, 0] * 2


@pytest.mark.parametrize(
    ("shape", "side", "expected"),
    [((300, 200), 150, (150, 100)), ((100, 640), 640, (100, 640)), ((90, 80), 640, (90, 80))],
)
def test_a_photo_is_made_smaller_and_never_larger(shape, side, expected):
    assert fit(photo(*shape), side).shape == (*expected, 3)


def test_the_common_side_is_the_smallest_longer_side(tmp_path):
    sizes = ((300, 200), (150, 420), (900, 800))
    paths = [write_image(tmp_path / f"{n}.png", photo(*s)) for n, s in enumerate(sizes)]
    assert common_side(paths) == 300
    assert common_side(paths[2:]) == SIDE
    tiny = write_image(tmp_path / "tiny.png", photo(PATCH - 1, 40))
    with pytest.raises(DataError, match=r"tiny.png: its longer side has 127 px; expected 128 px"):
        common_side([*paths, tiny])
