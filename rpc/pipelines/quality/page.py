"""`quality.md` and the chart of plain figures, from quality.json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from rpc.reporting.pages import svg
from rpc.reporting.pages.markdown import markdown_table, markdown_text
from rpc.reporting.pages.svg import Scale

HALVES: Final = "real against real"  # the row to measure the others by
LEFT: Final = 110.0  # px of the chart for names
ROW: Final = 15.0
VIEW_TITLES: Final = {"look": "look", "parts": "parts", "tray": "whole tray"}


def quality_text(report: Mapping[str, Any]) -> str:
    """The page of a report; its chart and its sheet lie beside it."""
    settings = report["settings"]
    real = report["sets"]["real"]
    parts = [
        "# How like real photos the scenes are",
        f"{real['photos']} photos of {markdown_text(settings['data'])}, split "
        f"{settings['split']}, supervision {report['supervision']}. All at "
        f"{settings['side']} px; {settings['draws']} draws of {settings['photos_a_side']} photos a "
        f"side. Encoder: {settings['encoder']}; no figure compares with published FID or KID.",
        *(f"- {markdown_text(note)}" for note in report["notes"]),
        "## Distances",
        _distances(report),
        "KID: all photos, with the standard error; below 0 is chance. In the first row "
        "the ± says how far chance moves it between the halves of the real photos. "
        "Fréchet: mean and deviation of draws; it is never 0 on so few photos, so compare it with "
        "the first row.",
        "## Plain figures",
        _figures(report),
        "Median [10th to 90th percentile]; after a set how far it is from the real photos, in "
        f"standard deviations (0.2 is little). What the real photos' halves are apart "
        f"stands under '{HALVES}'.",
        "![Plain figures](quality.svg)",
        "![Trays and patches](quality.jpg)",
    ]
    return "\n\n".join(parts) + "\n"


def figures_chart(report: Mapping[str, Any]) -> Markup:
    """Each plain figure of each set: a thin bar from 10 to 90 %, a thick one from 25 to 75 %."""
    sets = report["sets"]
    parts: list[Markup] = []
    said: list[str] = []
    top = 0.0
    for name, title in report["titles"].items():
        rows = {key: one["figures"].get(name) for key, one in sets.items()}
        known = {key: row for key, row in rows.items() if row is not None}
        if not known:
            continue
        scale = _scale(list(known.values()))
        parts.append(svg.words(0.0, top + 16, title, font_weight="bold"))
        for number, (key, row) in enumerate(known.items()):
            parts += _bars(key, row, scale, top + 30 + ROW * number)
        foot = top + 26 + ROW * len(known)
        parts += svg.axis_x(scale, foot, "", lambda value: f"{value:.4g}")
        said.append(title + ": " + ", ".join(f"{key} {row[2]:.3g}" for key, row in known.items()))
        top = foot + 30
    return svg.drawing(parts, top + 4, "Medians of plain figures. " + "; ".join(said))


def _distances(report: Mapping[str, Any]) -> str:
    head = ["set", "photos"]
    for title in VIEW_TITLES.values():
        head += [f"{title}: KID", f"{title}: Fréchet"]
    rows = []
    for name, comparison in report["comparisons"].items():
        row: list[object] = [markdown_text(name), _photos(report, name)]
        for view in VIEW_TITLES:
            row += [_plus_minus(comparison[kind][view]) for kind in ("kernel", "frechet")]
        rows.append(row)
    return markdown_table(head, rows)


def _figures(report: Mapping[str, Any]) -> str:
    names = [name for name in report["sets"] if name != "real"]
    comparisons = report["comparisons"]
    head = ["figure", "real", HALVES]
    for name in names:
        head += [markdown_text(name), "apart"]
    rows = []
    for figure, title in report["titles"].items():
        row = [title, _range(report, "real", figure), _apart(comparisons[HALVES], figure)]
        for name in names:
            row += [_range(report, name, figure), _apart(comparisons[name], figure)]
        rows.append(row)
    return markdown_table(head, rows)


def _photos(report: Mapping[str, Any], name: str) -> int:
    return int(report["sets"]["real" if name == HALVES else name]["photos"])


def _plus_minus(distance: Mapping[str, float]) -> str:
    return f"{distance['value']:.3f} ± {distance['spread']:.3f}"


def _range(report: Mapping[str, Any], name: str, figure: str) -> str:
    row = report["sets"][name]["figures"].get(figure)
    return f"{row[2]:.3g} [{row[0]:.3g} to {row[4]:.3g}]" if row else "-"


def _apart(comparison: Mapping[str, Any], figure: str) -> str:
    distance = comparison["figures"].get(figure)
    return f"{distance['value']:.2f}" if distance else "-"


def _scale(rows: Sequence[Sequence[float]]) -> Scale:
    low, high = min(row[0] for row in rows), max(row[-1] for row in rows)
    room = (high - low) * 0.05 or max(abs(low), 1.0) * 0.05
    return Scale(low - room, high + room, LEFT, svg.WIDTH - 14.0)


def _bars(name: str, row: Sequence[float], scale: Scale, y: float) -> list[Markup]:
    colour = svg.INK if name == "real" else svg.BLUE
    short = name if len(name) <= 14 else name[:13] + "…"
    return [
        svg.words(LEFT - 8, y + 4, short, text_anchor="end", font_size=12),
        svg.line(scale(row[0]), y, scale(row[4]), y, stroke=colour),
        svg.line(scale(row[1]), y, scale(row[3]), y, stroke=colour, stroke_width=6),
        svg.element("circle", cx=scale(row[2]), cy=y, r=4, fill=svg.ORANGE),
    ]
