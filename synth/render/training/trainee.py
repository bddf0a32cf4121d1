"""A translation in training: networks, optimisers, pools, and one batch of learning.

Key: B pictures, S x S pixels of a crop.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.runs.optimizer_state import require_optimizer_state
from rpc.runs.processes import Processes
from synth.render.training.adversarial import Discriminators
from synth.render.training.crops import Batch
from synth.render.training.make_objective import make_objective
from synth.render.training.networks import Generator, draw_weights
from synth.render.training.objective import Domain
from synth.render.training.pool import ImagePool
from synth.render.training.settings import Precision, RenderSettings

_LEARNING = 2  # ends the seeds of what is drawn here, and keeps them apart from the crops'
MOST_SKIPPED = 20  # batches in a row that float16 may lose while its scale is found


class Trainee:
    """All that learns, with all that a resume point must hold.

    Args:
        settings: of everything.
        seed: of weights and whatever is drawn.
        processes: this process among those that train together.
        fast_bfloat16: what precision "auto" goes by.

    Attributes:
        iteration: batches learned from.
        used: seconds of training so far.
        whole: false while weights are stepping: an error then leaves them half changed.
    """

    def __init__(
        self, settings: RenderSettings, seed: int, processes: Processes, fast_bfloat16: bool
    ) -> None:
        self.settings, self.seed, self.processes = settings, seed, processes
        self.objective = make_objective(settings.objective, settings.generator)
        adversarial = settings.adversarial
        self.discriminators = Discriminators(
            self.objective.domains, settings.discriminator, adversarial.loss
        )
        chance = torch.Generator().manual_seed(seed)
        for network in (self.objective, self.discriminators):
            draw_weights(network, chance)
            network.to(processes.device)
        self.averaged = copy.deepcopy(self.objective.translator) if settings.training.ema else None
        lr, betas = settings.training.lr, settings.training.betas
        self.optimizers = {
            name: torch.optim.Adam(network.parameters(), lr=lr, betas=betas)
            for name, network in (
                ("generators", self.objective),
                ("discriminators", self.discriminators),
            )
        }
        self.pools = {domain: ImagePool(adversarial.pool) for domain in self.objective.domains}
        self.dtype = _dtype(settings.training.precision, processes.device, fast_bfloat16)
        halves = self.dtype is torch.float16
        self.scaler = torch.amp.GradScaler(processes.device.type, enabled=halves)
        self.skipped = 0
        self.iteration, self.used, self.whole = 0, 0.0, True
        self._generate = processes.wrap(self.objective)
        self._discriminate = processes.wrap(self.discriminators)

    @property
    def translator(self) -> Generator:
        """The generator that is the result: averaged where an average is kept."""
        return self.averaged or self.objective.translator

    def learn(self, batch: Batch, factor: float, kept: str) -> dict[str, float]:
        """One batch, at `factor` of the learning rate.

        Generators and discriminators learn from the same translations, each against the other as it
        was before the batch, as in CycleGAN.

        Returns:
            The terms of the losses.

        Raises:
            DataError: a loss or gradient is not finite; nothing was changed. `kept` is where the
                last good state is.
        """
        # Differs by process, as the crops do.
        chance = np.random.default_rng([self.seed, self.iteration, self.processes.rank, _LEARNING])
        device = self.processes.device
        batch = Batch(*(part.to(device, non_blocking=True) for part in batch))
        with _frozen(self.discriminators), self._autocast():
            terms, made = self._generate(*batch, self.discriminators.generator_loss, chance)
        shown, pools = self._swap(made, chance)
        with self._autocast():
            real = {"target": batch.target, "source": batch.source}
            discriminator_losses = self._discriminate(real, shown)
        losses = {**terms, **discriminator_losses}
        values = dict(zip(losses, torch.stack(list(losses.values())).tolist(), strict=True))
        self._check(values, "loss", kept)
        for optimizer in self.optimizers.values():
            optimizer.zero_grad(set_to_none=True)
        for part in (terms, discriminator_losses):
            total = self.scaler.scale(torch.stack(list(part.values())).sum())
            torch.autograd.backward([total])
        if not self.scaler.is_enabled():
            self._check(self._gradients(), "gradient", kept)
        self._step(factor, kept)
        self.pools = pools
        self.iteration += 1
        self.whole = True
        return values

    def state(self) -> dict[str, Any]:
        """All that the next batch depends on; pools of all processes, in process 0."""
        pools = {domain: pool.to_state() for domain, pool in self.pools.items()}
        return {
            "objective": self.objective.state_dict(),
            "discriminators": self.discriminators.state_dict(),
            "averaged": None if self.averaged is None else self.averaged.state_dict(),
            "optimizers": {name: o.state_dict() for name, o in self.optimizers.items()},
            "scaler": self.scaler.state_dict(),
            "pools": self.processes.gather(pools),
            "iteration": self.iteration,
            "used": self.used,
        }

    def take(self, state: Mapping[str, Any]) -> None:
        """Become what `state` described."""
        self.objective.load_state_dict(state["objective"])
        self.discriminators.load_state_dict(state["discriminators"])
        if self.averaged is not None:
            self.averaged.load_state_dict(state["averaged"])
        for name, optimizer in self.optimizers.items():
            require_optimizer_state(optimizer, state["optimizers"][name], name)
            optimizer.load_state_dict(state["optimizers"][name])
        self.scaler.load_state_dict(state["scaler"])
        own = state["pools"][self.processes.rank]
        size, device = self.settings.adversarial.pool, self.processes.device
        self.pools = {
            domain: ImagePool.from_state(size, own[domain], device) for domain in self.pools
        }
        self.iteration, self.used = int(state["iteration"]), float(state["used"])

    def result(self) -> Generator:
        """A copy of the translator, on the CPU, in evaluation mode."""
        copied = Generator(self.settings.generator)
        copied.load_state_dict(self.translator.state_dict())
        return copied.eval()

    def _step(self, factor: float, kept: str) -> None:
        """All weights at once: from here on an error leaves them half changed."""
        self.whole = False
        scale = self.scaler.get_scale()
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group["lr"] = self.settings.training.lr * factor
            self.scaler.step(optimizer)
        self.scaler.update()
        lost = self.scaler.is_enabled() and self.scaler.get_scale() < scale
        self.skipped = self.skipped + 1 if lost else 0
        if self.skipped > MOST_SKIPPED:
            self._check({"all": math.nan}, "gradient", kept)
        if self.averaged is not None:
            self._average(self.averaged)

    def _average(self, averaged: Generator) -> None:
        """Forget by `ema`, faster at the start: random weights are not worth remembering."""
        keep = min(self.settings.training.ema, (1 + self.iteration) / (10 + self.iteration))
        with torch.no_grad():
            now = self.objective.translator.parameters()
            for old, new in zip(averaged.parameters(), now, strict=True):
                old.lerp_(new, 1 - keep)

    def _swap(
        self, made: Mapping[Domain, Tensor], chance: np.random.Generator
    ) -> tuple[dict[Domain, Tensor], dict[Domain, ImagePool]]:
        """The discriminators' input, and the pools as they are once this batch has counted."""
        shown, pools = {}, {}
        for domain in self.objective.domains:
            shown[domain], pools[domain] = self.pools[domain].swap(made[domain], chance)
        return shown, pools

    def _autocast(self) -> torch.autocast:
        kind = self.processes.device.type
        return torch.autocast(kind, self.dtype, enabled=self.dtype is not torch.float32)

    def _gradients(self) -> dict[str, float]:
        return {
            name: float(_norm(network.parameters()))
            for name, network in (
                ("generators", self.objective),
                ("discriminators", self.discriminators),
            )
        }

    def _check(self, values: Mapping[str, float], what: str, kept: str) -> None:
        for name, value in values.items():
            if not math.isfinite(value):
                raise DataError(
                    f"renderer: the {what} of '{name}' became {value} at batch {self.iteration}; "
                    f"the last good state is kept in {kept}: lower training.lr and resume"
                )


@contextmanager
def _frozen(network: nn.Module) -> Iterator[None]:
    """Gradients flow through the network, not into its weights."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)


def _norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Euclidean length of the whole gradient."""
    norms = [p.grad.norm() for p in parameters if p.grad is not None]
    length: Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return length


def _dtype(precision: Precision, device: torch.device, fast_bfloat16: bool) -> torch.dtype:
    if precision != "auto":
        return {
            "float32": torch.float32,
            "bfloat16": torch.bfloat16,
            "float16": torch.float16,
        }[precision]
    if fast_bfloat16:
        return torch.bfloat16
    return torch.float16 if device.type == "cuda" else torch.float32
