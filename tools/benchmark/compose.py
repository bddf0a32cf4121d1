"""Scenes a second on one core, beside the codec limit: decode the cut-outs, encode the scene.

The limit is the time that a composer would take that did nothing but read and write pixels. Cold:
every cut-out is decoded again each time it is drawn. Warm: decoded cut-outs come from the cache.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import albumentations
import cv2
import numpy as np

from rpc.data.cutouts import Cutout, CutoutSet, read_cutouts, write_cutouts
from rpc.data.files import write_json
from rpc.data.images import write_image
from rpc.data.levels import LevelRule
from rpc.reporting.provenance import machine
from synth.compose import Backgrounds, CutoutLibrary, Scene, SceneConfig, compose_scene
from synth.compose.sources import one_cv2_thread
from synth.compose.writer import write_scene


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the numbers with what they were measured on."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cutouts", type=Path, help="folder with cutouts.json (default: drawn)")
    parser.add_argument("--size", type=int, default=800, help="pixels a side (default: 800)")
    parser.add_argument("--items", type=int, default=12, help="items a scene (default: 12)")
    parser.add_argument("--scenes", type=int, default=40, help="scenes a repeat (default: 40)")
    parser.add_argument("--repeats", type=int, default=5, help="median of so many (default: 5)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the JSON there")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder, one_cv2_thread():
        cutouts = args.cutouts or draw_cutouts(Path(folder) / "cutouts")
        result = measure(read_cutouts(cutouts), args, Path(folder))
    result["cutouts"] = str(args.cutouts) if args.cutouts else "drawn, 320 px"
    for name in ("cold", "warm"):
        line = result[name]
        print(
            f"{name}: {line['images_per_second']:6.1f} images/s a core, "
            f"limit {line['limit_images_per_second']:6.1f}, ratio {line['ratio']:.2f}"
        )
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(cutouts: CutoutSet, args: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """Times of composing and of the codecs alone, on the same scenes."""
    rule = LevelRule((min(5, args.items), min(8, args.items)), (args.items, args.items))
    config = replace(SceneConfig(), width=args.size, height=args.size, rules=(rule,) * 3)
    result = {"settings": _settings(args)}
    by_file = {c.file: c for c in cutouts.cutouts}
    for name, cache in (("cold", 0), ("warm", 1 << 30)):
        library, trays = CutoutLibrary(cutouts, cache_bytes=cache), Backgrounds()
        draw = partial(compose_scene, library, seed=0, config=config, background=trays)
        scenes = [draw(index=index) for index in range(args.scenes)]

        def compose(draw: Callable[..., Scene] = draw) -> None:
            for index in range(args.scenes):
                write_scene(folder, draw(index=index), config.jpeg_quality)

        def codecs(scenes: list = scenes, decode: bool = cache == 0) -> None:
            for scene in scenes:
                if decode:
                    for item in scene.items:
                        cutouts.read(by_file[item.cutout])
                write_image(folder / "limit.jpg", scene.image, config.jpeg_quality)

        seconds, limit = (_median(f, args.repeats) / args.scenes for f in (compose, codecs))
        result[name] = {
            "images_per_second": 1 / seconds,
            "limit_images_per_second": 1 / limit,
            "ratio": limit / seconds,
        }
    return result


def draw_cutouts(folder: Path, skus: int = 12, views: int = 12, side: int = 320) -> Path:
    """Cut-outs of rounded boards with a smooth print and a little grain, about as photos pack."""
    rng = np.random.default_rng(0)
    cutouts = []
    for sku in range(1, skus + 1):
        for view in range(views):
            width, height = (int(n) for n in rng.integers(side // 2, side, 2))
            print_ = cv2.resize(
                rng.integers(0, 255, (9, 9, 3), dtype=np.uint8), (width, height)
            ) + rng.normal(0, 3, (height, width, 3))
            alpha = np.zeros((height, width), dtype=np.uint8)
            cv2.ellipse(
                alpha, (width // 2, height // 2), (width // 2, height // 2), 0, 0, 360, 255, -1
            )
            alpha = cv2.GaussianBlur(alpha, (0, 0), 1)
            name = f"sku_{sku}/view_{view}.png"
            rgba = np.dstack([print_.clip(0, 255).astype(np.uint8), alpha])
            write_image(folder / name, rgba)
            area = int(np.count_nonzero(alpha >= 128))
            cutouts.append(
                Cutout(name, "", sku, None, view, width, height, area, 1.0, 1.0, scale=0.65)
            )
    write_cutouts(folder, CutoutSet(tuple(cutouts), folder, "drawn"))
    return folder


def _median(work: Callable[[], None], repeats: int) -> float:
    """Median processor time in seconds, after one round to warm up."""
    times = []
    for _ in range(repeats + 1):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return statistics.median(times[1:])


def _settings(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "size": args.size,
        "items": args.items,
        "scenes": args.scenes,
        "repeats": args.repeats,
        "clock": "processor time of one process, one OpenCV thread; writing files included",
        "processor": machine()["cpu"],
        "python": platform.python_version(),
        "numpy": np.__version__,
        "opencv": cv2.__version__,
        "albumentations": albumentations.__version__,
    }


if __name__ == "__main__":
    raise SystemExit(main())
