"""Boxes and key points of CUB-200-2011, from the lists beside its `images.txt`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from rpc.data.class_sets.numbered_lines import numbered_lines
from rpc.data.files import DataError
from rpc.data.records import Box

BOXES: Final = "bounding_boxes.txt"
PARTS: Final = "parts/parts.txt"
PLACES: Final = "parts/part_locs.txt"

Points = tuple[tuple[float, float, float], ...]


def read_boxes(root: Path, images: Mapping[int, str]) -> dict[int, Box]:
    """x1, y1, x2, y2 px by image; empty where the file is not there.

    Raises:
        DataError: a line is no box, or the images are not those of `images.txt`.
    """
    path = root / BOXES
    if not path.exists():
        return {}
    boxes: dict[int, Box] = {}
    for image, text in numbered_lines(path).items():
        x, y, width, height = _numbers(path, f"image {image}", text.split(), 4)
        if width <= 0 or height <= 0:
            raise DataError(f"{path}: image {image}: a box of no size: {text}")
        boxes[image] = (x, y, x + width, y + height)
    if boxes.keys() != images.keys():
        odd = min(boxes.keys() ^ images.keys())
        raise DataError(f"{path}: does not list the images of images.txt: image {odd} differs")
    return boxes


def read_points(root: Path, images: Mapping[int, str]) -> tuple[tuple[str, ...], dict[int, Points]]:
    """Names of the P key points, and (x px, y px, 1 in sight or 0) of each by image.

    Both are empty where `part_locs.txt` is not there.

    Raises:
        DataError: a line is no key point, names an unknown image or part, or repeats one; or an
            image lacks a key point.
    """
    path = root / PLACES
    if not path.exists():
        return (), {}
    names = numbered_lines(root / PARTS)
    order = {part: place for place, part in enumerate(sorted(names))}
    found: dict[int, dict[int, tuple[float, float, float]]] = {image: {} for image in images}
    for number, line in enumerate(_lines(path), start=1):
        where = f"line {number}"
        image, part, x, y, seen = _numbers(path, where, line.split(), 5)
        if image not in found or part not in order:
            raise DataError(
                f"{path}: {where}: image {image:g}, part {part:g}: images.txt and {PARTS} do not "
                "list both; take all files from one download"
            )
        here = found[int(image)]
        if order[int(part)] in here:
            raise DataError(f"{path}: {where}: image {image:g} has part {part:g} once more")
        if seen not in (0, 1):
            raise DataError(f"{path}: {where}: expected 1 (in sight) or 0 at the end, got {seen:g}")
        here[order[int(part)]] = (x, y, seen)
    short = [image for image, here in found.items() if len(here) < len(order)]
    if short:
        raise DataError(
            f"{path}: image {short[0]} has {len(found[short[0]])} of {len(order)} key points "
            f"({len(short)} such images); take the file from a whole download"
        )
    points = {image: tuple(here[n] for n in range(len(order))) for image, here in found.items()}
    return tuple(names[part] for part in sorted(names)), points


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text: {error}") from error
    return [line for line in text.splitlines() if line.strip()]


def _numbers(path: Path, where: str, words: list[str], count: int) -> list[float]:
    try:
        numbers = [float(word) for word in words]
    except ValueError:
        numbers = []
    if len(numbers) != count or not all(map(math.isfinite, numbers)):
        raise DataError(f"{path}: {where}: expected {count} numbers, got {' '.join(words)!r:.80}")
    return numbers
