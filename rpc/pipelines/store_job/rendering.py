"""The main job's rendering: composed scenes made to look like unlabelled validation photos."""

from __future__ import annotations

from rpc.data.scene_sets import join_scene_sets
from rpc.pipelines.store_job.job import Job, Step
from rpc.pipelines.store_job.scenes import compose_clean
from rpc.pipelines.train_renderer import RendererRequest, train_renderer
from rpc.runs.progress import bar
from rpc.runs.screen import warn
from synth.render.apply.render_dataset import render_dataset


def render_steps(job: Job) -> list[Step]:
    """From cut-outs to Render, and to both where both are trained on.

    None where nothing is rendered, or another job has done it.
    """
    if not job.renders or job.prepared is not None:
        return []
    steps: list[Step] = [("clean scenes", lambda: compose_clean(job))]
    if job.renderer.suffix != ".pth":
        steps.append(("renderer", lambda: _make_renderer(job)))
    steps.append(("render", lambda: _render(job)))
    if job.method == "Syn+Render":
        steps.append(("both", lambda: _join(job)))
    return steps


def _make_renderer(job: Job) -> None:
    """Fit or train the renderer of the config on val photos; their labels are not read."""
    train_renderer(
        RendererRequest(
            config=job.renderer,
            scenes=job.scenes_in / "clean",
            data=job.data,
            out=job.scenes_in / "renderer",
            seed=job.seed,
            resume=True,
            device=job.device,
        )
    )


def _render(job: Job) -> None:
    """Every scene as the target camera would show it; what the gate refuses is left out."""
    made = job.scenes_in / "renderer" / "renderer.pth"
    with bar("rendering scenes") as progress:
        render_dataset(
            job.scenes_in / "clean",
            job.scenes_in / "render",
            job.renderer if job.renderer.suffix == ".pth" else made,
            seed=job.seed,
            workers=job.workers,
            device=job.device,
            progress=progress,
            warn=lambda line: warn(f"warning: {line}"),
        )


def _join(job: Job) -> None:
    sets = {"syn": job.scenes_in / "syn", "render": job.scenes_in / "render"}
    join_scene_sets(sets, job.training_images)
