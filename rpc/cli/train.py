"""Train a detector: a config, a store and composed scenes in, WORK_DIR/model.pth out."""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.config_options import add_config_options, parse_config_options
from rpc.cli.device_option import add_device_option
from rpc.cli.leave import say_stopped
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Parse, build, train, say where the model is."""
    args = parser().parse_args(argv)

    from rpc.detection.train import build_config, train

    config = build_config(
        args.config,
        args.data,
        args.scenes,
        parse_config_options(args.cfg_options),
        iterations=args.iterations,
        minutes=args.minutes,
        amp=args.amp,
        seed=args.seed,
        launcher=args.launcher,
        device=args.device,
    )
    try:
        say(train(config, args.work_dir, resume=args.resume))
    except KeyboardInterrupt:
        return say_stopped()
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__)
    add = made.add_argument
    add("config", type=Path, help="a file of configs/")
    add("--data", type=Path, required=True, metavar="ROOT", help="the store")
    add("--scenes", type=Path, metavar="DIR", help="composed scenes (default: the raw exemplars)")
    add("--work-dir", type=Path, required=True, metavar="DIR", help="for model, logs, resume point")
    add("--resume", action="store_true", help="go on where a training in WORK_DIR was stopped")
    add("--iterations", type=int, metavar="N", help="updates to make (default: config)")
    add(
        "--minutes",
        type=float,
        help="a cap on training, validation and saving: fewer updates, and a model all the same "
        "(default: none)",
    )
    add_device_option(made)
    add_config_options(made, "image_size=320 train_dataloader.batch_size=4")
    add("--amp", action="store_true", help="mixed precision: bfloat16 on a CPU, float16 on a GPU")
    add("--launcher", choices=("none", "pytorch", "slurm"), default="none", help="(default: none)")
    add("--seed", type=int, default=0, help="of weights, order, augmentation (default: 0)")
    add("--local_rank", "--local-rank", type=int, help=argparse.SUPPRESS)  # older torchrun
    add_links_option(made)
    return made
