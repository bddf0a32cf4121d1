"""The report of an import as lines for people: by kind, damaged photos first, system files last."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rpc.data.by_kind import Problem, by_kind, told_by_kind
from rpc.data.photo_files import LeftOut
from rpc.data.photo_files import told_by_kind as told_left_out


def told_of_import(report: Mapping[str, Any]) -> list[str]:
    """Lines on what `import.json` holds: damage, what was understood, converted, passed over."""
    damaged = [_damaged(entry["file"], entry["why"]) for entry in report["skipped"]]
    converted = [
        Problem(entry["file"], entry["what"], kind=f"photos: {entry['what'].partition(', the')[0]}")
        for entry in report["converted"]
    ]
    unsure = [Problem(name, _UNSURE, kind=f"photos: {_UNSURE}") for name in report["box_not_sure"]]
    doubtful = [Problem(n, _DOUBTFUL, kind=f"photos: {_DOUBTFUL}") for n in report["box_doubtful"]]
    passed = [
        LeftOut(Path(entry["file"]), entry["kind"], entry["remedy"])
        for entry in report["passed_over"]
    ]
    return [
        *(f"{'left out: ' if len(kind) == 1 else ''}{kind.told()}" for kind in by_kind(damaged)),
        *report["layout"],
        *told_by_kind(converted),
        *told_by_kind(unsure),
        *told_by_kind(doubtful),
        *told_left_out(passed, Path()),
    ]


_UNSURE = "the product was not found for sure, the whole photo is taken as its box"
_DOUBTFUL = (
    "the product's box is doubtful: detail goes on beyond it, a part looks like a shadow, or "
    "nothing stands out clearly"
)


def _damaged(file: str, why: str) -> Problem:
    """A photo that was skipped; what all of its kind share comes before the first colon."""
    what, _, remedy = why.rpartition("; ")
    what, remedy = (what, remedy) if what else (why, "")
    return Problem(file, what, f"photos left out: {what.partition(':')[0]}", remedy)
