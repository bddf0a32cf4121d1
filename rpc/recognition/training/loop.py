"""The one loop that every recognition system learns by: phase after phase, stoppable anywhere.

Key: B photos of a batch, N photos, K classes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.recognition.systems.system import Batch, FitPhase, GradientPhase, Losses, Phase, System
from rpc.recognition.training.batch_source import BatchSource
from rpc.recognition.training.schedule import (
    Clock,
    Learned,
    LearningSettings,
    PhaseBudget,
    rate,
)
from rpc.recognition.training.weight_average import WeightAverage
from rpc.runs.optimizer_state import require_optimizer_state
from rpc.runs.processes import Processes
from rpc.runs.run_folder import require_same_settings
from rpc.runs.tensor_files import first_misfit, read_tensors, write_tensors

Progress = Callable[[float, str], None]  # fraction done, a line of facts
AtOnce = Callable[[], AbstractContextManager[None]]  # a signal in its block is heard at once
LAST: Final = "recognition_last.pth"
ALONE: Final = Processes()
FREE: Final = ("save_every", "cap_minutes")  # settings that a resumed training may change
CHECKS: Final = 5  # looks at a system in its last phase, the one at the end not counted


def learn(
    system: System,
    data: BatchSource,
    settings: LearningSettings,
    work_dir: str | Path,
    *,
    resume: bool = False,
    processes: Processes = ALONE,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
    at_once: AtOnce = nullcontext,
    check: Callable[[], None] | None = None,
) -> Learned:
    """Take a system through its phases; it ends in evaluation mode.

    With a budget in batches, a training that was stopped and resumed gives the same weights as one
    that was not, bit for bit on one kind of machine: batch i is a function of the seed and i.

    Args:
        system: fresh, or whatever: a resume point replaces its state.
        data: training photos, or crops.
        settings: see there.
        work_dir: for the resume point.
        resume: go on from a resume point, if there is one.
        processes: this process among those that train together; gradients are averaged over them.
        progress: is told the fraction done and a line of facts.
        stop: asked after every batch; true ends the training in a saved state.
        at_once: entered around phases in closed form, which are not asked: what breaks one off
            (KeyboardInterrupt) leaves the state before it, which is saved.
        check: called some times (`CHECKS`) in the last phase if that is gradient descent, where a
            system is whole: to validate it. It may put it in evaluation mode and must not change
            it; its time does not count. In a resumed training it may see a state once more.

    Raises:
        DataError: a training is there and not to be resumed, its resume point is of another one or
            damaged, or a loss or gradient is not finite (the last good state is kept).
        KeyboardInterrupt: `stop` said so.
    """
    path = Path(work_dir) / LAST
    run = _Run(system, data, settings, path, processes)
    if path.is_file():
        if not resume:
            raise DataError(f"{work_dir}: holds a training; --resume goes on with it")
        run.take_up()
    try:
        for number, phase in enumerate(run.phases[run.phase :], start=run.phase):
            run.enter(number)
            if isinstance(phase, FitPhase):
                with at_once():
                    run.fit(phase)
            else:
                run.descend(phase, progress, stop, check)
            run.leave()
    finally:
        if run.whole and run.used > 0:  # before the first batch there is nothing to keep
            run.save()
    system.eval().requires_grad_(False)
    return Learned(run.batches, run.used, dict(run.seconds), settings.iterations)


@torch.inference_mode()
def predict(system: System, images: Sequence[Tensor], batch: int = 32) -> Tensor:
    """Scores (N, K) of N photos (3, S, S), in evaluation mode, on the CPU."""
    system.eval()
    device = next(system.parameters()).device
    scores = [
        system(torch.stack(list(images[start : start + batch])).to(device)).float().cpu()
        for start in range(0, len(images), batch)
    ]
    return torch.cat(scores) if scores else torch.zeros(0, system.num_classes)


class _Run:
    """Where a training stands, with all that a resume point must hold."""

    def __init__(
        self,
        system: System,
        data: BatchSource,
        settings: LearningSettings,
        path: Path,
        processes: Processes,
    ) -> None:
        self.system, self.data, self.settings = system.to(processes.device), data, settings
        self.path, self.processes = path, processes
        self.phases: tuple[Phase, ...] = system.phases()
        self.phase, self.step, self.batches = 0, 0, 0
        self.used, self.spent = 0.0, 0.0  # seconds: in all, and of this phase
        self.seconds: dict[str, float] = {}
        self.budget: PhaseBudget | None = None
        self.optimizer: torch.optim.Optimizer | None = None
        self.waiting_cut: object = None
        self.waiting: Mapping[str, Any] | None = None  # an optimiser's state to be taken up
        self.average: WeightAverage | None = None
        self.waiting_average: list[Tensor] = []
        self.whole = True
        self.clock, self.saved = Clock(settings), time.monotonic()
        self.identity = {
            "system": type(system).__name__,
            "classes": system.num_classes,
            "side": system.side,
            "phases": [phase.name for phase in self.phases],
            "data": data.fingerprint,
            "processes": processes.size,
            **{k: v for k, v in asdict(settings).items() if k not in FREE},
        }

    def enter(self, number: int) -> None:
        """Begin a phase, or go on with it."""
        self.phase = number
        learns = self.phases[number]
        self.system.requires_grad_(False)
        self.optimizer = self.average = self.budget = None
        if isinstance(learns, GradientPhase):
            self.budget = self._budget_of(learns)
            groups = [
                {"params": group.parameters, "lr": self.settings.lr * group.lr_mult}
                for group in learns.groups
            ]
            for group in learns.groups:
                for parameter in group.parameters:
                    parameter.requires_grad_(True)
            self.optimizer = torch.optim.AdamW(groups, weight_decay=learns.decay)
            if self.waiting is not None:
                self._take_up_optimizer(self.optimizer, self.waiting)
            if learns.average is not None:
                self.average = WeightAverage(self._learning(learns), learns.average)
                self.average.take_up(self.waiting_average)
        self.waiting, self.waiting_average, self.waiting_cut = None, [], None

    def _budget_of(self, phase: GradientPhase) -> PhaseBudget:
        """The phase's share of the budget, cut where the resume point says so.

        Raises:
            DataError: the resume point is damaged.
        """
        shares = sum(p.share for p in self.phases if isinstance(p, GradientPhase))
        budget = PhaseBudget(self.settings, phase.share / shares)
        if budget.plan is not None:
            try:
                budget.plan.take_up(self.waiting_cut)
            except ValueError as error:
                raise DataError(f"{self.path}: a damaged resume point: {error}") from error
        return budget

    def _take_up_optimizer(
        self, optimizer: torch.optim.Optimizer, state: Mapping[str, Any]
    ) -> None:
        require_optimizer_state(optimizer, state, str(self.path))
        optimizer.load_state_dict(dict(state))

    def leave(self) -> None:
        """The phase is done."""
        name = f"{self.phase + 1} {self.phases[self.phase].name}"
        self.seconds[name] = round(self.spent, 2)
        self.whole = False
        if self.average is not None:
            self.average.put_in()
        self.phase, self.step, self.spent = self.phase + 1, 0, 0.0
        self.optimizer = self.average = self.budget = None
        self.whole = True
        self.save()

    def fit(self, phase: FitPhase) -> None:
        """A phase in closed form, in every process alike."""
        self.whole = False  # a fit that was broken off has changed a part
        self.system.eval()
        phase.fit(self.data.passes(self.settings.seed, self.phase))
        self._count()
        self.whole = True

    def descend(
        self,
        phase: GradientPhase,
        progress: Progress | None,
        stop: Callable[[], bool],
        check: Callable[[], None] | None,
    ) -> None:
        """Batch after batch until the phase's share of the budget is spent."""
        assert self.optimizer is not None
        assert self.budget is not None
        in_training(self.system)
        rates = [group["lr"] for group in self.optimizer.param_groups]
        base = [self.settings.lr * group.lr_mult for group in phase.groups]
        assert len(rates) == len(base)
        recent = math.nan
        done = self._done()
        while done < 1:
            for group, lr in zip(self.optimizer.param_groups, base, strict=True):
                group["lr"] = lr * rate(done, phase.warm_up)
            loss = self._learn(phase)
            recent = loss if math.isnan(recent) else 0.95 * recent + 0.05 * loss
            self._count()
            self.budget.note(self.step, self.spent)
            # Asked once a batch and by every process: they must agree, so they wait for each other.
            before, done = done, self._done()
            if progress is not None and self.processes.rank == 0:
                progress(self._overall(phase, done), self._facts(phase, recent))
            if check is not None and self.phase == len(self.phases) - 1:
                if int(CHECKS * before) < int(CHECKS * done) < CHECKS:
                    with nullcontext() if self.average is None else self.average.shown():
                        check()
                    in_training(self.system)
                    self.clock.read()
            stops, due = self.processes.largest(
                float(stop()), float(time.monotonic() - self.saved > self.settings.save_every)
            )
            if due or stops:
                self.save()
            if stops:
                raise KeyboardInterrupt

    def _learn(self, phase: GradientPhase) -> float:
        """One batch; returns the loss.

        Raises:
            DataError: loss or gradient is not finite; no weight was touched.
        """
        assert self.optimizer is not None
        photos = self.data.batch(self.settings, self.phase, self.step).to(self.processes.device)
        chance = torch.Generator().manual_seed(
            (self.settings.seed * 1_000_003 + self.phase * 10_007 + self.step) % 2**63
        )
        kind = self.processes.device.type
        torch.manual_seed(chance.initial_seed())  # dropout, where a system has it
        with torch.autocast(kind, torch.bfloat16, self.settings.bfloat16):
            terms = self._terms(phase, photos, chance)
        total = torch.stack([term.float() for term in terms.values()]).sum()
        self._check("loss", float(total.detach()))
        self.optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward([total])
        parameters = self._learning(phase)
        self.processes.average_gradients(parameters)
        self._check("gradient", float(nn.utils.clip_grad_norm_(parameters, 5.0)))
        self.whole = False
        self.optimizer.step()
        if self.average is not None:
            self.average.update()
        self.step += 1
        self.batches += 1
        self.whole = True
        return float(total.detach())

    def _terms(self, phase: GradientPhase, batch: Batch, chance: torch.Generator) -> Losses:
        """The phase's loss.

        Raises:
            DataError: a channel has one value in the whole batch, which cannot be normalised.
        """
        try:
            return phase.loss(batch, chance)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise DataError(
                f"recognition: batches of {self.settings.batch_size} and photos of "
                f"{self.system.side} px leave a channel one value, which cannot be normalised; "
                "choose a larger training.batch_size or side"
            ) from error

    def save(self) -> None:
        """Write the resume point, atomically; only the first process does."""
        self.saved = time.monotonic()
        if self.processes.rank != 0:
            return
        plan = None if self.budget is None else self.budget.plan
        state = {
            "identity": self.identity,
            "system": self.system.state_dict(),
            "optimizer": None if self.optimizer is None else self.optimizer.state_dict(),
            "average": [] if self.average is None else self.average.values,
            "phase": self.phase,
            "step": self.step,
            "batches": self.batches,
            "used": self.used,
            "spent": self.spent,
            "seconds": self.seconds,
            "cut": plan.state() if plan is not None else None,
        }
        write_tensors(self.path, state)

    def take_up(self) -> None:
        """Stand where the resume point says.

        Raises:
            DataError: it is damaged, or of another training: what differs is said.
        """
        state = read_tensors(self.path)
        before = state.get("identity")
        if not isinstance(before, dict):
            raise DataError(f"{self.path}: not a resume point of a recognition training")
        require_same_settings(self.path, before, self.identity)
        try:
            self.system.load_state_dict(state["system"])
            self.waiting, self.waiting_average = state["optimizer"], list(state["average"])
            self.phase, self.step = int(state["phase"]), int(state["step"])
            self.batches = int(state["batches"])
            self.used, self.spent = float(state["used"]), float(state["spent"])
            self.seconds = dict(state["seconds"])
            self.waiting_cut = state.get("cut")
        except Exception as error:  # states of wrong types fail in any way
            raise DataError(
                f"{self.path}: a damaged resume point: {first_misfit(error)}"
            ) from error

    def _done(self) -> float:
        """Fraction of the phase's budget that is spent, the same in all processes."""
        assert self.budget is not None
        return self.processes.largest(self.budget.done(self.step, self.spent))[0]

    def _facts(self, phase: GradientPhase, loss: float) -> str:
        """A line of facts: the phase, its batches so far, and of how many; the loss."""
        assert self.budget is not None
        plan = self.budget.plan
        of = "" if plan is None else f" of {plan.planned}"
        cut = "" if plan is None or not plan.cut else f" ({plan.asked} do not fit the cap)"
        return f"{phase.name}: {self.step}{of}{cut}  loss {loss:.3f}"

    def _overall(self, phase: GradientPhase, done: float) -> float:
        """Fraction of the whole budget that is spent, where `done` of the phase is."""
        learns = [(n, p) for n, p in enumerate(self.phases) if isinstance(p, GradientPhase)]
        before = sum(p.share for n, p in learns if n < self.phase)
        return min((before + phase.share * done) / sum(p.share for _, p in learns), 1)

    def _count(self) -> None:
        cpu, spent = self.clock.read()
        self.used += cpu
        self.spent += spent

    @staticmethod
    def _learning(phase: GradientPhase) -> list[nn.Parameter]:
        return [parameter for group in phase.groups for parameter in group.parameters]

    def _check(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise DataError(
                f"recognition: the {what} became {value} in phase '{self.phases[self.phase].name}' "
                f"at batch {self.step}; train again in another folder with a lower learning rate "
                f"(training.lr); the last good state is kept in {self.path}"
            )


def in_training(system: nn.Module) -> None:
    """Put what learns into training mode, and networks that rest into evaluation mode.

    Normalisation layers of a network that rests would count batches on, and give what they say of a
    photo by the photos beside it.
    """
    system.train()
    for part in system.modules():
        learns = [parameter.requires_grad for parameter in part.parameters()]
        if learns and not any(learns):
            part.eval()


def accuracy(scores: Tensor, labels: Tensor) -> float:
    """Share of N photos whose largest score (N, K) is at their label (N,); NaN for none."""
    if len(labels) == 0:
        return math.nan
    return float(np.mean((scores.argmax(dim=1) == labels).numpy()))
