"""`comparison.md`: results beside their baseline as tables that a person reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from rpc.metrics import binomial_interval
from rpc.metrics.specs import METRICS, listed
from rpc.reporting.pages.markdown import markdown_table, markdown_text
from rpc.reporting.pages.wording import (
    PROTOCOLS,
    decimal,
    metric_cells,
    metric_titles,
    percent,
    percent_span,
)
from rpc.reporting.supervision import SUPERVISION_TEXT

LEAST_P_SHOWN: Final = 1e-4
READING: Final = (
    "A difference is the result minus the baseline, in points of a percent for rates; above 0 is "
    "better for {higher}, below 0 for {lower}. In brackets the {level:g} % "
    "interval, from {resamples} bootstrap resamples by image (seed {seed}), both results on the "
    "same resample."
)
READING_TESTS: Final = (
    "p of cAcc: McNemar's exact test of the carts that only one result has right. p of ACD: "
    "sign-flip test of the items wrong in each cart. Both two-sided."
)
HOLM: Final = (
    "Holm: the p value adjusted for the number of results held against the baseline, for each "
    "level and metric by itself. It is not adjusted for looking at several levels and metrics: say "
    "beforehand which one decides."
)
PASSING: Final = (
    "Each result passes trays by a limit of its own, chosen before on other trays. The intervals "
    "are exact 95 % ones (Clopper and Pearson) of each share alone. That more trays pass is better "
    "only where no fewer of them are right."
)
LIMITS: Final = (
    "The tests and intervals say whether the difference would hold on other carts of the same "
    "kind. They are over the images of **one run of each method**: another seed, another training "
    "or another choice of the threshold would change the figures too, and no test over images "
    "covers that. Repeat the training with several seeds before saying that a method is better. A "
    "large p value does not show that two results are equal, and a small one not that the "
    "difference matters: look at the interval."
)


def comparison_text(comparison: Mapping[str, Any]) -> str:
    """The markdown of a comparison made by `rpc.reporting.compare_results`."""
    drawn = comparison["bootstrap"]
    several = len(comparison["results"]) > 2
    parts = [
        f"# Comparison with {markdown_text(comparison['baseline'])}",
        _ground(comparison),
        *(f"Note: {markdown_text(note)}" for note in comparison["notes"]),
        "## Figures",
        _figures(comparison),
        *_passing(comparison),
        "## Differences from the baseline",
        _differences(comparison["levels"]),
        _reading(drawn),
        "## Cart by cart",
        _carts(comparison["levels"], several),
        READING_TESTS,
        *([HOLM] if several else []),
        "## What this does not show",
        LIMITS,
    ]
    return "\n\n".join(parts) + "\n"


def p_text(p: float | None) -> str:
    """A p value as it is printed."""
    if p is None:
        return "-"
    return f"< {LEAST_P_SHOWN:.4f}" if p < LEAST_P_SHOWN else f"{p:.4f}"


def difference_text(name: str, difference: Mapping[str, Any] | None) -> str:
    """A difference with its sign and interval; rates in points of a percent."""
    if difference is None:
        return "-"
    value = METRICS[name].change_text(difference["value"])
    ends = difference["interval"]
    if ends is None:
        return value
    low, high = map(METRICS[name].change_text, ends)
    return f"{value} ({low} to {high})"


def _reading(drawn: Mapping[str, Any]) -> str:
    """How the differences are to be read."""
    specs = METRICS.values()
    return READING.format(
        higher=listed([spec.title for spec in specs if spec.higher_is_better]),
        lower=listed([spec.title for spec in specs if not spec.higher_is_better]),
        level=100 * drawn["confidence"],
        resamples=drawn["resamples"],
        seed=drawn["seed"],
    )


def _ground(comparison: Mapping[str, Any]) -> str:
    truth = comparison["ground_truth"]
    lines = [f"- Ground truth: {markdown_text(truth['name'])}, {truth['images']} images."]
    if comparison["mixed"]:
        lines.append(
            "- **The results differ in protocol or supervision (see the columns): their figures "
            "are not comparable as they stand.**"
        )
    kinds = [(one["protocol"], one["supervision"]) for one in comparison["results"]]
    for protocol in dict.fromkeys(kind[0] for kind in kinds):
        lines.append(f"- Protocol {protocol}: {PROTOCOLS[protocol]}.")
    for letter in dict.fromkeys(kind[1] for kind in kinds):
        lines.append(f"- Supervision {letter}: {SUPERVISION_TEXT[letter]}.")
    return "\n".join(lines)


def _figures(comparison: Mapping[str, Any]) -> str:
    mixed = comparison["mixed"]
    rows = [
        [
            *(level, markdown_text(one["name"])),
            *((one["protocol"], one["supervision"]) if mixed else ()),
            one["levels"][level]["images"],
            *metric_cells(METRICS, one["levels"][level]),
            decimal(one["levels"][level]["threshold"]),
            markdown_text(one["threshold_chosen_on"] or "-"),
        ]
        for level in comparison["levels"]
        for one in comparison["results"]
    ]
    kind = ("protocol", "supervision") if mixed else ()
    titles = metric_titles(METRICS)
    head = ("level", "result", *kind, "images", *titles, "threshold", "chosen on")
    return markdown_table(head, rows)


def _passing(comparison: Mapping[str, Any]) -> list[str]:
    """The trays that pass with no question, for results that ask any."""
    rows = [
        [level, markdown_text(one["name"]), *_passing_cells(one["passing"][level])]
        for level in comparison["levels"]
        for one in comparison["results"]
        if one.get("passing")
    ]
    if not rows:
        return []
    head = ("level", "result", "pass %", "interval", "passed", "right", "right %", "interval")
    return ["## Trays that pass with no question", markdown_table(head, rows), PASSING]


def _passing_cells(row: Mapping[str, Any]) -> list[object]:
    images, passed, right = row["images"], row["passed"], row["right"]
    among = binomial_interval(right, passed) if passed else None
    return [
        percent(passed / images),
        percent_span(binomial_interval(passed, images)),
        passed,
        right,
        percent(right / passed if passed else None),
        percent_span(among),
    ]


def _differences(levels: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    rows = [
        [
            *(level, markdown_text(entry["name"])),
            *(difference_text(name, entry["differences"][name]) for name in METRICS),
        ]
        for level, entries in levels.items()
        for entry in entries
    ]
    return markdown_table(("level", "result", *(spec.title for spec in METRICS.values())), rows)


def _carts(levels: Mapping[str, Sequence[Mapping[str, Any]]], several: bool) -> str:
    rows = []
    for level, entries in levels.items():
        for entry in entries:
            carts = entry["carts"] or {}
            p, adjusted = carts.get("p", {}), carts.get("p_holm", {})
            holm = ([p_text(adjusted.get(name))] if several else [] for name in ("cAcc", "ACD"))
            rows.append(
                [
                    *(level, markdown_text(entry["name"])),
                    *(carts.get(f"only_{who}_right", "-") for who in ("this", "baseline")),
                    *(p_text(p.get("cAcc")), *next(holm)),
                    carts.get("unequal", "-"),
                    *(p_text(p.get("ACD")), *next(holm)),
                ]
            )
    extra = ("Holm",) if several else ()
    head = (
        *("level", "result", "right here only", "right in the baseline only"),
        *("p of cAcc", *extra, "carts with unequal errors", "p of ACD", *extra),
    )
    return markdown_table(head, rows)
