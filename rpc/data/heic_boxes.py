"""Boxes of HEIC files that their decoder (pi-heif 1.4) takes on trust: damaged ones crash it."""

from __future__ import annotations

_START = 12  # bytes of an item's box before its number: size, name, version, flags


def is_sound_heic(data: bytes) -> bool:
    """Whether the kinds and names of a HEIC file's items are text, as the decoder expects."""
    at = data.find(b"infe")
    while at >= 0:
        start = at - 4
        size = int.from_bytes(data[max(start, 0) : at], "big")
        if (
            start >= 0
            and 0 < size <= len(data) - start
            and not _is_text(data[start : start + size])
        ):
            return False
        at = data.find(b"infe", at + 4)
    return True


def _is_text(box: bytes) -> bool:
    """Whether the item's kind is ASCII and what follows it is text."""
    if len(box) < _START + 8 or box[8] not in (2, 3):
        return False
    kind = _START + (4 if box[8] == 2 else 6)
    letters = box[kind : kind + 4]
    try:
        box[kind + 4 :].decode("utf-8")
    except UnicodeDecodeError:
        return False
    return len(letters) == 4 and all(32 <= letter < 127 for letter in letters)
