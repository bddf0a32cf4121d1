"""Methods trained with several seeds each: means, spreads, and the paper's table of them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from rpc.metrics.levels import ROWS
from rpc.metrics.specs import METRICS, MetricSpec
from rpc.reporting.pages.markdown import markdown_table, markdown_text

Report = Mapping[str, Any]
Spread = dict[str, Any]  # mean, std (None with one seed), values by seed
Rows = dict[str, dict[str, dict[str, Spread]]]

DECIDES: Final = "cAcc"  # by which methods are put in order, over all images


def seed_rows(reports: Mapping[str, Sequence[Report]]) -> Rows:
    """`rows[method][level][metric]` with `mean`, `std` and the `values` of the seeds.

    Args:
        reports: objects of `report.json` by method, one a seed. A level counts where every report
            of the method has it; a metric is None where one of them does not have it.

    Returns:
        Rates as fractions; `std` is that of a sample (n - 1), None with one seed.
    """
    return {
        method: {
            level: {
                metric: _spread([r["levels"][level][metric] for r in its]) for metric in METRICS
            }
            for level in ROWS
            if its and all(level in report["levels"] for report in its)
        }
        for method, its in reports.items()
    }


def order_steps(rows: Rows, methods: Sequence[str]) -> list[dict[str, Any]]:
    """From each method to the next one of the expected order: what changes in averaged cAcc.

    Args:
        rows: of `seed_rows`; the same seeds in the same order for each method.
        methods: worst first, as expected.

    Returns:
        Objects `{"from", "to", "difference": mean over seeds, "std", "rises"}`; std None with one
        seed. Methods that are not measured are passed over.
    """
    measured = [name for name in methods if "averaged" in rows.get(name, {})]
    steps = []
    for before, after in pairwise(measured):
        pairs = zip(
            *(rows[name]["averaged"][DECIDES]["values"] for name in (before, after)), strict=False
        )
        change = _spread([b - a for a, b in pairs])
        steps.append(
            {
                "from": before,
                "to": after,
                "difference": change["mean"],
                "std": change["std"],
                "rises": change["mean"] is not None and change["mean"] > 0,
            }
        )
    return steps


def seed_table_text(rows: Rows) -> str:
    """The paper's table 3 as markdown: mean and spread over seeds; the best means are bold."""
    lines = []
    for level in ROWS:
        group = {method: levels[level] for method, levels in rows.items() if level in levels}
        for method, metrics in group.items():
            cells = []
            for name, spec in METRICS.items():
                means = [other[name]["mean"] for other in group.values()]
                shown = [spec.paper_number(mean) for mean in means if mean is not None]
                mean = metrics[name]["mean"]
                best = max if spec.higher_is_better else min
                is_best = (
                    mean is not None and len(shown) > 1 and spec.paper_number(mean) == best(shown)
                )
                text = _cell(metrics[name], spec)
                cells.append(f"**{text}**" if is_best else text)
            lines.append([level, markdown_text(method), *cells])
    head = [f"{spec.title} ({'↑' if spec.higher_is_better else '↓'})" for spec in METRICS.values()]
    return markdown_table(["Clutter mode", "Methods", *head], lines)


def _spread(values: Sequence[float | None]) -> Spread:
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return {"mean": None, "std": None, "values": list(values)}
    std = statistics.stdev(known) if len(known) > 1 else None
    return {"mean": statistics.fmean(known), "std": std, "values": known}


def _cell(spread: Spread, spec: MetricSpec) -> str:
    """Mean and spread, such as `56.68% ± 1.20`."""
    mean = spec.paper_text(spread["mean"])
    if spread["std"] is None or spread["mean"] is None:
        return mean
    return f"{mean} ± {spec.spread_text(spread['std'])}"
