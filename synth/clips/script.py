"""The course of a clip: hands come, put things down, rest, correct, take away."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, get_args

import numpy as np

from synth.clips.conditions import Conditions, drawn_conditions
from synth.clips.hand import SLEEVES, TONES, Hand, Point
from synth.clips.stage import Stage

ClipKind = Literal[
    "plain", "rest", "light", "shadow", "focus", "correct", "hover", "next", "slow", "two_hands"
]
KINDS: Final = get_args(ClipKind)
CARRIES: Final = 4  # times that a hand brings things, at most

Offset = tuple[float, float]


@dataclass(frozen=True)
class Reach:
    """A hand that comes in, perhaps rests, and goes; with things, or for things.

    Attributes:
        begin_s: when it starts outside of the picture.
        arrive_s: when it is at its place.
        leave_s: when it starts back.
        end_s: when it is outside again.
        to: its place, x and y in px.
        hand: its looks.
        brings: items that it carries in; they lie there from `arrive_s` on.
        takes: items that it carries out; they lie there until `leave_s`.
        shifts: items that lie elsewhere from `arrive_s` to `leave_s` on, and by how much.
    """

    begin_s: float
    arrive_s: float
    leave_s: float
    end_s: float
    to: Point
    hand: Hand
    brings: tuple[int, ...] = ()
    takes: tuple[int, ...] = ()
    shifts: tuple[tuple[int, Offset], ...] = ()

    def tip(self, time_s: float) -> Point | None:
        """Where the fingers are; None before and after."""
        if not self.begin_s <= time_s <= self.end_s:
            return None
        part = 1.0
        if time_s < self.arrive_s:
            part = (time_s - self.begin_s) / (self.arrive_s - self.begin_s)
        elif time_s > self.leave_s:
            part = (self.end_s - time_s) / (self.end_s - self.leave_s)
        eased = 0.5 - 0.5 * np.cos(np.pi * part)
        x, y = self.hand.shoulder
        return float(x + eased * (self.to[0] - x)), float(y + eased * (self.to[1] - y))


@dataclass(frozen=True)
class Script:
    """A clip before it is drawn.

    Attributes:
        kind: what makes it hard.
        seconds: its length.
        reaches: in their order; two may overlap.
        conditions: light and camera.
        seed: of the noise of its frames.
    """

    kind: ClipKind
    seconds: float
    reaches: tuple[Reach, ...]
    conditions: Conditions
    seed: int


def write_script(stage: Stage, kind: ClipKind, seed: int, rest_s: float = 2.2) -> Script:
    """Draw a script from a seed: the same for the same stage, kind and seed.

    Args:
        stage: what it shows.
        kind: what makes it hard.
        seed: of all that is drawn.
        rest_s: seconds for which a complete tray lies untouched, at least.

    Raises:
        ValueError: the stage has no item.
    """
    if not len(stage):
        raise ValueError("clip: expected a photo with at least one item, got none")
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    made = _Writer(stage, kind, rest_s, rng)
    made.fill(_groups(stage, rng))
    if kind == "hover":
        made.hover()
    if kind == "correct":
        made.correct()
    if kind == "next" or rng.random() < 0.4:
        made.take_away()
        if kind == "next":
            made.fill(_groups(stage, rng)[:2])
    seconds = made.now + float(rng.uniform(0.3, 0.8))
    conditions = drawn_conditions(rng, seconds, kind)
    return Script(kind, seconds, tuple(made.reaches), conditions, seed)


class _Writer:
    """Writes one reach after the other.

    Attributes:
        now: end of the last one, s.
        there: items that lie on the tray.
        reaches: so far.
    """

    def __init__(
        self, stage: Stage, kind: ClipKind, rest_s: float, rng: np.random.Generator
    ) -> None:
        self._stage, self._kind, self._rest_s, self._rng = stage, kind, rest_s, rng
        self._hands = [_hand(stage, rng) for _ in range(2)]
        self.now = float(rng.uniform(1.2, 2.0))
        self.there: list[int] = []
        self.reaches: list[Reach] = []

    def fill(self, groups: list[tuple[int, ...]]) -> None:
        """Things are brought, some at a time; then nobody does anything for a while."""
        for number, group in enumerate(groups):
            last = number == len(groups) - 1
            rests = 3.0 if last and self._kind == "rest" else 0.0
            self._reach(self._middle(group), rests=rests, brings=group)
            self.there += group
            if self._kind == "two_hands" and self._rng.random() < 0.6:
                self._beside()
            if not last:
                self.now += float(self._rng.uniform(0.05, 0.9))
        self.now += self._rest_s + float(self._rng.uniform(0, 1))

    def hover(self) -> None:
        """A hand points at something and changes nothing."""
        self._reach(self._middle(self.there), rests=float(self._rng.uniform(0.2, 1.5)))
        self.now += self._rest_s + 0.2

    def correct(self) -> None:
        """One thing is pushed elsewhere, or taken out."""
        item = int(self._rng.choice(self.there))
        if self._rng.random() < 0.5 and len(self.there) > 1:
            self._reach(self._middle((item,)), rests=0.3, takes=(item,))
            self.there.remove(item)
        else:
            way = self._rng.uniform(0, 2 * np.pi)
            far = 0.12 * self._stage.empty.shape[1]
            shift = (float(far * np.cos(way)), float(far * np.sin(way)))
            self._reach(self._middle((item,)), rests=0.4, shifts=((item, shift),))
        self.now += self._rest_s + 0.2

    def take_away(self) -> None:
        """All things are taken, in one or two goes."""
        half = len(self.there) // 2
        goes = [self.there] if half == 0 or self._rng.random() < 0.5 else [
            self.there[:half], self.there[half:]]  # fmt: skip
        for some in goes:
            self._reach(self._middle(some), rests=0.2, takes=tuple(some))
            self.now += 0.2
        self.there = []
        self.now += float(self._rng.uniform(1.2, 2.0))

    def _beside(self) -> None:
        """The other hand is in the picture, too, and stays a little longer."""
        last = self.reaches[-1]
        width = self._stage.empty.shape[1]
        to = (last.to[0] + 0.2 * width * float(self._rng.choice([-1, 1])), last.to[1])
        stay = float(self._rng.uniform(0.2, 2.0))
        other = Reach(
            last.begin_s, last.arrive_s, last.end_s + stay, last.end_s + stay + 0.6, to,
            self._hands[1],
        )  # fmt: skip
        self.reaches.append(other)
        self.now = other.end_s

    def _reach(
        self,
        to: Point,
        *,
        rests: float = 0.0,
        brings: tuple[int, ...] = (),
        takes: tuple[int, ...] = (),
        shifts: tuple[tuple[int, Offset], ...] = (),
    ) -> None:
        slow = 3.0 if self._kind == "slow" else 1.0
        begin = self.now
        arrive = begin + slow * float(self._rng.uniform(0.5, 0.9))
        leave = arrive + max(rests, float(self._rng.uniform(0.05, 0.3)))
        end = leave + slow * float(self._rng.uniform(0.4, 0.8))
        hand = self._hands[0]
        self.reaches.append(Reach(begin, arrive, leave, end, to, hand, brings, takes, shifts))
        self.now = end

    def _middle(self, items: tuple[int, ...] | list[int]) -> Point:
        places = np.array([self._stage.place(item) for item in items])
        x, y = places.mean(axis=0) + self._rng.normal(0, 4, 2)
        return float(x), float(y)


def _groups(stage: Stage, rng: np.random.Generator) -> list[tuple[int, ...]]:
    """The items in the order in which they are brought, a few at a time."""
    order = rng.permutation(len(stage)).tolist()
    parts = min(len(order), int(rng.integers(1, CARRIES + 1)))
    cuts = np.linspace(0, len(order), parts + 1).round().astype(int).tolist()
    return [tuple(order[a:b]) for a, b in pairwise(cuts)]


def _hand(stage: Stage, rng: np.random.Generator) -> Hand:
    """A hand that comes from outside of an edge, mostly from below."""
    height, width = stage.empty.shape[:2]
    along, far = float(rng.uniform(0.1, 0.9)), 0.55 * max(height, width)
    shoulder = {
        "below": (along * width, height + far),
        "above": (along * width, -far),
        "left": (-far, along * height),
        "right": (width + far, along * height),
    }[str(rng.choice(["below", "below", "below", "above", "left", "right"]))]
    return Hand(
        tone=TONES[int(rng.integers(len(TONES)))],
        sleeve=SLEEVES[int(rng.integers(len(SLEEVES)))],
        bare=float(rng.uniform(0, 1.5)),
        palm=float(rng.uniform(0.11, 0.16)) * width,
        spread=float(rng.uniform(0.1, 0.3)),
        shoulder=shoulder,
    )
