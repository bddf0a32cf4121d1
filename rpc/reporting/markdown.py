"""`report.md`: the report as tables that a person reads."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rpc.reporting.supervision import SUPERVISION_TEXT

CARTS_SHOWN = 20
CONFUSIONS_SHOWN = 15
_SPECIAL = str.maketrans(
    {"|": "\\|", "<": "&lt;", ">": "&gt;", "*": "\\*", "`": "'", "[": "\\[", "\n": " ", "\r": " "}
)


def report_text(report: Mapping[str, Any]) -> str:
    """The markdown of a report made by `build_report`."""
    method = report.get("method")
    parts = [
        "# Checkout report" + (f": {_text(method)}" if method else ""),
        _levels(report["levels"]),
        "cAcc: carts that are right in every SKU. ACD: items wrong per cart. mCCD: items wrong per "
        "true item, mean over SKUs. mCIoU: agreement of the counts, mean over SKUs. mAP50 and "
        "mmAP: average precision of the raw boxes. `averaged` is over all images; it is not the "
        "mean of the rows above it.",
        *(f"Note: {_text(note)}" for note in report.get("notes", ())),
        "## How the numbers came about",
        _origin(report),
        "## SKUs",
        _skus(report["skus"]),
        *_confusions(report["confusions"]),
        *_carts(report),
        "## Manifest",
        _manifest(report["manifest"]),
    ]
    return "\n\n".join(parts) + "\n"


def _levels(levels: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [
        [
            name,
            row["images"],
            *(percent(row["cAcc"]), f"{row['ACD']:.2f}", f"{row['mCCD']:.3f}"),
            *(percent(row[key]) for key in ("mCIoU", "mAP50", "mmAP")),
        ]
        for name, row in levels.items()
    ]
    head = ("level", "images", "cAcc %", "ACD", "mCCD", "mCIoU %", "mAP50 %", "mmAP %")
    return _table(head, rows)


def _origin(report: Mapping[str, Any]) -> str:
    rule, chosen_on = report["counting"]["rule"], report["counting"]["chosen_on"]
    letter = report["supervision"]
    how = "was given" if chosen_on == "given" else f"was chosen on {_text(chosen_on)}"
    limits = {
        "same SKU, IoU above": rule["nms_iou"],
        "other SKU, IoU above": rule["agnostic_iou"],
        "part of a box of the same SKU, share above": rule["containment"],
    }
    active = [f"{name} {limit:g}" for name, limit in limits.items() if limit < 1]
    lines = [
        f"Protocol: {report['protocol']}. Every image counts, with and without detections, and "
        "one threshold serves all levels.",
        f"Supervision: {letter}: {SUPERVISION_TEXT[letter]}.",
        f"Threshold: a box counts from a score of {rule['threshold']:.2f} on; it {how}.",
        f"Duplicates dropped: {'; '.join(active) if active else 'none, boxes count as they are'}.",
        *(f"{_text(name)}: {value:.3g} s" for name, value in report.get("timings", {}).items()),
    ]
    return "\n".join(f"- {line}" for line in lines)


def _skus(skus: Sequence[Mapping[str, Any]]) -> str:
    """SKUs by items wrong, worst first; those that nobody bought or read are only counted."""
    seen = [row for row in skus if row["truth"] or row["predicted"]]
    seen.sort(key=lambda row: -(row["missed"] + row["extra"]))
    rows = [
        [_sku(row), *(row[key] for key in ("truth", "predicted", "missed", "extra", "carts"))]
        for row in seen
    ]
    head = ("SKU", "in the carts", "predicted", "missed", "extra", "carts wrong in it")
    rest = len(skus) - len(seen)
    unseen = f"\n\n{rest} SKUs are in no cart and in no prediction." if rest else ""
    return _table(head, rows) + unseen


def _confusions(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    if not pairs:
        return []
    rows = [
        [_sku(pair["truth"]), _sku(pair["predicted"]), pair["times"]]
        for pair in pairs[:CONFUSIONS_SHOWN]
    ]
    return [
        "## SKUs taken for each other",
        _table(("the item was", "it was read as", "times"), rows),
    ]


def _carts(report: Mapping[str, Any]) -> list[str]:
    if not report["carts"]:
        return ["## Carts", "Every cart is right."]
    rows = [
        [
            _text(cart["file_name"]),
            cart["level"] or "",
            cart["items"],
            cart["wrong"],
            _list(cart["missed"]),
            _list(cart["extra"]),
        ]
        for cart in report["carts"][:CARTS_SHOWN]
    ]
    head = ("image", "level", "items", "wrong", "missed", "extra")
    shown = f"{len(rows)} of {report['wrong_carts']} wrong carts, worst first."
    return ["## Carts counted wrong", shown, _table(head, rows)]


def _manifest(manifest: Mapping[str, Any]) -> str:
    return "\n".join(f"- {line}" for line in _lines(manifest))


def _lines(value: Mapping[str, Any], prefix: str = "") -> Iterable[str]:
    for name, entry in value.items():
        key = f"{prefix}{_text(name)}"
        if isinstance(entry, Mapping):
            yield from _lines(entry, f"{key}, ")
        elif isinstance(entry, list | tuple):
            yield f"{key}: {_text(' '.join(map(str, entry)))}"
        else:
            yield f"{key}: {_text(entry)}"


def percent(rate: float | None) -> str:
    """A fraction in percent with one decimal; a dash where it was not measured."""
    return "-" if rate is None else f"{100 * rate:.1f}"


def _list(skus: Sequence[Mapping[str, Any]]) -> str:
    return ", ".join(f"{row['count']} x {_sku(row)}" for row in skus)


def _sku(row: Mapping[str, Any]) -> str:
    return _text(row.get("title") or row["name"])


def _text(value: object) -> str:
    """Text of a file inside markdown: it must not open a cell, a tag or a link."""
    return str(value).translate(_SPECIAL)


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; columns of numbers stand right."""
    cells = [[str(cell) for cell in row] for row in rows]
    marks = [
        "---:" if all(map(_is_number, column)) else "---" for column in zip(*cells, strict=True)
    ]
    lines = [list(head), marks or ["---"] * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.replace(".", "", 1).isdecimal()
