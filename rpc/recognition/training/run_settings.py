"""Everything that a config of configs/recognition/ says, checked."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from rpc.data.class_sets.class_set import SHARE, ClassSet
from rpc.data.files import DataError
from rpc.recognition.systems.registry import SystemSettings
from rpc.recognition.training.photo_batches import Augmentation
from rpc.recognition.training.schedule import LearningSettings
from rpc.runs.settings import read_settings_class, require_known

_PARTS: Final = ("system", "side", "options", "training", "augmentation", "validation")


@dataclass(frozen=True)
class TrainingSettings:
    """How long and how fast; one budget of three.

    Attributes:
        batch_size: of a process.
        lr: where a group's multiplier is 1.
        epochs: passes over the training photos, of all gradient phases together.
        iterations: batches, likewise.
        cpu_minutes: processor time, likewise.
        bfloat16: forward passes in bfloat16.
    """

    batch_size: int
    lr: float
    epochs: float | None = None
    iterations: int | None = None
    cpu_minutes: float | None = None
    bfloat16: bool = False

    def __post_init__(self) -> None:
        if sum(b is not None for b in (self.epochs, self.iterations, self.cpu_minutes)) != 1:
            raise ValueError("expected one budget: epochs, iterations or cpu_minutes")
        if self.batch_size < 1 or not (self.epochs is None or 0 < self.epochs < math.inf):
            raise ValueError(
                f"expected batch_size and epochs above 0, got {self.batch_size}, {self.epochs}"
            )

    def learning(self, photos: int, processes: int, seed: int) -> LearningSettings:
        """Settings of `learn` for so many training photos, shared by so many processes."""
        iterations = self.iterations
        if self.epochs is not None:
            iterations = max(math.ceil(self.epochs * photos / (self.batch_size * processes)), 1)
        return LearningSettings(
            iterations=iterations,
            cpu_minutes=self.cpu_minutes,
            batch_size=self.batch_size,
            lr=self.lr,
            seed=seed,
            bfloat16=self.bfloat16,
        )


@dataclass(frozen=True)
class AugmentationSettings:
    """How photos are augmented; quarter turns and mirroring follow the data unless said here.

    Attributes:
        least_area: share of the photo that a random window has at least.
        light: standard deviation of the logarithm of brightness.
        rotate: by quarter turns; None: as the data say.
        flip: mirrored half of the time; None: as the data say.
    """

    least_area: float
    light: float
    rotate: bool | None = None
    flip: bool | None = None

    def augmentation(self, data: ClassSet) -> Augmentation:
        """The augmentation of a data set's photos."""
        rotate = data.rotated if self.rotate is None else self.rotate
        flip = data.mirrored if self.flip is None else self.flip
        return Augmentation(self.least_area, rotate, flip, self.light)


@dataclass(frozen=True)
class ValidationSettings:
    """The share of training photos kept for validation, of a set that has no validation photos.

    Attributes:
        share: of each class; 0 learns from the whole training split, as papers do, and keeps the
            last state, as nothing is left to choose on.
        seed: of the choice: another one than the training's, so that runs can be compared.
    """

    share: float = SHARE
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1 or self.seed < 0:
            raise ValueError(
                f"expected a share of 0 or more and below 1, and a seed of 0 or more, got "
                f"{self.share}, {self.seed}"
            )


@dataclass(frozen=True)
class RunSettings:
    """A training of a recognition system."""

    system: SystemSettings
    training: TrainingSettings
    augmentation: AugmentationSettings
    validation: ValidationSettings = field(default_factory=ValidationSettings)


def read_run_settings(values: Mapping[str, Any], where: str) -> RunSettings:
    """Settings from a config's dicts.

    Args:
        values: `system`, `side`, `options`, `training`, `augmentation`, `validation`.
        where: what they were read from, for errors.

    Raises:
        DataError: a name is unknown, or a value is missing, of the wrong type or out of range.
    """
    require_known(values, _PARTS, where)
    system, side = values.get("system"), values.get("side")
    if not isinstance(system, str) or type(side) is not int:
        raise DataError(
            f"{where}: expected system, a name, and side, in px; got {system!r:.80}, {side!r:.40}"
        )
    parts = {name: values.get(name, {}) for name in _PARTS[2:]}
    for name, part in parts.items():
        if not isinstance(part, Mapping):
            raise DataError(f"{where}: {name}: expected a dict of settings, got {part!r:.80}")
    made = RunSettings(
        SystemSettings(system, side, dict(parts["options"])),
        read_settings_class(TrainingSettings, parts["training"], f"{where}: training"),
        read_settings_class(AugmentationSettings, parts["augmentation"], f"{where}: augmentation"),
        read_settings_class(ValidationSettings, parts["validation"], f"{where}: validation"),
    )
    try:
        made.training.learning(1, 1, 0)
        Augmentation(made.augmentation.least_area, light=made.augmentation.light)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
    return made
