"""The main job's last part: counting rule, held-out trays, report and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from rpc.checkout.counter import Checkout
from rpc.checkout.parts import SecondLooks
from rpc.checkout.seen import Seen
from rpc.checkout.trained import load_checkout
from rpc.counting import CountingRule, CurvePoint, RuleGrid, choose_rule, truth_of
from rpc.data.cutouts import read_cutouts
from rpc.data.dataset import Dataset
from rpc.data.file_group import file_group
from rpc.data.files import write_json
from rpc.data.images import read_image, write_image
from rpc.detection.dataset import read_source
from rpc.detection.model_file import load_model, write_model
from rpc.pictures import draw_tray
from rpc.pipelines.labelled_trays import look_at, rule_of_photos, rule_with_repeats, truths_of
from rpc.pipelines.store_job.defaults import FOREIGN_ODDS
from rpc.pipelines.store_job.doubt import doubt_of_trays, write_alike
from rpc.pipelines.store_job.job import Job, Step
from rpc.pipelines.store_job.scenes import RULE_FOLDER, foreign_scenes
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
from rpc.reporting.evaluation.receipts import read_receipts, with_receipts, write_receipts
from rpc.reporting.pages.wording import levels_text, passing_lines, suspicion_lines
from rpc.runs.screen import say, say_lines
from rpc.structures import Detections

ALIKE: Final = "look_alikes.jpg"  # SKUs that cannot be told apart from some views


def measuring_steps(job: Job) -> list[Step]:
    """The steps of this part but the report."""
    steps: list[Step] = [("counting rule", lambda: _choose_rule(job))]
    if job.measure != "none":
        steps.append((job.measure, lambda: _detect_measured(job)))
    return steps


def _choose_rule(job: Job) -> None:
    """Choose what counts on labelled val trays, and learn where that is in doubt.

    Both are kept in the model. Doubt is learnt on composed scenes as well, which no training saw.
    There words are not read, as a hundred scenes would take longer than the trainings, and pictures
    are not compared, as the scenes are made of them.
    """
    real = job.rule_source == "val"
    checkout = load_checkout(
        job.model,
        device=job.device,
        looks=SecondLooks(job.words and real, job.pictures and real),
    )
    dataset, paths = _rule_trays(job)
    seen = look_at(dataset, paths, replace(checkout, rule=None))
    odds = FOREIGN_ODDS if foreign_scenes(job) is not None else (1.0,)
    if real:
        rule, seen = rule_of_photos(truths_of(dataset), seen, dataset.counts(), odds)
    else:  # no foreign product and no customer's habits there to choose by
        rule, seen = rule_with_repeats(seen, dataset.counts(), 0.0, odds[0])
    _write(job, job.rule_source, dataset, [one.detections for one in seen])
    model = load_model(job.model).with_rule(rule.to_dict())
    if checkout.recogniser is not None:
        photos = (dataset, seen) if real else None
        scenes = (dataset, seen) if photos is None else _seen_scenes(job, rule)
        folder = job.scenes_in / "cutouts"
        cutouts = read_cutouts(folder) if scenes is not None else None
        doubt = doubt_of_trays(rule, photos, scenes, cutouts)
        model = model.with_doubt(None if doubt is None else doubt.to_dict())
        if doubt is not None and cutouts is not None:
            write_alike(job.out / ALIKE, doubt, cutouts, dataset.taxonomy)
    write_model(job.model, model)


def _seen_scenes(job: Job, rule: CountingRule) -> tuple[Dataset, list[Seen]] | None:
    """Composed scenes of their own and what is seen on them; None where there are none."""
    if not (job.scenes_in / RULE_FOLDER / "instances.json").is_file():
        return None
    dataset, path_of = read_source(job.scenes_in / RULE_FOLDER, "scenes")
    checkout = load_checkout(job.model, device=job.device).with_rule(rule)
    return dataset, look_at(dataset, [path_of(image) for image in dataset.images], checkout)


def _rule_trays(job: Job) -> tuple[Dataset, list[Path]]:
    """The labelled trays that the rule is chosen on, and their photos."""
    if job.rule_source == "val":
        return job.split("val")
    dataset, path_of = read_source(job.scenes_in / RULE_FOLDER, "scenes", agnostic=job.agnostic)
    return dataset, [path_of(image) for image in dataset.images]


def _threshold_curve(job: Job, rule: CountingRule) -> Sequence[CurvePoint]:
    """Results of other thresholds with the rule's suppression, where it was chosen."""
    dataset, _ = _rule_trays(job)
    found = read_results(job.out / f"detections_{job.rule_source}.json", dataset).detections
    grid = RuleGrid.threshold_only()
    return choose_rule(found, dataset.counts(), base=rule, grid=grid).curve


def _detect_measured(job: Job) -> None:
    """Detections and receipts of the measured trays, once."""
    assert job.measure != "none"
    dataset, paths = job.split(job.measure)
    checkout = _finished(job)
    seen = look_at(dataset, paths, checkout)
    receipts = [checkout.receipt_of(one, path) for one, path in zip(seen, paths, strict=True)]
    with file_group(job.out):
        _write(job, job.measure, dataset, [one.detections for one in seen])
        write_receipts(_receipts(job), dataset, [one.to_dict() for one in receipts])


def _finished(job: Job) -> Checkout:
    """The counter as the job made it."""
    return load_checkout(job.model, device=job.device, looks=SecondLooks(job.words, job.pictures))


def _receipts(job: Job) -> Path:
    return job.out / f"receipts_{job.measure}.json"


def _write(job: Job, name: str, dataset: Dataset, found: list[Detections]) -> None:
    results = results_of_detections(found, dataset)
    write_json(job.out / f"detections_{name}.json", results.to_coco())


def report(job: Job, seconds: Mapping[str, float]) -> None:
    """The report and its pages, counts.json and annotated trays; the table on the screen."""
    if job.measure == "none":
        say("no checkout photos: nothing was measured; the counting rule is from composed scenes")
        say(f"to count a tray: rpc-checkout count PHOTO --model {job.model}")
        return
    checkout = _finished(job)
    assert checkout.rule is not None
    dataset, paths = job.split(job.measure)
    results = read_results(job.out / f"detections_{job.measure}.json", dataset)
    reading = read_boxes(results, checkout.rule)
    if _receipts(job).is_file():  # a run of a former version has none
        reading = with_receipts(reading, read_receipts(_receipts(job), dataset))
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
        doubt=checkout.doubt,
    )
    if built["doubt"] and (job.out / ALIKE).is_file():
        built["doubt"]["picture"] = ALIKE
    places = dict(zip((image.id for image in dataset.images), paths, strict=True))
    with file_group(job.out):
        built["worst_carts"] = write_worst_carts(
            job.out, dataset, reading, lambda image: places[image.id]
        )
        write_counts(
            job.out / "counts.json", dataset, reading.counts, reading.certainty, reading.questions
        )
        write_report(job.out, built)
        _draw(job, dataset, paths, reading)
    say_lines(levels_text(built["levels"]))
    for line in passing_lines(built["doubt"]):
        say(line)
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
