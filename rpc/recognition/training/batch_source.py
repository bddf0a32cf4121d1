"""Interface of training data: batch i of a phase is a function of the seed and i alone."""

from __future__ import annotations

from typing import Protocol

from rpc.recognition.systems.system import Batch, Passes


class HowMany(Protocol):
    """The settings that decide the batches."""

    @property
    def batch_size(self) -> int:
        """B."""
        ...

    @property
    def seed(self) -> int:
        """Of order and augmentation."""
        ...


class BatchSource(Protocol):
    """Data that the one loop learns from."""

    @property
    def fingerprint(self) -> str:
        """Of everything that decides the batches but the settings: other data, another one."""
        ...

    def batch(self, settings: HowMany, phase: int, step: int) -> Batch:
        """Batch `step` of a phase, augmented."""
        ...

    def passes(self, seed: int, phase: int) -> Passes:
        """The same data unaugmented, for a phase in closed form."""
        ...
