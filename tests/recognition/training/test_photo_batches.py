from dataclasses import dataclass, replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.recognition.training.photo_batches import Augmentation, PhotoBatches
from rpc.recognition.training.photo_geometry import (
    Placed,
    about_middle,
    fit_window,
    quarter_turn,
    warp_photo,
)

SIDE = 64


@dataclass(frozen=True)
class HowMany:
    batch_size: int = 4
    seed: int = 0


@pytest.fixture(scope="module")
def examples(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photos")
    made = []
    for n in range(10):
        rgb = np.full((40 + n, 60, 3), 20 * n, np.uint8)
        rgb[10:20, 30:50] = 255 - 20 * n
        path = write_image(folder / f"{n}.png", rgb)
        made.append(
            LabelledPhoto(path, n % 2, box=(30, 10, 50, 20), points=((40, 15, 1), (1, 1, 0)))
        )
    return made


def test_batch_i_is_the_same_whenever_it_is_asked_for(examples):
    data = PhotoBatches(examples, SIDE, Augmentation(rotate=True, flip=True))
    first = [data.batch(HowMany(), 0, step).images for step in range(4)]
    again = PhotoBatches(examples, SIDE, Augmentation(rotate=True, flip=True))
    assert torch.equal(again.batch(HowMany(), 0, 3).images, first[3])
    assert not torch.equal(again.batch(HowMany(), 1, 3).images, first[3])
    assert not torch.equal(again.batch(HowMany(seed=1), 0, 3).images, first[3])


def test_each_round_shows_every_photo_once(examples):
    data = PhotoBatches(examples, SIDE)
    seen = [data._in_order(3, 0, place) for place in range(30)]
    assert [sorted(seen[start : start + 10]) for start in (0, 10, 20)] == [list(range(10))] * 3
    assert seen[:10] != seen[10:20]


def test_two_processes_see_what_one_sees(examples):
    alone = PhotoBatches(examples, SIDE)
    two = [PhotoBatches(examples, SIDE, rank=rank, processes=2) for rank in (0, 1)]
    whole = alone.batch(HowMany(8), 0, 1).images
    parts = [data.batch(HowMany(4), 0, 1).images for data in two]
    assert torch.equal(torch.cat(parts), whole)


def test_some_photos_are_drawn_by_chance_without_repeats_and_are_those_of_a_whole_pass(examples):
    data = PhotoBatches(examples, SIDE)
    everything = torch.cat([batch.images for batch in data.passes(0, 0).once()])
    some = torch.cat([batch.images for batch in data.passes(0, 0).some(6)])
    rows = [
        int((everything == one).flatten(1).all(dim=1).nonzero()[0, 0]) for one in some
    ]  # raises where a photo is none of them
    assert len(set(rows)) == 6
    assert rows != sorted(rows)
    again = torch.cat([batch.images for batch in data.passes(0, 0).some(6)])
    assert torch.equal(again, some)
    assert sum(len(batch) for batch in data.passes(0, 0).some(99)) == 10


def test_a_whole_photo_lies_undistorted_in_the_middle_of_grey(examples):
    batch = next(iter(PhotoBatches(examples, 120).plain()))
    assert batch.images.shape == (10, 3, 120, 120)
    image = batch.images[0].numpy().transpose(1, 2, 0)  # 60 x 40 px, twice as large
    assert (image[:19] == 127).all()
    assert (image[-19:] == 127).all()
    assert batch.boxes[0].tolist() == [60, 40, 100, 60]
    assert (image[42:58, 62:98] == 255).all()
    assert (image[30:38, 1:-1] == 0).all()  # the outermost pixels blend with the grey
    assert batch.points[0].tolist() == [[80, 50, 1], [2, 22, 0]]


@given(st.integers(0, 3), st.booleans(), st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.5, 0.6))
def test_box_and_points_go_where_the_pixels_go(turn, flip, x, y, size):
    rgb = np.zeros((90, 90, 3), np.uint8)
    cv2.rectangle(rgb, (36, 40), (43, 47), (255, 255, 255), -1)  # x 36..44, y 40..48
    placed = Placed(np.array([36.0, 40, 44, 48]), np.array([[40.0, 44, 1]]))
    window = np.array([90 * size, 90 * size])
    matrix = about_middle(90, quarter_turn(turn)) @ fit_window(
        np.array([90 * x, 90 * y]), window, 90
    )
    if flip:
        matrix = about_middle(90, np.diag([-1.0, 1.0])) @ matrix
    seen = warp_photo(rgb, placed, matrix, 90)
    rows, columns = np.nonzero(seen.image[..., 0] > 127)
    if seen.points[0, 2] and (seen.box > 0).all() and (seen.box < 90).all():
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        assert np.abs(seen.box - found).max() <= 1
        assert np.abs(seen.points[0, :2] - [columns.mean() + 0.5, rows.mean() + 0.5]).max() <= 0.6


