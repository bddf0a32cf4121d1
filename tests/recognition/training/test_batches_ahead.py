import numpy as np
import pytest
import torch

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.recognition.training.batches_ahead import made_ahead
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import LearningSettings

SETTINGS = LearningSettings(iterations=9, batch_size=3, seed=4)


@pytest.fixture
def noise(tmp_path):
    rng = np.random.default_rng(0)
    return [
        LabelledPhoto(
            write_image(tmp_path / f"{n}.png", rng.integers(0, 255, (36, 36, 3), np.uint8)), n
        )
        for n in range(5)
    ]


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_the_batches_are_the_same_with_any_number_of_threads(noise, workers):
    plain = PhotoBatches(noise, 32)
    with made_ahead(plain, workers) as ahead:
        assert ahead.fingerprint == plain.fingerprint
        for phase, step in [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1), (0, 1), (2, 7)]:
            made, wanted = (b.batch(SETTINGS, phase, step) for b in (ahead, plain))
            assert torch.equal(made.images, wanted.images)
            assert torch.equal(made.labels, wanted.labels)


def test_a_damaged_photo_is_told_where_its_batch_is_wanted(noise):
    noise[2].path.write_bytes(b"nothing")
    everything = LearningSettings(iterations=9, batch_size=5)
    with made_ahead(PhotoBatches(noise, 32), 2) as ahead:
        with pytest.raises(DataError, match=r"2\.png"):
            ahead.batch(everything, 0, 0)
