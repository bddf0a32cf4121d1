"""The figures of many trainings of recognition systems, gathered, and their page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from rpc.data.files import read_json
from rpc.reporting.pages.markdown import markdown_text

REFERENCE: Final = "baseline"
# Top-1 on CUB-200-2011, per cent, as in docs/recognition.md, which says where each comes from.
PUBLISHED: Final = {
    "bilinear": "84.1",
    "bilinear_dm": "84.1",
    "compact": "84.0",
    "isqrt": "88.1",
    "st_cnn_2": "83.9",
    "st_cnn_4": "84.1",
    "ra_cnn": "85.3",
    "ma_cnn": "86.5",
    "mask_cnn": "87.3",
    "part_rcnn": "73.9",
    "weak_parts": "79.3",
    "nac": "81.0",
}


@dataclass(frozen=True)
class Budget:
    """Of all gradient phases of a system: processor time, or batches; its words as text."""

    cpu_minutes: float | None
    iterations: int | None

    def __str__(self) -> str:
        if self.iterations is not None:
            return f"{self.iterations:,} batches"
        if self.cpu_minutes is not None:
            return f"{self.cpu_minutes:g} minutes of processor time"
        return "a budget in epochs"  # the only other one that a run can have had


def gather(out: Path, names: Sequence[str], systems: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`{system: {data set: {mean, std, seeds, val_mean, cpu_seconds, parameters, ...}}}`.

    Accuracies are test top-1, fractions; `std` is that of a sample, 0 for a single seed.
    """
    table: dict[str, dict[str, Any]] = {}
    for system in systems:
        for name in names:
            found = sorted((out / name / system).glob("seed*/result.json"))
            if not found:
                continue
            results = [read_json(path) for path in found]
            test = [float(r["accuracy"]["test"]["top1"]) for r in results]
            val = [float(r["accuracy"]["val"]["top1"]) for r in results]
            spent = [float(r["training"]["cpu_seconds"]) for r in results]
            table.setdefault(system, {})[name] = {
                "mean": float(np.mean(test)),
                "std": float(np.std(test, ddof=1)) if len(test) > 1 else 0.0,
                "seeds": test,
                "val_mean": float(np.mean(val)),
                "cpu_seconds": round(float(np.mean(spent)), 1),
                "parameters": int(results[0]["parameters"]),
                "devices": sorted({str(r["training"]["device"]) for r in results}),
                "batches": round(float(np.mean([r["training"]["batches"] for r in results]))),
                "side": int(results[0]["config"]["values"]["system"]["side"]),
                "photos": {split: results[0]["data"][split] for split in ("train", "val", "test")},
                "protocol": results[0]["protocol"],
                "commits": _told(results, "code", "commit"),
                "machines": _told(results, "machine", "cpu"),
                "torch": _told(results, "versions", "torch"),
                "within_families": _within(found),
            }
    return table


def _told(results: list[dict[str, Any]], part: str, name: str) -> list[str]:
    """Facts from the runs' manifests, which need not hold of whoever writes the table."""
    return sorted({str(result["manifest"][part].get(name)) for result in results})


def _within(found: list[Path]) -> float | None:
    """Mean share of test photos that are named as another class of their family."""
    shares = []
    for path in found:
        families = read_json(path.with_name("confusions.json"))["test"].get("families")
        if not families:
            return None
        photos = sum(row["photos"] for row in families)
        shares.append(sum(row["within"] for row in families) / max(photos, 1))
    return float(np.mean(shares))


def page(result: dict[str, Any]) -> str:
    """The table in Markdown."""
    table, names = result["systems"], result["data"]
    budget = Budget(result["cpu_minutes"], result["iterations"])
    lines = [
        "# Recognition systems under one budget",
        "",
        "Test top-1 in per cent, mean and standard deviation over seeds; "
        f"{budget} for all gradient phases of a system "
        "(fits come on top: column s, seconds of a processor in all), EfficientNet-lite0, the "
        "checkpoint chosen on validation. 'lead' is that over the baseline, in points. Published: "
        "CUB-200-2011 with the papers' networks at 448 px, for the record; nothing here compares.",
        "",
    ]
    heads = [f"{markdown_text(name)} | seeds | lead | s | within families" for name in names]
    lines.append(f"| system | published | {' | '.join(heads)} | million parameters |")
    lines.append("|---|---|" + "---|" * (5 * len(names) + 1))
    for system in result["asked"]:
        cells = [_cells(result, system, name) for name in names]
        sizes = [table[system][n]["parameters"] for n in names if n in table.get(system, {})]
        size = f"{max(sizes) / 1e6:.2f}" if sizes else ""
        published = PUBLISHED.get(system, "-")
        lines.append(f"| {system} | {published} | {' | '.join(cells)} | {size} |")
    for name, refused in result["not_run"].items():
        lines += [
            "",
            *(
                f"- {markdown_text(name)}: {system} was not run: {markdown_text(why)}"
                for system, why in refused.items()
            ),
        ]
    return "\n".join(lines) + "\n"


def _cells(result: dict[str, Any], system: str, name: str) -> str:
    row = result["systems"].get(system, {}).get(name)
    if row is None:
        return " | ".join(["not run", "", "", "", ""])
    base = result["systems"].get(REFERENCE, {}).get(name)
    lead = (
        "" if base is None or system == REFERENCE else f"{100 * (row['mean'] - base['mean']):+.1f}"
    )
    within = "" if row["within_families"] is None else f"{100 * row['within_families']:.1f} %"
    spread = f" ± {100 * row['std']:.1f}" if len(row["seeds"]) > 1 else ""
    return (
        f"{100 * row['mean']:.1f}{spread} | {len(row['seeds'])} | {lead} | "
        f"{row['cpu_seconds']:.0f} | {within}"
    )
