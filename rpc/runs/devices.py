"""The device that a network runs on, by the name that a user gives it."""

from __future__ import annotations

import re
from typing import Final

import torch

from rpc.data.files import DataError

DEVICES: Final = '"auto", "cpu", "cuda" or "cuda:1"'  # for help texts

_KNOWN = re.compile(r"auto|cpu|cuda(:\d{1,2})?")  # torch keeps the number in 8 bits


def resolve_device(name: str | torch.device) -> torch.device:
    """The device of a name.

    Args:
        name: "auto" (the GPU where there is one, else the CPU), "cpu", "cuda" or "cuda:1" (the
            second GPU); a `torch.device` is taken as it is.

    Raises:
        DataError: another name, or a GPU that is not there.
    """
    if isinstance(name, torch.device):
        return name
    if not _KNOWN.fullmatch(name):
        raise DataError(f"device {name!r:.40}: expected auto, cpu, cuda or a GPU such as cuda:1")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    if device.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if count <= (device.index or 0):
            here = f"cuda:0 to cuda:{count - 1}" if count else "no GPU"
            raise DataError(f"device {name}: torch sees {here} on this machine; take auto or cpu")
    return device
