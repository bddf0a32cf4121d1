"""Train a recognition system and measure it: OUT/result.json, best.pth, last.pth, and pictures.

A config of configs/recognition/ says which system and how; the data set's layout is told by its
files. The checkpoint is chosen on validation photos; test photos are looked at once, at the end. By
torchrun, several processes train together. See docs/recognition.md.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from rpc.cli.config_options import add_config_options, parse_config_options
from rpc.cli.leave import INTERRUPTED
from rpc.cli.verb_parser import VerbParser

if TYPE_CHECKING:
    from rpc.recognition.training.run_settings import RunSettings


def main(argv: list[str] | None = None) -> int:
    """Parse, train (or take a checkpoint), measure, draw."""
    args = parser().parse_args(argv)

    from rpc.data.files import DataError
    from rpc.pipelines.recognition.result import Request
    from rpc.pipelines.recognition.run import run_recognition
    from rpc.runs.interruption import Interruption

    for name, value, least in (("--workers", args.workers, 0), ("--seed", args.seed, 0)):
        if value < least:
            raise DataError(f"{name} {value}: expected {least} or more")
    if args.seed >= 2**32:
        raise DataError(f"--seed {args.seed}: expected less than {2**32}")
    with Interruption() as asked:
        request = Request(
            settings=_settings(args),
            config=args.config,
            data=args.data,
            out=args.out,
            scenes=args.scenes,
            seed=args.seed,
            workers=args.workers,
            resume=args.resume,
            checkpoint=args.checkpoint,
        )
        try:
            run_recognition(request, lambda: asked.requested, asked.at_once)
        except KeyboardInterrupt:
            print("stopped; the same command with --resume goes on from here", file=sys.stderr)
            return INTERRUPTED
    return 0


def _settings(args: argparse.Namespace) -> RunSettings:
    """The config with what the command line changes."""
    from rpc.recognition.training.run_settings import read_run_settings
    from rpc.runs.config_files import put_option, read_config_file

    values = read_config_file(args.config)
    if args.system is not None and args.system != values.get("system"):
        values.update(system=args.system, options={})  # the config's options are another system's
    budgets = {name: getattr(args, name) for name in ("epochs", "iterations", "cpu_minutes")}
    if any(value is not None for value in budgets.values()):
        values["training"] = {**(values.get("training") or {}), **budgets}
    for name, value in parse_config_options(args.cfg_options).items():
        put_option(values, name, value, str(args.config))
    return read_run_settings(values, str(args.config))


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    add = made.add_argument
    add("config", type=Path, help="a file of configs/recognition/")
    add("--data", type=Path, required=True, metavar="ROOT", help="the data set")
    add("--out", type=Path, required=True, metavar="DIR", help="for results and checkpoints")
    add("--scenes", type=Path, metavar="DIR", help="composed scenes to learn from, for a store")
    add("--system", metavar="NAME", help="another system than the config's, with its defaults")
    budget = made.add_mutually_exclusive_group()
    budget.add_argument("--epochs", type=float, metavar="N", help="(default: config)")
    budget.add_argument("--iterations", type=int, metavar="N", help="batches (default: config)")
    budget.add_argument("--cpu-minutes", type=float, metavar="N", help="(default: config)")
    add("--seed", type=int, default=0, help="of weights, order, augmentation (default: 0)")
    add("--workers", type=int, default=1, help="threads that read photos ahead (default: 1)")
    add("--resume", action="store_true", help="go on where a training in OUT was stopped")
    add("--checkpoint", type=Path, metavar="FILE", help="measure this model; nothing is learned")
    add_config_options(made, "options.width=32 training.batch_size=8")
    return made
