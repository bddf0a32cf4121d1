"""What the network's views see: injected blur, noise and colour, the more the farther."""

import cv2
import numpy as np
import pytest

from synth.quality.features import VIEWS, PhotoEncoder
from synth.quality.frechet import frechet_distance
from synth.quality.kernel_distance import PhotoKernels
from tests.synth.quality.photo_trays import draw_trays

PHOTOS = 8


@pytest.fixture(scope="module")
def encoder():
    return PhotoEncoder(count=4, tray=128)


@pytest.fixture(scope="module")
def real(encoder):
    return features(encoder, draw_trays(PHOTOS, seed=1))


@pytest.fixture(scope="module")
def clean(encoder):
    """Other photos of the same kind."""
    return features(encoder, draw_trays(PHOTOS, seed=2))


def features(encoder, photos):
    seen = [encoder(photo, np.random.default_rng([0, n])) for n, photo in enumerate(photos)]
    return {view: np.stack([one[view] for one in seen]) for view in VIEWS}


def blur(rgb, sigma):
    return cv2.GaussianBlur(rgb, (0, 0), sigma)


def noise(rgb, sigma):
    return rgb + np.random.default_rng(9).normal(0, sigma, rgb.shape)


def cast(rgb, factor):
    return rgb * np.array([factor, 1.0, 1 / factor])


@pytest.mark.parametrize(
    ("fault", "doses"),
    [(blur, (0.7, 1.2, 2.5)), (noise, (3, 7, 15)), (cast, (1.05, 1.12, 1.3))],
)
def test_both_distances_rise_with_blur_noise_and_colour(encoder, real, clean, fault, doses):
    photos = draw_trays(PHOTOS, seed=2)
    sets = [clean["look"]]
    for dose in doses:
        faulty = [np.clip(fault(photo, dose), 0, 255).astype(np.uint8) for photo in photos]
        sets.append(features(encoder, faulty)["look"])
    kernels = [PhotoKernels.of(look, real["look"]) for look in sets]
    flat = real["look"].reshape(-1, 160)
    frechet = [frechet_distance(look.reshape(-1, 160), flat) for look in sets]
    assert (np.diff([one.distance() for one in kernels]) > 0).all()
    assert (np.diff(frechet) > 0).all()
    assert kernels[-1].distance() > 3 * kernels[-1].standard_error()


def test_trays_alike_are_not_told_apart(real, clean):
    for view in VIEWS:
        kernels = PhotoKernels.of(clean[view], real[view])
        assert abs(kernels.distance()) < 3 * kernels.standard_error()


def test_the_whole_tray_sees_how_many_items_there_are(encoder, real):
    full = draw_trays(PHOTOS, seed=2)
    empty = [np.full_like(photo, photo[0, 0]) for photo in full]
    kernels = PhotoKernels.of(features(encoder, empty)["tray"], real["tray"])
    assert kernels.distance() > 3 * kernels.standard_error()


def test_the_same_chance_gives_the_same_vectors(encoder):
    (photo,) = draw_trays(1)
    first, again, other = (encoder(photo, np.random.default_rng(seed)) for seed in (0, 0, 1))
    for view, shape in {"look": (4, 160), "parts": (4, 432), "tray": (1, 432)}.items():
        assert first[view].shape == shape
        np.testing.assert_array_equal(first[view], again[view])
    np.testing.assert_array_equal(first["tray"], other["tray"])
    assert not np.array_equal(first["look"], other["look"])
