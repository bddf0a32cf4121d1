"""Vectors depend on the picture alone."""

import numpy as np
import pytest

from rpc.features.backbones.embedding import Embedder
from tests.runs.device_calls import META, devices_used


@pytest.fixture(scope="module")
def embedder():
    return Embedder(side=64, batch=4)


@pytest.fixture
def pictures():
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (20 + 9 * n, 70 - 5 * n, 3), np.uint8) for n in range(7)]


def test_vectors_have_unit_length_and_the_progress_is_told(embedder, pictures):
    told = []
    vectors = embedder(pictures, told.append)
    assert vectors.shape[0] == 7
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert told == [4]


def test_batching_does_not_change_a_vector(embedder, pictures):
    together = embedder(pictures)
    alone = np.concatenate([embedder([picture]) for picture in pictures])
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_a_picture_is_nearest_to_itself_in_another_size(embedder, pictures):
    doubled = [np.repeat(np.repeat(p, 2, axis=0), 2, axis=1) for p in pictures]
    similarity = embedder(pictures) @ embedder(doubled).T
    assert similarity.argmax(axis=1).tolist() == list(range(7))


def test_no_picture_gives_no_vector(embedder):
    assert embedder([]).shape == (0, 0)


def test_the_network_runs_on_its_device(pictures):
    assert devices_used(lambda: Embedder(side=32, device=META)(pictures[:1])) == {"meta"}
    assert devices_used(lambda: Embedder(side=32)(pictures[:1])) == {"cpu"}
