"""Progress messages while a detector is trained."""

from __future__ import annotations

import contextlib
import time
from typing import Any

from mmdet.registry import HOOKS
from mmengine.dist import is_main_process
from mmengine.hooks import Hook
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

_BAR_SECONDS = 0.5
_LINE_SECONDS = 30.0


@HOOKS.register_module()
class TrainingDisplay(Hook):
    """One line: what is being done, updates, images/s, loss, time left.

    On a terminal it is drawn over and over; elsewhere (a log file, CI) a new line appears twice a
    minute. There is no drawing thread: data workers are forked from this process.
    """

    priority = "LOW"

    def __init__(self) -> None:
        self._console = Console(stderr=True, soft_wrap=True)
        self._bar: Progress | None = None
        self._doing = "training"
        self._drawn = 0.0
        self._loss: float | None = None
        self._pace: tuple[float, int] | None = None  # where the counting of images/s began
        self._speed = 0.0
        self._told_cut = False

    def before_train(self, runner: Any) -> None:
        """Open the line."""
        if not is_main_process():
            return
        self._drawn = time.monotonic()
        self._pace = (self._drawn, runner.iter)
        if self._console.is_terminal:
            columns = (
                TextColumn("{task.description}"),
                BarColumn(),
                TextColumn("{task.fields[s]}"),
            )
            self._bar = Progress(*columns, console=self._console, auto_refresh=False)
            self._bar.add_task("training", total=1.0, s="")
            self._bar.start()
        self._draw(runner)

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Note the loss; draw if it is time."""
        if not is_main_process():
            return
        self._tell_cut(runner)
        self._doing = "training"
        wait = _BAR_SECONDS if self._bar else _LINE_SECONDS
        if time.monotonic() - self._drawn < wait:
            return
        if outputs and "loss" in outputs:
            self._loss = float(outputs["loss"].detach())
        self._measure(runner)
        self._draw(runner)

    def before_val(self, runner: Any) -> None:
        """Say so."""
        self._doing = "validation"
        if is_main_process() and self._bar:
            self._draw(runner)

    def after_val_epoch(self, runner: Any, metrics: dict[str, float] | None = None) -> None:
        """Print the metrics above the line."""
        if is_main_process() and metrics:
            text = "  ".join(f"{key.split('/')[-1]} {value:.3f}" for key, value in metrics.items())
            with contextlib.suppress(OSError):
                said = f"validation at iteration {runner.iter}: {text}"
                self._console.print(said, highlight=False)
        if self._pace:  # the pace does not count the time of validation
            self._pace = (time.monotonic(), runner.iter)

    def close_display(self, runner: Any) -> None:
        """Leave the line as it is and free the terminal; called however a training ends."""
        if not is_main_process():
            return
        self._draw(runner)
        if self._bar:
            with contextlib.suppress(OSError):
                self._bar.stop()
            self._bar = None

    def _tell_cut(self, runner: Any) -> None:
        """Say once that a cap on the time makes the training shorter."""
        plan = runner.train_loop.budget.plan
        if self._told_cut or plan is None or not plan.cut:
            return
        self._told_cut = True
        said = cut_text(plan.asked, plan.planned, plan.cap)
        runner.logger.info(said)
        with contextlib.suppress(OSError):
            self._console.print(said, highlight=False)

    def _measure(self, runner: Any) -> None:
        now, iteration = time.monotonic(), runner.iter + 1
        if self._pace is None:
            self._pace = (now, iteration)
        since, begin = self._pace
        if now - since > 1:
            loader = runner.train_loop.dataloader
            images = (iteration - begin) * loader.batch_size * runner.world_size
            self._speed = images / (now - since)
        if now - since > 30:
            self._pace = (now, iteration)

    def _draw(self, runner: Any) -> None:
        with contextlib.suppress(OSError):  # a closed terminal or a full disk ends no training
            self._write(runner)

    def _write(self, runner: Any) -> None:
        self._drawn = time.monotonic()
        loop = runner.train_loop
        plan = loop.budget.plan
        facts = [f"{loop.iter}" + ("" if plan is None else f" of {plan.planned}") + " updates"]
        if self._speed:
            facts.append(f"{self._speed:.1f} img/s")
        if self._loss is not None:
            facts.append(f"loss {self._loss:.3f}")
        left = loop.budget.seconds_left(loop.iter)
        if left is not None:
            facts.append(f"{clock(left)} left")
        if self._bar:
            task = self._bar.task_ids[0]
            self._bar.update(
                task, completed=loop.progress, description=self._doing, s="  ".join(facts)
            )
            self._bar.refresh()
        else:
            line = f"{self._doing} {100 * loop.progress:3.0f}%  {'  '.join(facts)}"
            self._console.print(line, highlight=False)


def cut_text(asked: int, planned: int, cap: float) -> str:
    """Says that a cap of so many seconds has cut a training's updates."""
    return (
        f"the cap of {cap / 60:.3g} minutes is too short at this pace: {planned} updates are "
        f"planned instead of {asked}"
    )


def clock(seconds: float) -> str:
    """Seconds as `1:02:03` or `2:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
