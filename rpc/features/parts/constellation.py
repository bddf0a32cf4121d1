"""Neural activation constellations: which channels form a stable shape (Simon, Rodner, ICCV 2015).

Each channel of a network is a detector of something, at one place a photo. A constellation model
finds, from image labels alone, channels whose places keep their distances: parts of an object seen
from one of a few views. Section 3.3, fitted by block updates, none of which raises the cost.

Key: N photos, C channels, V views, Q parts of a view, M of them used on a photo; places are x, y.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Constellation:
    """A fitted model.

    Attributes:
        parts: (V, Q) channels of each view.
        offsets: (V, C, 2) where a channel lies from the object's anchor; of use for `parts`.
        views: (N,) view of each photo.
        anchors: (N, 2) place of the object.
        cost: mean over photos of the M smallest squared distances between places and model.
        costs: after each block update, from the start on: never rising.
    """

    parts: NDArray[np.int64]
    offsets: Floats
    views: NDArray[np.int64]
    anchors: Floats
    cost: float
    costs: tuple[float, ...]


def fit_constellation(
    places: Floats,
    visible: NDArray[np.bool_],
    rng: np.random.Generator,
    *,
    views: int = 10,
    parts: int = 10,
    used: int = 5,
    missing: float = 1.0,
    rounds: int = 15,
    restarts: int = 5,
) -> Constellation:
    """Fit by block updates from several random starts; the best is kept.

    Args:
        places: (N, C, 2), of each channel on each photo, in one unit for all photos.
        visible: (N, C), whether the channel shows anything on the photo.
        rng: chance.
        views: V.
        parts: Q.
        used: M: parts that are compared on a photo, those that fit best; the rest may be hidden.
        missing: squared distance that a part in want of a visible channel counts.
        rounds: of updates at most.
        restarts: random starts.

    Raises:
        ValueError: shapes that do not fit, or 1 <= M <= Q <= C does not hold.
    """
    count, channels = visible.shape if visible.ndim == 2 else (0, 0)
    if places.shape != (count, channels, 2) or not count:
        raise ValueError(
            f"constellation: expected places (N, C, 2) and visible (N, C), got {places.shape} and "
            f"{visible.shape}"
        )
    if not 1 <= used <= parts <= channels or views < 1 or restarts < 1:
        raise ValueError(
            f"constellation: expected 1 <= used <= parts <= channels and a view, got {used}, "
            f"{parts}, {channels}, {views}"
        )
    problem = _Problem(places.astype(np.float64), visible, used, missing)
    fits = [_fit_once(problem, rng, views, parts, rounds) for _ in range(restarts)]
    return min(fits, key=lambda fit: fit.cost)


def channel_use(
    model: Constellation,
    places: Floats,
    visible: NDArray[np.bool_],
    *,
    used: int = 5,
    missing: float = 1.0,
) -> NDArray[np.int64]:
    """On how many of N photos each channel is among the parts that fit best, (C,).

    Args: as of `fit_constellation`, whose `model` it is.
    """
    problem = _Problem(places.astype(np.float64), visible, used, missing)
    chosen = model.parts[model.views][problem.used_parts(model)]
    return np.bincount(chosen, minlength=visible.shape[1]).astype(np.int64)


def channels_apart(
    use: NDArray[np.int64], places: Floats, visible: NDArray[np.bool_], count: int, apart: float
) -> NDArray[np.int64]:
    """The channels used most, but of those that lie together only one.

    Channels that respond to one and the same thing keep their distance best of all, and would be
    the whole constellation.

    Args:
        use: (C,) of `channel_use`.
        places: (N, C, 2).
        visible: (N, C).
        count: how many are wanted, at most C.
        apart: least median distance of two; less only if there are too few so far apart.

    Returns:
        (count,) the most used first.

    Raises:
        ValueError: more channels wanted than there are.
    """
    if not 1 <= count <= len(use):
        raise ValueError(f"channels: expected 1 to {len(use)} wanted, got {count}")
    order = np.argsort(-use, kind="stable")
    chosen: list[int] = []
    for channel in order:
        if len(chosen) < count and use[channel] and _apart(places, visible, channel, chosen, apart):
            chosen.append(int(channel))
    others = [int(channel) for channel in order if channel not in chosen]
    return np.array(chosen + others[: count - len(chosen)], dtype=np.int64)


def _apart(
    places: Floats, visible: NDArray[np.bool_], channel: int, chosen: list[int], apart: float
) -> bool:
    for other in chosen:
        both = visible[:, channel] & visible[:, other]
        away = np.linalg.norm(places[both, channel] - places[both, other], axis=1)
        if len(away) and np.median(away) < apart:
            return False
    return True


@dataclass(frozen=True)
class _Problem:
    places: Floats
    visible: NDArray[np.bool_]
    used: int
    missing: float

    def residuals(self, model: Constellation) -> Floats:
        """Squared distance of each photo's places to each view's parts, (N, V, Q)."""
        found = self.places[:, model.parts]  # (N, V, Q, 2)
        offsets = np.take_along_axis(model.offsets, model.parts[..., None], axis=1)
        away = found - model.anchors[:, None, None] - offsets
        squared = np.square(away).sum(axis=3)
        return np.where(self.visible[:, model.parts], squared, np.inf)

    def per_view(self, model: Constellation) -> tuple[Floats, NDArray[np.bool_]]:
        """Cost (N, V) of each photo under each view, and which parts are used, (N, V, Q)."""
        residuals = self.residuals(model)
        order = np.argsort(residuals, axis=2, kind="stable")[:, :, : self.used]
        best = np.minimum(np.take_along_axis(residuals, order, axis=2), self.missing)
        chosen = np.zeros(residuals.shape, bool)
        np.put_along_axis(chosen, order, np.ones_like(order, dtype=bool), axis=2)
        return best.sum(axis=2), chosen & (residuals < self.missing)

    def cost(self, model: Constellation) -> float:
        """Mean over photos of the cost under their view."""
        costs, _ = self.per_view(model)
        return float(costs[np.arange(len(costs)), model.views].mean())

    def used_parts(self, model: Constellation) -> NDArray[np.bool_]:
        """(N, Q): parts that count on each photo, of its view."""
        _, chosen = self.per_view(model)
        picked: NDArray[np.bool_] = chosen[np.arange(len(chosen)), model.views]
        return picked


def _fit_once(
    problem: _Problem, rng: np.random.Generator, views: int, parts: int, rounds: int
) -> Constellation:
    count, channels = problem.visible.shape
    model = Constellation(
        parts=np.stack([rng.permutation(channels)[:parts] for _ in range(views)]),
        offsets=np.zeros((views, channels, 2)),
        views=np.asarray(rng.integers(views, size=count), dtype=np.int64),
        anchors=_middles(problem),
        cost=np.inf,
        costs=(),
    )
    model = _offsets(problem, model)
    costs = [problem.cost(model)]
    for _ in range(rounds):
        for update in (_choose_parts, _choose_views, _anchors, _offsets):
            model = update(problem, model)
            costs.append(problem.cost(model))
        if costs[-5] - costs[-1] <= 1e-9 * (1 + abs(costs[-1])):
            break
    return replace(model, cost=costs[-1], costs=tuple(costs))


def _middles(problem: _Problem) -> Floats:
    weight = problem.visible[..., None].astype(np.float64)
    total = (problem.places * weight).sum(axis=1)
    return np.asarray(total / np.maximum(weight.sum(axis=1), 1))


def _anchors(problem: _Problem, model: Constellation) -> Constellation:
    """a: the mean of place less offset, over the parts used on a photo."""
    chosen = problem.used_parts(model)  # (N, Q)
    parts = model.parts[model.views]  # (N, Q)
    rows = np.arange(len(parts))[:, None]
    away = problem.places[rows, parts] - model.offsets[model.views[:, None], parts]
    weight = chosen[..., None].astype(np.float64)
    total = weight.sum(axis=1)
    mean = (away * weight).sum(axis=1) / np.maximum(total, 1)
    return replace(model, anchors=np.where(total > 0, mean, model.anchors))


def _offsets(problem: _Problem, model: Constellation) -> Constellation:
    """d: the mean of place less anchor, over the photos of a view on which the part is used."""
    offsets = model.offsets.copy()
    chosen = problem.used_parts(model)
    away = problem.places - model.anchors[:, None]
    for view in range(len(model.parts)):
        rows = model.views == view
        for place, channel in enumerate(model.parts[view]):
            used = rows & chosen[:, place]
            if used.any():
                offsets[view, channel] = away[used, channel].mean(axis=0)
    better = replace(model, offsets=offsets)
    return better if problem.cost(better) <= problem.cost(model) else model


def _choose_views(problem: _Problem, model: Constellation) -> Constellation:
    """s: the view under which a photo costs least."""
    costs, _ = problem.per_view(model)
    return replace(model, views=costs.argmin(axis=1))


def _choose_parts(problem: _Problem, model: Constellation) -> Constellation:
    """b: of each view, the channels that are nearest to their own mean place on its photos.

    A choice that would cost more is not taken.
    """
    away = problem.places - model.anchors[:, None]  # (N, C, 2)
    for view in range(len(model.parts)):
        rows = model.views == view
        if not rows.any():
            continue
        shown = problem.visible[rows]  # (n, C)
        weight = shown[..., None].astype(np.float64)
        total = np.maximum(weight.sum(axis=0), 1)
        mean = (away[rows] * weight).sum(axis=0) / total
        squared = np.square(away[rows] - mean).sum(axis=2)
        cost = np.where(shown, np.minimum(squared, problem.missing), problem.missing).mean(axis=0)
        parts, offsets = model.parts.copy(), model.offsets.copy()
        parts[view] = np.sort(np.argsort(cost, kind="stable")[: parts.shape[1]])
        offsets[view] = mean
        better = replace(model, parts=parts, offsets=offsets)
        if problem.cost(better) <= problem.cost(model):
            model = better
    return model
