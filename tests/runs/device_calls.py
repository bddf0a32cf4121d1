"""Where a network runs, told without a GPU: torch's "meta" device computes shapes only."""

import contextlib

import torch
from torch.nn.modules.module import register_module_forward_pre_hook

META = torch.device("meta")


def devices_used(call):
    """The kinds of devices that hold the inputs and the weights of all layers that `call` runs."""
    used = set()

    def note(layer, given):
        tensors = [*given, *layer.parameters(recurse=False)]
        used.update(one.device.type for one in tensors if isinstance(one, torch.Tensor))

    handle = register_module_forward_pre_hook(note)
    try:
        # "meta" holds no values: what is taken out of a network to the CPU ends there.
        with contextlib.suppress(NotImplementedError):
            call()
    finally:
        handle.remove()
    return used
