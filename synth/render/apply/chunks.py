"""The unit of work: a few scenes, rendered the same whoever does it and wherever."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from rpc.data.dataset import Dataset
from rpc.data.files import DataError, safe_join, write_bytes
from rpc.data.images import write_image
from rpc.features.backbones.embedding import Embedder
from synth.render.apply.renderer import RendererFile, read_renderer
from synth.render.apply.scenes import IMAGES, SceneFolder
from synth.render.apply.threads import some_threads
from synth.render.gate.gated import Gated, Outcome, render_gated
from synth.render.gate.image_gate import Embed

CHUNK: Final = 16  # scenes; fixed, so that shards do not depend on the number of workers
QUALITY: Final = 95  # of the JPEGs: the target's own compression is the renderer's business
ENCODER_SIDE: Final = 96  # px: enough to tell a product from none


@dataclass(frozen=True)
class Job:
    """All that a worker must know.

    Attributes:
        out: folder of the rendered set.
        renderer: file of the renderer.
        seed: names the set.
        gate: whether scenes are judged, repaired and dropped.
        threads: that torch may use in one process.
        device: that networks run on, see `rpc.runs.devices`.
    """

    out: Path
    renderer: Path
    seed: int
    gate: bool
    threads: int
    device: str = "cpu"


@dataclass(frozen=True)
class Done:
    """The outcome of one scene.

    Attributes:
        image_id: its id.
        outcome: kept, repaired or dropped.
        items: how many items the gate looked at.
        faulty: how many of them it found changed.
        reasons: one a faulty item, and "stray" where something new is on the board.
        remaining: reasons that a repair left.
    """

    image_id: int
    outcome: Outcome
    items: int
    faulty: int
    reasons: tuple[str, ...]
    remaining: tuple[str, ...]


def shard_path(out: Path, chunk: int) -> Path:
    """Where it is written down what became of a chunk."""
    return out / "shards" / f"{chunk:06d}.json"


def chunk_of(scenes: SceneFolder, chunk: int) -> SceneFolder:
    """The scenes of one chunk alone: small enough to be sent to a worker."""
    images = scenes.dataset.images[chunk * CHUNK : (chunk + 1) * CHUNK]
    items = tuple(a for image in images for a in scenes.dataset.annotations_of(image.id))
    return SceneFolder(scenes.root, Dataset(images, items, scenes.dataset.taxonomy))


def read_shard(out: Path, chunk: int) -> tuple[list[Done], float] | None:
    """The outcome of a chunk, and the seconds it took; None where it is not finished.

    Raises:
        DataError: the shard is damaged.
    """
    path = shard_path(out, chunk)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        done = [
            Done(**{**entry, **{k: tuple(entry[k]) for k in ("reasons", "remaining")}})
            for entry in content["scenes"]
        ]
        return done, float(content["seconds"])
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{path}: damaged ({error}); delete it and run the same command again"
        ) from error


def render_chunk(job: Job, chunk: int, scenes: SceneFolder) -> int:
    """Render, judge and write a chunk; returns its number of scenes.

    Raises:
        DataError: an image, its masks or the renderer are damaged, or the disk is full. The chunk
            then counts as not begun.
    """
    started = time.perf_counter()
    with some_threads(job.threads):
        done = [_render(job, scenes, row) for row in range(len(scenes.dataset.images))]
    seconds = round(time.perf_counter() - started, 3)
    content = {"seconds": seconds, "scenes": [asdict(one) for one in done]}
    write_bytes(shard_path(job.out, chunk), (json.dumps(content) + "\n").encode())
    return len(done)


def render_one(job: Job, scenes: SceneFolder, image_id: int) -> Gated:
    """One scene, as `render_dataset` makes it; chance is of (seed, image id) alone.

    Raises:
        DataError: the image, its masks or the renderer are damaged.
    """
    image = scenes.dataset.image(image_id)
    rng = np.random.default_rng([job.seed, image_id % 2**63])  # ids may be negative
    scene = scenes.read(image)
    masks = scenes.masks(image) if job.gate else []
    renderer = _renderer(job.renderer, job.device).renderer
    embed = _encoder(job.device) if job.gate else None
    return render_gated(scene, masks, renderer, rng, gate=job.gate, embed=embed)


def forget_sources() -> None:
    """Read the renderer's file anew: it may have changed in a long-lived process."""
    _renderer.cache_clear()


def _render(job: Job, scenes: SceneFolder, row: int) -> Done:
    image = scenes.dataset.images[row]
    gated = render_one(job, scenes, image.id)
    if gated.outcome != "dropped":
        write_image(safe_join(job.out / IMAGES, image.file_name), gated.image, QUALITY)
    if gated.first is None or gated.last is None:
        return Done(image.id, gated.outcome, 0, 0, (), ())
    first = gated.first
    remaining = tuple(gated.last.reasons)
    return Done(
        image.id,
        gated.outcome,
        len(first.items),
        len(first.faulty),
        tuple(first.reasons),
        remaining,
    )


@lru_cache(maxsize=1)
def _renderer(path: Path, device: str) -> RendererFile:
    return read_renderer(path, device)


@lru_cache(maxsize=1)
def _encoder(device: str) -> Embed:
    return Embedder(side=ENCODER_SIDE, device=device)
