"""Training a crop classifier on composed scenes, by the clock, stoppable at any point.

Key: B crops of a batch, S x S pixels of a crop, K SKUs; label K is 'no single product'.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from rpc.data.dataset import Dataset, read_dataset
from rpc.data.files import DataError
from rpc.recognition.classifier import CropClassifier
from rpc.recognition.scene_crops import Batch, SceneCrops
from rpc.recognition.start import load_pretrained
from rpc.runs.tensor_files import read_tensors, write_tensors

Progress = Callable[[float, str], None]  # fraction done, a line of facts
LAST = "recogniser_last.pth"
SAVE_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class RecogniserSettings:
    """How a recogniser is trained.

    Attributes:
        minutes: wall time.
        batch_size: B.
        lr: of the head; the pretrained layers take `backbone_lr_mult` times as much.
        backbone_lr_mult: see `lr`.
        weight_decay: of AdamW.
        label_smoothing: mass taken from the true label.
        stray_share: stray boxes (no single product) for each item.
        hidden_share: share of the items whose middle is covered.
        seed: of weights, order and augmentation.
        bfloat16: run the forward pass in bfloat16.
        max_iters: stop after so many batches; None for no such limit.
        start: file of `write_start` whose body the training starts from; None for ImageNet's.

    Raises:
        ValueError: a value is out of its range.
    """

    minutes: float = 6.0
    batch_size: int = 48
    lr: float = 5e-3
    backbone_lr_mult: float = 0.3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    stray_share: float = 0.15
    hidden_share: float = 0.1
    seed: int = 0
    bfloat16: bool = True
    max_iters: int | None = None
    start: Path | None = None

    def __post_init__(self) -> None:
        for name in ("minutes", "batch_size", "lr", "max_iters"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ValueError(f"recogniser settings: expected {name} above 0, got {value!r}")


def train_recogniser(
    scenes: str | Path,
    work_dir: str | Path,
    settings: RecogniserSettings | None = None,
    progress: Progress | None = None,
) -> CropClassifier:
    """Train on the visible boxes of composed scenes; goes on from `LAST` in `work_dir`.

    Args:
        scenes: folder with `instances.json` and `images/`.
        work_dir: for the resume point.
        settings: `RecogniserSettings()` by default.
        progress: is told the fraction done and a line of facts.

    Returns:
        The classifier with averaged weights, in evaluation mode.

    Raises:
        DataError: unusable scenes, or the loss became NaN (the last good state is kept).
    """
    settings = settings or RecogniserSettings()
    work_dir = Path(work_dir)
    data = read_dataset(Path(scenes) / "instances.json")
    if not data.annotations:
        raise DataError(f"{data.path}: no item in any scene; nothing to learn from")
    work_dir.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(settings.seed)
    trainee = _Trainee(len(data.taxonomy), settings, work_dir / LAST)
    batches = _batches(data, Path(scenes), settings, skip=trainee.step)
    started = time.monotonic() - trainee.used
    saved = time.monotonic()
    recent = math.nan
    try:
        while (done := _done(trainee.step, trainee.used, settings)) < 1:
            loss = trainee.learn(*next(batches), rate(done))
            trainee.used = time.monotonic() - started
            recent = loss if math.isnan(recent) else 0.95 * recent + 0.05 * loss
            if progress is not None:
                progress(done, f"{trainee.step} batches  loss {recent:.3f}")
            if time.monotonic() - saved > SAVE_EVERY:
                trainee.save()
                saved = time.monotonic()
    finally:  # Ctrl-C included: the same command goes on from here
        trainee.save()
    result: CropClassifier = trainee.averaged.module
    return result.eval()


def rate(done: float) -> float:
    """Factor on the learning rates at the fraction `done`: 4 % warm-up, then a cosine to 1 %."""
    if done < 0.04:
        return 0.05 + 0.95 * done / 0.04
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.04) / 0.96))


class _Trainee:
    """A classifier in training with all that a resume point must hold.

    Args:
        num_labels: K.
        settings: of the training.
        path: of the resume point; taken over where it exists.

    Raises:
        DataError: the resume point is damaged or belongs to other SKUs.
    """

    def __init__(self, num_labels: int, settings: RecogniserSettings, path: Path) -> None:
        self.path = path
        self.bfloat16 = settings.bfloat16
        self.model = CropClassifier(num_labels, pretrained=settings.start is None)
        if settings.start is not None:
            load_pretrained(self.model, settings.start)
        self.model.to(memory_format=torch.channels_last)
        self.averaged = AveragedModel(self.model, multi_avg_fn=get_ema_multi_avg_fn(0.99))
        groups = _groups(self.model, settings)
        self.optimizer = torch.optim.AdamW(groups, weight_decay=settings.weight_decay)
        self.lrs = [group["lr"] for group in self.optimizer.param_groups]
        self.loss_of = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
        self.step = 0  # batches seen
        self.used = 0.0  # seconds
        if path.is_file():
            self._resume()
        self.model.train()

    def learn(self, crops: Tensor, extents: Tensor, labels: Tensor, factor: float) -> float:
        """One batch as `SceneCrops` gives it, at `factor` of the learning rates.

        Returns:
            The loss.

        Raises:
            DataError: the loss or a gradient is not finite; no weight was touched.
        """
        for group, lr in zip(self.optimizer.param_groups, self.lrs, strict=True):
            group["lr"] = lr * factor
        with torch.autocast("cpu", torch.bfloat16, self.bfloat16):
            logits = self.model(crops, extents)
        loss = self.loss_of(logits.float(), labels)
        self._check("loss", float(loss.detach()))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        # A finite loss can have a gradient that is not: clipping would spread it to all weights.
        self._check("gradient", float(nn.utils.clip_grad_norm_(self.model.parameters(), 5.0)))
        self.optimizer.step()
        self.averaged.update_parameters(self.model)
        self.step += 1
        return float(loss.detach())

    def save(self) -> None:
        """Write the resume point, atomically."""
        state = {
            "model": self.model.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "used": self.used,
        }
        write_tensors(self.path, state)

    def _resume(self) -> None:
        state = read_tensors(self.path)
        try:
            self.model.load_state_dict(state["model"])
            self.averaged.load_state_dict(state["averaged"])
            self.optimizer.load_state_dict(state["optimizer"])
            self.step, self.used = int(state["step"]), float(state["used"])
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise DataError(
                f"{self.path}: the training of another store; choose another folder"
            ) from error

    def _check(self, what: str, value: float) -> None:
        if not math.isfinite(value):
            raise DataError(
                f"recogniser: the {what} became {value} at step {self.step}; the last good state "
                f"is kept in {self.path}: lower the learning rate"
            )


def _batches(
    data: Dataset, scenes: Path, settings: RecogniserSettings, skip: int
) -> Iterator[Batch]:
    """Endless batches, made by another process.

    Raises:
        DataError: a scene's image is missing or damaged.
    """
    crops = SceneCrops(
        data,
        scenes / "images",
        size=settings.batch_size,
        stray_share=settings.stray_share,
        hidden_share=settings.hidden_share,
        seed=settings.seed,
        skip=skip,
    )
    try:
        yield from DataLoader(crops, batch_size=None, num_workers=1, prefetch_factor=4)
    except DataError as error:  # its text holds the worker's traceback; the last line is ours
        last = str(error).strip().splitlines()[-1]
        raise DataError(last.partition("DataError: ")[2] or last) from error


def _groups(model: CropClassifier, settings: RecogniserSettings) -> list[dict[str, object]]:
    head = [*model.head.parameters(), *model.extent.parameters()]
    body = [p for p in model.blocks.parameters() if p.requires_grad]
    return [
        {"params": head, "lr": settings.lr},
        {"params": body, "lr": settings.lr * settings.backbone_lr_mult},
    ]


def _done(step: int, seconds: float, settings: RecogniserSettings) -> float:
    by_time = seconds / (60 * settings.minutes)
    by_step = 0.0 if settings.max_iters is None else step / settings.max_iters
    return min(max(by_time, by_step), 1.0)
