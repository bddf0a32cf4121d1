"""The unit of work: one chunk of scenes, the same whoever does it and wherever."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from synth.compose.sources import SceneSources
from synth.compose.writer import chunk_range, write_scene, write_shard


@dataclass(frozen=True)
class Job:
    """All that a worker must know; small, and sent to it once with each chunk.

    Attributes:
        sources: what scenes are made of.
        out: folder of the set.
        count: number of scenes.
    """

    sources: SceneSources
    out: Path
    count: int


def compose_chunk(job: Job, chunk: int) -> int:
    """Compose and write one chunk; returns its number of scenes.

    Raises:
        DataError: a cut-out or background is damaged, or the disk is full. The chunk then counts
            as not begun.
    """
    quality = job.sources.config.jpeg_quality
    lines = [
        write_scene(job.out, job.sources.compose(index), quality)
        for index in chunk_range(chunk, job.count)
    ]
    write_shard(job.out, chunk, lines)
    return len(lines)
