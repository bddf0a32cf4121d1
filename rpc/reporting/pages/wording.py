"""Text of both pages of a report: numbers and sentences. Plain text, not yet escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from rpc.counting.doubt.limit import NEVER
from rpc.data.suspicion import told
from rpc.metrics.specs import METRICS, explanations
from rpc.reporting.supervision import SUPERVISION_TEXT

AVERAGED: Final = "The row averaged is over all images; it is not the mean of the rows above it."
AVERAGED_ROW: Final = "averaged"
FOR_99: Final = 300  # trays without an error that show more than 99 % with 95 % confidence
PROTOCOLS: Final[Mapping[str, str]] = {
    "honest": "every image counts, with and without detections, and one threshold serves all "
    "levels",
    "rpctool": "the figures of the official tool, with its quirks (see the notes); they are not "
    "comparable with those of the protocol honest. The tables below the figures count every image, "
    "with the threshold of the row averaged",
}
SIZES: Final = (
    "Carts by the number of true items. Signed: items predicted minus true ones per cart; below 0 "
    "more is missed than added."
)
SUPERCATEGORIES: Final = (
    "Missed and extra do not cancel out. Moved: missed while another SKU of the same "
    "super-category was extra in the same cart. Right: of the carts with such items, those right "
    "in all of its SKUs."
)


def percent(rate: float | None) -> str:
    """A fraction in percent with one decimal; a dash where it was not measured."""
    return "-" if rate is None else f"{100 * rate:.1f}"


def decimal(value: float | None, places: int = 2) -> str:
    """A number with so many decimals; a dash where it was not measured."""
    return "-" if value is None else f"{value:.{places}f}"


def metric(name: str, value: float | None) -> str:
    """A metric's value as reports show it: rates in percent."""
    return METRICS[name].text(value)


def metric_title(name: str) -> str:
    """Heading of a metric's column, with its unit."""
    return METRICS[name].heading


def metric_titles(names: Iterable[str]) -> list[str]:
    """Headings of the columns of some metrics."""
    return [metric_title(name) for name in names]


def metric_cells(names: Iterable[str], row: Mapping[str, Any]) -> list[str]:
    """Some metrics of a row as reports show them."""
    return [metric(name, row[name]) for name in names]


def levels_text(levels: Mapping[str, Mapping[str, Any]]) -> str:
    """The results table in plain text, for the screen: a line a level."""
    specs = METRICS.values()
    widths = [max(7 if spec.is_rate else 6, len(spec.title)) for spec in specs]
    lines = [["level", *(spec.title for spec in specs)]] + [
        [level, *(spec.unit_text(row[spec.name]) for spec in specs)]
        for level, row in levels.items()
    ]
    return "\n".join(
        " ".join([f"{first:10}", *(f"{cell:>{w}}" for cell, w in zip(cells, widths, strict=True))])
        for first, *cells in lines
    )


def metrics_text() -> str:
    """The metrics and the last row in short sentences, for beneath the table."""
    return f"{explanations()} {AVERAGED}"


def span(name: str, ends: Sequence[float] | None) -> str:
    """A metric's interval."""
    return "-" if ends is None else f"{metric(name, ends[0])} to {metric(name, ends[1])}"


def percent_span(ends: Sequence[float] | None) -> str:
    """An interval of a rate in percent; a dash where there is none."""
    return "-" if ends is None else f"{percent(ends[0])} to {percent(ends[1])}"


def items_text(ends: Sequence[int]) -> str:
    """A bin of cart sizes."""
    return f"{ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"


def origin(report: Mapping[str, Any]) -> list[str]:
    """How the numbers came about."""
    letter, protocol = report["supervision"], report["protocol"]
    lines = [
        f"Protocol: {protocol}: {PROTOCOLS[protocol]}.",
        f"Supervision: {letter}: {SUPERVISION_TEXT[letter]}.",
        *_counting(report["counting"]),
    ]
    if drawn := report.get("bootstrap"):
        lines.append(
            f"Intervals: {100 * drawn['confidence']:g} %, from {drawn['resamples']} bootstrap "
            f"resamples by image, seed {drawn['seed']}. They say how much other trays of the same "
            "kind would change the number, not how much another training would."
        )
    timings = report.get("timings", {}).items()
    return lines + [f"{name}: {value:.3g} s" for name, value in timings]


