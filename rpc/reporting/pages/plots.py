"""The charts of `report.html`: each from a part of report.json, with a text to be read aloud."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from markupsafe import Markup

from rpc.metrics.specs import METRICS
from rpc.pictures.palette import EXTRA, MISSED
from rpc.reporting.pages import svg, wording
from rpc.reporting.pages.svg import Scale

LEFT: Final = 44.0  # px at the left of a chart, for numbers
RIGHT: Final = svg.WIDTH - 12.0
TOP: Final = 30.0
FOOT: Final = 230.0
HEIGHT: Final = 275.0
NAME_LENGTH: Final = 22  # letters of a SKU's name


def levels_plot(levels: Mapping[str, Mapping[str, Any]], name: str) -> Markup:
    """One count metric of each level: a dot, and a bar for its interval."""
    rate = METRICS[name].is_rate
    rows = [(level, row[name], row.get("interval", {}).get(name)) for level, row in levels.items()]
    tops = [end for _, value, ends in rows for end in (value, *(ends or ())) if end is not None]
    scale = Scale(0.0, 1.0 if rate else max(tops, default=0.0) * 1.05 or 1.0, 80.0, RIGHT - 12)
    foot = TOP + 30.0 * len(rows)
    parts = [svg.words(0.0, 16.0, wording.metric_title(name), font_weight="bold")]
    for value in scale.ticks():
        parts.append(svg.line(scale(value), TOP - 6, scale(value), foot))
    for number, (level, value, ends) in enumerate(rows):
        y = TOP + 12 + 30.0 * number
        parts.append(svg.words(72.0, y + 4, level, text_anchor="end"))
        if ends is not None:
            style = {"stroke": svg.BLUE, "stroke_width": 6, "stroke_opacity": 0.3}
            parts.append(svg.line(scale(ends[0]), y, scale(ends[1]), y, **style))
        if value is not None:
            parts.append(svg.element("circle", cx=scale(value), cy=y, r=5, fill=svg.BLUE))
    unit = wording.percent if rate else wording.decimal
    parts += svg.axis_x(scale, foot, "", lambda v: unit(v).removesuffix(".0"))
    said = "; ".join(
        f"{level} {wording.metric(name, value)}"
        + (f" ({wording.span(name, ends)})" if ends else "")
        for level, value, ends in rows
    )
    return svg.drawing(parts, foot + 26, f"{wording.metric_title(name)} by level: {said}")


def sizes_plot(sizes: Sequence[Mapping[str, Any]]) -> Markup:
    """Items missed and extra per cart by the number of items in it, and the cAcc above."""
    highest = max((row["ACD"] for row in sizes), default=0.0) or 1.0
    scale = Scale(0.0, highest * 1.15, FOOT, TOP)
    parts = svg.axis_y(scale, LEFT, RIGHT, lambda v: f"{v:g}" if v < 1000 else f"{v:.0f}")
    step = (RIGHT - LEFT) / max(len(sizes), 1)
    for number, row in enumerate(sizes):
        x, width = LEFT + step * (number + 0.18), step * 0.64
        missed = (row["ACD"] - row["signed"]) / 2  # ACD = missed + extra, signed = extra - missed
        middle = scale(missed)
        parts += [
            _bar(x, middle, width, FOOT - middle, MISSED),
            _bar(x, scale(row["ACD"]), width, middle - scale(row["ACD"]), EXTRA),
        ]
        centre = x + width / 2
        above = scale(row["ACD"]) - 5
        texts = (
            (above, f"{100 * row['cAcc']:.0f} %"),
            (FOOT + 16, wording.items_text(row["items"])),
        )
        for y, text in texts:
            parts.append(svg.words(centre, y, text.replace(" to ", "-"), text_anchor="middle"))
    parts += [svg.line(LEFT, FOOT, RIGHT, FOOT, stroke=svg.FAINT)]
    parts += [svg.words((LEFT + RIGHT) / 2, FOOT + 36, "items in the cart", text_anchor="middle")]
    parts += _legend([("missed per cart", MISSED), ("extra per cart", EXTRA)], "above: cAcc")
    said = "; ".join(
        f"{wording.items_text(row['items'])} items: ACD {wording.metric('ACD', row['ACD'])}, "
        f"cAcc {wording.metric('cAcc', row['cAcc'])} %"
        for row in sizes
    )
    return svg.drawing(parts, HEIGHT, f"Errors by cart size. {said}")


def coverage_plot(coverage: Mapping[str, Any]) -> Markup:
    """Accuracy of the carts that are kept by the share of carts that is kept."""
    across, up = Scale(0.0, 1.0, LEFT, RIGHT), Scale(0.0, 1.0, FOOT, TOP)
    points = [(across(share), up(accuracy)) for share, accuracy in coverage["curve"]]
    end = points[-1]
    parts = [
        *svg.axis_y(up, LEFT, RIGHT, _whole_percent),
        *svg.axis_x(across, FOOT, "carts without a cashier, %", _whole_percent),
        svg.line(LEFT, up(0.95), RIGHT, up(0.95), stroke=svg.ORANGE, stroke_dasharray="5 4"),
        svg.words(RIGHT, up(0.95) + 15, "95", fill=svg.ORANGE, text_anchor="end"),
        svg.path(points),
        svg.element("circle", cx=end[0], cy=end[1], r=5, fill=svg.BLUE),
        svg.words(LEFT, 16.0, "right among these, %", font_weight="bold"),
    ]
    said = " ".join(wording.coverage_lines(coverage)[:-1])
    return svg.drawing(parts, HEIGHT, f"Accuracy by coverage. {said}")


def reliability_plot(found: Mapping[str, Any]) -> Markup:
    """Share of lines that came true by the probability that was stated: bins of equal size."""
    lowest = min((value for row in found["bins"] for value in row[:2]), default=0.0)
    low = min(0.9, max(0.0, lowest - 0.02))
    across, up = Scale(low, 1.0, LEFT, RIGHT), Scale(low, 1.0, FOOT, TOP)
    largest = max((size for _, _, size in found["bins"]), default=1)
    parts = [
        *svg.axis_y(up, LEFT, RIGHT, _whole_percent),
        *svg.axis_x(across, FOOT, "stated probability of a line, %", _whole_percent),
        svg.line(across(low), up(low), RIGHT, TOP, stroke=svg.FAINT, stroke_dasharray="5 4"),
        svg.words(LEFT, 16.0, "right among these, %", font_weight="bold"),
    ]
    for stated, true, size in found["bins"]:
        radius = 3.0 + 4.0 * size / largest
        place = {"cx": across(stated), "cy": up(true), "r": radius}
        parts.append(svg.element("circle", **place, fill=svg.BLUE, fill_opacity=0.7))
    said = "; ".join(
        f"stated {100 * stated:.1f} %, came true {100 * true:.1f} %"
        for stated, true, _ in found["bins"]
    )
    return svg.drawing(parts, HEIGHT, f"Reliability of stated probabilities. {said}")


def threshold_plot(curve: Sequence[Sequence[float]], chosen: float) -> Markup:
    """Plot cAcc and ACD by threshold, on the images that the threshold was chosen on."""
    across, up = Scale(0.0, 1.0, LEFT, RIGHT - 30), Scale(0.0, 1.0, FOOT, TOP)
    at_choice = min(curve, key=lambda point: abs(point[0] - chosen))
    # Very low thresholds count everything: their ACD would press the rest of the line flat.
    most = min(max(point[2] for point in curve), 4 * at_choice[2] + 2) or 1.0
    wrong = Scale(0.0, most, FOOT, TOP)
    x = across(chosen)
    parts = [
        *svg.axis_y(up, LEFT, RIGHT - 30, _whole_percent, colour=svg.BLUE),
        *svg.axis_y(wrong, RIGHT - 30, 0, lambda value: f"{value:g}", colour=svg.ORANGE),
        *svg.axis_x(across, FOOT, "score from which a box counts", lambda value: f"{value:g}"),
        svg.line(x, TOP, x, FOOT, stroke=svg.INK, stroke_dasharray="4 4"),
        svg.path([(across(t), wrong(acd)) for t, _, acd in curve], stroke=svg.ORANGE),
        svg.path([(across(t), up(c_acc)) for t, c_acc, _ in curve]),
        svg.words(LEFT, 16.0, wording.metric_title("cAcc"), fill=svg.BLUE, font_weight="bold"),
        svg.words(RIGHT, 16.0, "ACD", fill=svg.ORANGE, font_weight="bold", text_anchor="end"),
        svg.words(x, 16.0, f"chosen {chosen:.2f}", text_anchor="middle"),
    ]
    return svg.drawing(
        parts,
        HEIGHT,
        f"cAcc and ACD by threshold. The chosen threshold {chosen:.2f} had cAcc "
        f"{wording.metric('cAcc', at_choice[1])} % and ACD {wording.metric('ACD', at_choice[2])} "
        "where it was chosen.",
    )


def look_alikes_plot(block: Mapping[str, Any]) -> Markup:
    """Heat map of SKUs taken for each other: rows what it was, columns what it was read as."""
    skus, times = block["skus"], block["times"]
    count = len(skus)
    cell = min(26.0, (svg.WIDTH - 190.0) / max(count, 1))
    left, top = svg.WIDTH - cell * count - 4, 24.0
    size = max(8.0, min(12.0, cell * 0.72))
    most = max((number for row in times for number in row), default=0) or 1
    parts = [svg.words(0.0, 12.0, "it was ... / read as number", fill=svg.FAINT, font_size=12)]
    for row, name in enumerate(skus):
        y = top + cell * row
        middle = y + cell / 2 + size / 3
        parts.append(_label(left, middle, f"{_short(str(name))} · {row + 1}", size))
        across = left + cell * (row + 0.5)
        head = {"font_size": min(size, cell * 0.55), "text_anchor": "middle"}
        parts.append(svg.words(across, top - 5, row + 1, **head))
        for column in range(count):
            x = left + cell * column
            number = times[row][column]
            shade = 0.0 if number == 0 else 0.25 + 0.75 * number / most
            parts.append(_cell(x, y, cell, shade, same=row == column))
            if number:
                ink = "#ffffff" if shade > 0.6 else svg.INK
                style = {"font_size": size, "fill": ink, "text_anchor": "middle"}
                parts.append(svg.words(x + cell / 2, middle, number, **style))
    said = "; ".join(
        f"{skus[row]} read as {skus[column]} {number} times"
        for row in range(count)
        for column, number in enumerate(times[row])
        if number
    )
    return svg.drawing(parts, top + cell * count + 6, f"SKUs taken for each other. {said}")


def _cell(x: float, y: float, size: float, shade: float, *, same: bool) -> Markup:
    fill = "#eceeef" if same else "#ffffff" if shade == 0 else svg.RED
    opacity = 1.0 if shade == 0 else shade
    place = {"x": x, "y": y, "width": size, "height": size}
    return svg.element("rect", **place, fill=fill, fill_opacity=opacity, stroke=svg.LINE)


def _label(x: float, y: float, text: str, size: float) -> Markup:
    return svg.words(x - 5, y, text, font_size=size, text_anchor="end")


def _bar(x: float, y: float, width: float, height: float, colour: tuple[int, int, int]) -> Markup:
    place = {"x": x, "y": y, "width": width, "height": max(height, 0.0)}
    return svg.element("rect", **place, fill=f"rgb{colour}")


def _legend(entries: Sequence[tuple[str, tuple[int, int, int]]], more: str) -> list[Markup]:
    parts = []
    for number, (text, colour) in enumerate(entries):
        x = 130.0 * number
        parts += [_bar(x, 5.0, 12.0, 12.0, colour), svg.words(x + 17, 16.0, text)]
    return [*parts, svg.words(RIGHT, 16.0, more, text_anchor="end", fill=svg.FAINT)]


def _short(name: str) -> str:
    return name if len(name) <= NAME_LENGTH else name[: NAME_LENGTH - 1] + "…"


def _whole_percent(share: float) -> str:
    return f"{100 * share:.0f}"
