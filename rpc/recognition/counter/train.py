"""Training a counter's recogniser on composed scenes, stoppable at any point."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Final

import torch

from rpc.data.files import DataError
from rpc.data.scene_stream import SceneSource, WrittenScenes
from rpc.recognition.counter.scene_crops import CropSettings, SceneCrops
from rpc.recognition.counter.start import load_pretrained
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.recognition.training.loop import learn
from rpc.recognition.training.schedule import Learned, LearningSettings
from rpc.runs.devices import resolve_device
from rpc.runs.interruption import Interruption
from rpc.runs.processes import Processes

Progress = Callable[[float, str], None]  # fraction done, a line of facts
ITERATIONS: Final = 360


def recogniser_learning(
    *,
    iterations: int = ITERATIONS,
    cap_minutes: float | None = None,
    batch_size: int = 48,
    lr: float = 5e-3,
    seed: int = 0,
    bfloat16: bool = False,
) -> LearningSettings:
    """Settings of `learn` that suit a counter's recogniser.

    Raises:
        ValueError: a value is out of its range.
    """
    return LearningSettings(
        iterations=iterations,
        cap_minutes=cap_minutes,
        batch_size=batch_size,
        lr=lr,
        seed=seed,
        bfloat16=bfloat16,
    )


def train_recogniser(
    scenes: str | Path | SceneSource,
    work_dir: str | Path,
    settings: LearningSettings | None = None,
    *,
    crops: CropSettings | None = None,
    foreign: SceneSource | None = None,
    start: Path | None = None,
    device: str | torch.device = "auto",
    progress: Progress | None = None,
    learned: Callable[[Learned], None] = lambda facts: None,
) -> CropClassifier:
    """Train on the visible boxes of composed scenes; goes on from the resume point in `work_dir`.

    Args:
        scenes: folder with `instances.json` and `images/`, or what makes them while the training
            runs.
        work_dir: for the resume point.
        settings: `recogniser_learning()` by default.
        crops: how they are taken from the scenes.
        foreign: scenes of products that the store does not have, learnt as 'no single product'.
        start: file of `write_start` whose body the training starts from; None for ImageNet's.
        device: that it trains on, see `rpc.runs.devices`.
        progress: is told the fraction done and a line of facts.
        learned: is told what the training cost when it is over.

    Returns:
        The classifier, of the SKUs and 'no single product', with averaged weights, in evaluation
        mode.

    Raises:
        DataError: unusable scenes, the training of another store or of other settings in
            `work_dir`, or the loss became NaN (the last good state is kept).
        KeyboardInterrupt: a signal, once the state is saved.
    """
    settings = settings or recogniser_learning()
    if isinstance(scenes, str | Path):
        scenes = written = WrittenScenes.open(scenes)
        if not written.data.annotations:
            raise DataError(f"{written.data.path}: no item in any scene; nothing to learn from")
    torch.manual_seed(settings.seed)
    model = CropClassifier(len(scenes.taxonomy) + 1, pretrained=start is None)
    if start is not None:
        load_pretrained(model, start)
    source = SceneCrops(scenes, model.side, crops, foreign=foreign)
    with closing(source), Interruption() as interruption:
        facts = learn(
            model,
            source,
            settings,
            work_dir,
            resume=True,
            processes=Processes(device=resolve_device(device)),
            progress=progress,
            stop=lambda: interruption.requested,
        )
    learned(facts)
    return model
