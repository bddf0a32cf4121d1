"""Run a job's steps in their order, each once, and write its report."""

from __future__ import annotations

from pathlib import Path

from rpc.pipelines.store_job.job import Job
from rpc.pipelines.store_job.measuring import measuring_steps, report
from rpc.pipelines.store_job.pictures import pictures_steps
from rpc.pipelines.store_job.rendering import render_steps
from rpc.pipelines.store_job.scenes import scene_steps
from rpc.pipelines.store_job.training import training_steps
from rpc.pipelines.store_job.words import words_steps
from rpc.runs.folder_lock import writes_into
from rpc.runs.journal import StepJournal
from rpc.runs.run_folder import require_same_input
from rpc.runs.screen import say


@writes_into(lambda job, **_: job.out)
def run_job(job: Job, *, report_again: bool = True) -> Path:
    """Do what is not done yet of a job.

    Args:
        job: what to do.
        report_again: write the report anew where it is there already.

    Returns:
        The path of the report, which a job that measures nothing does not have.

    Raises:
        DataError: the job cannot be done, or its folder holds a run with other settings.
    """
    job.check()
    journal = StepJournal(job.out, job.settings())
    steps = [
        *scene_steps(job),
        *render_steps(job),
        *training_steps(job),
        *words_steps(job),
        *pictures_steps(job),
        *measuring_steps(job),
    ]
    count = len(steps) + 1
    for number, (name, step) in enumerate(steps, start=1):
        say(f"[{number}/{count}] {name}")
        journal.run(name, step)
    require_same_input(job.data, job.out, journal.settings, job.settings())
    say(f"[{count}/{count}] report")
    if report_again:
        report(job, journal.seconds)
    else:
        journal.run("report", lambda: report(job, journal.seconds))
    return job.out / "report.json"


@writes_into(lambda job: job.out)
def prepare_scenes(job: Job) -> None:
    """Make a job's cut-outs and scenes alone, for other jobs to train on.

    Raises:
        DataError: they cannot be made, or the folder holds those of other settings.
    """
    job.check()
    journal = StepJournal(job.out, job.scene_settings())
    for name, step in scene_steps(job):
        say(f"[scenes] {name}")
        journal.run(name, step)
    if steps := render_steps(job):
        journal = StepJournal(job.out / "rendering", job.render_settings())
        for name, step in steps:
            say(f"[scenes] {name}")
            journal.run(name, step)
