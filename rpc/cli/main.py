"""`rpc-checkout`: one command, a verb for each task."""

from __future__ import annotations

import importlib
import sys
from typing import Final

from rpc import __version__

# Verb: module of this package, and what it does.
VERBS: Final = {
    "new": ("new", "make a store of a folder of product photos"),
    "check": ("check", "look a store over before it is used"),
    "quickstart": ("quickstart", "train a counter on a store and measure it"),
    "cutouts": ("cutouts", "cut products out of their photos"),
    "compose": ("compose", "compose checkout scenes from cut-outs"),
    "train-render": ("train_render", "learn to make scenes look like real photos"),
    "render": ("render", "make scenes look like real photos"),
    "train": ("train", "train a detector"),
    "count": ("count", "count the products on a photo"),
    "detect": ("detect", "find the products on many photos"),
    "gallery": ("gallery", "add, remove, find products without training"),
    "evaluate": ("evaluate", "score results by clutter level"),
    "compare": ("compare", "set the results of several systems side by side"),
    "table3": ("table3", "compare Single, Syn, Render and Syn+Render"),
    "retrieve": ("retrieve", "measure retrieval methods"),
    "colocalise": ("colocalise", "find the object that photos share"),
    "recognise": ("recognise", "train a recognition system and measure it"),
}


def main(argv: list[str] | None = None) -> int:
    """Call the verb that the command line names with the rest of the line."""
    words = sys.argv[1:] if argv is None else argv
    if words and words[0] in ("-V", "--version"):
        print(__version__)
        return 0
    if not words or words[0] in ("-h", "--help"):
        print(_help())
        return 0
    if words[0] not in VERBS:
        raise ValueError(f"unknown verb {words[0]!r:.40}; expected one of {', '.join(VERBS)}")
    verb = importlib.import_module(f"rpc.cli.{VERBS[words[0]][0]}")
    code: int = verb.main(words[1:])
    return code


def _help() -> str:
    width = max(map(len, VERBS))
    lines = [f"  {name:{width}}  {what}" for name, (_, what) in VERBS.items()]
    return "\n".join(
        [
            "usage: rpc-checkout VERB ...",
            "",
            *lines,
            "",
            "rpc-checkout VERB --help tells a verb's options.",
        ]
    )
