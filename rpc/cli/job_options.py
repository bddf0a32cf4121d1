"""The options that the main job and its comparisons share."""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.pipelines.store_job.defaults import CONFIG, RENDERER, WORKERS


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add scenes, renderer, config, agnostic, workers and device."""
    add = parser.add_argument
    add(
        "--scenes",
        type=int,
        metavar="N",
        help="train on N scenes, composed to disk first (default: the recipe's number; with "
        "--method Syn every scene is new, composed while the training runs and not written)",
    )
    add(
        "--renderer",
        type=Path,
        default=RENDERER,
        metavar="FILE",
        help="config of the renderer, or one that was trained (default: the classical one)",
    )
    add("--config", type=Path, default=CONFIG, help="of the detector (default: the CPU default)")
    add("--agnostic", action="store_true", help="count products without naming them")
    add("--workers", type=int, default=WORKERS, help="processes (default: all cores)")
    add_device_option(parser)
