"""`report.md`: the report as tables that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rpc.data.plain_text import plain_text
from rpc.metrics.specs import METRICS, OF_SIZES, OF_SUPERCATEGORIES, metrics_of
from rpc.reporting.pages import wording
from rpc.reporting.pages.wording import (
    metric_cells,
    metric_titles,
    percent,
    sku,
    sku_list,
    span,
)

CARTS_SHOWN = 20
CONFUSIONS_SHOWN = 15
_SPECIAL = str.maketrans(
    {"\\": "\\\\", "|": "\\|", "<": "&lt;", ">": "&gt;", "*": "\\*", "`": "'", "[": "\\["}
)


def report_text(report: Mapping[str, Any]) -> str:
    """The markdown of a report made by `build_report`."""
    method = report.get("method")
    parts = [
        "# Checkout report" + (f": {markdown_text(method)}" if method else ""),
        _levels(report["levels"]),
        *(f"**{markdown_text(line)}**" for line in wording.passing_lines(report.get("doubt"))),
        *_intervals(report["levels"]),
        wording.metrics_text(),
        *(f"**Suspicious:** {markdown_text(one)}" for one in wording.suspicion_lines(report)),
        *(f"Note: {markdown_text(note)}" for note in report.get("notes", ())),
        "## How the numbers came about",
        "\n".join(f"- {markdown_text(line)}" for line in wording.origin(report)),
        *_fates(report.get("item_fates")),
        *_sizes(report["sizes"]),
        *_doubt(report.get("doubt")),
        *_coverage(report["coverage"]),
        *_supercategories(report["supercategories"]),
        "## SKUs",
        _skus(report),
        *_confusions(report["confusions"]),
        *_carts(report),
        "## Manifest",
        "\n".join(
            f"- {markdown_text(name)}: {markdown_text(value)}"
            for name, value in wording.manifest_lines(report["manifest"])
        ),
    ]
    return "\n\n".join(parts) + "\n"


def _levels(levels: Mapping[str, Mapping[str, Any]]) -> str:
    rows = [[name, row["images"], *metric_cells(METRICS, row)] for name, row in levels.items()]
    return markdown_table(("level", "images", *metric_titles(METRICS)), rows)


def _intervals(levels: Mapping[str, Mapping[str, Any]]) -> list[str]:
    if not any("interval" in row for row in levels.values()):
        return []
    keys = [spec.name for spec in metrics_of("counts")]
    rows = [
        [name, *(span(key, row["interval"].get(key)) for key in keys)]
        for name, row in levels.items()
    ]
    return ["95 % intervals:", markdown_table(("level", *metric_titles(keys)), rows)]


def _fates(fates: Mapping[str, Any] | None) -> list[str]:
    lines = [f"- {line}" for line in wording.fate_lines(fates)] if fates else []
    return ["## What became of the items", "\n".join(lines)] if lines else []


def _sizes(sizes: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        [
            wording.items_text(row["items"]),
            row["images"],
            *metric_cells(OF_SIZES, row),
            f"{row['signed']:+.2f}",
        ]
        for row in sizes
    ]
    head = ("items", "images", *metric_titles(OF_SIZES), "signed")
    number = wording.number_line(sizes)
    return [
        "## Cart size",
        wording.SIZES,
        markdown_table(head, rows),
        *([number] if number else []),
    ]


def _doubt(doubt: Mapping[str, Any] | None) -> list[str]:
    if doubt is None:
        return []
    rows = [
        [
            name,
            row["images"],
            percent(row["coverage"]),
            wording.percent_span(row["coverage_interval"]),
            row["passed"],
            row["right"],
            percent(row["accuracy"]),
            wording.percent_span(row["accuracy_interval"]),
        ]
        for name, row in doubt["levels"].items()
    ]
    head = ("level", "images", "pass %", "interval", "passed", "right", "right %", "interval")
    parts = ["## Trays that pass with no question", markdown_table(head, rows)]
    parts.append("\n".join(f"- {markdown_text(line)}" for line in wording.doubt_lines(doubt)))
    if doubt["reliability"]:
        bins = [
            [f"{100 * stated:.2f}", f"{100 * true:.2f}", size]
            for stated, true, size in doubt["reliability"]["bins"]
        ]
        parts.append(markdown_table(("stated %", "came true %", "lines"), bins))
    if doubt["alike"]:
        listed = "\n".join(f"- {markdown_text(line)}" for line in wording.alike_lines(doubt))
        parts += ["Cannot be told apart from some views:", listed]
        if doubt.get("picture"):
            parts.append(f"![Cut-outs that look alike]({doubt['picture']})")
    return parts


def _coverage(coverage: Mapping[str, Any] | None) -> list[str]:
    if coverage is None:
        return []
    lines = "\n".join(f"- {line}" for line in wording.coverage_lines(coverage))
    return ["## How well certainty orders the carts", lines]


def _supercategories(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    if not rows:
        return []
    plain = ("skus", "truth", "predicted", "missed", "extra", "moved", "carts")
    cells = [
        [
            markdown_text(row["supercategory"]) or "(none)",
            *(row[key] for key in plain),
            percent(row["right"]),
            *metric_cells(OF_SUPERCATEGORIES, row),
        ]
        for row in rows
    ]
    titles = metric_titles(OF_SUPERCATEGORIES)
    head = ("super-category", "SKUs", "in the carts", *plain[2:], "right %", *titles)
    return ["## Super-categories", wording.SUPERCATEGORIES, markdown_table(head, cells)]


def _skus(report: Mapping[str, Any]) -> str:
    seen, rest = wording.seen_skus(report)
    keys = ("truth", "predicted", "missed", "extra", "carts")
    rows = [[markdown_text(sku(row)), *(row[key] for key in keys)] for row in seen]
    head = ("SKU", "in the carts", "predicted", "missed", "extra", "carts wrong in it")
    unseen = f"\n\n{rest} SKUs are in no cart and in no prediction." if rest else ""
    return markdown_table(head, rows) + unseen


def _confusions(pairs: Sequence[Mapping[str, Any]]) -> list[str]:
    if not pairs:
        return []
    rows = [
        [markdown_text(sku(pair["truth"])), markdown_text(sku(pair["predicted"])), pair["times"]]
        for pair in pairs[:CONFUSIONS_SHOWN]
    ]
    return [
        "## SKUs taken for each other",
        markdown_table(("the item was", "it was read as", "times"), rows),
    ]


def _carts(report: Mapping[str, Any]) -> list[str]:
    if not report["carts"]:
        return ["## Carts", "Every cart is right."]
    pictures = {
        one["image_id"]: f"[drawn]({one['picture']})"
        for one in report.get("worst_carts", {}).get("pictures", ())
    }
    rows = [
        [
            markdown_text(cart["file_name"]),
            cart["level"] or "",
            cart["items"],
            cart["wrong"],
            markdown_text(sku_list(cart["missed"])),
            markdown_text(sku_list(cart["extra"])),
            *([pictures.get(cart["image_id"], "")] if pictures else []),
        ]
        for cart in report["carts"][: max(CARTS_SHOWN, len(pictures))]
    ]
    head = ["image", "level", "items", "wrong", "missed", "extra", *(["picture"] * bool(pictures))]
    shown = f"{len(rows)} of {report['wrong_carts']} wrong carts, worst first."
    return ["## Carts counted wrong", shown, *_missing(report), markdown_table(head, rows)]


def _missing(report: Mapping[str, Any]) -> list[str]:
    names = report.get("worst_carts", {}).get("missing", ())
    return [f"Not drawn, no readable photo: {markdown_text(', '.join(names))}."] if names else []


def markdown_text(value: object) -> str:
    """Text of a file inside markdown: it must not open a cell, a tag or a link."""
    return plain_text(" ".join(str(value).splitlines())).translate(_SPECIAL)


def markdown_table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; columns of numbers stand right."""
    cells = [[str(cell) for cell in row] for row in rows]
    marks = [
        "---:" if all(map(_is_number, column)) else "---" for column in zip(*cells, strict=True)
    ]
    lines = [list(head), marks or ["---"] * len(head), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _is_number(cell: str) -> bool:
    return cell == "-" or cell.lstrip("+-").replace(".", "", 1).isdecimal()
