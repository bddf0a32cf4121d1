"""`rpc-checkout`: one command, a verb for each task."""

from __future__ import annotations

import difflib
import importlib
import sys
from typing import Final

from rpc.cli.verb_parser import called_as
from rpc.version import __version__

COMMAND: Final = "rpc-checkout"

# Heading: verb: what it does. A verb's module has its name, with _ for -.
GROUPS: Final = {
    "from photos to a counter": {
        "new": "make a store of a folder of product photos",
        "check": "say what a store holds, what is missing or damaged",
        "quickstart": "train a counter on a store, and measure it",
        "count": "count the products on a photo: the shopping list",
        "serve": "a counter in the browser: count, correct, sell",
        "gallery": "add, remove and find products without training",
        "export": "write a model as a folder that counts without torch",
        "doctor": "say what is installed, and whether a tray is counted here",
    },
    "the steps of quickstart, one at a time": {
        "cutouts": "cut products out of their photos",
        "compose": "compose checkout scenes from cut-outs",
        "train-render": "learn to make scenes look like real photos",
        "render": "make scenes look like real photos",
        "train": "train a detector",
        "detect": "find the products on many photos",
    },
    "measuring": {
        "evaluate": "score results by clutter level: cAcc, ACD, mAP50, ...",
        "compare": "set results side by side, with paired tests",
        "bench": "measure how fast a counter is on this machine",
        "table3": "compare Single, Syn, Render and Syn+Render",
    },
    "research": {
        "retrieve": "measure methods of fine-grained retrieval",
        "colocalise": "find the object that photos share, without labels",
        "recognise": "train a recognition system and measure it",
        "recognition-table": "compare recognition systems under one budget",
        "fuse": "join a counter and a recognition system",
        "held-out": "count products that no training saw",
        "name-crops": "measure how well exemplars name the items of trays",
        "quality": "measure how like real photos scenes are",
        "folds": "cross-validation folds of a store",
        "make-start": "train the start of every store's training",
        "make-descriptor": "learn the gallery's descriptor",
    },
}
VERBS: Final = {verb: what for group in GROUPS.values() for verb, what in group.items()}
FIRST_STEPS: Final = (
    "rpc-checkout quickstart           try it: the embedded store, 15 minutes",
    "rpc-checkout new PHOTOS STORE     your own products: PHOTOS/<sku>/*.jpg",
    "rpc-checkout quickstart --data STORE --out DIR",
    "rpc-checkout count TRAY.jpg --model DIR/model.pth",
)


def main(argv: list[str] | None = None) -> int:
    """Call the verb that the command line names with the rest of the line.

    Raises:
        ValueError: there is no such verb.
    """
    words = sys.argv[1:] if argv is None else argv
    first = words[0] if words else "--help"
    if first in ("-V", "--version"):
        print(f"{COMMAND} {__version__}")
        return 0
    if first in ("-h", "--help", "help"):
        if len(words) > 1 and words[1] in VERBS:
            return main([words[1], "--help"])
        print(front_page())
        return 0
    if first not in VERBS:
        raise ValueError(_unknown(first))
    verb = importlib.import_module(f"rpc.cli.{module_of(first)}")
    with called_as(f"{COMMAND} {first}"):
        code: int = verb.main(words[1:])
    return code


def module_of(verb: str) -> str:
    """The module of `rpc.cli` that holds a verb."""
    return verb.replace("-", "_")


def front_page() -> str:
    """All verbs by group, a line each, and the first steps."""
    width = max(map(len, VERBS))
    lines = [f"usage: {COMMAND} VERB ...", ""]
    lines += ["Product photos in, shopping lists of checkout photos out.", ""]
    for heading, verbs in GROUPS.items():
        lines += [f"{heading}:", *(f"  {verb:{width}}  {what}" for verb, what in verbs.items()), ""]
    lines += ["first steps:", *(f"  {step}" for step in FIRST_STEPS), ""]
    lines += [
        f"{COMMAND} VERB --help  the options of a verb",
        f"{COMMAND} --version    the version",
    ]
    return "\n".join(lines)


def _unknown(word: str) -> str:
    """One line on a word that is no verb, with the nearest one."""
    if word.startswith("-"):
        return f"unknown option {word:.40}; options come after a verb, see {COMMAND} --help"
    near = difflib.get_close_matches(word.lower().replace("_", "-"), VERBS, n=1)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown verb {word!r:.40}; {hint}{COMMAND} --help lists them all"
