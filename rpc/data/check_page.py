"""The one page that tells a person what a store holds and what is wrong with it."""

from __future__ import annotations

from collections.abc import Sequence

from rpc.data.by_kind import told_by_kind
from rpc.data.check import SplitCheck, StoreCheck
from rpc.data.dataset import Problem
from rpc.data.plain_text import plain_text


def check_page(check: StoreCheck, most: int = 20) -> str:
    """The page as plain text.

    Args:
        check: what was found.
        most: how many kinds of problems, and of notes, are printed before they are only counted.
    """
    lines = [f"{plain_text(check.root)}: {check.skus} SKUs", ""]
    lines += [_split_line(split) for split in check.splits]
    if check.cameras:
        shots = ", ".join(f"{camera}: {number}" for camera, number in check.cameras.items())
        lines.append(f"  exemplars by camera  {shots}")
    licences = sorted({split.licence for split in check.splits if split.licence})
    lines += [f"  licence  {plain_text('; '.join(licences)) or 'not stated'}", ""]
    lines += _listing("notes", check.notes, most)
    lines += _listing("PROBLEMS", check.problems, most)
    lines.append("usable" if check.usable else "NOT usable: solve the problems above")
    return "\n".join(lines)


def _split_line(split: SplitCheck) -> str:
    levels = ", ".join(f"{level} {number}" for level, number in split.levels.items())
    return (
        f"  {split.name:<5} {split.images:>7} images {split.annotations:>8} annotations "
        f"{split.skus:>4} SKUs{'  ' if levels else ''}{levels}"
    )


def _listing(title: str, entries: Sequence[Problem], most: int) -> list[str]:
    if not entries:
        return []
    told = told_by_kind(entries)
    lines = [f"{title} ({len(entries):,})", *(f"  - {plain_text(line)}" for line in told[:most])]
    if len(told) > most:
        lines.append(f"  ... and {len(told) - most} kinds more: --json FILE lists every entry")
    return [*lines, ""]
