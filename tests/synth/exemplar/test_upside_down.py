"""Cans and cups on their heads: who is one, and how its print lies around the foot."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.cutouts import Cutout, CutoutSet, read_cutouts, write_cutouts
from rpc.data.images import write_image
from synth.exemplar.upside_down import Cone, find_cone, upside_down
from synth.exemplar.upside_down_set import PICTURES, SHARE, add_upside_down

CAN = Cone(foot=40.0, top=40.0, height=150.0)
CUP = Cone(foot=120.0, top=174.0, height=360.0)


def outline(cone, bulge=0.0):
    """Mask (H, W) of a can or cup from the side; `bulge` makes a bottle's shoulder of it."""
    height = round(cone.height)
    share = np.linspace(0, 1, height)
    radius = cone.top + (cone.foot - cone.top) * share
    radius = radius * (1 - bulge * (share < 0.4))
    width = int(2 * radius.max())
    return np.abs(np.arange(width) - (width - 1) / 2)[None] < radius[:, None]


def photo(cone, colours):
    """From the side (H, W, 4): vertical stripes of these colours, the upper fifth white."""
    mask = outline(cone)
    stripes = np.array(colours, np.uint8)[np.arange(mask.shape[1]) * len(colours) // mask.shape[1]]
    rgb = np.repeat(stripes[None], mask.shape[0], axis=0)
    rgb[: mask.shape[0] // 5] = 255
    return np.dstack([rgb, mask * np.uint8(255)])


@given(foot=st.floats(25, 90), ratio=st.floats(0.65, 1.3), tall=st.floats(1.8, 6))
def test_the_shape_of_a_can_or_cup_is_read_off_its_outlines(foot, ratio, tall):
    true = Cone(foot, foot / ratio, tall * foot)
    found = find_cone([outline(true)] * 4)
    assert found is not None
    assert found.foot == pytest.approx(true.foot, rel=0.06, abs=1.5)
    assert found.top == pytest.approx(true.top, rel=0.06, abs=1.5)


def test_what_is_no_can_or_cup_seen_from_the_side_is_left_alone():
    can = outline(CAN)
    ys, xs = np.mgrid[:80, :80]
    disc = (xs - 39.5) ** 2 + (ys - 39.5) ** 2 < 40**2  # a can from above
    box = [np.ones((150, width), bool) for width in (80, 50, 80, 50)]  # a carton as it turns
    foot = np.sqrt(np.maximum(1 - ((np.arange(80) - 39.5) / 40) ** 2, 0)) * 20
    aslant = np.arange(170)[:, None] < 150 + foot[None]  # seen from 30 degrees above
    assert find_cone([can] * 2) is None  # too few photos to know
    assert find_cone([disc] * 4) is None
    assert find_cone(box) is None
    assert find_cone([aslant] * 4) is None
    assert find_cone([outline(CAN, bulge=0.5)] * 4) is None
    assert find_cone([can] * 3) is not None


def test_below_the_camera_a_can_shows_its_foot_and_a_cup_a_ring_of_its_upper_part_too():
    red = photo(CUP, [(200, 0, 0)])
    seen = upside_down(red, red, CUP, np.random.default_rng(2), most_aside=0.0)
    height, width = seen.shape[:2]
    assert abs(height - width) <= 2
    middle = seen[height // 2, width // 2, :3].astype(int)
    assert np.ptp(middle) < 25  # the plain foot
    row = seen[height // 2, : width // 2].astype(int)
    redness = (row[:, 0] - row[:, 1])[row[:, 3] > 250]
    assert redness[1] < 25  # the white upper fifth lies on the tray: outermost
    assert (redness > 60).any()  # red print between rim and foot
    can = photo(CAN, [(200, 0, 0)])
    alone = upside_down(can, can, CAN, np.random.default_rng(2), most_aside=0.0)
    solid = alone[alone[..., 3] > 200][:, :3].astype(int)
    assert ((solid[:, 0] - solid[:, 1]) > 60).mean() < 0.02


def test_print_is_turned_by_half_a_circle_and_not_mirrored():
    # From the left to the right of the photo: red, then blue. On its head, seen by who stands where
    # the camera is (left of the picture, looking right), red is at the right: below in the picture.
    stripes = photo(CAN, [(220, 0, 0), (0, 0, 220)])
    grey = photo(CAN, [(90, 90, 90)])
    seen = upside_down(stripes, grey, CAN, np.random.default_rng(5), most_aside=0.45)
    side = seen.astype(int)
    red = np.argwhere((side[..., 0] - side[..., 2] > 60) & (side[..., 3] > 200))
    blue = np.argwhere((side[..., 2] - side[..., 0] > 60) & (side[..., 3] > 200))
    assert len(red) > 50
    assert len(blue) > 50
    assert red[:, 0].mean() > blue[:, 0].mean() + 10
    assert max(red[:, 1].max(), blue[:, 1].max()) < seen.shape[1] / 2 + CAN.foot  # the near side


def test_chance_is_an_argument():
    can = photo(CAN, [(220, 0, 0), (0, 0, 220)])
    first, again, other = (
        upside_down(can, can, CAN, np.random.default_rng(seed)) for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert first.shape != other.shape or not np.array_equal(first, other)


def cutouts(folder, mask, views=4):
    """A folder of cut-outs of one SKU, all of one outline."""
    made = []
    for view in range(views):
        file = f"tea/side-{view}.png"
        rgb = np.full((*mask.shape, 3), 40 * view, np.uint8)
        write_image(folder / file, np.dstack([rgb, mask * np.uint8(255)]))
        size = {"width": mask.shape[1], "height": mask.shape[0], "area": int(mask.sum())}
        made.append(Cutout(file, f"{view}.jpg", 7, 3, view, **size, quality=0.9, pose_ratio=1.0))
    write_cutouts(folder, CutoutSet(tuple(made), folder, "toy", "toys"))


def test_they_are_added_once_in_the_scale_and_with_the_share_that_is_told(tmp_path):
    cutouts(tmp_path, outline(CAN))
    assert add_upside_down(tmp_path) == 1
    first = read_cutouts(tmp_path)
    assert add_upside_down(tmp_path) == 1
    again = read_cutouts(tmp_path)
    assert again.cutouts == first.cutouts
    made = again.cutouts[4:]
    assert len(made) == PICTURES
    assert {(c.category_id, c.camera, c.scale, c.keep) for c in made} == {(7, None, 1.0, True)}
    total = sum(c.weight for c in again.cutouts)
    assert sum(c.weight for c in made) / total == pytest.approx(SHARE, abs=1e-3)
    assert all(again.path(c).is_file() for c in made)


def test_a_store_of_other_products_stays_as_it_is(tmp_path):
    cutouts(tmp_path, outline(CAN, bulge=0.5))
    before = (tmp_path / "cutouts.json").read_bytes()
    assert add_upside_down(tmp_path) == 0
    assert (tmp_path / "cutouts.json").read_bytes() == before
