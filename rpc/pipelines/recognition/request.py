"""A request for a recognition system: what is trained on what, and the config with its changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from rpc.data.files import DataError
from rpc.recognition.systems.registry import SystemSettings
from rpc.recognition.training.run_settings import RunSettings, read_run_settings
from rpc.reporting.provenance import sha256
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

    @property
    def weights(self) -> Path | None:
        """The file that the backbone starts from; None where it takes published weights or none."""
        given = self.settings.system.options.get("pretrained")
        return Path(given) if isinstance(given, str) else None

    @cached_property
    def backbone_weights(self) -> dict[str, str] | None:
        """Name and hash of `weights`, as they are recorded.

        Raises:
            DataError: there is no such file.
        """
        if self.weights is None:
            return None
        if not self.weights.is_file():
            raise DataError(f"{self.weights}: no such file; expected the weights of the backbone")
        return {"name": self.weights.name, "sha256": sha256(self.weights)}

    @property
    def named_system(self) -> SystemSettings:
        """The system as it is recorded: a file of weights by its name, without its folders."""
        system = self.settings.system
        if self.weights is None:
            return system
        return replace(system, options={**system.options, "pretrained": self.weights.name})


def changed_settings(
    config: Path,
    system: str | None = None,
    budget: Mapping[str, float | None] | None = None,
    options: Mapping[str, Any] | None = None,
    weights: Path | None = None,
) -> RunSettings:
    """The settings of a config with changes.

    Args:
        config: a file of `configs/recognition/`.
        system: another system than the config's, with its own defaults.
        budget: `epochs`, `iterations` and `cpu_minutes` in place of the config's; ignored where all
            are None.
        options: changes by dotted name.
        weights: a file that the backbone starts from: option `pretrained` of the system.

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
    if weights is not None:
        put_option(values, "options.pretrained", str(weights), str(config))
    return read_run_settings(values, str(config))
