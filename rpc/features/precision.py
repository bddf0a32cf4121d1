"""Steps that must not be made in half precision, whatever a network around them is run in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor

P = ParamSpec("P")
R = TypeVar("R")

_HALF = (torch.float16, torch.bfloat16)


def full_precision(function: Callable[P, R]) -> Callable[P, R]:
    """A function that is computed in float32 or better, also under `torch.autocast`.

    Half precision has 8 or 11 bits: places on a photo lose pixels, and the coupled iteration for a
    matrix's root loses the root. Tensors in half precision among the arguments, and in lists among
    them, are made float32.
    """

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        tensors = [value for value in (*args, *kwargs.values()) if isinstance(value, Tensor)]
        device = tensors[0].device.type if tensors else "cpu"
        with torch.autocast(device, enabled=False):
            lifted = {name: _lifted(value) for name, value in kwargs.items()}
            return function(*(_lifted(value) for value in args), **lifted)  # type: ignore[arg-type]

    return called


def _lifted(value: object) -> object:
    if isinstance(value, list):
        return [_lifted(one) for one in value]
    return value.float() if isinstance(value, Tensor) and value.dtype in _HALF else value
