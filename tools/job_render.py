"""The main job's rendering: composed scenes made to look like unlabelled validation photos."""

from __future__ import annotations

import sys

from job import Job, Step
from job_scenes import compose_clean
from progress_bar import bar

from rpc.data.scene_sets import join_scene_sets


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
    import train_render

    folder = job.scenes_in / "renderer"
    arguments = [job.renderer, "--scenes", job.scenes_in / "clean", "--data", job.data]
    arguments += ["--out", folder, "--seed", job.seed, "--resume"]
    if train_render.main([str(word) for word in arguments]) != 0:
        raise KeyboardInterrupt


def _render(job: Job) -> None:
    """Every scene as the target camera would show it; what the gate refuses is left out."""
    from synth.render.apply import render_dataset

    made = job.scenes_in / "renderer" / "renderer.pth"
    with bar("rendering scenes") as progress:
        render_dataset(
            job.scenes_in / "clean",
            job.scenes_in / "render",
            job.renderer if job.renderer.suffix == ".pth" else made,
            seed=job.seed,
            workers=job.workers,
            progress=progress,
            warn=lambda line: print(f"warning: {line}", file=sys.stderr, flush=True),
        )


def _join(job: Job) -> None:
    sets = {"syn": job.scenes_in / "syn", "render": job.scenes_in / "render"}
    join_scene_sets(sets, job.training_images)
