"""The main job's trainings: scenes to one model file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from rpc.detection.model_file import SavedModel, load_model, write_model
from rpc.detection.train import build_config, train
from rpc.pipelines.store_job.defaults import CONFIG
from rpc.pipelines.store_job.job import Job, Step
from rpc.pipelines.store_job.scenes import foreign_scenes, training_scenes
from rpc.recognition.counter.train import recogniser_learning, train_recogniser
from rpc.recognition.training.schedule import Learned
from rpc.runs.processes import has_fast_bfloat16
from rpc.runs.progress import bar
from rpc.runs.screen import say

LEAST_SHARE: Final = 0.1  # of a cap that the recogniser has, whatever the detector used


def training_steps(job: Job) -> list[Step]:
    """The steps of this part."""
    if job.names_crops:
        return [("detector", lambda: _find(job)), ("recogniser", lambda: _name(job))]
    return [("detector", lambda: _find(job))]


def cut_notes(saved: SavedModel) -> list[str]:
    """A line for each training that a cap on the time has cut, from its model's `meta`."""
    meta = saved.meta
    facts = {"detector": meta, "recogniser": meta.get("recogniser") or {}}
    return [
        f"The cap of {meta.get('cap_minutes')} minutes (--minutes) cut the {part}'s training: "
        f"{one['iterations']:,} updates instead of {one['iterations_asked']:,}. Another machine or "
        "hour gives another model."
        for part, one in facts.items()
        if one.get("iterations_asked") and one["iterations"] < one["iterations_asked"]
    ]


def _find(job: Job) -> None:
    """Learn to find products: without naming them, where a recogniser does."""
    options: dict[str, Any] = {"val_cfg": None}
    if job.agnostic or job.names_crops:
        options["agnostic"] = True
    if job.start is not None and not job.one_stage:
        options["start"] = str(job.start)
    if job.amounts.detector_side is not None and job.config == CONFIG:
        options["image_size"] = job.amounts.detector_side
    scenes = training_scenes(job)
    say(f"{job.detector_steps:,} updates")
    config = build_config(
        job.config,
        job.data,
        scenes,
        options,
        iterations=job.detector_steps,
        minutes=job.detector_minutes,
        amp=has_fast_bfloat16(job.device),
        seed=job.seed,
        device=job.device,
    )
    streamed = None if isinstance(scenes, Path) else scenes
    train(config, job.out / "detector", resume=True, scenes=streamed)
    if not job.names_crops:
        saved = _detector(job)
        write_model(job.model, saved.with_taxonomy(job.taxonomy))
        _tell_cuts(saved)


def _name(job: Job) -> None:
    """Learn to name products, on crops of the same scenes; then one model file of both."""
    settings = recogniser_learning(
        iterations=job.amounts.recogniser_updates,
        cap_minutes=_minutes_left(job),
        seed=job.seed,
        bfloat16=has_fast_bfloat16(job.device),
    )
    cost: list[Learned] = []
    say(f"{job.amounts.recogniser_updates:,} updates")
    with bar("learning to name products") as progress:
        model = train_recogniser(
            training_scenes(job),
            job.out / "recogniser",
            settings,
            foreign=foreign_scenes(job),
            start=job.recogniser_start,
            device=job.device,
            progress=lambda done, facts: progress(round(1000 * done), 1000, facts),
            learned=cost.append,
        )
    about = {
        "iterations": cost[0].batches,
        "iterations_asked": cost[0].asked,
        "seconds": round(sum(cost[0].seconds.values()), 1),
    }
    detector = _detector(job)
    named = replace(
        detector.with_taxonomy(job.taxonomy).with_recogniser(model.state_dict()),
        meta={**detector.meta, "recogniser": about},
    )
    write_model(job.model, named)
    _tell_cuts(named)


def _minutes_left(job: Job) -> float | None:
    """Minutes of a cap that the detector left; None for no cap."""
    if job.minutes is None:
        return None
    used: float = _detector(job).meta["seconds"] / 60
    return max(job.minutes - used, LEAST_SHARE * job.minutes)


def _detector(job: Job) -> SavedModel:
    """The finished detector; its `meta` says which cap there was."""
    saved = load_model(job.out / "detector" / "model.pth")
    return replace(saved, meta={**saved.meta, "cap_minutes": job.minutes})


def _tell_cuts(saved: SavedModel) -> None:
    for line in cut_notes(saved):
        say(line)
