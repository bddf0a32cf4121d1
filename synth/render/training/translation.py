"""The one loop that trains every learned renderer, stoppable and resumable at any batch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rpc.data.files import DataError
from rpc.data.images import write_image
from rpc.runs.processes import Processes
from rpc.runs.tensor_files import first_misfit
from synth.render.training.crops import UnpairedCrops, endless_batches
from synth.render.training.networks import Generator
from synth.render.training.resume import NAME, data_key, read_resume, write_resume
from synth.render.training.samples import sample_sheet
from synth.render.training.settings import RenderSettings, TrainingSettings
from synth.render.training.trainee import Trainee

Progress = Callable[[float, str], None]  # fraction done, a line of facts
SAMPLES = 4  # rows of a picture of samples
_SAMPLE_STREAM = 7919  # added to the seed: samples are other crops than those learned from first
ALONE = Processes()


def train_translation(
    scenes: Sequence[Path],
    photos: Sequence[Path],
    out: str | Path,
    settings: RenderSettings,
    *,
    seed: int = 0,
    resume: bool = False,
    fast_bfloat16: bool = False,
    processes: Processes = ALONE,
    progress: Progress | None = None,
    stop: Callable[[], bool] = lambda: False,
) -> tuple[Generator, int]:
    """Learn to make scenes look like photos.

    On a CPU, N batches give the same weights bit by bit, with however many stops between.

    Args:
        scenes: files of composed scenes.
        photos: files of real photos; nothing but their pixels is looked at.
        out: folder for the resume point and `samples/`.
        settings: of everything.
        seed: of weights, crops and whatever is drawn.
        resume: go on from the resume point in `out`, if there is one.
        fast_bfloat16: what precision "auto" goes by.
        processes: this process among those that train together.
        progress: is told the fraction done and a line of facts.
        stop: asked after every batch; true ends the training in a saved state.

    Returns:
        The translator, in evaluation mode on the CPU, and the batches it has learned from.

    Raises:
        DataError: unusable pictures, a training in `out` that is not to be resumed or is another
            one, or a loss or gradient that is not finite (the last good state is kept).
        KeyboardInterrupt: `stop` said so; the state is saved.
    """
    out = Path(out)
    path = out / NAME
    if path.is_file() and not resume:
        raise DataError(f"{out}: holds a training; --resume goes on with it, or choose another")
    crops, shown = _crops(tuple(scenes), tuple(photos), settings, seed, processes)
    run = {
        "settings": asdict(settings),
        "objective": type(settings.objective).__name__,
        "seed": seed,
        "data": data_key(crops.scenes, crops.photos),
        "processes": processes.size,
    }
    trainee = Trainee(settings, seed, processes, fast_bfloat16)
    if path.is_file():
        _take(trainee, path, run)
    loop = _Loop(trainee, settings.training, out, path, run, shown)
    loop.go(crops, progress, stop)
    return trainee.result(), trainee.iteration


def rate(done: float, flat_until: float) -> float:
    """Factor on the learning rate at the fraction `done`: flat, then linear to 0."""
    return 1.0 if done < flat_until else (1 - done) / (1 - flat_until)


class _Loop:
    """Batches, resume points, samples and words, until the budget is spent."""

    def __init__(
        self,
        trainee: Trainee,
        settings: TrainingSettings,
        out: Path,
        path: Path,
        run: dict[str, Any],
        shown: UnpairedCrops,
    ) -> None:
        self.trainee, self.settings = trainee, settings
        self.out, self.path, self.run, self.shown = out, path, run, shown
        self.first = trainee.processes.rank == 0
        self.saved = time.monotonic() if path.is_file() else -math.inf

    def go(self, crops: UnpairedCrops, progress: Progress | None, stop: Callable[[], bool]) -> None:
        """Train; see `train_translation`."""
        trainee, settings = self.trainee, self.settings
        batches = endless_batches(crops, trainee.iteration, settings.workers)
        started = time.monotonic() - trainee.used
        recent: dict[str, float] = {}
        try:
            while (done := self._done(trainee.used)) < 1:
                factor = rate(done, settings.flat_until)
                losses = trainee.learn(next(batches), factor, str(self.path))
                trainee.used = time.monotonic() - started
                recent = {k: 0.95 * recent.get(k, v) + 0.05 * v for k, v in losses.items()}
                self._tell(done, recent, progress)
                if self._agreed(stop()):
                    raise KeyboardInterrupt
        finally:
            # An error inside a batch changes nothing, unless it came while weights were stepping;
            # and where several processes train, they only save where all of them arrive.
            if trainee.whole and trainee.processes.size == 1:
                self._save()
        if trainee.processes.size > 1:
            self._save()
        self._sample()

    def _tell(self, done: float, recent: dict[str, float], progress: Progress | None) -> None:
        iteration = self.trainee.iteration
        if progress is not None and self.first:
            facts = "  ".join(f"{name} {value:.3f}" for name, value in recent.items())
            progress(done, f"{iteration} batches  {facts}")
        if iteration % self.settings.sample_every == 0:
            self._sample()

    def _done(self, used: float) -> float:
        """Fraction of the budget that is spent, the same in all processes."""
        settings = self.settings
        by_time = 0.0 if settings.minutes is None else used / (60 * settings.minutes)
        steps = self.trainee.iteration
        by_step = 0.0 if settings.iterations is None else steps / settings.iterations
        return min(self.trainee.processes.largest(max(by_time, by_step))[0], 1.0)

    def _agreed(self, stop: bool) -> bool:
        """Save where it is time; whether all shall stop."""
        due = time.monotonic() - self.saved >= self.settings.save_every
        stops, dues = self.trainee.processes.largest(float(stop), float(due))
        if dues or (stops and self.trainee.processes.size > 1):
            self._save()
        return bool(stops)

    def _save(self) -> None:
        state = self.trainee.state()
        if self.first:
            write_resume(self.path, self.run, state)
        self.saved = time.monotonic()

    def _sample(self) -> None:
        if self.first:
            sheet = sample_sheet(self.trainee.translator, self.shown[0])
            write_image(self.out / "samples" / f"{self.trainee.iteration:07d}.jpg", sheet)


def _crops(
    scenes: tuple[Path, ...],
    photos: tuple[Path, ...],
    settings: RenderSettings,
    seed: int,
    processes: Processes,
) -> tuple[UnpairedCrops, UnpairedCrops]:
    """The crops to learn from, and those of the samples."""
    crops = UnpairedCrops(
        scenes,
        photos,
        settings.crops,
        batch_size=settings.training.batch_size,
        seed=seed,
        rank=processes.rank,
        processes=processes.size,
    )
    shown = UnpairedCrops(
        scenes, photos, settings.crops, batch_size=SAMPLES, seed=seed + _SAMPLE_STREAM
    )
    return crops, shown


def _take(trainee: Trainee, path: Path, run: dict[str, Any]) -> None:
    state = read_resume(path, run)
    try:
        trainee.take(state)
    except Exception as error:  # states of wrong types fail in any way
        raise DataError(f"{path}: a damaged resume point: {first_misfit(error)}") from error
