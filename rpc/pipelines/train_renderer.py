"""A renderer fitted or trained on photos of the counter: OUT/renderer.pth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import DataError
from rpc.data.images import read_image
from rpc.data.photo_files import find_photos
from rpc.data.store import Store
from rpc.runs.config_files import read_config_file
from rpc.runs.folder_lock import writes_files, writes_into
from rpc.runs.interruption import Interruption
from rpc.runs.processes import has_fast_bfloat16, joined
from rpc.runs.progress import bar
from synth.render.apply.learned import LearnedRenderer
from synth.render.apply.renderer import write_renderer
from synth.render.apply.scenes import SceneFolder
from synth.render.apply.target import TargetPhotos, target_of_folder, target_of_store
from synth.render.classical.classical_renderer import MOST_SCENES, ClassicalRenderer
from synth.render.gate.background import background_statistics
from synth.render.training.settings_reader import read_settings
from synth.render.training.translation import train_translation

NAME: Final = "renderer.pth"


@dataclass(frozen=True)
class RendererRequest:
    """A renderer to be made.

    Attributes:
        config: a file of `configs/render/`.
        scenes: folder of composed scenes.
        data: the store of the photos.
        out: folder for renderer, samples and resume point.
        target: other photos than the store's; None takes its val photos.
        allow_test: look at test photos; the result is marked T.
        minutes: time for learning in place of the config's budget.
        iterations: batches in place of the config's budget.
        seed: of weights, crops and what is drawn.
        resume: go on where a training in `out` was stopped.
        device: that a learned renderer's networks are trained on, see `rpc.runs.devices`.
        options: changes to the config by dotted name.
    """

    config: Path
    scenes: Path
    data: Path
    out: Path
    target: Path | None = None
    allow_test: bool = False
    minutes: float | None = None
    iterations: int | None = None
    seed: int = 0
    resume: bool = False
    device: str = "auto"
    options: Mapping[str, Any] = field(default_factory=dict)


@writes_into(lambda request: request.out if writes_files() else None)
def train_renderer(request: RendererRequest) -> Path:
    """Look for photos, learn, write the renderer; their labels are not read.

    By torchrun, several processes train together.

    Raises:
        DataError: config, scenes or photos do not fit, or `out` holds another training.
        KeyboardInterrupt: a signal asked to stop; the resume point is written first.
    """
    values = read_config_file(request.config, request.options)
    kind = values.pop("kind", None)
    if kind not in ("classical", "learned"):
        raise DataError(
            f"{request.config}: expected kind 'classical' or 'learned', got {kind!r:.80}"
        )
    target = _target(request)
    return (_learned if kind == "learned" else _classical)(request, values, target)


def _target(request: RendererRequest) -> TargetPhotos:
    """The photos that scenes shall look like."""
    store = Store.open(request.data)
    if request.target is not None:
        return target_of_folder(request.target, store, allow_test=request.allow_test)
    return target_of_store(
        store, "test" if request.allow_test else "val", allow_test=request.allow_test
    )


def _learned(request: RendererRequest, values: dict[str, Any], target: TargetPhotos) -> Path:

    _budget(request, values)
    settings = read_settings(values, str(request.config))
    scenes = find_photos(request.scenes / "images", "composed scenes to learn from").photos
    with (
        joined(request.device) as processes,
        bar("learning to render") as progress,
        Interruption() as asked,
    ):
        generator, iterations = train_translation(
            scenes,
            target.paths,
            request.out,
            settings,
            seed=request.seed,
            resume=request.resume,
            fast_bfloat16=has_fast_bfloat16(processes.device),
            processes=processes,
            progress=lambda done, facts: progress(round(1000 * done), 1000, facts),
            stop=lambda: asked.requested,
        )
    if processes.rank == 0:
        renderer = LearnedRenderer(generator, settings.crops.load_scale, settings.tiling)
        kind = {"objective_type": type(settings.objective).__name__, "iterations": iterations}
        return _write(request, "learned", renderer.to_state(), target, {**asdict(settings), **kind})
    return request.out / NAME


def _classical(request: RendererRequest, values: dict[str, Any], target: TargetPhotos) -> Path:

    if values:
        raise DataError(
            f"{request.config}: unknown setting {', '.join(values)}; expected kind alone"
        )
    folder = SceneFolder.open(request.scenes)
    rows = evenly_spaced(len(folder.dataset.images), MOST_SCENES)
    total = len(rows) + len(target.paths)
    with bar("looking at photos and scenes") as progress:
        renderer = ClassicalRenderer.fit(
            (folder.read(folder.dataset.images[row]) for row in rows),
            (read_image(path) for path in target.paths),
            progress=lambda done: progress(done, total),
        )
    return _write(request, "classical", renderer.to_state(), target, {})


def _write(
    request: RendererRequest,
    kind: Any,
    state: Mapping[str, Any],
    target: TargetPhotos,
    settings: Mapping[str, Any],
) -> Path:
    """The renderer's file, with where it came from."""
    origin = {
        "supervision": target.supervision,
        "split": target.split,
        "photos": len(target.paths),
        "background": background_statistics(request.scenes),
        "config": request.config.stem,
        "settings": dict(settings),
        "seed": request.seed,
    }
    return write_renderer(request.out / NAME, kind, state, origin)


def _budget(request: RendererRequest, values: dict[str, Any]) -> None:
    """A budget on the command line replaces the config's."""
    if request.minutes is not None or request.iterations is not None:
        training = dict(values.get("training") or {})
        values["training"] = {
            **training,
            "minutes": request.minutes,
            "iterations": request.iterations,
        }
