"""Poses on a turntable that is drawn: a box of known sides seen by four ideal cameras."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synth.exemplar.pose import (
    CameraRole,
    Views,
    camera_roles,
    pose_ratios,
    pose_weights,
    smooth_step,
)

ELEVATIONS = {7: 90, 2: 45, 5: 30, 0: 0}  # degrees by camera number: any numbering will do
BAG, CARTON, CAN = (120, 30, 160), (70, 25, 110), (66, 66, 115)  # width, depth, height


def turntable(products, round_ones=(), cameras=tuple(ELEVATIONS), shots=12, trusted=None):
    """Views of upright boxes, or cylinders, without perspective."""
    rows = []
    for sku, (width, depth, height) in enumerate(products, start=1):
        for camera in cameras:
            up = np.radians(ELEVATIONS[camera])
            for shot in range(shots):
                turn = 2 * np.pi * shot / shots
                if sku in round_ones:
                    wide = long = width
                    side, top, short = width * height, np.pi / 4 * width**2, width
                else:
                    c, s = abs(np.cos(turn)), abs(np.sin(turn))
                    wide, long = width * c + depth * s, width * s + depth * c
                    side, top, short = wide * height, width * depth, min(width, depth)
                tall = height * np.cos(up) + long * np.sin(up)
                area = side * np.cos(up) + top * np.sin(up)
                shown = short if camera == 7 else min(wide, tall)
                rows.append((sku, camera, area, wide, tall, shown))
    columns = list(zip(*rows, strict=True))
    good = np.ones(len(rows), bool) if trusted is None else trusted
    return Views(np.array(columns[0]), list(columns[1]), *map(np.array, columns[2:]), good)


def share(views, sku, camera):
    ratio, weight = pose_weights(views)
    mine = views.category_id == sku
    return weight[mine & (views.camera_index == camera)], ratio


def test_cameras_are_told_apart_whatever_their_numbers():
    roles = camera_roles(turntable([BAG, CARTON, CAN], round_ones=(3,)))
    assert roles == {
        7: CameraRole.TOP,
        2: CameraRole.OBLIQUE,
        5: CameraRole.OBLIQUE,
        0: CameraRole.SIDE,
    }


def test_a_store_of_round_products_or_one_camera_tells_nothing_and_drops_nothing():
    for views in (
        turntable([CAN, CAN], round_ones=(1, 2)),
        turntable([CAN], round_ones=(1,), cameras=(0,)),
        turntable([CAN, CAN], round_ones=(1, 2), shots=2),
    ):
        assert set(camera_roles(views).values()) == {CameraRole.UNKNOWN}
        assert (pose_weights(views)[1] > 0).all()


def test_a_bag_standing_on_its_edge_is_not_drawn_and_its_broad_faces_are():
    views = turntable([BAG, CAN], round_ones=(2,))
    from_above, _ = share(views, 1, 7)
    assert (from_above == 0).all()
    side, ratio = share(views, 1, 0)
    assert side[0] == side[6] == 1  # front and back
    assert side[3] == side[9] == 0  # edge-on
    assert ratio.max() == 1


def test_a_can_is_drawn_lying_and_standing():
    views = turntable([BAG, CAN], round_ones=(2,))
    lying, standing, oblique = (share(views, 2, camera)[0] for camera in (0, 7, 2))
    assert (lying == 1).all()
    assert ((standing > 0) & (standing < 1)).all()
    assert ((oblique > 0) & (oblique < lying)).all()


def test_a_product_that_lies_flat_on_the_turntable_is_drawn_from_above():
    views = turntable([(120, 45, 15), BAG, CAN], round_ones=(3,))
    from_above, _ = share(views, 1, 7)
    side, _ = share(views, 1, 0)
    assert (from_above > 0.9).all()
    assert (side == 0).all()


def test_photos_without_a_camera_may_be_from_any_distance_and_none_is_dropped():
    views = Views(
        np.ones(4, int),
        [None] * 4,
        np.array([1000.0, 960, 300, 40]),
        np.full(4, 40.0),
        np.full(4, 40.0),
        np.full(4, 30.0),
        np.ones(4, bool),
    )
    assert pose_weights(views)[1].tolist() == [1, 1, 1, 1]


def test_a_numbered_camera_whose_role_is_not_known_goes_by_area():
    area = np.array([1000.0, 960, 700, 300])
    side = np.full(4, 40.0)
    views = Views(np.ones(4, int), [6] * 4, area, side, side, side, np.ones(4, bool))
    ratio, weight = pose_weights(views)
    assert ratio == pytest.approx([1, 0.96, 0.7, 0.3])
    assert weight[0] == weight[1] == 1
    assert 0 < weight[2] < 1
    assert weight[3] == 0


def test_a_bad_mask_that_is_too_large_does_not_set_the_scale():
    views = turntable([BAG], cameras=(0,))
    area = views.area.copy()
    area[3] *= 50
    trusted = np.arange(len(area)) != 3
    spoiled = Views(
        views.category_id, views.camera, area, views.width, views.height, views.short_side, trusted
    )
    good = pose_ratios(views)
    assert pose_ratios(spoiled)[trusted] == pytest.approx(good[trusted])


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_every_product_keeps_a_view_and_order_changes_nothing(seed):
    rng = np.random.default_rng(seed)
    n = 40
    columns = [
        rng.integers(1, 5, n),
        rng.integers(0, 4, n),
        *rng.uniform(1, 1000, (4, n)),
        rng.random(n) < 0.7,
    ]

    def views_of(index):
        sku, camera, area, width, height, short, trusted = (c[index] for c in columns)
        return Views(sku, camera.tolist(), area, width, height, short, trusted)

    views = views_of(np.arange(n))
    ratio, weight = pose_weights(views)
    assert ((weight >= 0) & (weight <= 1) & (ratio >= 0) & (ratio <= 1)).all()
    for sku in np.unique(views.category_id[views.trusted]):
        assert weight[(views.category_id == sku) & views.trusted].max() > 0
    order = rng.permutation(n)
    assert np.allclose(pose_weights(views_of(order))[1], weight[order])


def test_columns_of_other_lengths_and_areas_that_are_none_are_refused():
    one = np.ones(1)
    with pytest.raises(ValueError, match="one length"):
        Views(np.ones(2, int), [1], one, one, one, one, np.ones(1, bool))
    with pytest.raises(ValueError, match="finite"):
        Views(np.ones(1, int), [1], one * np.nan, one, one, one, np.ones(1, bool))


def test_the_smooth_step_rises_from_nothing_to_all():
    assert smooth_step(np.array([0.0, 1, 1.5, 2, 9]), 1, 2).tolist() == [0, 0, 0.5, 1, 1]