def _counting(counting: Mapping[str, Any]) -> list[str]:
    rule, chosen_on = counting["rule"], counting["chosen_on"]
    if rule is None:
        return [f"Counts: {chosen_on}; the file has shopping lists, no boxes."]
    how = "was given" if chosen_on == "given" else f"was chosen on {chosen_on}"
    limits = {
        "same SKU, IoU above": rule["nms_iou"],
        "other SKU, IoU above": rule["agnostic_iou"],
        "part of a box of the same SKU, share above": rule["containment"],
        "part of a box of another SKU, share above": rule.get("agnostic_containment", 1.0),
    }
    active = [f"{name} {limit:g}" for name, limit in limits.items() if limit < 1]
    by_item = rule.get("counts_by") == "item_score"
    score = "an item score (whatever its SKU)" if by_item else "a score"
    return [
        f"Threshold: a box counts from {score} of {rule['threshold']:.2f} on; it {how}.",
        f"Duplicates dropped: {'; '.join(active) if active else 'none, boxes count as they are'}.",
    ]


def number_line(sizes: Sequence[Mapping[str, Any]]) -> str:
    """On how many carts the number of items is right; empty for reports of former versions."""
    carts = sum(row["images"] for row in sizes)
    if not carts or any("number" not in row for row in sizes):
        return ""
    right = sum(row["images"] * row["number"] for row in sizes)
    share = percent(right / carts)
    return f"The number of items is right on {share} % of the carts, whatever their SKUs."


def fate_lines(fates: Mapping[str, Any]) -> list[str]:
    """Where true items were lost, and what the boxes too many show."""
    lost = fates["suppressed"] + fates["below_threshold"] + fates["no_box"]
    return [
        f"Of {fates['items']} items on the trays {fates['right']} were counted under their SKU, "
        f"{fates['misnamed']} under another one, {lost} were not counted: {fates['no_box']} had no "
        f"box, {fates['below_threshold']} only boxes below the threshold, {fates['suppressed']} "
        "were dropped as duplicates.",
        f"Counted too much: {fates['doubles']} times an item again or a part of one, "
        f"{fates['background']} times no item at all.",
    ]


def passing_lines(doubt: Mapping[str, Any] | None) -> list[str]:
    """The headline beside cAcc: trays that pass with no question; none where nothing is asked."""
    if doubt is None or AVERAGED_ROW not in doubt["levels"]:
        return []
    row = doubt["levels"][AVERAGED_ROW]
    images, passed, right = row["images"], row["passed"], row["right"]
    low, high = (percent(end) for end in row["coverage_interval"])
    target = "" if doubt["target"] is None else f" at {100 * doubt['target']:g} %"
    line = (
        f"Coverage{target}: {percent(row['coverage'])} % of the trays pass with no question "
        f"({passed} of {images}; 95 % interval {low} to {high} %)"
    )
    if not passed:
        return [f"{line}."]
    least, most = (percent(end) for end in row["accuracy_interval"])
    return [f"{line}; of these {percent(row['accuracy'])} % are right ({right} of {passed}; "
            f"{least} to {most} %)."]  # fmt: skip