def test_a_point_outside_the_window_is_out_of_sight():
    rgb = np.zeros((50, 50, 3), np.uint8)
    placed = Placed(np.array([0.0, 0, 50, 50]), np.array([[5.0, 5, 1], [40, 40, 1]]))
    seen = warp_photo(rgb, placed, fit_window(np.array([25.0, 25]), np.array([25.0, 25]), 32), 32)
    assert seen.points[:, 2].tolist() == [0, 1]


def test_a_much_smaller_photo_is_averaged_not_sampled():
    fine = np.zeros((256, 256, 3), np.uint8)
    fine[:, ::2] = 255
    placed = Placed(np.array([0.0, 0, 256, 256]), np.zeros((0, 3)))
    seen = warp_photo(fine, placed, fit_window(np.zeros(2), np.array([256.0, 256]), 32), 32)
    assert np.abs(seen.image.astype(int) - 127).max() <= 8


@pytest.mark.parametrize("side", [320, 448, 640])
def test_a_photo_as_large_as_the_input_loses_no_detail(tmp_path, side):
    stripes = np.where(np.arange(side) % 4 < 2, 255, 0).astype(np.uint8)  # 4 px a stripe and gap
    rgb = np.broadcast_to(stripes[None, :, None], (side, side, 3))
    examples = [
        LabelledPhoto(write_image(tmp_path / f"{n}.png", np.roll(rgb, n, axis=1)), n)
        for n in range(2)
    ]
    plain = next(PhotoBatches(examples, side, Augmentation()).plain()).images
    assert np.array_equal(plain[0].permute(1, 2, 0), rgb)
    assert np.array_equal(plain[1].permute(1, 2, 0), np.roll(rgb, 1, axis=1))


def test_a_crop_of_a_photo_is_taken_as_if_it_were_the_photo(tmp_path):
    rgb = np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8)
    whole = write_image(tmp_path / "whole.png", rgb)
    part = write_image(tmp_path / "part.png", rgb[5:35, 10:40])
    crop = LabelledPhoto(whole, 0, crop=(10, 5, 40, 35), box=(12, 7, 20, 20))
    alone = LabelledPhoto(part, 1, box=(2, 2, 10, 15))
    batch = next(iter(PhotoBatches([crop, alone], SIDE).plain()))
    assert torch.equal(batch.images[0], batch.images[1])
    assert torch.equal(batch.boxes[0], batch.boxes[1])


def test_one_class_alone_is_told(examples):
    with pytest.raises(DataError, match="5 training photos of 1 classes; expected two"):
        PhotoBatches(examples[::2], SIDE)


def test_photos_with_different_numbers_of_points_are_told(examples):
    odd = LabelledPhoto(examples[0].path, 0)
    with pytest.raises(DataError, match="0 or 2 key points"):
        PhotoBatches([odd, *examples], SIDE)


def test_a_crop_outside_the_photo_is_one_line(examples):
    outside = replace(examples[0], crop=(500, 500, 520, 520))
    with pytest.raises(DataError, match="has no pixel in the photo"):
        next(iter(PhotoBatches([outside, *examples], SIDE).plain()))


def test_a_box_that_has_nothing_of_the_photo_is_one_line(examples):
    odd = [replace(example, box=(900.0, 900.0, 950.0, 950.0)) for example in examples]
    with pytest.raises(DataError, match=r"the box \(900.* lies outside the photo; mend the list"):
        next(PhotoBatches(odd, 32).plain())
