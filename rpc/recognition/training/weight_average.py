"""A running mean of the weights that learn: it names better than the last weights do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """An exponential mean of parameters over the steps of a training.

    Args:
        parameters: those that learn.
        decay: share of the mean that stays at each step, 0 to 1.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], decay: float) -> None:
        self.parameters = list(parameters)
        self.values: list[Tensor] = []  # none before the first step
        self.decay = decay

    @torch.no_grad()
    def update(self) -> None:
        """Take in the parameters as they are now; the first time, they are the mean."""
        if self.values:
            for value, parameter in zip(self.values, self.parameters, strict=True):
                value.lerp_(parameter, 1 - self.decay)
        else:
            self.values = [p.detach().clone() for p in self.parameters]

    def take_up(self, values: Sequence[Tensor]) -> None:
        """Go on from the mean of an earlier run.

        Raises:
            ValueError: its values are of other shapes.
        """
        shapes = [p.shape for p in self.parameters]
        if values and [value.shape for value in values] != shapes:
            raise ValueError("the mean of the weights is of another network")
        pairs = zip(values, self.parameters, strict=False)
        self.values = [value.to(p.device) for value, p in pairs]

    @torch.no_grad()
    def put_in(self) -> None:
        """Give the parameters the mean."""
        for parameter, value in zip(self.parameters, self.values, strict=False):
            parameter.copy_(value)

    @contextmanager
    def shown(self) -> Iterator[None]:
        """The parameters have the mean in this block, and their own values again after it."""
        own = [p.detach().clone() for p in self.parameters]
        self.put_in()
        try:
            yield
        finally:
            with torch.no_grad():
                for parameter, value in zip(self.parameters, own, strict=True):
                    parameter.copy_(value)
