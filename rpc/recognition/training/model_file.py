"""A trained recognition system as one file: its weights, how it is built, and what its classes are.

Key: K classes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from torch import Tensor

from rpc.data.files import DataError
from rpc.recognition.systems.registry import SystemSettings, build_system, registration
from rpc.recognition.systems.system import System
from rpc.runs.saved_network import saved_network
from rpc.runs.tensor_files import read_tensors, require_plain, weights_of, write_tensors

VERSION: Final = 1
_KINDS: Final[Mapping[str, type]] = {
    "version": int,
    "system": str,
    "side": int,
    "options": dict,
    "classes": list,
    "origin": dict,
    "state": dict,
}


@dataclass(frozen=True)
class SystemModel:
    """The contents of the file.

    Attributes:
        settings: the system.
        classes: K names, by label.
        state: its weights.
        origin: where it comes from: `validation` accuracy, seed, data, ...
        where: its file, for errors.
    """

    settings: SystemSettings
    classes: tuple[str, ...]
    state: Mapping[str, Tensor]
    origin: Mapping[str, Any]
    where: str = "a model"

    def build(self) -> System:
        """The system with its weights, in evaluation mode.

        Raises:
            DataError: the weights are those of another system, or its settings are none.
        """
        system = saved_network(
            self._built,
            self.state,
            f"{self.where} of {self.settings.name}",
        )
        return system.eval().requires_grad_(False)

    def _built(self) -> System:
        made = registration(self.settings.name).made
        options = made.options_of_file(self.settings.options, self.state)
        settings = replace(self.settings, options=options)
        return build_system(settings, len(self.classes), pretrained=False)


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
    for name, kind in _KINDS.items():
        if type(content.get(name)) is not kind:
            raise DataError(
                f"{path}: not the model of a recognition system (expected '{name}', "
                f"{kind.__name__}); expected best.pth or last.pth of rpc-checkout recognise"
            )
        if name != "state":
            require_plain(content[name], f"{path}: {name}")
    if content["version"] != VERSION:
        raise DataError(f"{path}: version {content['version']!r:.20}, expected {VERSION}")
    classes = content["classes"]
    if not classes or not all(isinstance(name, str) for name in classes):
        raise DataError(f"{path}: classes: expected the names of one class or more")
    settings = SystemSettings(content["system"], content["side"], content["options"])
    state = weights_of(content["state"], f"{path}: 'state'")
    model = SystemModel(settings, tuple(classes), state, content["origin"], f"{path}: a model")
    if expected is not None and settings.name != expected:
        raise DataError(
            f"{path}: a model of the system {settings.name}, not of {expected}; choose its own "
            "config, or another file"
        )
    return model
