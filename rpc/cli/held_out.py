"""Products that training never saw: left out, trained without, added to a gallery, and counted.

Without --model, a model is trained on the store without the held-out SKUs (and without every tray
on which one of them lies); with it, that model is taken. Then all SKUs' exemplars go into a
gallery, the held-out ones one by one against the clock; trays of val and test are looked at once;
open-set rule, fusion and counting rule are chosen on val; the table is of test.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.cli.device_option import add_device_option
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.pipelines.store_job.defaults import WORKERS
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Leave out, train, add, look, choose, report."""
    given = vars(parser().parse_args(argv))
    from rpc.pipelines.gallery.held_out import HeldOutRequest, measure_held_out

    path = measure_held_out(HeldOutRequest(**{**given, "without": tuple(given["without"])}))
    say(path)
    say(path.with_suffix(".md"))
    return 0


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("--data", type=Path, required=True, metavar="ROOT", help="a store with val and test")
    add("--without", nargs="+", required=True, metavar="SKU", help="held-out SKUs")
    add("--out", type=Path, required=True, metavar="DIR", help="for everything that is made")
    add(
        "--model",
        type=Path,
        metavar="FILE",
        help="model.pth of a training without these SKUs (default: it is trained)",
    )
    add("--recipe", metavar="NAME", help="of the gallery's descriptors (default: the best)")
    add("--most", type=int, default=24, metavar="N", help="exemplars of a SKU (default: 24)")
    add(
        "--iterations",
        type=int,
        metavar="N",
        help="updates of the detector, and twice as many of the recogniser (default: those of the "
        "quick recipe)",
    )
    add("--minutes", type=float, help="a cap on the trainings' time (default: none)")
    add("--scenes", type=int, help="composed scenes (default: as rpc-checkout quickstart)")
    add(
        "--method",
        choices=("Syn", "Render", "Syn+Render"),
        default="Render",
        help="trained on: composed scenes, the same rendered, or both (default: %(default)s)",
    )
    add("--seed", type=int, default=0, help="of scenes and training (default: %(default)s)")
    add("--workers", type=int, default=WORKERS, help="processes (default: all cores)")
    add("--words", action="store_true", help="read exemplars and doubtful items, too")
    add("--pictures", action="store_true", help="lay exemplar pictures on doubtful items, too")
    add_device_option(made)
    add_links_option(made)
    return made
