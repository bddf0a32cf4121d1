"""Train a detector: a config, a store and composed scenes in, WORK_DIR/model.pth out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from door import INTERRUPTED, run


def main(argv: list[str] | None = None) -> int:
    """Parse, build, train, say where the model is."""
    args = _parser().parse_args(argv)
    from rpc.detection import runtime

    runtime.setup()
    from rpc.detection.train import build_config, train

    config = build_config(
        args.config,
        args.data,
        args.scenes,
        _options(args.cfg_options),
        minutes=args.minutes,
        amp=args.amp,
        seed=args.seed,
        launcher=args.launcher,
    )
    try:
        print(train(config, args.work_dir, resume=args.resume))
    except KeyboardInterrupt:
        print("stopped; the same command with --resume goes on from here", file=sys.stderr)
        return INTERRUPTED
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("config", type=Path, help="a file of configs/")
    add("--data", type=Path, required=True, metavar="ROOT", help="the store")
    add("--scenes", type=Path, metavar="DIR", help="composed scenes (default: the raw exemplars)")
    add("--work-dir", type=Path, required=True, metavar="DIR", help="for model, logs, resume point")
    add("--resume", action="store_true", help="go on where a training in WORK_DIR was stopped")
    add("--minutes", type=float, help="time for training, validation and saving (default: config)")
    add(
        "--cfg-options",
        nargs="+",
        default=[],
        metavar="NAME=VALUE",
        help="changes to the config, such as image_size=320 train_dataloader.batch_size=4",
    )
    add("--amp", action="store_true", help="mixed precision: bfloat16 on a CPU, float16 on a GPU")
    add("--launcher", choices=("none", "pytorch", "slurm"), default="none", help="(default: none)")
    add("--seed", type=int, default=0, help="of weights, order, augmentation (default: 0)")
    add("--local_rank", "--local-rank", type=int, help=argparse.SUPPRESS)  # older torchrun
    return parser


def _options(pairs: list[str]) -> dict[str, Any]:
    """`a.b=1` to `{"a.b": 1}`: numbers, lists, None, True and False by Python's rules."""
    import ast

    options: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise ValueError(f"--cfg-options: expected NAME=VALUE, got {pair!r:.80}")
        try:
            options[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            options[name] = text
    return options


if __name__ == "__main__":
    run(main)
