"""The main job's trainings: scenes to one model file."""

from __future__ import annotations

from typing import Any

from rpc.detection.model_file import load_model, write_model
from rpc.detection.train import build_config, train
from rpc.pipelines.store_job.job import Job, Step
from rpc.recognition.counter.train import recogniser_learning, train_recogniser
from rpc.runs.processes import has_fast_bfloat16
from rpc.runs.progress import bar

DETECTOR_SHARE = 0.35  # of the training time; the rest goes to the recogniser
BATCHES = 2  # of the recogniser for each iteration of the detector: about these shares


def training_steps(job: Job) -> list[Step]:
    """The steps of this part."""
    if job.names_crops:
        return [("detector", lambda: _find(job)), ("recogniser", lambda: _name(job))]
    return [("detector", lambda: _find(job))]


def _find(job: Job) -> None:
    """Learn to find products: without naming them, where a recogniser does."""
    options: dict[str, Any] = {"val_cfg": None}
    if job.agnostic or job.names_crops:
        options["agnostic"] = True
    if job.start is not None and not job.one_stage:
        options["start"] = str(job.start)
    if job.iterations is not None:
        options |= {"train_cfg.max_minutes": None, "train_cfg.max_iters": job.iterations}
    minutes = job.minutes * (DETECTOR_SHARE if job.names_crops else 1.0)
    config = build_config(
        job.config,
        job.data,
        job.training_images,
        options,
        minutes=minutes if job.iterations is None else None,
        amp=has_fast_bfloat16(job.device),
        seed=job.seed,
        device=job.device,
    )
    train(config, job.out / "detector", resume=True)
    if not job.names_crops:
        saved = load_model(job.out / "detector" / "model.pth")
        write_model(job.model, saved.with_taxonomy(job.taxonomy))


def _name(job: Job) -> None:
    """Learn to name products, on crops of the same scenes; then one model file of both."""
    settings = recogniser_learning(
        minutes=job.minutes * (1 - DETECTOR_SHARE) if job.iterations is None else None,
        iterations=None if job.iterations is None else BATCHES * job.iterations,
        seed=job.seed,
        bfloat16=has_fast_bfloat16(job.device),
    )
    with bar("learning to name products") as progress:
        model = train_recogniser(
            job.training_images,
            job.out / "recogniser",
            settings,
            start=job.recogniser_start,
            device=job.device,
            progress=lambda done, facts: progress(round(1000 * done), 1000, facts),
        )
    saved = load_model(job.out / "detector" / "model.pth")
    named = saved.with_taxonomy(job.taxonomy).with_recogniser(model.state_dict())
    write_model(job.model, named)
