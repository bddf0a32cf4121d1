"""The unit of work: one chunk of scenes, the same whoever does it and wherever."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2

from rpc.data.taxonomy import Taxonomy
from synth.compose.backgrounds import Backgrounds
from synth.compose.config import SceneConfig
from synth.compose.library import CutoutLibrary
from synth.compose.scene import compose_scene
from synth.compose.writer import chunk_range, write_scene, write_shard


@dataclass(frozen=True)
class Job:
    """All that a worker must know; small, and sent to it once with each chunk.

    Attributes:
        cutouts: folder with `cutouts.json`.
        out: folder of the set.
        count: number of scenes.
        config: what scenes look like.
        seed: names the set.
        taxonomy: SKUs of the set; None for those that the cut-outs name.
        background_dir: photos of empty trays; None for plain trays.
        plain: fraction of plain trays where there are photos.
    """

    cutouts: Path
    out: Path
    count: int
    config: SceneConfig
    seed: int
    taxonomy: Taxonomy | None
    background_dir: Path | None
    plain: float


def compose_chunk(job: Job, chunk: int) -> int:
    """Compose and write one chunk; returns its number of scenes.

    Raises:
        DataError: a cut-out or background is damaged, or the disk is full. The chunk then counts
            as not begun.
    """
    library, backgrounds = open_sources(job)
    with one_cv2_thread():
        lines = [
            write_scene(
                job.out,
                compose_scene(
                    library, seed=job.seed, index=index, config=job.config, background=backgrounds
                ),
                job.config.jpeg_quality,
            )
            for index in chunk_range(chunk, job.count)
        ]
    write_shard(job.out, chunk, lines)
    return len(lines)


@lru_cache(maxsize=1)
def open_sources(job: Job) -> tuple[CutoutLibrary, Backgrounds]:
    """The library and backgrounds of a job, opened once a process."""
    library = CutoutLibrary.open(job.cutouts, taxonomy=job.taxonomy)
    return library, Backgrounds.from_folder(job.background_dir, job.plain)


@contextmanager
def one_cv2_thread() -> Iterator[None]:
    """Let OpenCV use one thread in the block: workers share the cores among themselves."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)
