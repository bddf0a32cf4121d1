"""Optimizer steps that never follow a loss which is not a number, in full or mixed precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmdet.registry import OPTIM_WRAPPERS
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from torch import Tensor, nn

from rpc.data.files import DataError


class DivergedError(DataError):
    """The loss or a weight is not a finite number any more."""


class _FiniteLoss:
    """Mixed into an optimizer wrapper: the loss is looked at before anything is changed by it."""

    def update_params(self, loss: Tensor, *args: Any, **kwargs: Any) -> None:
        if not bool(torch.isfinite(loss.detach()).all()):
            raise DivergedError(
                f"training diverged: the loss became {float(loss.detach())}; "
                "the last good state is kept: lower optim_wrapper.optimizer.lr and resume"
            )
        super().update_params(loss, *args, **kwargs)  # type: ignore[misc]


@OPTIM_WRAPPERS.register_module()
class CheckedOptimWrapper(_FiniteLoss, OptimWrapper):
    """mmengine's wrapper, refusing a loss that is not finite.

    Args:
        amp: run the forward pass in bfloat16 where that is safe. It needs no loss scaling, and a
            CPU has it too.
        **kwargs: `optimizer`, `clip_grad`, ... of mmengine's `OptimWrapper`.
    """

    def __init__(self, *, amp: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.amp = amp

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        """The context of a forward pass."""
        device = next(model.parameters()).device.type
        with super().optim_context(model), torch.autocast(device, torch.bfloat16, self.amp):
            yield


@OPTIM_WRAPPERS.register_module()
class CheckedAmpOptimWrapper(_FiniteLoss, AmpOptimWrapper):
    """float16 with loss scaling, for a GPU; refuses a loss that is not finite."""


def check_weights(model: nn.Module) -> None:
    """Make sure that no weight has become NaN or infinite.

    Raises:
        DivergedError: one has; its name is told.
    """
    for name, parameter in model.named_parameters():
        if not bool(torch.isfinite(parameter.detach()).all()):
            raise DivergedError(
                f"training diverged: weight '{name}' is not finite; the last good state is kept: "
                "lower optim_wrapper.optimizer.lr and resume"
            )
