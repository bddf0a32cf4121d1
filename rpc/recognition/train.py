"""Training a crop classifier on composed scenes, by the clock, stoppable at any point.

Key: B crops of a batch, S x S pixels of a crop, K SKUs; label K is 'no single product'.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from rpc.data.dataset import Dataset, read_dataset
from rpc.data.files import DataError, safe_join
from rpc.data.images import read_image
from rpc.features.tensor_files import read_tensors, write_tensors
from rpc.recognition.classifier import CROP_SIDE, CropClassifier
from rpc.recognition.crops import cut_crops, jitter_boxes, stray_boxes

Progress = Callable[[float, str], None]  # fraction done, a line of facts
LAST = "recogniser_last.pth"
SAVE_EVERY = 60.0  # seconds


@dataclass(frozen=True)
class RecogniserSettings:
    """How a recogniser is trained.

    Attributes:
        minutes: wall time.
        batch_size: B.
        lr: of the head; the pretrained layers take `backbone_factor` of it.
        backbone_factor: see `lr`.
        weight_decay: of AdamW.
        label_smoothing: mass taken from the true label.
        stray_share: stray boxes (no single product) for each item.
        seed: of weights, order and augmentation.
        bfloat16: run the forward pass in bfloat16.
        max_iters: stop after so many batches; None for no such limit.
    """

    minutes: float = 6.0
    batch_size: int = 48
    lr: float = 2e-3
    backbone_factor: float = 0.3
    weight_decay: float = 0.02
    label_smoothing: float = 0.05
    stray_share: float = 0.15
    seed: int = 0
    bfloat16: bool = True
    max_iters: int | None = None


def train_recogniser(
    scenes: str | Path,
    work_dir: str | Path,
    settings: RecogniserSettings | None = None,
    progress: Progress | None = None,
) -> CropClassifier:
    """Train on the visible boxes of composed scenes; goes on from `recogniser_last.pth` in `work_dir`.

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
    work_dir.mkdir(parents=True, exist_ok=True)
    data = read_dataset(Path(scenes) / "instances.json")
    torch.manual_seed(settings.seed)
    model = CropClassifier(len(data.taxonomy)).to(memory_format=torch.channels_last)
    averaged = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99)
    )
    optimizer = torch.optim.AdamW(_groups(model, settings), weight_decay=settings.weight_decay)
    base = [group["lr"] for group in optimizer.param_groups]
    step, used = _resume(work_dir / LAST, model, averaged, optimizer)
    loader = _loader(data, Path(scenes), settings, skip=step)
    loss_of = nn.CrossEntropyLoss(label_smoothing=settings.label_smoothing)
    started = time.monotonic() - used
    saved = time.monotonic()
    recent = math.nan
    model.train()
    batches = iter(loader)
    try:
        while (done := _done(step, time.monotonic() - started, settings)) < 1:
            for group, lr in zip(optimizer.param_groups, base, strict=True):
                group["lr"] = lr * rate(done)
            crops, labels = next(batches)
            with torch.autocast("cpu", torch.bfloat16, settings.bfloat16):
                logits = model(crops)
            loss = loss_of(logits.float(), labels)
            if not bool(torch.isfinite(loss)):
                raise DataError(
                    f"recogniser: the loss became {float(loss)} at step {step}; the last good state "
                    f"is kept in {work_dir / LAST}: lower the learning rate"
                )
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            averaged.update_parameters(model)
            step += 1
            value = float(loss.detach())
            recent = value if math.isnan(recent) else 0.95 * recent + 0.05 * value
            if progress is not None:
                progress(done, f"{step} batches  loss {recent:.3f}")
            if time.monotonic() - saved > SAVE_EVERY:
                _save(work_dir / LAST, model, averaged, optimizer, step, time.monotonic() - started)
                saved = time.monotonic()
    finally:  # Ctrl-C included: the same command goes on from here
        _save(work_dir / LAST, model, averaged, optimizer, step, time.monotonic() - started)
    result: CropClassifier = averaged.module
    return result.eval()


def rate(done: float) -> float:
    """Factor on the learning rates at the fraction `done`: 4 % warm-up, then a cosine to nothing."""
    if done < 0.04:
        return 0.05 + 0.95 * done / 0.04
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (done - 0.04) / 0.96))


