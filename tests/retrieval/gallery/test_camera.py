"""What a camera's crops have in common is taken off queries, and nothing else changes."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.gallery.camera import CameraMean

DIMENSION = 16
seeds = st.integers(0, 500)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def crops(seed, count=60):
    """Exemplars of eight products, one of which points the camera's way, and crops of all."""
    rng = np.random.default_rng(seed)
    light = unit(rng.normal(size=DIMENSION))
    products = unit(rng.normal(size=(8, DIMENSION)))
    products[0] = unit(products[0] + 1.5 * light)
    labels = rng.integers(8, size=count)
    noise = 0.15 * rng.normal(size=(count, DIMENSION))
    return products, unit(products[labels] + 1.2 * light + noise), labels


def test_products_are_told_apart_better_without_the_cameras_part():
    before, after = [], []
    for seed in range(20):
        products, seen, labels = crops(seed)
        camera = CameraMean.of_crops(seen)
        before.append(((seen @ products.T).argmax(axis=1) == labels).mean())
        after.append(((camera(seen) @ products.T).argmax(axis=1) == labels).mean())
    assert np.mean(after) > np.mean(before) + 0.1


@given(seeds)
def test_it_is_a_mean_of_unit_vectors_by_a_naive_loop(seed):
    _, seen, _ = crops(seed, 40)
    scaled = seen * np.random.default_rng(seed).uniform(0.5, 9, (40, 1))
    camera = CameraMean.of_crops(scaled)
    mean = sum(row / np.sqrt((row**2).sum()) for row in scaled) / 40
    np.testing.assert_allclose(camera.mean, mean, atol=1e-12)
    left = [row / np.sqrt((row**2).sum()) - 0.5 * mean for row in scaled]
    expected = [row / np.sqrt((row**2).sum()) for row in left]
    np.testing.assert_allclose(camera(scaled), expected, atol=1e-9)


@given(seeds)
def test_the_order_of_crops_changes_nothing(seed):
    _, seen, _ = crops(seed)
    order = np.random.default_rng(seed).permutation(len(seen))
    one, other = CameraMean.of_crops(seen), CameraMean.of_crops(seen[order])
    np.testing.assert_allclose(one.mean, other.mean, atol=1e-12)


def test_no_share_changes_no_direction():
    _, seen, _ = crops(1)
    camera = CameraMean(CameraMean.of_crops(seen).mean, 60, share=0.0)
    np.testing.assert_allclose(camera(seen), seen, atol=1e-12)


def test_few_crops_tell_of_products_and_not_of_a_camera():
    _, seen, _ = crops(0, 40)
    nothing = np.zeros((11, DIMENSION))
    assert CameraMean.of_crops(np.concatenate([seen[:29], nothing])) is None
    assert CameraMean.of_crops(np.concatenate([seen[:29], np.full((9, DIMENSION), np.nan)])) is None
    assert CameraMean.of_crops(np.concatenate([seen[:30], nothing])).crops == 30
    assert CameraMean.of_crops(np.zeros((0, DIMENSION))) is None


def test_a_crop_that_is_the_cameras_part_alone_becomes_zero():
    camera = CameraMean(np.eye(3)[0], 30, share=1.0)
    assert not camera(np.eye(3)[:1]).any()
    assert camera(np.zeros((0, 3))).shape == (0, 3)
    with pytest.raises(ValueError, match=r"expected \(N, 3\)"):
        camera(np.ones((2, 4)))


def test_it_comes_back_from_json():
    camera = CameraMean.of_crops(crops(3)[1])
    read = CameraMean.from_dict(json.loads(json.dumps(camera.to_dict())) | {"of": "x"}, DIMENSION)
    np.testing.assert_allclose(read.mean, camera.mean, atol=1e-6)
    assert (read.crops, read.share) == (60, 0.5)


@pytest.mark.parametrize(
    "change",
    [
        {"mean": [0.1] * (DIMENSION - 1)},
        {"mean": [0.1] * (DIMENSION - 1) + ["0"]},
        {"mean": [0.1] * (DIMENSION - 1) + [float("nan")]},
        {"mean": [0.1] * (DIMENSION - 1) + [True]},
        {"mean": [1.0] * DIMENSION},
        {"mean": None},
        {"crops": 0},
        {"crops": True},
        {"crops": 3.5},
        {"share": 1.5},
        {"share": "all"},
        {"share": float("nan")},
    ],
)
def test_a_damaged_one_is_refused(change):
    good = {"mean": [0.1] * DIMENSION, "crops": 40, "share": 0.5}
    assert CameraMean.from_dict(good, DIMENSION).crops == 40
    with pytest.raises(ValueError, match="camera: "):
        CameraMean.from_dict(good | change, DIMENSION)
    with pytest.raises(ValueError, match="camera: the field"):
        CameraMean.from_dict({k: v for k, v in good.items() if k not in change}, DIMENSION)
