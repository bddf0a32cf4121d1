"""Photos through a trained system, a batch at a time, read ahead by threads.

Key: N photos, B of a batch, K classes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError
from rpc.recognition.systems.part_finder import PartFinder
from rpc.recognition.systems.system import System
from rpc.recognition.training.loop import predict
from rpc.recognition.training.photo_batches import seen_batch, seen_whole
from rpc.recognition.training.photo_geometry import Rgb

BATCH: Final = 32


def score_photos(
    system: System,
    examples: Sequence[LabelledPhoto],
    *,
    workers: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> NDArray[np.float32]:
    """Scores (N, K) of photos, each whole and unaugmented; leaves the system in evaluation mode.

    Args:
        system: which is asked.
        examples: the N photos.
        workers: threads that read ahead; 0 reads in between.
        progress: is told how many photos are done, and N.

    Raises:
        DataError: a photo is missing or damaged, or a score is not finite.
    """
    scores = np.zeros((len(examples), system.num_classes), np.float32)
    starts = range(0, len(examples), BATCH)
    pictures = _ahead(lambda s: _seen(examples[s : s + BATCH], system.side), starts, workers)
    for start, seen in zip(starts, pictures, strict=True):
        images = torch.from_numpy(seen.transpose(0, 3, 1, 2).copy())
        scores[start : start + len(seen)] = predict(system, list(images), BATCH).numpy()
        if progress is not None:
            progress(start + len(seen), len(examples))
    system.eval()
    if not np.isfinite(scores).all():
        raise DataError(
            f"recognition: {type(system).__name__} gives scores that are not finite: its weights "
            "are damaged, or it was trained at too high a rate; train it again"
        )
    return scores


@torch.no_grad()
def part_boxes(
    system: System, examples: Sequence[LabelledPhoto]
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Found and true boxes (N, G, 4) of a system's parts on photos, px of its input.

    NaN of a part that is not found, or out of sight. None where the system finds no parts or the
    photos have no key points. Leaves the system in evaluation mode.

    Args:
        system: which is asked; the true boxes are those that it is taught.
        examples: the N photos, each whole and unaugmented.

    Raises:
        DataError: a photo is missing or damaged, or lacks key points that others have.
    """
    if not isinstance(system, PartFinder) or not system.part_names:
        return None
    if not any(example.points for example in examples):
        return None
    system.eval()
    device = next(system.parameters()).device
    found, true = [], []
    for start in range(0, len(examples), BATCH):
        batch = seen_batch(examples[start : start + BATCH], system.side)
        found.append(system.found_parts(batch.images.to(device)).double().cpu().numpy())
        true.append(system.true_parts(batch).double().cpu().numpy())
    return np.concatenate(found), np.concatenate(true)


def _seen(examples: Sequence[LabelledPhoto], side: int) -> Rgb:
    return np.stack([seen_whole(example, side).image for example in examples])


def _ahead(make: Callable[[int], Rgb], starts: Sequence[int], workers: int) -> Iterator[Rgb]:
    """`make` of each, in order; with workers, so many are made while the last is being used."""
    if workers == 0:
        yield from map(make, starts)
        return
    pool = ThreadPoolExecutor(workers)
    waiting: deque[Future[Rgb]] = deque()
    try:
        for start in starts:
            waiting.append(pool.submit(make, start))
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
