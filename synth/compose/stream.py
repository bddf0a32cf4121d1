"""Scenes composed when a training asks for them: no disk, and none is seen twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from rpc.data.cutouts import read_cutouts
from rpc.data.images import Rgb, encode_jpeg, read_photo
from rpc.data.scene_stream import TrainingScene
from rpc.data.taxonomy import Taxonomy
from synth.compose.scene import Scene
from synth.compose.sources import SceneSources, open_sources


@dataclass(frozen=True)
class ComposedScenes:
    """The scenes that `compose_dataset` would write, without end; see `rpc.data.scene_stream`.

    Attributes:
        sources: what they are made of.
        fingerprint: of the files and settings that decide them.
    """

    sources: SceneSources
    fingerprint: str

    @classmethod
    def open(cls, sources: SceneSources) -> ComposedScenes:
        """Look at the files that scenes are made of, so that bad ones are told before any work.

        Raises:
            DataError: they are missing or damaged, or a SKU has no cut-out that is kept.
        """
        open_sources.cache_clear()  # a long-lived process must not draw from files of before
        _, backgrounds = open_sources(sources)
        if backgrounds.plain < 1:
            backgrounds.check()
        settings = sources.settings(read_cutouts(sources.cutouts), backgrounds)
        text = json.dumps(settings, sort_keys=True)
        return cls(sources, hashlib.sha256(text.encode()).hexdigest()[:16])

    @property
    def taxonomy(self) -> Taxonomy:
        """The SKUs."""
        return open_sources(self.sources)[0].taxonomy

    @property
    def count(self) -> None:
        """No end."""

    def scene(self, index: int) -> TrainingScene:
        """Scene `index`, with the pixels that a written one has: they go through its JPEG.

        Raises:
            DataError: a cut-out or background is damaged.
        """
        composed = self.sources.compose(index)
        height, width = composed.image.shape[:2]
        rgb = as_written(composed, self.sources.config.jpeg_quality)
        return TrainingScene(composed.boxes, composed.labels, width, height, lambda: rgb)

    def pictures(self, indices: Sequence[int]) -> list[Rgb]:
        """The pixels of some scenes, to look at."""
        return [self.scene(index).read() for index in indices]


def as_written(scene: Scene, quality: int) -> Rgb:
    """The pixels (H, W, 3) that reading a written scene gives: with the marks of its JPEG."""
    return read_photo(encode_jpeg(scene.image, quality), f"scene {scene.index}")
