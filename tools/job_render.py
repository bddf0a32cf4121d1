"""The main job's rendering: composed scenes made to look like unlabelled validation photos."""

from __future__ import annotations

from pathlib import Path

from job import Job, Step
from progress_bar import bar

from rpc.data.scene_sets import join_scene_sets


def render_steps(job: Job) -> list[Step]:
    """The steps from Syn to Render, and to both where both are trained on."""
    steps: list[Step] = [("renderer", lambda: _make(job)), ("render", lambda: _render(job))]
    if job.method == "Syn+Render":
        steps.append(("both", lambda: _join(job)))
    return steps


def _renderer(job: Job) -> Path:
    """The renderer's file: the one that was given, or the one that the job makes."""
    return job.renderer if job.renderer.suffix == ".pth" else job.scenes_in / "renderer.pth"


def _make(job: Job) -> None:
    """Fit or train the renderer that the config describes, on unlabelled val photos."""
    from train_render import make_renderer

    make_renderer(job)


def _render(job: Job) -> None:
    """Every scene as the target camera would show it; what the gate refuses is left out."""
    from synth.render.apply import render_dataset

    with bar("rendering scenes") as progress:
        render_dataset(
            job.scenes_in / "syn",
            job.scenes_in / "render",
            _renderer(job),
            seed=job.seed,
            workers=job.workers,
            progress=progress,
        )


def _join(job: Job) -> None:
    sets = {"syn": job.scenes_in / "syn", "render": job.scenes_in / "render"}
    join_scene_sets(sets, job.training_images)
