"""Write a model as a folder that is counted with without torch: in ONNX Runtime or OpenVINO.

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
    made.add_argument(
        "--format",
        choices=["onnx", "openvino"],
        default="onnx",
        help="onnx runs in ONNX Runtime, which every installation has; openvino in OpenVINO, of "
        "the extra of this name (default: onnx)",
    )
    made.add_argument(
        "--int8",
        action="store_true",
        help="compute mostly in int8, with --format openvino; refused where more than 1 %% of the "
        "val trays of --data get another list",
    )
    made.add_argument(
        "--data",
        type=Path,
        metavar="STORE",
        help="for --int8: its exemplars show what the networks see, its val trays are compared",
    )
    return made
