"""The lists of CUB-200-2011: a number and a text a line."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rpc.data.files import DataError

CUB_FILES: Final = ("images.txt", "image_class_labels.txt", "train_test_split.txt", "classes.txt")


def numbered_lines(path: Path) -> dict[int, str]:
    """The lines `<number> <text>` of a list of CUB, by number.

    Raises:
        DataError: it is missing or not text, or a line is another or has a number once more.
    """
    if not path.is_file():
        needs = f"CUB-200-2011 needs {', '.join(CUB_FILES)} as they are published"
        if path.name not in CUB_FILES:
            needs = "other files here need it; take it from the download that they are from"
        raise DataError(f"{path}: missing; {needs}")
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text: {error}") from error
    found: dict[int, str] = {}
    for place, line in enumerate(lines, start=1):
        number, _, text = line.strip().partition(" ")
        if not line.strip():
            continue
        if not number.isdecimal() or not text.strip() or int(number) in found:
            raise DataError(
                f"{path}: line {place}: expected a number that is there once and a text after it, "
                f"got {line!r:.80}"
            )
        found[int(number)] = text.strip()
    return found
