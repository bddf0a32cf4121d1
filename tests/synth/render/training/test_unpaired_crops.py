"""The stream of crops is a function of the seed; bad pictures are one clear line."""

import threading

import cv2
import numpy as np
import pytest
import torch

from rpc.data import DataError, read_image, write_image
from synth.render.training.crops import UnpairedCrops, endless_batches, to_rgb, to_tensor
from synth.render.training.settings import CropSettings

SIDE = CropSettings(side=32)


def stream(pictures, settings=SIDE, **options):
    return UnpairedCrops(*pictures, settings, **{"batch_size": 2, "seed": 0, **options})


def same(one, two):
    return all(torch.equal(a, b) for a, b in zip(one, two, strict=True))


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_a_stream_that_starts_later_gives_the_same_batches_with_any_workers(pictures, workers):
    crops = stream(pictures)
    later = endless_batches(crops, 3, workers)
    for index in (3, 4, 5, 6):
        assert same(next(later), crops[index])


def test_the_threads_that_read_end_with_the_stream(pictures):
    before = threading.active_count()
    batches = endless_batches(stream(pictures), 0, 2)
    next(batches)
    assert threading.active_count() > before
    batches.close()
    assert threading.active_count() == before


def test_batches_differ_by_index_and_by_seed(pictures):
    crops = stream(pictures)
    assert not same(crops[0], crops[1])
    assert not same(crops[0], stream(pictures, seed=1)[0])


def test_processes_share_out_the_crops_of_one_stream(pictures):
    alone = stream(pictures, batch_size=4)[2]
    parts = [stream(pictures, rank=rank, processes=2)[2] for rank in (0, 1)]
    assert same([torch.cat(side) for side in zip(*parts, strict=True)], alone)


def test_a_crop_is_cut_from_its_picture(pictures):
    plain = CropSettings(side=32, flip=False)
    crop = to_rgb(stream(pictures, plain)[0].source[0])
    found = [cv2.matchTemplate(read_image(path), crop, cv2.TM_SQDIFF).min() for path in pictures[0]]
    assert min(found) == 0


def test_half_of_the_crops_are_mirrored(tmp_path):
    ramp = np.repeat(np.linspace(0, 255, 40).astype(np.uint8)[None, :, None], 40, 0)
    path = write_image(tmp_path / "ramp.png", np.repeat(ramp, 3, 2))
    crops = stream(([path], [path]), batch_size=100)[0].source
    mirrored = (crops[:, 0, 0, 0] > crops[:, 0, 0, -1]).float().mean().item()
    assert 0.35 < mirrored < 0.65


def test_photos_are_brought_to_the_size_of_the_scenes_and_both_are_scaled(tmp_path):
    # A square of 1/4 of the width, in a scene of 64 px and in a photo of 160 px.
    paths = []
    for side in (64, 160):
        rgb = np.zeros((side, side, 3), np.uint8)
        rgb[side // 4 : side // 2, side // 4 : side // 2] = 255
        paths.append(write_image(tmp_path / f"{side}.png", rgb))
    settings = CropSettings(side=32, load_scale=0.5, flip=False)
    batch = stream(([paths[0]], [paths[1]]), settings)[0]
    for part in batch:
        assert ((part[0, 0] > 0).sum(1).max().item(), (part[0, 0] > 0).sum(0).max().item()) == (
            8,
            8,
        )


def test_pixels_come_back_from_the_tensors_range():
    rgb = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, 2)
    tensor = to_tensor(rgb)
    assert (tensor.min().item(), tensor.max().item()) == (-1, 1)
    assert np.array_equal(to_rgb(tensor), rgb)


def test_a_picture_smaller_than_a_crop_is_named_with_what_to_do(pictures, tmp_path):
    small = write_image(tmp_path / "small.png", np.zeros((20, 40, 3), np.uint8))
    with pytest.raises(DataError, match=r"small.png: 40x20 px is smaller than a crop of 32 px"):
        stream(([small], pictures[1]))
    with pytest.raises(DataError, match=r"small.png: 40x20 px would be enlarged 2.4 times"):
        stream((pictures[0], [*pictures[1], small]))
    with pytest.raises(DataError, match=r"crop of 64 px \(side 32 at scale 0.5\)"):
        stream(pictures, CropSettings(side=32, load_scale=0.5))


def test_a_small_scene_further_on_is_named_when_it_is_drawn(pictures, tmp_path):
    small = write_image(tmp_path / "late.png", np.zeros((20, 40, 3), np.uint8))
    crops = stream(([pictures[0][0], *[small] * 9], pictures[1]))
    with pytest.raises(DataError, match=r"late.png: 40x20 px is smaller than a crop"):
        list(map(crops.__getitem__, range(9)))


def test_no_scene_or_no_photo_is_refused(pictures):
    with pytest.raises(DataError, match="0 scenes and 4 photos"):
        stream(([], pictures[1]))
    with pytest.raises(DataError, match="5 scenes and 0 photos"):
        stream((pictures[0], []))


@pytest.mark.parametrize("workers", [0, 1])
def test_a_photo_that_breaks_off_is_one_line(pictures, tmp_path, workers):
    broken = write_image(tmp_path / "broken.jpg", read_image(pictures[1][0]))
    whole = broken.read_bytes()
    broken.write_bytes(whole[: len(whole) * 3 // 4])
    batches = endless_batches(stream((pictures[0], [broken])), 0, workers)
    with pytest.raises(DataError, match=r"broken.jpg: the image is truncated") as refusal:
        next(batches)
    assert "\n" not in str(refusal.value)


def test_a_photo_that_is_none_is_refused_at_once(pictures, tmp_path):
    text = tmp_path / "text.png"
    text.write_text("not a picture")
    with pytest.raises(DataError, match=r"text.png: not an image"):
        stream((pictures[0], [*pictures[1], text]))
