"""The table of a naming run, and its failures as a picture to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from rpc.pictures.framed import paste_framed
from rpc.pictures.lettering import Lettering
from rpc.pictures.palette import INK, MISSED, PAPER, RIGHT, Colour
from rpc.reporting.pages.markdown import markdown_text

Rgb = NDArray[np.uint8]
TILE: Final = 120  # px
GAP: Final = 6
BORDER: Final = 3
TEXT: Final = 12

Cell = tuple[Rgb, str, Colour | None]


def failure_sheet(lines: Sequence[Sequence[Cell]], columns: int = 2, tile: int = TILE) -> Rgb:
    """Lines of pictures with a caption and a colour each; `columns` lines side by side."""
    cells = max((len(line) for line in lines), default=1)
    wide, high = cells * (tile + GAP) + 3 * GAP, tile + TEXT + 2 * GAP
    rows = max(-(-len(lines) // columns), 1)
    sheet = Image.new("RGB", (columns * wide, rows * high + GAP), PAPER)
    lettering = Lettering()
    for number, line in enumerate(lines):
        left, top = GAP + number % columns * wide, GAP + number // columns * high
        for place, (picture, caption, colour) in enumerate(line):
            corner = (left + place * (tile + GAP), top)
            paste_framed(sheet, corner, picture, colour, tile=tile, border=BORDER)
            text = lettering.fit(lettering.plain(caption), TEXT - 2, tile)
            at = (corner[0], corner[1] + tile)
            ImageDraw.Draw(sheet).text(at, text, fill=INK, font=lettering.font(text, TEXT - 2))
    return np.asarray(sheet).copy()


def failures(
    queries: Sequence[Rgb],
    exemplars: Sequence[Rgb],
    photo_scores: NDArray[np.floating],
    truth: NDArray[np.integer],
    owner: NDArray[np.integer],
    names: Sequence[str],
) -> list[list[Cell]]:
    """A line for each query: it, the right exemplar (green), the first five SKUs' best photos.

    Args:
        queries: (N) crops.
        exemplars: (E) crops.
        photo_scores: (N, E).
        truth: (N,) the right SKU.
        owner: (E,) SKU of each exemplar.
        names: of the SKUs.
    """
    lines = []
    for row, picture in enumerate(queries):
        order = np.argsort(-photo_scores[row], kind="stable")
        own = next(int(photo) for photo in order if owner[photo] == truth[row])
        line: list[Cell] = [(picture, "query", None), (exemplars[own], names[truth[row]], RIGHT)]
        told: set[int] = set()
        for photo in order.tolist():
            sku = int(owner[photo])
            if sku not in told and len(told) < 5:
                told.add(sku)
                colour = RIGHT if sku == truth[row] else MISSED
                caption = f"{photo_scores[row, photo]:.2f} {names[sku]}"
                line.append((exemplars[photo], caption, colour))
        lines.append(line)
    return lines


def naming_text(report: Mapping[str, Any]) -> str:
    """The report as a page of Markdown."""
    lines = [
        "# Naming crops from exemplar photos",
        "",
        f"{markdown_text(report['store'])}: {report['exemplars']} exemplar photos of "
        f"{report['skus']} SKUs are the gallery, {report['queries']} crops of "
        f"{report['trays']} trays ({report['groups']} carts) the queries. Intervals: "
        "bootstrap over carts, 95 %; the last column compares on the same crops.",
        "",
        "| recipe | what | first, % | 95 % | top 5, % | 95 % | the default's lead, points |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in report["recipes"].items():
        low1, high1 = (100 * end for end in row["top1_interval"])
        low5, high5 = (100 * end for end in row["top5_interval"])
        lead = [f"{100 * part:+.1f}" for part in row.get("default_leads_by", ())]
        told = f"{lead[0]} ({lead[1]} to {lead[2]})" if lead else ""
        lines.append(
            f"| {name} | {row['what']} | {100 * row['top1']:.1f} | {low1:.1f} to {high1:.1f} "
            f"| {100 * row['top5']:.1f} | {low5:.1f} to {high5:.1f} | {told} |"
        )
        more = name
        for kind in ("words", "pictures"):
            if kind in row:
                share = 100 * row[kind]["legible"]
                more = f"{name} and {kind}"
                told = f"{kind} tell on {share:.0f} % of the crops; "
                lines.append(_further_line(more, told, row[kind]))
        if "both" in row:
            more = f"{name}, words and pictures"
            lines.append(_further_line(more, "", row["both"]))
        if "tray" in row:
            lines.append(_further_line(f"{more}, in the light of the tray", "", row["tray"]))
    return "\n".join(lines) + "\n"


def _further_line(name: str, what: str, row: Mapping[str, Any]) -> str:
    """A recipe's line with further evidence, and its lead over the recipe alone."""
    low1, high1 = (100 * end for end in row["top1_interval"])
    low5, high5 = (100 * end for end in row["top5_interval"])
    lead, low, high = (100 * part for part in row["lead"])
    return (
        f"| {name} | {what}lead over the recipe alone {lead:+.1f} ({low:+.1f} to {high:+.1f}) "
        f"| {100 * row['top1']:.1f} | {low1:.1f} to {high1:.1f} | {100 * row['top5']:.1f} "
        f"| {low5:.1f} to {high5:.1f} | |"
    )
