"""The number type that torchvision's kernels accept."""

import torch
from torch import Tensor


def at_least_float32(tensor: Tensor) -> Tensor:
    """`tensor`, or its float32 copy: torchvision has no half-precision kernels on a CPU."""
    return tensor.float() if tensor.dtype in (torch.float16, torch.bfloat16) else tensor
