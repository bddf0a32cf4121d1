"""The pictures of sales on the disk: names of our own, deleted when they are old.

    DATA/pictures/2026-03-01/<24 digits>.jpg

No text of a request is ever part of a path: a picture is found by the name in its sale's row.
"""

from __future__ import annotations

import re
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from rpc.data.files import write_bytes
from rpc.data.images import encode_jpeg
from rpc.serving.photos.photo_input import Rgb

NAME: Final = re.compile(r"\d{4}-\d\d-\d\d/[0-9a-f]{24}\.jpg")
DAY: Final = re.compile(r"\d{4}-\d\d-\d\d")
QUALITY: Final = 90


class Pictures:
    """A folder of pictures.

    Args:
        folder: made when the first one is kept.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, rgb: Rgb, now: datetime) -> str:
        """Write a picture (H, W, 3); returns its name.

        Raises:
            DataError: it cannot be written.
        """
        name = f"{now:%Y-%m-%d}/{secrets.token_hex(12)}.jpg"
        write_bytes(self._folder / name, encode_jpeg(rgb, QUALITY))
        return name

    def read(self, name: str) -> bytes | None:
        """The bytes of a picture; None where it was deleted by age.

        Raises:
            ValueError: not a name that `keep` gives.
        """
        if not NAME.fullmatch(name):
            raise ValueError(f"picture: expected a name of ours, got {name!r:.80}")
        try:
            return (self._folder / name).read_bytes()
        except FileNotFoundError:
            return None

    def delete_older(self, now: datetime, days: int) -> int:
        """Delete the pictures of days that lie more than so many days back; returns how many.

        Only names that `keep` gives are touched, and no link is followed.
        """
        last = f"{now - timedelta(days=days):%Y-%m-%d}"
        deleted = 0
        for folder in self._folder.iterdir() if self._folder.is_dir() else ():
            old = DAY.fullmatch(folder.name) and folder.name < last
            if not old or folder.is_symlink() or not folder.is_dir():
                continue
            for path in folder.iterdir():
                if NAME.fullmatch(f"{folder.name}/{path.name}") and not path.is_symlink():
                    path.unlink(missing_ok=True)
                    deleted += 1
            if not any(folder.iterdir()):
                folder.rmdir()
        return deleted
