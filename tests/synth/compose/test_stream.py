"""Scenes made when asked for are those of a written set, bit for bit."""

import pickle
from pathlib import Path

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.data.scene_stream import WrittenScenes
from synth.compose import SceneConfig, compose_dataset
from synth.compose.sources import SceneSources, open_sources
from synth.compose.stream import ComposedScenes

CONFIG = SceneConfig(width=120, height=96, jpeg_quality=80)


@pytest.fixture
def composed(cutout_dir: Path) -> ComposedScenes:
    return ComposedScenes.open(SceneSources(cutout_dir, CONFIG, seed=4))


def test_a_streamed_scene_has_the_pixels_boxes_and_labels_of_the_written_one(
    cutout_dir: Path, tmp_path: Path, composed: ComposedScenes
) -> None:
    compose_dataset(cutout_dir, tmp_path, 6, config=CONFIG, seed=4, executor="serial")
    written = WrittenScenes.open(tmp_path)
    assert (written.count, composed.count) == (6, None)
    assert written.taxonomy == composed.taxonomy
    for index in (5, 0, 3):  # in any order
        on_disk, made = written.scene(index), composed.scene(index)
        assert np.array_equal(on_disk.read(), made.read())
        assert np.array_equal(on_disk.boxes, made.boxes)
        assert np.array_equal(on_disk.labels, made.labels)
        assert (on_disk.width, on_disk.height) == (made.width, made.height) == (120, 96)
    raw = composed.sources.compose(0).image
    assert not np.array_equal(raw, composed.scene(0).read())  # the marks of its JPEG


def test_a_source_that_was_sent_to_another_process_makes_the_same_scenes(
    composed: ComposedScenes,
) -> None:
    before = composed.scene(10**12).read()
    sent = pickle.dumps(composed)
    assert len(sent) < 10_000
    open_sources.cache_clear()
    assert np.array_equal(pickle.loads(sent).scene(10**12).read(), before)


def test_the_fingerprint_is_that_of_what_decides_the_scenes(
    cutout_dir: Path, composed: ComposedScenes
) -> None:
    again = ComposedScenes.open(SceneSources(cutout_dir, CONFIG, seed=4))
    other = ComposedScenes.open(SceneSources(cutout_dir, CONFIG, seed=5))
    darker = ComposedScenes.open(SceneSources(cutout_dir, SceneConfig(shadow=2.0), seed=4))
    assert again.fingerprint == composed.fingerprint
    assert len({composed.fingerprint, other.fingerprint, darker.fingerprint}) == 3


def test_cutouts_that_are_missing_are_told_when_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cutouts"):
        ComposedScenes.open(SceneSources(tmp_path, CONFIG))
