"""Worth of joined frames of a still tray beside one frame, on perturbed test photos.

Each tray is looked at in five frames: shifted by up to two pixels, turned by up to half a degree,
brighter or darker, blurred and noisy, as JPEG. Joined frames are compared with the middle one alone
and with the mean over single frames, tray by tray. With --cache, what a counter saw is kept.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import cv2
import numpy as np

from rpc.camera import join_looks
from rpc.camera.reading import JOINED
from rpc.checkout.seen import Seen
from rpc.checkout.trained import load_checkout
from rpc.cli.leave import run
from rpc.counting import CountingRule
from rpc.data.dataset import Dataset
from rpc.data.files import write_json
from rpc.data.images import read_image
from rpc.data.store import Store
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.array_files import read_arrays
from rpc.runs.progress import bar
from rpc.structures import Detections

FRAMES = 5
SEED = 19
RESAMPLES = 2000
COLUMNS = ("boxes", "scores", "labels")


def main(argv: Sequence[str] | None = None) -> int:
    """Measure, print, write."""
    args = _parser().parse_args(argv)
    result: dict[str, Any] = {
        "frames": FRAMES,
        "joined_frames": JOINED,
        "seed": SEED,
        "resamples": RESAMPLES,
        "stores": {},
        "code": code_version(),
        "libraries": library_versions(),
        "machine": machine(),
    }
    for name, model, root in args.case:
        result["stores"][name] = measure(name, Path(model), Store.open(root), args.cache)
        print(name, result["stores"][name], flush=True)
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(name: str, model: Path, store: Store, cache: Path | None) -> dict[str, Any]:
    """Figures of one store's test trays."""
    dataset = store.split("test")
    counter = load_checkout(model)
    if counter.rule is None:
        raise ValueError(f"{model}: holds no counting rule")
    looks = look_at_frames(counter, store, dataset, cache and cache / f"{name}.npz")
    truth = dataset.counts()
    single = np.array(
        [right(counter.rule, [one[k] for one in looks], truth) for k in range(FRAMES)]
    )  # (frames, trays)
    found = {
        "trays": len(truth),
        "single_frames": [round(float(one.mean()), 4) for one in single],
        "mean_of_single_frames": round(float(single.mean()), 4),
    }
    for count in (JOINED, FRAMES):
        joined = right(counter.rule, [join_looks(one[:count]) for one in looks], truth)
        found[f"joined_{count}"] = {
            "cAcc": round(float(joined.mean()), 4),
            "less_middle_frame": difference(joined, single[count // 2]),
            "less_mean_of_its_frames": difference(joined, single[:count].mean(axis=0)),
        }
    return found


def right(rule: CountingRule, looks: Sequence[Seen], truth: Any) -> Any:
    """Which trays (N,) are right in every SKU."""
    counts = rule.counts([one.detections for one in looks], truth.shape[1])
    return (counts == truth).all(axis=1).astype(float)


def difference(first: Any, second: Any) -> dict[str, Any]:
    """Mean difference over trays, with the bootstrap's interval of 95 %."""
    apart = first - second
    rng = np.random.default_rng(SEED)
    means = apart[rng.integers(len(apart), size=(RESAMPLES, len(apart)))].mean(axis=1)
    ends = np.percentile(means, [2.5, 97.5])
    return {
        "difference": round(float(apart.mean()), 4),
        "interval": [round(float(end), 4) for end in ends],
    }


def look_at_frames(
    counter: Any, store: Store, dataset: Dataset, cache: Path | None
) -> list[list[Seen]]:
    """Look at the frames of each tray."""
    if cache is not None and cache.is_file():
        return _read_seen(cache, len(dataset.images))
    found = []
    with bar("looking at frames") as progress:
        for number, image in enumerate(dataset.images):
            photo = read_image(store.image_path("test", image))
            rng = np.random.default_rng([SEED, image.id])
            frames = [perturbed(photo, rng) for _ in range(FRAMES)]
            found.append([counter.look([frame])[0] for frame in frames])
            progress(number + 1, len(dataset.images))
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, **_arrays(found))
    return found


def perturbed(photo: Any, rng: np.random.Generator) -> Any:
    """A frame of a still tray: the photo as a camera would see it again."""
    height, width = photo.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), float(rng.uniform(-0.5, 0.5)), 1.0)
    turn[:, 2] += rng.uniform(-2, 2, 2)
    frame = cv2.warpAffine(photo, turn, (width, height), borderMode=cv2.BORDER_REFLECT)
    frame = cv2.GaussianBlur(frame, (0, 0), float(rng.uniform(0.1, 1.2)))
    noise = rng.normal(0, float(rng.uniform(2, 8)), frame.shape)
    frame = np.clip(frame * float(rng.uniform(0.8, 1.2)) + noise, 0, 255).astype(np.uint8)
    flags = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(70, 95))]
    return cv2.imdecode(cv2.imencode(".jpg", frame, flags)[1], cv2.IMREAD_COLOR)


def _arrays(found: Sequence[Sequence[Seen]]) -> dict[str, Any]:
    arrays = {}
    for tray, looks in enumerate(found):
        for frame, one in enumerate(looks):
            for column in (*COLUMNS, "item_scores"):
                arrays[f"{tray}/{frame}/{column}"] = getattr(one.detections, column)
            arrays[f"{tray}/{frame}/probabilities"] = one.probabilities
    return arrays


def _read_seen(path: Path, trays: int) -> list[list[Seen]]:
    arrays = read_arrays(path)

    def seen(key: str) -> Seen:
        found = Detections(*(arrays[f"{key}/{column}"] for column in COLUMNS),
            arrays[f"{key}/item_scores"])  # fmt: skip
        return Seen(found, arrays[f"{key}/probabilities"])

    return [[seen(f"{tray}/{frame}") for frame in range(FRAMES)] for tray in range(trays)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--case", nargs=3, action="append", required=True, metavar=("NAME", "MODEL", "STORE"),
        help="a model, and the store whose test trays it counts")  # fmt: skip
    add("--cache", type=Path, metavar="DIR", help="for what the counters saw")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    run(main)
