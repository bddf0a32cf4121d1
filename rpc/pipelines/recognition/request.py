"""A request for a recognition system: what is trained on what, and the config with its changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rpc.data.files import DataError
from rpc.recognition.training.run_settings import RunSettings, read_run_settings
from rpc.runs.config_files import put_option, read_config_file
from rpc.runs.settings import require_at_least


@dataclass(frozen=True)
class Request:
    """A recognition system to be trained, or a trained one to be measured.

    Attributes:
        settings: of system, training and augmentation.
        config: the file that they come from.
        data: the data set.
        out: folder of results and checkpoints.
        scenes: composed scenes to learn from, for a store.
        seed: of weights, order and augmentation.
        workers: threads that read photos ahead.
        resume: go on where a training in `out` was stopped.
        checkpoint: measure this model; nothing is learned.
        device: that the system runs on, see `rpc.runs.devices`.

    Raises:
        DataError: a number is out of range.
    """

    settings: RunSettings
    config: Path
    data: Path
    out: Path
    scenes: Path | None = None
    seed: int = 0
    workers: int = 0
    resume: bool = False
    checkpoint: Path | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        require_at_least("--workers", self.workers, 0)
        require_at_least("--seed", self.seed, 0)
        if self.seed >= 2**32:
            raise DataError(f"--seed {self.seed}: expected less than {2**32}")


def changed_settings(
    config: Path,
    system: str | None = None,
    budget: Mapping[str, float | None] | None = None,
    options: Mapping[str, Any] | None = None,
) -> RunSettings:
    """The settings of a config with changes.

    Args:
        config: a file of `configs/recognition/`.
        system: another system than the config's, with its own defaults.
        budget: `epochs`, `iterations` and `cpu_minutes` in place of the config's; ignored where all
            are None.
        options: changes by dotted name.

    Raises:
        DataError: the file is missing or damaged, or a setting unknown or out of range.
    """
    values = read_config_file(config)
    if system is not None and system != values.get("system"):
        values.update(system=system, options={})  # the config's options are another system's
    if budget is not None and any(value is not None for value in budget.values()):
        values["training"] = {**(values.get("training") or {}), **budget}
    for name, value in (options or {}).items():
        put_option(values, name, value, str(config))
    return read_run_settings(values, str(config))
