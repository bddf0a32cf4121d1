"""Make the class-agnostic start: draw packages, compose trays, train. Its result is committed.

`rpc/weights/start.pth` was made by this command with its defaults on two cores.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from door import run
from progress_bar import bar

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "configs" / "start.py"
SURFACES = 60


def main(argv: list[str] | None = None) -> int:
    """Draw, compose, train."""
    args = _parser().parse_args(argv)
    from rpc.data.images import write_image
    from rpc.detection import runtime

    runtime.setup()
    from rpc.detection.train import build_config, train
    from synth.compose import SceneConfig, compose_dataset
    from synth.drawn import draw_cutouts, draw_texture, drawn_taxonomy

    packages, surfaces, scenes = (args.out / name for name in ("packages", "surfaces", "scenes"))
    with bar("drawing packages") as progress:
        draw_cutouts(packages, args.products, seed=args.seed, progress=progress)
    for index in range(SURFACES):
        write_image(surfaces / f"surface_{index:03d}.jpg", draw_texture(args.seed, index))
    # Wide ranges: nobody knows how large the products of the next store are, or how they lie.
    wide = SceneConfig(width=448, height=448, scene_scale=(0.6, 1.6), spread=(0.1, 0.36))
    with bar("composing scenes") as progress:
        compose_dataset(
            packages,
            scenes,
            args.scenes,
            config=wide,
            seed=args.seed,
            background_dir=surfaces,
            plain=0.6,
            taxonomy=drawn_taxonomy(args.products),
            progress=progress,
        )
    config = build_config(
        CONFIG,
        args.data,  # names one class here, no more: there is no validation
        scenes,
        {"val_cfg": None},
        minutes=args.minutes,
        amp=runtime.has_fast_bfloat16(),
        seed=args.seed,
    )
    print(train(config, args.out / "training", resume=True))
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--out", type=Path, default=Path("out/start"), metavar="DIR", help="(default: %(default)s)")
    add("--products", type=int, default=400, help="packages to draw (default: %(default)s)")
    add("--scenes", type=int, default=4000, help="trays to compose (default: %(default)s)")
    add("--minutes", type=float, default=17.0, help="time for training (default: %(default)s)")
    add("--seed", type=int, default=0, help="of everything (default: %(default)s)")
    add(
        "--data",
        type=Path,
        default=ROOT / "examples" / "ministore",
        metavar="ROOT",
        help="any store: a training wants one, its photos are not used",
    )
    return parser


if __name__ == "__main__":
    run(main)
