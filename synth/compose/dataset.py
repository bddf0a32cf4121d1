"""A set of scenes: composed in chunks by any number of workers, resumed where it stopped."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from rpc.data.cutouts import read_cutouts
from rpc.data.files import DataError, read_json, write_json
from rpc.data.parallel import available_cores
from rpc.data.taxonomy import Taxonomy
from rpc.runs.folder_lock import writes_into
from rpc.runs.run_folder import require_same_input, require_same_settings
from synth.compose.chunks import Job
from synth.compose.config import SceneConfig
from synth.compose.executors import Executor, run_chunks
from synth.compose.sources import SceneSources, open_sources
from synth.compose.writer import CHUNK, is_finished, merge_shards

SETTINGS = "compose.json"


@writes_into(lambda cutouts, out, *_, **__: out)
def compose_dataset(
    cutouts: str | Path,
    out: str | Path,
    count: int,
    *,
    config: SceneConfig | None = None,
    seed: int = 0,
    workers: int | None = None,
    executor: Executor = "process",
    background_dir: str | Path | None = None,
    plain: float = 0.3,
    taxonomy: Taxonomy | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Compose `count` scenes into `out`: `images/` and `instances.json`.

    What is there already is kept: a set that was interrupted, or is to grow, goes on where it
    stopped. Images of an earlier, larger set stay on disk, without being listed.

    Args:
        cutouts: folder with `cutouts.json`.
        out: folder of the set; made if it is missing.
        count: number of scenes, >= 1.
        config: what scenes look like; `SceneConfig()` by default.
        seed: names the set, >= 0.
        workers: processes; one for each core that this process may use by default. The result
            does not depend on it.
        executor: `process`, `serial` or `ray`. The result does not depend on it.
        background_dir: photos of empty trays; None for plain trays alone.
        plain: fraction of plain trays where there are photos.
        taxonomy: the store's SKUs, for their names, each of which must have a cut-out; those
            that the cut-outs name by default.
        progress: called with (scenes done, count) at the start and after each chunk.

    Returns:
        The path of `instances.json`.

    Raises:
        DataError: bad settings or cut-outs, a SKU without a kept cut-out, `out` was made with
            other settings, the disk is full, or a worker died. Run it again to go on.
    """
    cutouts, out = Path(cutouts), Path(out)
    workers = available_cores() if workers is None else workers
    if count < 1 or seed < 0 or workers < 1:
        raise DataError(
            f"expected count >= 1, seed >= 0, workers >= 1; got {count}, {seed}, {workers}"
        )
    sources = SceneSources(
        cutouts=cutouts.resolve(),
        config=config or SceneConfig(),
        seed=seed,
        taxonomy=taxonomy,
        background_dir=None if background_dir is None else Path(background_dir).resolve(),
        plain=plain,
    )
    open_sources.cache_clear()  # a long-lived process must not draw from files that have changed
    library, backgrounds = open_sources(sources)  # bad sources are told before any work is done
    if plain < 1:
        backgrounds.check()
    settings = sources.settings(read_cutouts(cutouts), backgrounds)
    _claim(out, settings)
    _run(Job(sources, out.resolve(), count), executor, workers, progress)
    require_same_input(cutouts, out, settings, sources.settings(read_cutouts(cutouts), backgrounds))
    info = {"description": "composed checkout scenes (Syn)", "count": count, **settings}
    return merge_shards(out, count, library.taxonomy.to_list(), info)


def _run(
    job: Job, executor: Executor, workers: int, progress: Callable[[int, int], None] | None
) -> None:
    """Compose the chunks that are not finished yet."""
    chunks = range(-(-job.count // CHUNK))
    open_chunks = [chunk for chunk in chunks if not is_finished(job.out, chunk, job.count)]
    done = job.count - sum(min(CHUNK, job.count - chunk * CHUNK) for chunk in open_chunks)
    if progress is not None:
        progress(done, job.count)
    for size in run_chunks(job, open_chunks, executor, workers):
        done += size
        if progress is not None:
            progress(done, job.count)


def _claim(out: Path, settings: dict[str, Any]) -> None:
    """Write the settings down, or refuse a folder that was made with others."""
    path = out / SETTINGS
    if not path.exists():
        if (out / "shards").exists() or (out / "instances.json").exists():
            raise DataError(f"{out}: holds another data set; choose another folder")
        write_json(path, settings, indent=1)
        return
    require_same_settings(out, read_json(path), settings)
