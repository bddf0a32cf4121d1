"""Composed scenes made to look like the target's photos: OUT/images/ and OUT/instances.json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import read_json
from rpc.data.images import read_image, write_image
from rpc.data.photo_files import find_photos
from rpc.runs.folder_lock import writes_into
from rpc.runs.progress import bar
from rpc.runs.screen import say, warn
from synth.render.apply.chunks import Job, render_one
from synth.render.apply.render_dataset import REPORT, finished, render_dataset
from synth.render.apply.scenes import SceneFolder
from synth.render.apply.sheet import marked, rows_sheet

WORST: Final = 12


@dataclass(frozen=True)
class RenderRequest:
    """Scenes to be rendered.

    Attributes:
        scenes: folder of composed scenes.
        out: folder of the rendered set; one that is there is completed.
        renderer: file of a renderer.
        seed: names the set.
        gate: leave out images whose products moved, vanished or changed.
        workers: processes; None decides by cores and renderer.
        preview: scenes before and after on OUT/preview.png; also draws the worst ones.
        beside: photos of real trays for the preview.
        device: that networks run on, see `rpc.runs.devices`.
    """

    scenes: Path
    out: Path
    renderer: Path
    seed: int = 0
    gate: bool = True
    workers: int | None = None
    preview: int = 0
    beside: Path | None = None
    device: str = "cpu"


@writes_into(lambda request, *_, **__: request.out)
def render_scenes(request: RenderRequest) -> Path:
    """Render all scenes, draw the sheets that are asked for; the path of instances.json.

    Raises:
        DataError: scenes or renderer do not fit, or `out` holds another set.
    """
    beside = find_photos(request.beside, "photos of real trays").photos if request.beside else ()
    with bar("rendering scenes") as progress:
        path = render_dataset(
            request.scenes,
            request.out,
            request.renderer,
            seed=request.seed,
            workers=request.workers,
            gate=request.gate,
            device=request.device,
            progress=progress,
            warn=lambda line: warn(f"warning: {line}"),
        )
    report = read_json(request.out / REPORT)
    job = Job(
        request.out.resolve(),
        request.renderer.resolve(),
        request.seed,
        request.gate,
        report["threads"],
        report["device"],
    )
    for sheet in _sheets(request, job, beside):
        say(sheet)
    return path


def _sheets(request: RenderRequest, job: Job, beside: tuple[Path, ...]) -> list[Path]:
    """Sheets of scenes before and after, and of the worst that the gate found."""
    if not request.preview:
        return []
    folder = SceneFolder.open(request.scenes)
    images = folder.dataset.images
    rows = []
    photos = [beside[row] for row in evenly_spaced(len(beside), request.preview)] if beside else []
    for number, row in enumerate(evenly_spaced(len(images), request.preview)):
        rows.append(_row(job, folder, images[row].id))
        if photos:
            rows[-1].append(read_image(photos[number % len(photos)]))
    written = [write_image(request.out / "preview.png", rows_sheet(rows))]
    hurt = sorted((one for one in finished(request.out, len(images)) if one.reasons),
                  key=lambda one: -len(one.reasons))  # fmt: skip
    if hurt:
        worst = [_row(job, folder, one.image_id, final=True) for one in hurt[:WORST]]
        written.append(write_image(request.out / "worst.png", rows_sheet(worst)))
    return written


def _row(job: Job, folder: SceneFolder, image_id: int, *, final: bool = False) -> list[Any]:
    """A scene, its rendering with marks, and (final) what was made of it."""
    image = folder.dataset.image(image_id)
    gated = render_one(job, folder, image_id)
    row = [folder.read(image)]
    if gated.first is None or gated.last is None:
        return [*row, gated.raw]
    masks = folder.masks(image)
    row.append(marked(gated.raw, masks, gated.first))
    return [*row, marked(gated.image, masks, gated.last)] if final else row
