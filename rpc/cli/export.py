"""Write a model as a folder that is counted with in ONNX Runtime, without torch.

A test compares both on trays: the lists are the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.verb_parser import VerbParser
from rpc.data.packages import needed
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Export and say where."""
    args = parser().parse_args(argv)
    with needed("torch"):
        from rpc.pipelines.export import ExportRequest, export_model

    say(export_model(ExportRequest(**vars(args))))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0])
    made.add_argument("model", type=Path, metavar="MODEL", help="the model file of a training")
    made.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder to write; an exported counter that is there is replaced",
    )
    made.add_argument(
        "--gallery", type=Path, metavar="DIR", help="that names items; it is copied into the folder"
    )
    made.add_argument(
        "--descriptor",
        action="store_true",
        help="bring the descriptor of galleries, so that products can be added without torch",
    )
    return made
