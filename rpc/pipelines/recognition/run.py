"""The work of train_recognition: a data set and settings to checkpoints, figures and pictures."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.class_sets.class_folders import labels_of
from rpc.data.class_sets.class_set import ClassSet
from rpc.data.file_group import file_group
from rpc.data.files import DataError, read_json, write_json
from rpc.data.images import image_size, write_image
from rpc.pipelines.recognition.request import Request
from rpc.pipelines.recognition.result import (
    BEST,
    confusions_of,
    fingerprint,
    parts_of,
    plain,
    result_of,
    training_facts,
)
from rpc.pipelines.recognition.sheets import confusion_sheet, look_sheet
from rpc.recognition.systems.named_groups import with_numbered_groups
from rpc.recognition.systems.part_finder import PartFinder
from rpc.recognition.systems.registry import build_system, require_needs
from rpc.recognition.systems.system import System
from rpc.recognition.training.batches_ahead import made_ahead
from rpc.recognition.training.data_sets import open_class_set
from rpc.recognition.training.loop import LAST as RESUME
from rpc.recognition.training.loop import AtOnce, learn
from rpc.recognition.training.model_file import SystemModel, read_model, write_model
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import Learned
from rpc.recognition.training.scoring import part_boxes, score_photos
from rpc.runs.folder_lock import writes_files, writes_into
from rpc.runs.processes import Processes, joined
from rpc.runs.progress import bar
from rpc.runs.run_folder import require_same_settings
from rpc.runs.screen import say, warn

RESULT: Final = "result.json"
CONFUSIONS: Final = "confusions.json"
LAST: Final = "last.pth"
RUN: Final = "run.json"

Floats = NDArray[np.float32]


@writes_into(lambda request, *_, **__: request.out if writes_files() else None)
def run_recognition(
    request: Request,
    stop: Callable[[], bool] = lambda: False,
    at_once: AtOnce = nullcontext,
) -> Path:
    """Train or take a checkpoint, measure on validation and test photos, write and draw.

    Args:
        request: what is asked for.
        stop: see `rpc.recognition.training.loop.learn`.
        at_once: likewise; entered when photos are scored in the end, too.

    Returns:
        The path of result.json.

    Raises:
        DataError: the data, the config or a checkpoint do not fit, or OUT holds another run.
        KeyboardInterrupt: `stop` said so.
    """
    validation = request.settings.validation
    data = open_class_set(request.data, request.scenes)
    data = data.with_validation(validation.share, validation.seed)
    with joined(request.device) as processes:
        if request.checkpoint is not None:
            if (request.out / RUN).is_file():
                raise DataError(
                    f"{request.out}: holds a training; the figures of a given checkpoint want an "
                    "--out of their own"
                )
            model = _taken(request.checkpoint, request, data)
            if processes.rank == 0:
                _measure(request, data, model, processes, None, at_once)
            return request.out / RESULT
        request = _for_data(request, data)
        if not data.val:
            say("no photo is kept apart for validation: the last state is measured")
        identity = _require_same_run(request, data, processes)
        _require_photos(data, processes)
        learned = _train(request, data, processes, identity, stop, at_once)
        spent = sum(processes.gather(learned.cpu_seconds))
        if processes.rank == 0:
            best = _taken(request.out / BEST, request, data)
            training = training_facts(request, learned, spent, processes)
            _measure(request, data, best, processes, training, at_once)
    return request.out / RESULT


def _for_data(request: Request, data: ClassSet) -> Request:
    """The request with key points by number.

    Raises:
        DataError: the data lack what the system learns from.
    """
    system = request.settings.system
    require_needs(system, data.known, data.name)
    settings = replace(request.settings, system=with_numbered_groups(system, data))
    return replace(request, settings=settings)


def _require_photos(data: ClassSet, processes: Processes) -> None:
    """Refuse a set with something that is no photo before hours are spent on the others.

    By the header alone: what is broken further down shows when it is read.
    """
    if processes.rank != 0:
        return
    paths = sorted({photo.path for photo in (*data.train, *data.val, *data.test)})
    with bar("looking at photos") as progress:
        for done, path in enumerate(paths, start=1):
            image_size(path)
            progress(done, len(paths))


def _require_same_run(request: Request, data: ClassSet, processes: Processes) -> dict[str, Any]:
    """The settings that decide the weights; a folder with a run of other settings is refused.

    Test photos decide nothing: one that was mended or removed does not make it another run.
    """
    settings = request.settings
    identity: dict[str, Any] = {
        "system": settings.system.name,
        "side": settings.system.side,
        "options": plain(request.named_system.options),
        "training": plain(asdict(settings.training)),
        "augmentation": plain(asdict(settings.augmentation)),
        "seed": request.seed,
        "data": fingerprint(data, ("train", "val")),
        "processes": processes.size,
    }
    if request.weights is not None:
        identity["backbone_weights"] = request.backbone_weights
    path = request.out / RUN
    if path.is_file() and any((request.out / name).is_file() for name in (RESUME, BEST)):
        require_same_settings(request.out, read_json(path), identity)
    return identity


def _train(
    request: Request,
    data: ClassSet,
    processes: Processes,
    identity: Mapping[str, Any],
    stop: Callable[[], bool],
    at_once: AtOnce,
) -> Learned:
    """Learn; best.pth and last.pth are there afterwards."""
    settings = request.settings
    torch.manual_seed(request.seed)
    system = build_system(settings.system, len(data.classes))
    batches = PhotoBatches(
        data.train,
        settings.system.side,
        settings.augmentation.augmentation(data),
        rank=processes.rank,
        processes=processes.size,
    )
    learning = settings.training.learning(len(data.train), processes.size, request.seed)
    keeper = _Keeper(request, data, system)
    look = keeper.check if processes.rank == 0 and data.val else None
    if processes.rank == 0:
        write_json(request.out / RUN, identity, indent=1)
    with made_ahead(batches, request.workers) as ahead, bar(settings.system.name) as progress:
        learned = learn(
            system,
            ahead,
            learning,
            request.out,
            resume=request.resume,
            processes=processes,
            progress=lambda done, facts: progress(round(1000 * done), 1000, keeper.facts + facts),
            stop=stop,
            at_once=at_once,
            check=look or _nothing,
        )
    if look is not None:
        look()
    if processes.rank == 0:
        for name in (LAST,) if data.val else (LAST, BEST):
            write_model(
                request.out / name, system, request.named_system, data.classes, keeper.origin
            )
    return learned


class _Keeper:
    """Keeps the state that does best on validation photos; the earlier of two that do equally."""

    def __init__(self, request: Request, data: ClassSet, system: System) -> None:
        self.request, self.data, self.system = request, data, system
        self.origin: dict[str, Any] = {
            "seed": request.seed,
            "data": data.name,
            "learned_from": fingerprint(data, ["train"]),
            "training": plain(asdict(request.settings.training)),
            "augmentation": plain(asdict(request.settings.augmentation)),
            "backbone_weights": request.backbone_weights,
            "points": list(data.points),
        }
        self.best = -math.inf
        self.facts = ""
        path = request.out / BEST
        if request.resume and path.is_file():
            model = read_model(path, request.settings.system.name)
            self.best = float(model.origin.get("validation", -math.inf))

    def check(self) -> None:
        """Measure, and write if it is the best so far."""
        photos = self.data.val
        scores = score_photos(self.system, photos, workers=self.request.workers)
        right = float((scores.argmax(axis=1) == labels_of(photos)).mean())
        self.origin = {**self.origin, "validation": right}
        self.facts = f"val {right:.3f}  "
        if right > self.best:
            self.best = right
            path = self.request.out / BEST
            named = self.request.named_system
            write_model(path, self.system, named, self.data.classes, self.origin)


def _taken(path: Path, request: Request, data: ClassSet) -> SystemModel:
    """The model of a checkpoint, for this data set.

    Raises:
        DataError: it is one of another system, or of other classes.
    """
    model = read_model(path, request.settings.system.name)
    if model.classes != data.classes:
        odd = sorted(set(model.classes) ^ set(data.classes))
        raise DataError(
            f"{path}: a model of {len(model.classes)} classes, and {data.name} has "
            f"{len(data.classes)}{f', {odd[0]!r:.60} in one of the two only' if odd else ''}; "
            "choose the data it was trained on"
        )
    return model


def _measure(
    request: Request,
    data: ClassSet,
    model: SystemModel,
    processes: Processes,
    training: Mapping[str, Any] | None,
    at_once: AtOnce,
) -> None:
    """Figures on validation and test photos, confusions, pictures."""
    system = model.build().to(processes.device)
    scores, parts = {}, {}
    splits = {"val": data.val, "test": data.test} if data.val else {"test": data.test}
    given = training is None  # a checkpoint of some other run
    if given and data.held_out and model.origin.get("learned_from") != fingerprint(data, ["train"]):
        warn(
            "validation photos are not measured: the model did not learn from the same share of "
            "the training photos, and may have learned from these"
        )
        del splits["val"]
    measurable = _same_points(data, model)
    for split, photos in splits.items():
        with bar(f"{split} photos") as progress, at_once():
            scores[split] = score_photos(system, photos, workers=request.workers, progress=progress)
            if measurable:
                parts[split] = part_boxes(system, photos)
    parameters = sum(p.numel() for p in system.parameters())
    result = result_of(request, data, model, parameters, scores, training)
    if isinstance(system, PartFinder):
        result["parts"] = parts_of(system.part_names, parts)
    named = scores["test"].argmax(axis=1)
    looked = look_sheet(data, system, scores["val"].argmax(axis=1)) if "val" in scores else None
    with file_group(request.out):
        write_json(request.out / RESULT, result, indent=1)
        write_json(request.out / CONFUSIONS, confusions_of(data, scores), indent=1)
        write_image(request.out / "confusions.png", confusion_sheet(data, named, result["title"]))
        if looked is not None:
            write_image(request.out / "looked_at.png", looked)
    said = [
        f"{split} {100 * found['top1']:.2f} % of {found['photos']}"
        for split, found in result["accuracy"].items()
    ]
    say(f"{result['system']}: {', '.join(said)}")
    say(f"{request.out / RESULT}; {CONFUSIONS} and pictures beside it")


def _same_points(data: ClassSet, model: SystemModel) -> bool:
    """Whether the data's key points are those that a model's parts are made of; told if not."""
    learned = model.origin.get("points")
    if not isinstance(learned, list) or not data.points or tuple(learned) == data.points:
        return True
    warn(
        f"parts are not measured: the model's are made of other key points than {data.name} has "
        f"({', '.join(map(str, learned))}; {', '.join(data.points)})"
    )
    return False


def _nothing() -> None:
    """Do nothing: the other processes wait while the first validates."""
