"""The lines of a list that a data set is published with."""

from __future__ import annotations

from pathlib import Path

from rpc.data.files import DataError


def list_lines(path: Path, needs: str) -> list[str]:
    """All lines of a list, empty ones too, without their ends.

    Args:
        path: the list.
        needs: what the data set wants, for the error: "VOC needs ... as they are published".

    Raises:
        DataError: it is missing or no text.
    """
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read; {needs}") from error
