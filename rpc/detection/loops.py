"""Training until its updates are made, or until a time is over."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from mmdet.registry import LOOPS
from mmengine.dist import all_reduce, get_rank, get_world_size
from mmengine.runner.base_loop import BaseLoop

from rpc.data.files import DataError
from rpc.detection.budget import Budget
from rpc.detection.resume import CUT, ELAPSED, save_resume_point
from rpc.detection.streamed_dataset import SceneOrder
from rpc.runs.interruption import Interruption

# Forward pass of validation over a training step of the same image: a first guess for the time
# that the last validation will take, used until one was measured.
_VALIDATION_SHARE = 0.5


@LOOPS.register_module()
class TimedTrainLoop(BaseLoop):
    """Iterates until `progress` is 1; validates and saves within the same budget.

    Args:
        runner: mmengine's.
        dataloader: endless, as mmengine's `InfiniteSampler` makes it.
        max_minutes: wall time for training, validation and saving together: a cap where there is
            `max_iters`, else what the schedule follows; None: any.
        max_iters: updates, which the schedule follows; None: as many as the time allows.
        val_at: progress at which to validate, ascending; 1 is the end.
        save_minutes: time between two resume points.
    """

    def __init__(
        self,
        runner: Any,
        dataloader: Any,
        max_minutes: float | None = None,
        max_iters: int | None = None,
        val_at: Sequence[float] = (1.0,),
        save_minutes: float = 3.0,
    ) -> None:
        super().__init__(runner, dataloader)
        self.budget = Budget(None if max_minutes is None else 60 * max_minutes, max_iters)
        self.progress = 0.0
        self._val_at = sorted(val_at) if runner.val_loop is not None else []
        self._save_seconds = 60 * save_minutes
        self._interruption = Interruption()
        self._stops = False  # as all processes agreed
        # Read by mmengine and its hooks.
        self._iter = self._epoch = 0
        self.max_epochs = 1
        self.val_begin = self.val_interval = 1
        self.stop_training = False

    @property
    def iter(self) -> int:
        """Iterations done."""
        return self._iter

    @property
    def epoch(self) -> int:
        """Always 0: a budget knows no epochs."""
        return self._epoch

    @property
    def max_iters(self) -> int:
        """Iterations in all: as planned, or estimated from the pace so far."""
        if self.budget.plan is not None:
            return self.budget.plan.planned
        return max(self._iter + 1, round(self._iter / self.progress) if self.progress else 10**6)

    def run(self) -> Any:
        """Train; returns the model.

        Raises:
            KeyboardInterrupt: on Ctrl-C or SIGTERM, after a resume point was written.
            DivergedError: the loss is not finite; the last resume point stays.
        """
        with self._interruption:
            batches = self._batches()  # forks the workers before any hook opens a display
            self._take_up(getattr(self.runner, "resumed_meta", {}))
            self._synchronise()
            if self._stops:
                raise KeyboardInterrupt
            self._val_at = [at for at in self._val_at if at > self.progress or self._iter == 0]
            self.runner.call_hook("before_train")
            self.runner.call_hook("before_train_epoch")
            try:
                self._iterate(batches)
            finally:
                self.runner.call_hook("close_display")
            self.runner.call_hook("after_train_epoch")
            self.runner.call_hook("after_train")
        return self.runner.model

    def _iterate(self, batches: Iterator[Any]) -> None:
        saved = time.monotonic()
        while self.progress < 1 and not self.stop_training:
            self.runner.model.train()
            self._run_iter(self._next(batches))
            self.budget.note(self._iter)
            self._synchronise()
            if self._stops:
                self._save()
                raise KeyboardInterrupt
            if time.monotonic() - saved > self._save_seconds:
                self._save()
                saved = time.monotonic()
            self._validate_if_due()
        self._save()

    def _next(self, batches: Iterator[Any]) -> Any:
        """The next batch.

        Raises:
            DataError: an image is damaged, or a data worker was killed; what was learned is saved.
        """
        try:
            return next(batches)
        except DataError:
            if self._iter:
                self._save()
            raise

    def _run_iter(self, batch: Any) -> None:
        self.runner.call_hook("before_train_iter", batch_idx=self._iter, data_batch=batch)
        outputs = self.runner.model.train_step(batch, optim_wrapper=self.runner.optim_wrapper)
        self.runner.call_hook(
            "after_train_iter", batch_idx=self._iter, data_batch=batch, outputs=outputs
        )
        self._iter += 1

    def _validate_if_due(self) -> None:
        due = [at for at in self._val_at if at <= self.progress]
        if not due:
            return
        self._val_at = [at for at in self._val_at if at > self.progress]
        self._save()
        started = time.monotonic()
        with self._interruption.at_once():
            self.runner.val_loop.run()
        if self._val_at and self._val_at[-1] >= 1:
            self.budget.reserve = time.monotonic() - started

    def _save(self) -> None:
        plan = self.budget.plan
        save_resume_point(self.runner, self.budget.elapsed, None if plan is None else plan.state())

    def _take_up(self, meta: Mapping[str, Any]) -> None:
        """Start the clock, of a new training or where a resume point says.

        Raises:
            DataError: the resume point is damaged.
        """
        self.budget.start(meta.get(ELAPSED, 0.0))
        if self.budget.plan is not None:
            try:
                self.budget.plan.take_up(meta.get(CUT))
            except ValueError as error:
                raise DataError(f"a damaged resume point: {error}") from error

    def _batches(self) -> Iterator[Any]:
        sampler = self.dataloader.sampler
        if isinstance(sampler, SceneOrder):
            sampler.begin(self._iter * self.dataloader.batch_size)
        elif self._iter and hasattr(sampler, "seed"):
            sampler.seed += self._iter  # a resumed training does not see the first images again
        return iter(self.dataloader)

    def _synchronise(self) -> None:
        """Every process takes the first one's word for progress; a wish of any to stop is all's."""
        if self._val_at and self._val_at[-1] >= 1 and not self.budget.reserve and self._iter > 4:
            images = self._iter * self.dataloader.batch_size * get_world_size()
            per_image = _VALIDATION_SHARE * self.budget.elapsed / images
            self.budget.reserve = per_image * len(self.runner.val_loop.dataloader.dataset)
        progress = self.budget.progress(self._iter)
        stops = self._interruption.requested
        if get_world_size() > 1:
            word = torch.tensor([progress if get_rank() == 0 else 0.0, float(stops)])
            all_reduce(word, "max")
            progress, stops = float(word[0]), bool(word[1])
        self.progress, self._stops = progress, stops
