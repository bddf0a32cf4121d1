"""The main job's last part: counting rule, held-out trays, report and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rpc.checkout import Checkout
from rpc.checkout.loading import load_checkout
from rpc.counting import CountingRule, CurvePoint, RuleGrid, choose_rule, truth_of
from rpc.data.dataset import Dataset
from rpc.data.entry_photo import read_entry_photo
from rpc.data.file_group import file_group
from rpc.data.files import write_json
from rpc.data.images import read_image, write_image
from rpc.detection.dataset import read_source
from rpc.detection.model_file import load_model, write_model
from rpc.pictures import draw_tray
from rpc.pipelines.store_job.job import Job, Step
from rpc.pipelines.store_job.training import cut_notes
from rpc.reporting import (
    Reading,
    build_report,
    manifest,
    read_boxes,
    read_results,
    results_of_detections,
    write_counts,
    write_report,
    write_worst_carts,
)
from rpc.reporting.pages.wording import levels_text, suspicion_lines
from rpc.runs.progress import bar
from rpc.runs.screen import say, say_lines
from rpc.structures import Detections


def measuring_steps(job: Job) -> list[Step]:
    """The steps of this part but the report."""
    steps: list[Step] = [("counting rule", lambda: _choose_rule(job))]
    if job.measure != "none":
        steps.append((job.measure, lambda: _detect_measured(job)))
    return steps


def _choose_rule(job: Job) -> None:
    """Choose threshold and duplicate suppression on labelled val trays; kept in the model."""
    dataset, paths = _rule_trays(job)
    found = _detect(dataset, paths, load_checkout(job.model, device=job.device))
    _write(job, job.rule_source, dataset, found)
    rule = choose_rule(found, dataset.counts()).rule
    write_model(job.model, load_model(job.model).with_rule(rule.to_dict()))


def _rule_trays(job: Job) -> tuple[Dataset, list[Path]]:
    """The labelled trays that the rule is chosen on, and their photos."""
    if job.rule_source == "val":
        return job.split("val")
    dataset, path_of = read_source(job.scenes_in / "syn_rule", "scenes", agnostic=job.agnostic)
    return dataset, [path_of(image) for image in dataset.images]


def _threshold_curve(job: Job, rule: CountingRule) -> Sequence[CurvePoint]:
    """Results of other thresholds with the rule's suppression, where it was chosen."""
    dataset, _ = _rule_trays(job)
    found = read_results(job.out / f"detections_{job.rule_source}.json", dataset).detections
    grid = RuleGrid.threshold_only()
    return choose_rule(found, dataset.counts(), base=rule, grid=grid).curve


def _detect_measured(job: Job) -> None:
    """Detections of the measured trays, once."""
    assert job.measure != "none"
    dataset, paths = job.split(job.measure)
    _write(
        job,
        job.measure,
        dataset,
        _detect(dataset, paths, load_checkout(job.model, device=job.device)),
    )


def _detect(dataset: Dataset, paths: Sequence[Path], checkout: Checkout) -> list[Detections]:
    found = []
    with bar("reading trays") as progress:
        for done, (image, path) in enumerate(zip(dataset.images, paths, strict=True), start=1):
            found.append(checkout.detect(read_entry_photo(path, (image.width, image.height))))
            progress(done, len(paths))
    return found


def _write(job: Job, name: str, dataset: Dataset, found: list[Detections]) -> None:
    results = results_of_detections(found, dataset)
    write_json(job.out / f"detections_{name}.json", results.to_coco())


def report(job: Job, seconds: Mapping[str, float]) -> None:
    """The report and its pages, counts.json and annotated trays; the table on the screen."""
    if job.measure == "none":
        say("no checkout photos: nothing was measured; the counting rule is from composed scenes")
        say(f"to count a tray: rpc-checkout count PHOTO --model {job.model}")
        return
    checkout = load_checkout(job.model, device=job.device)
    assert checkout.rule is not None
    dataset, paths = job.split(job.measure)
    results = read_results(job.out / f"detections_{job.measure}.json", dataset)
    reading = read_boxes(results, checkout.rule)
    origin = manifest(
        threshold=checkout.rule.threshold,
        chosen_on=job.rule_source,
        split=job.measure,
        config=job.config,
        seeds={"scenes": job.seed, "training": job.seed},
        data=job.data,
        checkpoint=job.model,
        durations=seconds,
    )
    built = build_report(
        dataset,
        reading,
        manifest=origin,
        chosen_on=job.rule_source,
        supervision=job.supervision,
        method=job.method,
        threshold_curve=_threshold_curve(job, checkout.rule),
        timings=seconds,
        notes=cut_notes(load_model(job.model)),
    )
    places = dict(zip((image.id for image in dataset.images), paths, strict=True))
    with file_group(job.out):
        built["worst_carts"] = write_worst_carts(
            job.out, dataset, reading, lambda image: places[image.id]
        )
        write_counts(job.out / "counts.json", dataset, reading.counts, reading.certainty)
        write_report(job.out, built)
        _draw(job, dataset, paths, reading)
    say_lines(levels_text(built["levels"]))
    for line in suspicion_lines(built):
        say(f"suspicious: {line}")


def _draw(job: Job, dataset: Dataset, paths: Sequence[Path], reading: Reading) -> None:
    """Annotated trays, one a level, with and without the truth."""
    assert reading.boxes is not None
    drawn = set()
    for image, path, kept in zip(dataset.images, paths, reading.boxes.counted, strict=True):
        if image.level in drawn:
            continue
        drawn.add(image.level)
        rgb = read_image(path)
        level = image.level or "tray"
        write_image(job.out / f"tray_{level}.jpg", draw_tray(rgb, kept, dataset.taxonomy))
        checked = draw_tray(rgb, kept, dataset.taxonomy, truth=truth_of(dataset, image.id))
        write_image(job.out / f"tray_{level}_checked.jpg", checked)
