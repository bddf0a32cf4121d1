"""Make what every store's training starts from: draw packages, compose trays, train on them.

`rpc/weights/start.pth` (a detector that finds any product) and `rpc/weights/recogniser_start.pth`
(a recogniser that has learnt to tell look-alikes apart) were made by this command with its
defaults on two cores, and copied there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped
from rpc.runs.progress import bar

CONFIG = shipped("configs/start.py")
SURFACES = 60
# Products, look-alikes in a family, scenes, minutes. The detector tells no product from another.
DEFAULTS = {"detector": (400, None, 4000, 17.0), "recogniser": (800, 4, 4000, 24.0)}


def main(argv: list[str] | None = None) -> int:
    """Draw, compose, train."""
    args = parser().parse_args(argv)
    products, siblings, scenes, minutes = DEFAULTS[args.part]
    args.out = args.out or Path("out/start") / args.part
    args.products = args.products or products
    args.scenes = args.scenes or scenes
    args.minutes = args.minutes or minutes
    _compose(args, siblings)
    print(_train_detector(args) if args.part == "detector" else _train_recogniser(args))
    return 0


def _compose(args: argparse.Namespace, siblings: int | None) -> None:
    """Trays of drawn packages on drawn surfaces."""
    from rpc.data.images import write_image
    from synth.compose import SceneConfig, compose_dataset
    from synth.drawn import draw_cutouts, draw_texture, drawn_taxonomy

    packages, surfaces = args.out / "packages", args.out / "surfaces"
    with bar("drawing packages") as progress:
        draw_cutouts(packages, args.products, seed=args.seed, siblings=siblings, progress=progress)
    for index in range(SURFACES):
        write_image(surfaces / f"surface_{index:03d}.jpg", draw_texture(args.seed, index))
    # Wide ranges: nobody knows how large the products of the next store are, or how they lie.
    if args.part == "detector":
        wide = SceneConfig(width=448, height=448, scene_scale=(0.6, 1.6), spread=(0.1, 0.36))
    else:  # print is to be read
        wide = SceneConfig(width=512, height=512, scene_scale=(0.8, 1.6), spread=(0.1, 0.36))
    with bar("composing scenes") as progress:
        compose_dataset(
            packages,
            args.out / "scenes",
            args.scenes,
            config=wide,
            seed=args.seed,
            background_dir=surfaces,
            plain=0.6,
            taxonomy=drawn_taxonomy(args.products),
            progress=progress,
        )


def _train_detector(args: argparse.Namespace) -> Path:
    from rpc.detection.train import build_config, train
    from rpc.runs.processes import has_fast_bfloat16

    config = build_config(
        CONFIG,
        args.data,  # names one class here, no more: there is no validation
        args.out / "scenes",
        {"val_cfg": None},
        minutes=args.minutes,
        amp=has_fast_bfloat16(),
        seed=args.seed,
    )
    return train(config, args.out / "training", resume=True)


def _train_recogniser(args: argparse.Namespace) -> Path:
    from rpc.recognition.start import write_start
    from rpc.recognition.train import RecogniserSettings, train_recogniser
    from rpc.runs.processes import has_fast_bfloat16

    settings = RecogniserSettings(
        minutes=args.minutes, seed=args.seed, bfloat16=has_fast_bfloat16()
    )
    with bar("learning to tell look-alikes apart") as progress:
        model = train_recogniser(
            args.out / "scenes",
            args.out / "training",
            settings,
            lambda done, facts: progress(round(1000 * done), 1000, facts),
        )
    return write_start(args.out / "recogniser_start.pth", model)


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__.splitlines()[0])
    add = made.add_argument
    add("part", choices=tuple(DEFAULTS), help="what is to be trained")
    add("--out", type=Path, metavar="DIR", help="(default: out/start/PART)")
    add("--products", type=int, help="packages to draw (default: 400; recogniser: 800)")
    add("--scenes", type=int, help="trays to compose (default: 4000)")
    add("--minutes", type=float, help="time for training (default: 17; recogniser: 24)")
    add("--seed", type=int, default=0, help="of everything (default: %(default)s)")
    add(
        "--data",
        type=Path,
        default=shipped("examples/ministore"),
        metavar="ROOT",
        help="any store: a detector's training wants one, its photos are not used",
    )
    return made
