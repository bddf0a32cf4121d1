"""When the watcher reads trays, on clips made of photos: in time, never, twice, with hands.

Each clip is drawn from a seed: the watcher's settings were chosen on seeds below 1,000, those from
there on are measured. On three quarters of the clips the camera sees a margin around the photo; on
the others the photo fills the picture, and items that touch its edge have to be waited for.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np

from rpc.camera import Frame, TrayWatcher, WatchSettings
from rpc.camera.reading import JOINED, KEPT, frames_to_join
from rpc.cli.leave import run
from rpc.data.files import read_json, write_json
from rpc.data.images import read_image
from rpc.data.store import Store
from rpc.metrics import binomial_interval
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.progress import bar
from synth.clips import KINDS, Clip, ClipFrame, stage_of, write_script

DUE_S = 2.0  # a tray that nobody touches for so long has to be read
EDGE_S = 6.0  # and where the photo fills the picture, so that items touch the edge
IN_TIME_S = 1.2
MARGIN = 0.1  # of the photo, that the camera sees around it on three quarters of the clips


@dataclass(frozen=True)
class Watched:
    """The outcome of one clip.

    Attributes:
        seed: of the clip.
        kind: of the clip.
        tight: the photo fills the picture.
        delays: from the last frame with hands to the reading, of each tray that was due.
        with_hands: times of readings with hands in one of the joined frames.
        hand_arrives: times of readings while a hand came in: it is in the newest frame, which is
            not among the joined ones.
        missed: times from which a tray was due and not read.
        twice: times of readings of what had been read already.
        early: readings of trays that somebody touched again within `DUE_S`.
        empty: readings of the empty tray but the first one.
    """

    seed: int
    kind: str
    tight: bool
    delays: tuple[float, ...]
    with_hands: tuple[float, ...]
    hand_arrives: tuple[float, ...]
    missed: tuple[float, ...]
    twice: tuple[float, ...]
    early: int
    empty: int


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    args = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    settings = WatchSettings(**{name: float(value) for name, value in args.set})
    result: dict[str, Any] = {
        "settings": vars(settings),
        "first_seed": args.first_seed,
        "joined_frames": JOINED,
        "clips": {},
        "code": code_version(),
        "libraries": library_versions(),
        "machine": machine(),
    }
    for path in args.earlier:
        result["clips"].update(read_json(path)["clips"])
    for name, root, split, count in args.clips:
        watched = list(watch_clips(Store.open(root), split, int(count), args.first_seed, settings))
        result["clips"][name] = summary(watched)
        show(name, result["clips"][name])
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def watch_clips(
    store: Store, split: str, count: int, first_seed: int, settings: WatchSettings
) -> Iterator[Watched]:
    """So many clips of a split's photos, each with a seed of its own."""
    dataset = store.split(split)
    with bar(f"clips of {store.root.resolve().name}") as progress:
        for number in range(count):
            seed = first_seed + number
            image = dataset.images[number % len(dataset.images)]
            boxes = np.array([one.bbox for one in dataset.annotations_of(image.id)])
            tight = number % 4 == 3
            photo = read_image(store.image_path(split, image))
            stage = stage_of(photo, boxes, margin=0.0 if tight else MARGIN)
            # All kinds with all photos, where one count is no multiple of the other.
            kind = KINDS[(number + number // len(dataset.images)) % len(KINDS)]
            script = write_script(stage, kind, seed, rest_s=0.2 + (EDGE_S if tight else DUE_S))
            yield watch(Clip(stage, script), seed, tight, settings)
            progress(number + 1, count)


def watch(clip: Clip, seed: int, tight: bool, settings: WatchSettings) -> Watched:
    """Run the watcher over one clip; who reads knows the truth about empty trays."""
    watcher, frames, readings, empty = TrayWatcher(settings), [], [], 0
    still: list[int] = []
    for frame in clip.frames():
        step = watcher.step(Frame(frame.time_s, frame.rgb))
        frames.append(frame)
        still = [len(frames) - 1] if step.still_s == 0 else [*still, len(frames) - 1][-KEPT:]
        if step.reads:
            if not frame.content and not frame.hands:
                watcher.nothing_there()
                empty += 1
            else:
                readings.append(
                    [len(frames) - 1]
                    + [still[place] for place in frames_to_join(len(still), JOINED)]
                )
    return judge(clip, seed, tight, frames, readings, max(empty - 1, 0))


def judge(
    clip: Clip,
    seed: int,
    tight: bool,
    frames: Sequence[ClipFrame],
    readings: Sequence[Sequence[int]],
    empty: int,
) -> Watched:
    """Compare the readings with the truth.

    Args:
        clip: what was watched.
        seed: of the clip.
        tight: whether the photo fills the picture.
        frames: all of them.
        readings: numbers of frames: the one on which it was read, then the joined ones.
        empty: readings of the empty tray, to be told.
    """
    delays, missed, twice, early = [], [], [], 0
    with_hands = [
        frames[rows[0]].time_s for rows in readings if any(frames[row].hands for row in rows[1:])
    ]
    known: Any = None
    arrives = [frames[rows[0]].time_s for rows in readings if frames[rows[0]].hands]
    for begin, end in untouched(frames):
        own = [rows[0] for rows in readings if begin <= rows[1] <= end]
        content = frames[begin].content
        length = frames[end].time_s - frames[begin].time_s
        new = content != known
        if new and content and length >= (EDGE_S if tight else DUE_S):
            if own:
                delays.append(frames[own[0]].time_s - frames[max(begin - 1, 0)].time_s)
            else:
                missed.append(frames[begin].time_s)
        elif new:
            early += len(own[:1]) if content else 0
        twice += [frames[row].time_s for row in (own[1:] if new else own)]
        if own or not content:
            known = content
    return Watched(
        seed, clip.script.kind, tight, tuple(delays), tuple(with_hands),
        tuple(arrives), tuple(missed), tuple(twice), early, empty,
    )  # fmt: skip


def untouched(frames: Sequence[ClipFrame]) -> list[tuple[int, int]]:
    """First and last frames of the longest stretches without hands and without a change."""
    found: list[tuple[int, int]] = []
    begin: int | None = None
    for row, frame in enumerate(frames):
        goes_on = begin is not None and not frame.hands and frame.content == frames[begin].content
        if begin is not None and not goes_on:
            found.append((begin, row - 1))
            begin = None
        if begin is None and not frame.hands:
            begin = row
    return found if begin is None else [*found, (begin, len(frames) - 1)]


def summary(watched: Sequence[Watched]) -> dict[str, Any]:
    """Figures of many clips."""
    hands = sum(bool(clip.with_hands) for clip in watched)
    framed = [[clip for clip in watched if clip.tight is tight] for tight in (False, True)]
    return {
        "clips": len(watched),
        "clips_read_with_hands": hands,
        "clips_read_with_hands_interval": list(binomial_interval(hands, len(watched))),
        "readings_as_a_hand_arrives": sum(len(clip.hand_arrives) for clip in watched),
        "read_twice": sum(len(clip.twice) for clip in watched),
        "all": _delays(watched),
        "with_a_margin": _delays(framed[0]),
        "photo_fills_the_picture": _delays(framed[1]),
        "early_readings": sum(clip.early for clip in watched),
        "readings_of_the_empty_tray": sum(clip.empty for clip in watched),
        "kinds": {kind: _delays([clip for clip in watched if clip.kind == kind]) for kind in KINDS},
        "not_right": [
            {key: value for key, value in vars(one).items() if value not in ((), 0)}
            for one in watched
            if one.with_hands or one.missed or one.twice or max(one.delays, default=0) > IN_TIME_S
        ],
    }


def _delays(watched: Sequence[Watched]) -> dict[str, Any]:
    """Trays that were due, and how soon they were read."""
    delays = np.array([one for clip in watched for one in clip.delays])
    missed = sum(len(clip.missed) for clip in watched)
    due, good = len(delays) + missed, int((delays <= IN_TIME_S).sum())
    if not due:
        return {"due": 0}
    return {
        "due": due,
        "never_read": missed,
        "in_time": good,
        "in_time_interval": list(binomial_interval(good, due)),
        "waited_for_the_edge": int((delays >= WatchSettings().edge_wait_s).sum()),
        "median_s": _quantile(delays, 50),
        "p95_s": _quantile(delays, 95),
    }


def _quantile(delays: Any, percent: float) -> float | None:
    return round(float(np.percentile(delays, percent)), 3) if len(delays) else None


def show(name: str, found: dict[str, Any]) -> None:
    """Print the figures of one source."""
    print(name, {key: value for key, value in found.items() if key not in ("kinds", "not_right")})
    for one in found["not_right"]:
        print("  ", one)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--clips", nargs=4, action="append", default=[], metavar=("NAME", "STORE", "SPLIT",
        "COUNT"), help="clips of a split's photos")  # fmt: skip
    add("--first-seed", type=int, default=1000, metavar="N", help="(default: %(default)s)")
    add("--set", nargs=2, action="append", default=[], metavar=("NAME", "VALUE"),
        help="a setting of the watcher")  # fmt: skip
    add("--earlier", type=Path, action="append", default=[], metavar="FILE",
        help="figures of another run, to be written along")  # fmt: skip
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    run(main)