class SceneCrops(IterableDataset[tuple[torch.Tensor, torch.Tensor]]):
    """Endless crops of composed scenes in random order, ready-made batches from a shuffled pool.

    Args:
        data: the scenes.
        folder: of their images.
        settings: batch size, stray share and seed.
        skip: batches that an earlier run has seen: the order goes on from another point.
    """

    def __init__(
        self, data: Dataset, folder: Path, settings: RecogniserSettings, skip: int = 0
    ) -> None:
        self.data = data
        self.folder = folder
        self.settings = settings
        self.skip = skip

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Batches: crops (B, 3, S, S) uint8 and labels (B,)."""
        worker = get_worker_info()
        number = 0 if worker is None else worker.id
        rng = np.random.default_rng([self.settings.seed, self.skip, number])
        crops: list[NDArray[np.uint8]] = []
        labels: list[int] = []
        size = self.settings.batch_size
        while True:
            for index in rng.permutation(len(self.data.images)):
                found, named = self._scene(int(index), rng)
                crops += list(found)
                labels += named
                while len(crops) >= 6 * size:  # a pool, so that a batch mixes many scenes
                    order = rng.permutation(len(crops))
                    chosen, rest = order[:size], order[size:]
                    batch = np.stack([crops[i] for i in chosen]).transpose(0, 3, 1, 2)
                    target = torch.tensor([labels[i] for i in chosen])
                    crops, labels = [crops[i] for i in rest], [labels[i] for i in rest]
                    yield torch.from_numpy(np.ascontiguousarray(batch)), target

    def _scene(
        self, index: int, rng: np.random.Generator
    ) -> tuple[list[NDArray[np.uint8]], list[int]]:
        """Crops and labels of one scene, turned and lit at random."""
        image = self.data.images[index]
        rgb = read_image(safe_join(self.folder, image.file_name))
        items = self.data.annotations_of(image.id)
        boxes = np.array([a.bbox for a in items], dtype=np.float64).reshape(-1, 4)
        moved = jitter_boxes(boxes, image.width, image.height, rng)
        strays = stray_boxes(
            boxes,
            rng.poisson(self.settings.stray_share * len(items)),
            image.width,
            image.height,
            rng,
        )
        nothing = len(self.data.taxonomy)
        labels = [self.data.taxonomy.label(a.category_id) for a in items] + [nothing] * len(strays)
        crops = cut_crops(rgb, np.concatenate([moved, strays]), CROP_SIDE)
        return [_vary(crop, rng) for crop in crops], labels


def _vary(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """A quarter turn and another light; never mirrored, as print is not."""
    turned = np.rot90(crop, int(rng.integers(4)))
    gain = np.exp(rng.normal(0, 0.08) + rng.normal(0, 0.03, 3))
    lit = turned.astype(np.float32) * gain.astype(np.float32) + np.float32(rng.normal(0, 6))
    return lit.clip(0, 255).astype(np.uint8)


def _loader(
    data: Dataset, scenes: Path, settings: RecogniserSettings, skip: int
) -> DataLoader[tuple[torch.Tensor, torch.Tensor]]:
    if not data.annotations:
        raise DataError(f"{data.path}: no item in any scene; nothing to learn from")
    crops = SceneCrops(data, scenes / "images", settings, skip)
    return DataLoader(crops, batch_size=None, num_workers=1, prefetch_factor=4)


def _groups(model: CropClassifier, settings: RecogniserSettings) -> list[dict[str, object]]:
    head = list(model.head.parameters())
    body = [p for p in model.blocks.parameters() if p.requires_grad]
    return [
        {"params": head, "lr": settings.lr},
        {"params": body, "lr": settings.lr * settings.backbone_factor},
    ]


def _done(step: int, seconds: float, settings: RecogniserSettings) -> float:
    by_time = seconds / (60 * settings.minutes)
    by_step = 0.0 if settings.max_iters is None else step / settings.max_iters
    return min(max(by_time, by_step), 1.0)


def _save(
    path: Path,
    model: nn.Module,
    averaged: nn.Module,
    optimizer: torch.optim.Optimizer,
    step: int,
    used: float,
) -> None:
    state = {
        "model": model.state_dict(),
        "averaged": averaged.state_dict(),
        "optimizer": optimizer.state_dict(),
        "step": step,
        "used": used,
    }
    write_tensors(path, state)


def _resume(
    path: Path, model: nn.Module, averaged: nn.Module, optimizer: torch.optim.Optimizer
) -> tuple[int, float]:
    """Take over the state of `path` where it is; returns batches seen and seconds used."""
    if not path.is_file():
        return 0, 0.0
    state = read_tensors(path)
    try:
        model.load_state_dict(state["model"])
        averaged.load_state_dict(state["averaged"])
        optimizer.load_state_dict(state["optimizer"])
        return int(state["step"]), float(state["used"])
    except (KeyError, RuntimeError, ValueError) as error:
        raise DataError(f"{path}: the training of another store; choose another folder") from error