def doubt_lines(doubt: Mapping[str, Any]) -> list[str]:
    """Where the limit comes from, and what the figures can show."""
    row = doubt["levels"].get(AVERAGED_ROW)
    asked, lines = doubt["questions"], []
    if doubt["limit"] is None and row is not None and not row["passed"]:
        lines.append(
            "No tray passes: a counter that has not learnt how sure it is lets none pass. One with "
            "a recogniser learns it, on labelled trays and composed scenes."
        )
        return lines
    if doubt["limit"] == NEVER:
        lines.append(
            f"No tray passes: on {doubt['chosen_on']} ({doubt['trays']} trays) no limit makes sure "
            f"that {100 * doubt['target']:g} % of the trays that pass are right. The least sure "
            "item of each tray is asked about."
        )
    elif doubt["limit"] is not None:
        lines.append(
            f"A tray passes from a probability of {doubt['limit']:.4f} on that its list is right; "
            f"chosen on {doubt['chosen_on']} ({doubt['trays']} trays), so that "
            f"{100 * doubt['target']:g} % of the trays that pass are right; never on these images."
        )
    if row is not None and row["images"] > row["passed"]:
        held = row["images"] - row["passed"]
        lines.append(f"The other {held} trays ask {asked} questions, {asked / held:.1f} each.")
    if row is not None and 0 < row["passed"] < FOR_99:
        lines.append(
            f"{row['passed']} trays that pass cannot prove 99 %: that takes about {FOR_99} without "
            "an error. The intervals say what these can show (Clopper and Pearson)."
        )
    if found := doubt["reliability"]:
        low, high = found["interval"]
        lines.append(
            f"Stated probabilities of the {found['lines']} lines: expected calibration error "
            f"{100 * found['ece']:.2f} points (95 % interval {100 * low:.2f} to {100 * high:.2f}, "
            f"by tray), Brier score {found['brier']:.4f}."
        )
    return lines


def alike_lines(doubt: Mapping[str, Any]) -> list[str]:
    """The SKUs that cannot be told apart from some views."""
    return [
        f"{' and '.join(pair['skus'])}, camera {', '.join(_camera(one) for one in pair['views'])}: "
        f"split on {percent(pair['share'])} % of their composed items from there"
        for pair in doubt["alike"]
    ]


def _camera(number: int) -> str:
    return "unknown" if number < 0 else str(number)


def coverage_lines(coverage: Mapping[str, Any]) -> list[str]:
    """The best that an order by certainty could give on these very images."""
    lines = []
    for wanted, most in coverage["at"].items():
        accuracy = f"{100 * float(wanted):g} %"
        lines.append(
            f"No part of the carts, taken by certainty, reaches an accuracy of {accuracy}."
            if most["certainty"] is None
            else f"In hindsight {percent(most['coverage'])} % of the carts could have gone without "
            f"a cashier at an accuracy of {accuracy}: those with a certainty of "
            f"{most['certainty']:.3f} or more."
        )
    return [
        *lines,
        f"Area under the curve: {percent(coverage['area'])} % (without any order it is the cAcc).",
        "This curve takes the best limit on the scored images themselves, which nobody knows "
        "beforehand: it says how well certainty orders trays, not what a shop gets.",
    ]


def suspicion_lines(report: Mapping[str, Any]) -> list[str]:
    """Likely mistakes in the files, a line each; none in reports of before they were told."""
    entries = report.get("suspicions")
    return [
        told(str(one.get("what")), str(one.get("to_do")))
        for one in (entries if isinstance(entries, list) else ())
        if isinstance(one, Mapping)  # a file that somebody wrote by hand is compared all the same
    ]


def seen_skus(report: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], int]:
    """SKUs by items wrong, worst first; and how many nobody bought or read."""
    seen = [row for row in report["skus"] if row["truth"] or row["predicted"]]
    seen.sort(key=lambda row: -(row["missed"] + row["extra"]))
    return seen, len(report["skus"]) - len(seen)


def sku(row: Mapping[str, Any]) -> str:
    """The name of a SKU."""
    return str(row.get("title") or row["name"])


def sku_list(rows: Sequence[Mapping[str, Any]]) -> str:
    """SKUs with their counts."""
    return ", ".join(f"{row['count']} x {sku(row)}" for row in rows)


def manifest_lines(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """The manifest flat: names and values."""
    lines: list[tuple[str, str]] = []
    for name, entry in value.items():
        key = f"{prefix}{name}"
        if isinstance(entry, Mapping):
            lines += manifest_lines(entry, f"{key}, ")
        elif isinstance(entry, list | tuple):
            lines.append((key, " ".join(map(str, entry))))
        else:
            lines.append((key, str(entry)))
    return lines
