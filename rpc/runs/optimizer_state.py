"""An optimiser's state from a resume point, held against the optimiser that is to go on with it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from rpc.data.files import DataError


def require_optimizer_state(optimizer: torch.optim.Optimizer, state: object, where: str) -> None:
    """Refuse what would fail or do harm at some later step: torch itself takes almost anything.

    Args:
        optimizer: freshly made, for the same parameters.
        state: of `Optimizer.state_dict`, as a file gives it.
        where: the file, for errors.

    Raises:
        DataError: it is no state, or that of another optimiser or network.
    """
    fault = _fault(optimizer, state)
    if fault:
        raise DataError(
            f"{where}: a damaged resume point: optimizer: {fault}; choose another folder"
        )


def _fault(optimizer: torch.optim.Optimizer, state: object) -> str:
    groups = state.get("param_groups") if isinstance(state, Mapping) else None
    entries = state.get("state") if isinstance(state, Mapping) else None
    own = optimizer.state_dict()["param_groups"]
    if not isinstance(groups, list) or not isinstance(entries, Mapping) or len(groups) != len(own):
        return "not the state of such a one"
    for mine, theirs in zip(own, groups, strict=True):
        if not isinstance(theirs, Mapping) or mine["params"] != theirs.get("params"):
            return "of other parameters"
        for name, value in mine.items():
            switch = value is None or isinstance(value, bool)
            if name not in theirs and switch:
                continue  # of a newer torch, which adds it
            if name not in theirs or not _alike(value, theirs[name]):
                return f"its setting {name!r:.40} does not fit"
    parameters = [p for group in optimizer.param_groups for p in group["params"]]
    names: set[Any] | None = None
    for number, values in entries.items():
        if type(number) is not int or not 0 <= number < len(parameters):
            return "of other parameters"
        if not isinstance(values, Mapping) or (names is not None and set(values) != names):
            return f"parameter {number} lacks what the others have"
        names = set(values)
        for name, value in values.items():
            if not _belongs(name, value, parameters[number]):
                return f"{name!r:.40} of parameter {number} does not fit it"
    return ""


def _alike(mine: object, theirs: object) -> bool:
    """Whether two settings are of one kind: numbers, switches, or rows of them."""
    if isinstance(mine, list | tuple):
        if not isinstance(theirs, list | tuple) or len(theirs) != len(mine):
            return False
        return all(_alike(one, other) for one, other in zip(mine, theirs, strict=True))
    if mine is None or isinstance(mine, bool):
        return theirs is mine
    number = isinstance(theirs, int | float) and not isinstance(theirs, bool)
    return number and math.isfinite(theirs)  # type: ignore[arg-type]


def _belongs(name: object, value: object, parameter: Tensor) -> bool:
    """Whether a value of the state is finite and in the parameter's shape; a step is one number."""
    if not isinstance(value, Tensor):
        counted = name == "step" and type(value) in (int, float)
        return counted or (name == "momentum_buffer" and value is None)
    shape = torch.Size() if name == "step" else parameter.shape
    return value.shape == shape and bool(torch.isfinite(value).all())
