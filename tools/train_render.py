"""Learn to make composed scenes look like checkout photos: writes OUT/renderer.pth.

A config of configs/render/ says how; OUT/samples/ shows how far a training has come. The photos'
labels are not read. By torchrun, several processes train together.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from config_options import add_config_options, parse_config_options
from door import INTERRUPTED, run
from progress_bar import bar

if TYPE_CHECKING:
    from synth.render.target import TargetPhotos

NAME = "renderer.pth"


def main(argv: list[str] | None = None) -> int:
    """Parse, look for photos, learn, write the renderer."""
    args = _parser().parse_args(argv)
    from rpc.detection import runtime

    runtime.setup()
    from rpc.data.files import DataError
    from rpc.detection.config import read_config

    values = read_config(args.config, parse_config_options(args.cfg_options)).to_dict()
    kind = values.pop("kind", None)
    if kind not in ("classical", "learned"):
        raise DataError(f"{args.config}: expected kind 'classical' or 'learned', got {kind!r:.80}")
    target = _target(args)
    make = _learned if kind == "learned" else _classical
    try:
        return make(args, values, target)
    except KeyboardInterrupt:
        print("stopped; the same command with --resume goes on from here", file=sys.stderr)
        return INTERRUPTED


def _target(args: argparse.Namespace) -> TargetPhotos:
    """The photos that scenes shall look like."""
    from rpc.data.store import Store
    from synth.render.target import target_of_folder, target_of_store

    store = Store.open(args.data)
    if args.target is not None:
        return target_of_folder(args.target, store, allow_test=args.allow_test)
    return target_of_store(store, "test" if args.allow_test else "val", allow_test=args.allow_test)


def _learned(args: argparse.Namespace, values: dict[str, Any], target: TargetPhotos) -> int:
    from rpc.data.images import list_photos
    from rpc.detection import runtime
    from rpc.detection.interruption import Interruption
    from rpc.features.processes import joined
    from synth.render.learned import LearnedRenderer
    from synth.render.settings_reader import read_settings
    from synth.render.training import train_translation

    _budget(args, values)
    settings = read_settings(values, str(args.config))
    scenes = list_photos(args.scenes / "images", "composed scenes to learn from")
    with joined() as processes, bar("learning to render") as progress, Interruption() as asked:
        generator, iterations = train_translation(
            scenes,
            target.paths,
            args.out,
            settings,
            seed=args.seed,
            resume=args.resume,
            fast_bfloat16=runtime.has_fast_bfloat16(),
            processes=processes,
            progress=lambda done, facts: progress(round(1000 * done), 1000, facts),
            stop=lambda: asked.requested,
        )
    if processes.rank == 0:
        renderer = LearnedRenderer(generator, settings.crops.load_scale, settings.tiling)
        kind = {"objective_type": type(settings.objective).__name__, "iterations": iterations}
        _write(args, "learned", renderer.to_state(), target, {**asdict(settings), **kind})
    return 0


def _classical(args: argparse.Namespace, values: dict[str, Any], target: TargetPhotos) -> int:
    from rpc.data.evenly import evenly
    from rpc.data.files import DataError
    from rpc.data.images import read_image
    from synth.render.classical import MOST_SCENES, ClassicalRenderer
    from synth.render.scenes import SceneFolder

    if values:
        raise DataError(f"{args.config}: unknown setting {', '.join(values)}; expected kind alone")
    folder = SceneFolder.open(args.scenes)
    rows = evenly(len(folder.dataset.images), MOST_SCENES)
    total = len(rows) + len(target.paths)
    with bar("looking at photos and scenes") as progress:
        renderer = ClassicalRenderer.fit(
            (folder.read(folder.dataset.images[row]) for row in rows),
            (read_image(path) for path in target.paths),
            progress=lambda done: progress(done, total),
        )
    _write(args, "classical", renderer.to_state(), target, {})
    return 0


def _write(
    args: argparse.Namespace,
    kind: Any,
    state: Mapping[str, Any],
    target: TargetPhotos,
    settings: Mapping[str, Any],
) -> None:
    """The renderer's file, with where it came from."""
    from synth.render.background import background_statistics
    from synth.render.renderer import write_renderer

    origin = {
        "supervision": target.supervision,
        "split": target.split,
        "photos": len(target.paths),
        "background": background_statistics(args.scenes),
        "config": args.config.stem,
        "settings": dict(settings),
        "seed": args.seed,
    }
    print(write_renderer(args.out / NAME, kind, state, origin))


def _budget(args: argparse.Namespace, values: dict[str, Any]) -> None:
    """A budget on the command line replaces the config's."""
    if args.minutes is not None or args.iterations is not None:
        training = dict(values.get("training") or {})
        values["training"] = {**training, "minutes": args.minutes, "iterations": args.iterations}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("config", type=Path, help="a file of configs/render/")
    add("--scenes", type=Path, required=True, metavar="DIR", help="composed scenes")
    add("--data", type=Path, required=True, metavar="ROOT", help="the store of the photos")
    add(
        "--out", type=Path, required=True, metavar="DIR", help="for renderer, samples, resume point"
    )
    add("--target", type=Path, metavar="DIR", help="other photos (default: the store's val photos)")
    add("--allow-test", action="store_true", help="look at test photos; the result is marked T")
    budget = parser.add_mutually_exclusive_group()
    budget.add_argument("--minutes", type=float, help="time for learning (default: config)")
    budget.add_argument("--iterations", type=int, metavar="N", help="batches (default: config)")
    add("--seed", type=int, default=0, help="of weights, crops, what is drawn (default: 0)")
    add("--resume", action="store_true", help="go on where a training in OUT was stopped")
    add_config_options(parser, "generator.width=32 training.batch_size=4")
    return parser


if __name__ == "__main__":
    run(main)
