"""Fine-grained retrieval on photos by class: the founding tutorial's table, and more beside it.

The training photos are the gallery, the test photos the queries; no label is used but to score.
Writes retrieval.json, retrieval.md and two sheets to look at. Stopped, the same command goes on.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.runs.screen import say, say_lines


def main(argv: list[str] | None = None) -> int:
    """Evaluate what the command line asks for; print the table."""
    given = vars(parser().parse_args(argv))
    from rpc.pipelines.retrieval.measure import RetrievalRequest, measure_retrieval

    given["layers"] = tuple(_layer(word) for word in given["layers"])
    path = measure_retrieval(RetrievalRequest(**given))
    say_lines(path.read_text(encoding="utf-8"))
    say(f"{path}; retrieval.json, masks.jpg, answers.jpg beside it")
    return 0


def _layer(word: str) -> str | int:
    return int(word) if word.lstrip("-").isdecimal() else word


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="ROOT is CUB-200-2011, Stanford Dogs, Stanford Cars, FGVC-Aircraft, Oxford Flowers "
        "or Pets as published, a store, or holds train/ and test/ with one folder of photos a "
        "class. See docs/retrieval.md.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    made.add_argument("--data", type=Path, required=True, metavar="ROOT", help="the data set")
    made.add_argument("--out", type=Path, required=True, metavar="DIR", help="for the results")
    made.add_argument(
        "--backbone",
        default="efficientnet_lite0",
        metavar="NAME",
        help="efficientnet_lite0..2, vgg16, vgg19, or a name of timm",
    )
    made.add_argument("--weights", type=Path, metavar="FILE", help="weights of the backbone")
    made.add_argument(
        "--layers",
        nargs=2,
        default=["last", "finer"],
        metavar=("LAST", "FINER"),
        help="what pool5 and relu5_2 are for VGG: names, or numbers of stages",
    )
    made.add_argument(
        "--methods", nargs="+", metavar="NAME", help="only these methods (default: all)"
    )
    made.add_argument(
        "--short-side",
        type=int,
        default=700,
        metavar="PX",
        help="photos whose shorter side is longer are shrunk to it",
    )
    made.add_argument(
        "--limit", type=int, default=0, metavar="N", help="photos of each class, 0 for all"
    )
    made.add_argument(
        "--clusters", type=int, default=2, metavar="K", help="of VLAD, and Gaussians of FV"
    )
    made.add_argument(
        "--whiten", type=int, default=512, metavar="D", help="dimensions of whitened SCDA, 0: none"
    )
    made.add_argument("--seed", type=int, default=0, metavar="S", help="of everything fitted")
    add_device_option(made)
    add_links_option(made)
    return made
