"""The learning rate as a function of progress, so that it fits any number of updates."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from mmdet.registry import HOOKS
from mmengine.hooks import Hook


def rate_factor(
    progress: float,
    *,
    warmup: float,
    flat_until: float,
    end_factor: float,
    milestones: Sequence[float],
    gamma: float,
) -> float:
    """Factor on the base learning rate at `progress` in [0, 1]; see `ProgressSchedule`."""
    factor = gamma ** sum(progress >= milestone for milestone in milestones)
    if progress < warmup:
        factor *= 0.001 + 0.999 * progress / warmup
    if flat_until < 1 and progress > flat_until:
        phase = (progress - flat_until) / (1 - flat_until)
        factor *= end_factor + (1 - end_factor) * 0.5 * (1 + math.cos(math.pi * phase))
    return factor


@HOOKS.register_module()
class ProgressSchedule(Hook):
    """Warm-up, then flat, then a cosine down to almost nothing; or steps.

    Args:
        warmup: fraction of the training in which the rate rises from almost nothing.
        flat_until: fraction from which the cosine starts; 1 for no cosine.
        end_factor: what is left of the rate at the end of the cosine.
        milestones: fractions at which the rate is multiplied by `gamma`.
        gamma: see `milestones`.
    """

    priority = "VERY_HIGH"  # before the rate is logged

    def __init__(
        self,
        warmup: float = 0.03,
        flat_until: float = 0.4,
        end_factor: float = 0.01,
        milestones: Sequence[float] = (),
        gamma: float = 0.1,
    ) -> None:
        self.shape: dict[str, Any] = {
            "warmup": warmup,
            "flat_until": flat_until,
            "end_factor": end_factor,
            "milestones": tuple(milestones),
            "gamma": gamma,
        }

    def before_run(self, runner: Any) -> None:
        """Note the config's rates: a resume point brings the last rates used, which are no base."""
        self._base = [group["lr"] for group in runner.optim_wrapper.param_groups]

    def before_train_iter(self, runner: Any, *args: Any, **kwargs: Any) -> None:
        """Set the rate of every parameter group."""
        factor = rate_factor(runner.train_loop.progress, **self.shape)
        for group, base in zip(runner.optim_wrapper.param_groups, self._base, strict=True):
            group["lr"] = base * factor
