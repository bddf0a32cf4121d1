"""A trained recognition system as one file: its weights, how it is built, and what its classes are.

Key: K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from rpc.data.files import DataError
from rpc.recognition.systems.registry import SystemSettings, build_system
from rpc.recognition.systems.system import System
from rpc.runs.tensor_files import read_tensors, write_tensors

VERSION: Final = 1


@dataclass(frozen=True)
class SystemModel:
    """The contents of the file.

    Attributes:
        settings: the system.
        classes: K names, by label.
        state: its weights.
        origin: where it comes from: `validation` accuracy, seed, data, ...
    """

    settings: SystemSettings
    classes: tuple[str, ...]
    state: Mapping[str, Tensor]
    origin: Mapping[str, Any]

    def build(self) -> System:
        """The system with its weights, in evaluation mode.

        Raises:
            DataError: the weights are those of another system.
        """
        system = build_system(self.settings, len(self.classes), pretrained=False)
        try:
            system.load_state_dict(dict(self.state))
        except RuntimeError as error:
            last = str(error).splitlines()[-1].strip()
            raise DataError(
                f"a model of {self.settings.name} whose weights do not fit: {last:.160}"
            ) from error
        return system.eval().requires_grad_(False)


def write_model(
    path: str | Path,
    system: System,
    settings: SystemSettings,
    classes: Sequence[str],
    origin: Mapping[str, Any],
) -> Path:
    """Write a system, whole or not at all.

    Raises:
        DataError: the file cannot be written.
    """
    content = {
        "version": VERSION,
        "system": settings.name,
        "side": settings.side,
        "options": dict(settings.options),
        "classes": list(classes),
        "origin": dict(origin),
        "state": {name: value.cpu() for name, value in system.state_dict().items()},
    }
    return write_tensors(path, content)


def read_model(path: str | Path, expected: str | None = None) -> SystemModel:
    """Read what `write_model` wrote; nothing in it is executed.

    Args:
        path: the file.
        expected: name of the system that it has to be; any where None.

    Raises:
        DataError: it is missing, damaged, no model of a recognition system, or one of another.
    """
    content = read_tensors(path)
    try:
        settings = SystemSettings(
            str(content["system"]), int(content["side"]), dict(content["options"])
        )
        model = SystemModel(
            settings,
            tuple(map(str, content["classes"])),
            dict(content["state"]),
            dict(content["origin"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: not the model of a recognition system; expected best.pth or last.pth of "
            "rpc-checkout recognise"
        ) from error
    if content.get("version") != VERSION:
        raise DataError(f"{path}: version {content.get('version')!r:.20}, expected {VERSION}")
    if expected is not None and settings.name != expected:
        raise DataError(
            f"{path}: a model of the system {settings.name}, not of {expected}; choose its own "
            "config, or another file"
        )
    return model
