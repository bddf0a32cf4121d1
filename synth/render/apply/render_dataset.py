"""A folder of scenes made to look like the target's photos: pixels change, labels stay."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from rpc.data.files import DataError, read_json, write_bytes, write_json
from rpc.runs.devices import resolve_device
from rpc.runs.folder_lock import writes_into
from rpc.runs.run_folder import require_same_input, require_same_settings
from synth.render.apply.chunks import CHUNK, Done, Job, forget_sources, read_shard
from synth.render.apply.renderer import RendererFile, read_renderer
from synth.render.apply.scenes import ANNOTATIONS, IMAGES, SceneFolder
from synth.render.apply.threads import share_cores
from synth.render.apply.workers import run_chunks
from synth.render.gate.background import background_mismatch, background_statistics
from synth.render.gate.gated import USUAL
from synth.render.gate.image_gate import REASONS

REPORT: Final = "render.json"
RECIPE: Final = 1  # raise it when the same settings give other pixels than before


@writes_into(lambda scenes, out, *_, **__: out, deep=True)
def render_dataset(
    scenes: str | Path,
    out: str | Path,
    renderer: str | Path,
    *,
    seed: int = 0,
    workers: int | None = None,
    gate: bool = True,
    device: str = "cpu",
    progress: Callable[[int, int], None] | None = None,
    warn: Callable[[str], None] | None = None,
) -> Path:
    """Render the scenes of a folder into `out`: `images/`, `instances.json` and `render.json`.

    Image i is the same for any number of workers, on one kind of device. What is there already is
    kept: a run that was interrupted goes on where it stopped.

    Args:
        scenes: folder with `instances.json` and `images/`, as rpc-checkout compose writes it.
        out: folder of the rendered set; made if it is missing.
        renderer: file that rpc-checkout train-render wrote.
        seed: names the set, >= 0.
        workers: processes; by default one a core, fewer for a network, which uses several, and
            one where a network runs on a GPU.
        gate: judge every image; repair or drop those whose products are not the scene's.
        device: that the renderer's and the gate's networks run on, see `rpc.runs.devices`.
        progress: called with (scenes done, all) at the start and after each chunk.
        warn: is told in one line where the scenes' backgrounds or size are not those the renderer
            was made for.

    Returns:
        The path of `instances.json`: byte for byte that of `scenes` where no image was dropped,
        else the same entries without the dropped images and their items.

    Raises:
        DataError: scenes or renderer are missing or damaged, `out` was made with other settings
            or is `scenes` itself, the device is unknown, the disk is full, or a worker died. Run it
            again to go on.
    """
    scenes, out, renderer = Path(scenes), Path(out), Path(renderer)
    if seed < 0 or (workers is not None and workers < 1):
        raise DataError(f"expected seed >= 0 and workers >= 1, got {seed} and {workers}")
    started = time.perf_counter()
    folder = SceneFolder.open(scenes)
    made = read_renderer(renderer)
    device = str(resolve_device(device))
    workers, threads = share_cores(made.kind, workers, gpu=device != "cpu")
    job = Job(out.resolve(), renderer.resolve(), seed, gate, threads, device)
    settings = _settings(folder, job)
    spent = _claim(out, scenes, settings)
    background = _background(made, scenes, warn)
    _run(job, folder, workers, progress)
    require_same_input(scenes, out, settings, _settings(folder, job))
    count = len(folder.dataset.images)
    done = finished(job.out, count)
    seconds = sum(_shard(job.out, chunk)[1] for chunk in range(-(-count // CHUNK)))
    path = _write_annotations(folder.root / ANNOTATIONS, out / ANNOTATIONS, done)
    report = {
        "settings": settings,
        "renderer": {"file": renderer.name, "kind": made.kind},
        "origin": dict(made.origin),
        "supervision": made.origin.get("supervision"),
        "background": background,
        **gate_report(done),
        "workers": workers,
        "threads": threads,
        "device": device,
        "seconds": round(spent + time.perf_counter() - started, 1),
        "images_per_second_of_a_process": round(len(done) / max(seconds, 1e-6), 2),
    }
    write_json(out / REPORT, report, indent=1)
    return path


def finished(out: str | Path, count: int) -> list[Done]:
    """The outcome of all `count` scenes, in order, once `render_dataset` has returned.

    Raises:
        DataError: some are not rendered yet, or a shard is damaged.
    """
    chunks = range(-(-count // CHUNK))
    return [done for chunk in chunks for done in _shard(Path(out), chunk)[0]]


def _shard(out: Path, chunk: int) -> tuple[list[Done], float]:
    shard = read_shard(out, chunk)
    if shard is None:
        raise DataError(f"{out}: not all scenes are rendered; run rpc-checkout render again")
    return shard


def gate_report(done: Sequence[Done]) -> dict[str, Any]:
    """How many images and items were kept, repaired and dropped, and why."""
    images = Counter(one.outcome for one in done)
    repaired = [one for one in done if one.outcome == "repaired"]
    dropped = [one for one in done if one.outcome == "dropped"]
    return {
        "images": {
            "all": len(done),
            **{name: images[name] for name in ("kept", "repaired", "dropped")},
        },
        "items": {
            "judged": sum(one.items for one in done),
            "faulty": sum(one.faulty for one in done),
            "repaired": sum(one.faulty for one in repaired),
            "dropped": sum(one.items for one in dropped),
        },
        "faults": _count(reason for one in done for reason in one.reasons),
        "faults_of_dropped": _count(reason for one in dropped for reason in one.remaining),
    }


def _count(reasons: Iterable[str]) -> dict[str, int]:
    counted = Counter(reasons)
    return {reason: counted[reason] for reason in REASONS if counted[reason]}


def _settings(folder: SceneFolder, job: Job) -> dict[str, Any]:
    """All that decides the pixels; not who makes them."""
    annotations = hashlib.sha256((folder.root / ANNOTATIONS).read_bytes())
    for image in folder.dataset.images:
        path = folder.image_path(image)
        try:
            annotations.update(f"{image.file_name}:{path.stat().st_size}\n".encode())
        except OSError as error:
            raise DataError(
                f"{path}: cannot be read: {error.strerror}; the scenes are incomplete: "
                "compose them again"
            ) from error
    return {
        "recipe": RECIPE,
        "seed": job.seed,
        "gate": asdict(USUAL) if job.gate else None,
        "scenes": annotations.hexdigest()[:16],
        "renderer": hashlib.sha256(job.renderer.read_bytes()).hexdigest()[:16],
    }


def _claim(out: Path, scenes: Path, settings: dict[str, Any]) -> float:
    """Write the settings down, or refuse a folder made with others; returns seconds spent so far.

    Raises:
        DataError: the folder holds something else.
    """
    if out.resolve() == scenes.resolve():
        raise DataError(f"{out}: holds the scenes themselves; choose another folder")
    path = out / REPORT
    if not path.exists():
        if (out / "shards").exists() or (out / ANNOTATIONS).exists() or (out / IMAGES).exists():
            raise DataError(f"{out}: holds another data set; choose another folder")
        write_json(path, {"settings": settings}, indent=1)
        return 0.0
    report = read_json(path)
    before = report.get("settings")
    if not isinstance(before, dict):
        raise DataError(f"{path}: not the report of a rendering; choose another folder")
    require_same_settings(out, before, settings)
    return float(report.get("seconds", 0.0))


def _background(
    made: RendererFile, scenes: Path, warn: Callable[[str], None] | None
) -> dict[str, Any]:
    """The backgrounds here and where the renderer was made, and a warning if they differ."""
    before, after = made.origin.get("background"), background_statistics(scenes)
    line = background_mismatch(before, after) if isinstance(before, dict) else None
    if line is not None and warn is not None:
        warn(line)
    return {"applied_to": after, "warning": line}


def _run(
    job: Job, folder: SceneFolder, workers: int, progress: Callable[[int, int], None] | None
) -> None:
    """Render the chunks that are not finished yet."""
    forget_sources()
    count = len(folder.dataset.images)
    chunks = range(-(-count // CHUNK))
    left = [chunk for chunk in chunks if read_shard(job.out, chunk) is None]
    done = count - sum(min(CHUNK, count - chunk * CHUNK) for chunk in left)
    if progress is not None:
        progress(done, count)
    for size in run_chunks(job, folder, left, workers):
        done += size
        if progress is not None:
            progress(done, count)


def _write_annotations(source: Path, path: Path, done: Sequence[Done]) -> Path:
    """The scenes' annotations, without those of dropped images."""
    dropped = {one.image_id for one in done if one.outcome == "dropped"}
    if not dropped:
        return write_bytes(path, source.read_bytes())
    if len(dropped) == len(done):
        raise DataError(
            f"{path.parent}: the gate dropped all {len(done)} images: the renderer changes "
            f"products; see {REPORT}'s shards, train it longer or on matching backgrounds"
        )
    content = read_json(source)
    content["images"] = [i for i in content["images"] if i["id"] not in dropped]
    content["annotations"] = [a for a in content["annotations"] if a["image_id"] not in dropped]
    return write_json(path, content)
