"""The main job: product photos in, shopping lists of held-out trays and an honest report out.

Runs on any RPC-shaped folder (exemplars/, val/, test/, instances_{train,val,test}.json): cut-outs,
composed scenes, training, counting rule on val, report on test, annotated trays. A store without
trays (rpc-checkout new makes one of a folder of photos) gets its model all the same.
Interrupted, the same command goes on where it stopped.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from rpc.cli.job_options import add_job_options
from rpc.cli.links_option import add_links_option
from rpc.cli.verb_parser import VerbParser
from rpc.data.shipped import shipped
from rpc.pipelines.store_job.defaults import (
    METHODS,
    RECIPE,
    RECIPES,
    RECOGNISER_START,
    RULE_SCENES,
    START,
)
from rpc.runs.screen import say


def main(argv: list[str] | None = None) -> int:
    """Run all steps, say what they did, print the table."""
    given = vars(parser().parse_args(argv))
    began = time.monotonic()
    from rpc.pipelines.store_job.job import Job, measurable_split
    from rpc.pipelines.store_job.run import run_job
    from rpc.pipelines.store_job.scenes import never_shown

    for name in ("start", "recogniser_start"):
        given[name] = _optional(given[name])
    given["measure"] = given["measure"] or measurable_split(given["data"])
    job = Job(**given)
    run_job(job)
    if gone := never_shown(job):
        say(f"THIS COUNTER NEVER NAMES {len(gone)} SKUs, which have no usable cut-out: ")
        say(f"  {', '.join(gone)}; see {job.out}/cutouts/again_001.jpg")
    say(f"{time.monotonic() - began:.0f} s in this run; everything made: {given['out']}")
    return 0


def _optional(path: Path) -> Path | None:
    return None if path == Path("none") else path


def _amounts() -> str:
    """The recipes in a few words."""
    return ", ".join(
        f"{name} {one.detector_updates:,} of the detector and {one.recogniser_updates:,} of the "
        "recogniser"
        for name, one in RECIPES.items()
    )


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__.splitlines()[0])
    add = made.add_argument
    add(
        "--data",
        type=Path,
        default=shipped("examples/ministore"),
        metavar="ROOT",
        help="store (default: the embedded one)",
    )
    add(
        "--out",
        type=Path,
        default=Path("out/quickstart"),
        metavar="DIR",
        help="(default: %(default)s)",
    )
    add(
        "--recipe",
        choices=tuple(RECIPES),
        default=RECIPE,
        help=f"how much is learned, in updates: {_amounts()}; the same seed gives the same model "
        "on a busy machine (default: %(default)s)",
    )
    add("--detector-updates", type=int, metavar="N", help="instead of the recipe's")
    add("--recogniser-updates", type=int, metavar="N", help="instead of the recipe's")
    add(
        "--minutes",
        type=float,
        help="a cap on the trainings' time: fewer updates where it does not suffice, which the "
        "report tells (default: none)",
    )
    add("--seed", type=int, default=0, help="of scenes and training (default: %(default)s)")
    add("--start", type=Path, default=START, help="detector's start, or 'none' (default: ours)")
    add(
        "--recogniser-start",
        type=Path,
        default=RECOGNISER_START,
        help="recogniser's start, or 'none' (default: ours)",
    )
    add(
        "--method",
        choices=METHODS,
        default="Syn",
        help="what is trained on: raw exemplars, composed scenes, the same made to look like "
        "unlabelled val photos, or both (default: %(default)s)",
    )
    add(
        "--one-stage",
        action="store_true",
        help="to compare: the detector of --config names SKUs itself, no recogniser",
    )
    add(
        "--no-words",
        dest="words",
        action="store_false",
        help="do not read what is on the packs, where the extra 'words' is installed",
    )
    add(
        "--no-pictures",
        dest="pictures",
        action="store_false",
        help="keep no pictures of exemplars to compare doubtful items with",
    )
    add(
        "--measure",
        choices=("val", "test", "none"),
        help="split to report on (default: test; none for exemplars alone); but for test, the "
        "counting rule comes from composed scenes",
    )
    add(
        "--allow-missing-skus",
        action="store_true",
        help="go on without SKUs that have no usable cut-out: the counter will never name them",
    )
    add(
        "--rule-scenes",
        type=int,
        metavar="N",
        help="composed scenes of their own, on which the counter learns where it is in doubt, and "
        f"the counting rule without labelled photos (default: {RULE_SCENES})",
    )
    add_job_options(made)
    add_links_option(made)
    return made
