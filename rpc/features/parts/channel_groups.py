"""Channels that respond at the same places, as parts of an object (Zheng et al., ICCV 2017).

Key: B pictures, C channels, P parts, h x w cells; places are x and y from -1 to 1.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from rpc.data.packages import needed
from rpc.features.precision import full_precision


def cell_places(height: int, width: int, like: Tensor) -> Tensor:
    """Middles of cells, (h * w, 2), x and y from -1 (left, top edge) to 1."""
    x = (2 * torch.arange(width, device=like.device, dtype=like.dtype) + 1) / width - 1
    y = (2 * torch.arange(height, device=like.device, dtype=like.dtype) + 1) / height - 1
    return torch.stack([x.repeat(height), y.repeat_interleave(width)], dim=1)


def peak_places(maps: Tensor) -> Tensor:
    """Where each channel of maps (B, C, h, w) is largest: (B, C, 2), no gradient."""
    flat = maps.detach().flatten(2)
    return cell_places(maps.shape[2], maps.shape[3], flat)[flat.argmax(dim=2)]


def group_channels(
    peaks: NDArray[np.floating], parts: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """k-means of channels by where they peak, over all pictures (section 3.1).

    Without it, learned parts tend to collapse into one.

    Args:
        peaks: (N, C, 2), of N pictures.
        parts: P.
        rng: chance.

    Returns:
        (C,) part of each channel, 0 to P - 1.

    Raises:
        ValueError: fewer channels than parts, or no picture.
    """
    if peaks.ndim != 3 or not len(peaks) or peaks.shape[1] < parts:
        raise ValueError(
            f"peaks: expected (N, C, 2) with N > 0 and C >= {parts} parts, got {peaks.shape}"
        )
    with needed("sklearn"):
        from sklearn.cluster import KMeans
    tracks = peaks.transpose(1, 0, 2).reshape(peaks.shape[1], -1)  # (C, 2N)
    seed = int(rng.integers(2**31))
    labels = KMeans(parts, n_init=10, random_state=seed).fit_predict(tracks)
    return np.asarray(labels, dtype=np.int64)


Form = Literal["sigmoid", "centred", "sum"]


@full_precision
def part_maps(maps: Tensor, weights: Tensor, form: Form = "centred") -> Tensor:
    """Attention of each part: channels summed by weight, to sum 1 over cells.

    "sigmoid": a sigmoid over the sum, the paper's (eq. 4). Of maps that are never negative it lies
    between 1/2 and 1, and attention is nearly the same everywhere. "centred": of the sum less its
    mean over the cells, so that cells with less than the mean get less than 1/2. "sum": the sum
    itself, as far as it is not negative.

    A sum of 1 over cells keeps losses on the maps from being lowered by shrinking them.

    Args:
        maps: (B, C, h, w); for "sum", not negative.
        weights: (B, P, C), not negative.
        form: see above.

    Returns:
        (B, P, h, w).
    """
    summed = torch.einsum("bpc,bchw->bphw", weights, maps)
    if form == "centred":
        summed = summed - summed.mean(dim=(2, 3), keepdim=True)
    attention = summed.clamp_min(0) + 1e-8 if form == "sum" else torch.sigmoid(summed)
    return attention / attention.sum(dim=(2, 3), keepdim=True)


def distance_loss(attention: Tensor) -> Tensor:
    """How far attention lies from its peak: Dis (eq. 5), mean over pictures, summed over parts.

    Args:
        attention: (B, P, h, w), each map to sum 1; the peak's place gets no gradient.
    """
    places = cell_places(attention.shape[2], attention.shape[3], attention)
    away = (places[None, None] - peak_places(attention)[:, :, None]).square().sum(dim=3)
    return (attention.flatten(2) * away).sum(dim=(1, 2)).mean()


def diversity_loss(attention: Tensor, margin: float = 0.02) -> Tensor:
    """How much parts attend to what other parts attend to: Div (eq. 6), as `distance_loss`.

    The others' attention is counted in units of its mean over cells: maps that sum to 1 have values
    of 1 / (h * w), next to which neither the loss nor its margin would weigh anything.

    Args:
        attention: (B, P, h, w); P of 2 or more.
        margin: of attention that is no offence; for maps that sum to 1 it adds a constant.

    Raises:
        ValueError: one part has no others.
    """
    parts = attention.shape[1]
    if parts < 2:
        raise ValueError("diversity: expected 2 parts or more")
    flat = attention.flatten(2)
    own = torch.eye(parts, dtype=torch.bool, device=flat.device)[None, :, :, None]
    others = flat[:, None].masked_fill(own, -torch.inf).amax(dim=2) * flat.shape[2]
    return (flat * (others - margin)).sum(dim=(1, 2)).mean()
