"""The page of a measurement of held-out products, and its files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rpc.data.file_group import file_group
from rpc.data.files import write_bytes, write_json
from rpc.reporting.pages.markdown import markdown_text


def write_results(out: Path, result: Mapping[str, Any]) -> list[Path]:
    """`held_out.json` and `held_out.md` in a folder."""
    with file_group(out):
        return [
            write_json(out / "held_out.json", result, indent=1),
            write_bytes(out / "held_out.md", _page(result).encode()),
        ]


def _page(result: Mapping[str, Any]) -> str:
    sizes, seconds = result["test_trays"], result["add_seconds"]
    lines = [
        "# Products that training never saw",
        "",
        f"Held out: {', '.join(map(markdown_text, result['held_out']))}. {result['note']}.",
        f"Test: {sizes['all']} trays, {sizes['with_new_skus']} with held-out SKUs on them. "
        f"Settings were chosen on {result['chosen_on']}.",
        "",
        "| names by | cAcc all | trays of old SKUs | trays with new | old SKUs' counts "
        "| new SKUs' counts | ACD | item named right: old | new | pass with no question "
        "| of these right |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in result["methods"].items():
        c, n = row["cAcc"], row["naming"]
        cells = [c["all"], c["old_trays"], c["new_trays"], c["old_skus"], c["new_skus"]]
        lines.append(
            f"| {name} | {' | '.join(map(_percent, cells))} | {row['ACD']:.2f} | "
            f"{_percent(n['old'])} | {_percent(n['new'])} | {row['passing']['trays']} | "
            f"{row['passing']['right']} |"
        )
    lines += [
        "",
        f"A SKU is added in {seconds['median']:.2f} s, {seconds['median_processor']:.2f} s of "
        f"processor time (median; {seconds['of']}).",
        f"Descriptor: {result['recipe']['name']}.",
        "",
    ]
    return "\n".join(lines)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.1f}%"
