"""Measure the cost of rendering on one core: learning a renderer, and applying it, by config.

Seconds of processor time with one thread, beside a limit taken in the same run: for applying, the
time that reading and writing the pictures takes; for learning, the time that its multiplications
would take at this core's own speed. Weights are untrained: they do not matter for the speed. What a
GPU would do is told by formula alone: images/s = share * peak / operations of an image.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import write_json
from rpc.data.images import read_image, write_image
from rpc.data.photo_files import find_photos
from rpc.features.backbones.embedding import Embedder
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.processes import Processes
from rpc.runs.progress import bar
from synth.render.apply.chunks import ENCODER_SIDE, QUALITY
from synth.render.apply.learned import LearnedRenderer
from synth.render.apply.renderer import Renderer
from synth.render.apply.scenes import SceneFolder
from synth.render.classical.classical_renderer import ClassicalRenderer
from synth.render.gate.gated import USUAL
from synth.render.gate.image_gate import judge
from synth.render.training.crops import UnpairedCrops
from synth.render.training.networks import Generator
from synth.render.training.settings import RenderSettings
from synth.render.training.settings_reader import read_settings
from synth.render.training.trainee import Trainee

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ("fastcut_cpu", "cut_cpu", "cyclegan_cpu", "fastcut", "cut", "cyclegan")
LEAST, MOST = 2, 30  # repeats of one thing; between them, as many as the time allows


def main(argv: list[str] | None = None) -> int:
    """Measure, print, and write the figures with what they were measured on."""
    args = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    folder = SceneFolder.open(args.scenes)
    photos = find_photos(args.photos, "photos of the target").photos
    speed = core_speed()
    result: dict[str, Any] = {
        "settings": {"seconds": args.seconds, "images": args.images},
        "gpu": {"peak_tflops": args.gpu_tflops, "share": args.gpu_share, "measured": False},
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine() | {"gflops_of_a_core": round(speed / 1e9, 1)},
        "learning": {},
    }
    with bar("measuring") as progress:
        for done, name in enumerate(args.configs):
            progress(done, len(args.configs) + 1, f"learning {name}")
            row = learning(_settings(name), args.scenes, photos, args.seconds, speed)
            result["learning"][name] = row | _gpu(row["gflop_an_image"], args)
        progress(len(args.configs), len(args.configs) + 1, "applying")
        result["applying"] = applying(folder, photos, args)
    print(_text(result))
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def learning(
    settings: RenderSettings, scenes: Path, photos: list[Path], seconds: float, speed: float
) -> dict[str, Any]:
    """One batch after another, crops and all.

    Args:
        settings: of a config.
        scenes: folder of composed scenes.
        photos: of the target.
        seconds: to spend, about.
        speed: operations a second of this core.
    """
    files = find_photos(scenes / "images", "composed scenes").photos
    size = settings.training.batch_size
    crops = UnpairedCrops(files, photos, settings.crops, batch_size=size, seed=0)
    trainee = Trainee(settings, 0, Processes(), fast_bfloat16=False)
    number = iter(range(10**9))

    def step() -> None:
        trainee.learn(crops[next(number)], 1.0, "a benchmark")

    with FlopCounterMode(display=False) as counter:
        step()  # warms up, too
    times = _times(step, seconds)
    operations = counter.get_total_flops()
    return {
        "crop": settings.crops.side,
        "batch": size,
        "seconds_a_batch": statistics.median(times),
        "images_per_second": size / statistics.median(times),
        "repeats": len(times),
        "gflop_an_image": operations / size / 1e9,
        "ratio_to_limit": operations / speed / statistics.median(times),
    }


def applying(folder: SceneFolder, photos: list[Path], args: argparse.Namespace) -> dict[str, Any]:
    """Scenes rendered, judged, read and written; each by itself."""
    rows = evenly_spaced(len(folder.dataset.images), args.images)
    images = [folder.dataset.images[row] for row in rows]
    scenes = [folder.read(image) for image in images]
    masks = [[mask for mask in folder.masks(image) if mask.any()] for image in images]
    side = max(scenes[0].shape[:2])
    classical = ClassicalRenderer.fit(scenes, map(read_image, photos[:24]))
    rendered = [_render(classical, scene) for scene in scenes]
    encoder = Embedder(side=ENCODER_SIDE)
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "scene.jpg"

        def codecs(n: int) -> None:
            write_image(path, rendered[n], QUALITY)
            read_image(path)

        limit = _each(codecs, len(scenes), args.seconds)
    gate = _each(
        lambda n: judge(scenes[n], rendered[n], masks[n], USUAL, encoder), len(scenes), args.seconds
    )
    result: dict[str, Any] = {
        "side": side,
        "items": statistics.mean(len(each) for each in masks),
        "limit": {"what": "reading and writing the picture", "seconds": limit},
        "gate": {"seconds": gate, "ratio_to_limit": limit / gate},
        "classical": _row(
            _each(lambda n: _render(classical, scenes[n]), len(scenes), args.seconds)
        ),
    }
    for name in args.configs:
        settings = _settings(name)
        generator = Generator(settings.generator).eval()
        renderer = LearnedRenderer(generator, settings.crops.load_scale, settings.tiling)
        with FlopCounterMode(display=False) as counter:
            _render(renderer, scenes[0])
        seconds = _each(lambda n, r=renderer: _render(r, scenes[n]), len(scenes), args.seconds)
        operations = counter.get_total_flops() / 1e9
        result[name] = _row(seconds) | {"scale": settings.crops.load_scale}
        result[name] |= {"gflop_an_image": operations} | _gpu(operations, args)
    for row in result.values():
        if isinstance(row, dict) and "images_per_second" in row:
            row["with_gate_and_files"] = 1 / (row["seconds"] + gate + limit)
    return result


def core_speed(side: int = 1024, repeats: int = 5) -> float:
    """Operations a second of one core: the best of a few products of matrices."""
    left, right = torch.rand(side, side), torch.rand(side, side)
    times = []
    for _ in range(repeats):
        started = time.process_time()
        torch.mm(left, right)
        times.append(time.process_time() - started)
    return 2 * side**3 / min(times)


def _render(renderer: Renderer, scene: np.ndarray) -> np.ndarray:
    return renderer.render(scene, np.random.default_rng(0))


def _settings(name: str) -> RenderSettings:

    from rpc.runs.config_files import read_config_file

    path = ROOT / "configs" / "render" / f"{name}.py"
    values = read_config_file(path)
    values.pop("kind")
    return read_settings(values, str(path))


def _row(seconds: float) -> dict[str, Any]:
    return {"seconds": seconds, "images_per_second": 1 / seconds}


def _gpu(gflop: float, args: argparse.Namespace) -> dict[str, float]:
    """By formula, for a GPU of that peak used to that share."""
    return {"gpu_images_per_second_by_formula": args.gpu_share * args.gpu_tflops * 1e3 / gflop}


def _each(work: Callable[[int], object], count: int, seconds: float) -> float:
    """Median seconds of one call, over calls with 0, 1, ..., count - 1 again and again."""
    work(0)
    turn = iter(n % count for n in range(10**9))
    return statistics.median(_times(lambda: work(next(turn)), seconds))


def _times(work: Callable[[], object], seconds: float) -> list[float]:
    """Processor seconds of each of some calls."""
    times: list[float] = []
    while len(times) < LEAST or (sum(times) < seconds and len(times) < MOST):
        started = time.process_time()
        work()
        times.append(time.process_time() - started)
    return times


def _text(result: dict[str, Any]) -> str:
    gpu = result["gpu"]
    lines = [
        f"one core; GPU by formula: {gpu['share']:.0%} of {gpu['peak_tflops']:g} TFLOP/s",
        f"{'learning':16} {'images/s':>9} {'s a batch':>10} {'of limit':>9} {'GPU':>9}",
    ]
    lines += [
        f"{name:16} {row['images_per_second']:9.2f} {row['seconds_a_batch']:10.2f} "
        f"{row['ratio_to_limit']:9.0%} {row['gpu_images_per_second_by_formula']:9.0f}"
        for name, row in result["learning"].items()
    ]
    applying = result["applying"]
    lines += [
        f"{'applying':16} {'images/s':>9} {'with gate':>10} {'':>9} {'GPU':>9}   "
        f"({applying['side']} px, {applying['items']:.0f} items; gate "
        f"{applying['gate']['seconds']:.2f} s, files {applying['limit']['seconds']:.3f} s)",
    ]
    lines += [
        f"{name:16} {row['images_per_second']:9.2f} {row['with_gate_and_files']:10.2f} {'':>9} "
        f"{_whole(row.get('gpu_images_per_second_by_formula')):>9}"
        for name, row in applying.items()
        if isinstance(row, dict) and "images_per_second" in row
    ]
    return "\n".join(lines)


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("scenes", type=Path, help="a folder of tools/compose_scenes.py")
    add("--photos", type=Path, required=True, metavar="DIR", help="photos of the target")
    add(
        "--configs", nargs="+", choices=CONFIGS, default=list(CONFIGS), metavar="NAME", help="(all)"
    )
    add("--images", type=int, default=8, help="scenes to apply to (default: %(default)s)")
    add("--seconds", type=float, default=20, help="for each figure (default: %(default)s)")
    add("--gpu-tflops", type=float, default=60, help="peak of a GPU (default: %(default)s)")
    add("--gpu-share", type=float, default=0.3, help="of it that is used (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
