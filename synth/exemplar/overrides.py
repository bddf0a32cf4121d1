"""Masks and decisions by hand: the folder `overrides/` beside `cutouts.json`.

`overrides/<name of the PNG>.png`, of the photo's size, replaces a mask: white (or opaque, if it has
an alpha channel) is the product. Where PNGs of several SKUs have one name, it is
`overrides/<folder of the SKU>/<name of the PNG>.png`. `overrides/drop.txt` lists cut-outs that are
not to be used, one a line: the PNG's name as `cutouts.json` has it, or its photo's name; `#` begins
a comment.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from rpc.data.files import DataError
from rpc.data.images import read_rgba
from synth.exemplar.mask_shape import BoolMask

FOLDER = "overrides"
DROP_LIST = "drop.txt"


@dataclass(frozen=True)
class Overrides:
    """The decisions made by hand.

    Attributes:
        masks: mask files by name without `.png`, with the SKU's folder where they lie in one.
        dropped: names in the drop list.
        path: of the drop list.
    """

    masks: dict[str, Path]
    dropped: frozenset[str]
    path: Path

    @classmethod
    def read(cls, folder: Path) -> Overrides:
        """The overrides of a cut-out folder; none if it has no folder `overrides`.

        Raises:
            DataError: the drop list cannot be read.
        """
        root = folder / FOLDER
        masks = {_name(p.relative_to(root).as_posix()): p for p in sorted(root.rglob("*.png"))}
        path = root / DROP_LIST
        try:
            text = path.read_text(encoding="utf-8-sig") if path.is_file() else ""
        except (OSError, UnicodeDecodeError) as error:
            raise DataError(f"{path}: cannot be read as UTF-8 text: {error}") from error
        names = (line.partition("#")[0].strip() for line in text.splitlines())
        return cls(masks, frozenset(name for name in names if name), path)

    def mask_of(self, file: str) -> Path | None:
        """The mask made by hand for a cut-out's PNG; None if there is none."""
        name = _name(file)
        return self.masks.get(name, self.masks.get(PurePosixPath(name).name))

    def drops(self, file: str, source: str) -> bool:
        """Whether the drop list names a cut-out by its PNG or its photo."""
        return any(
            name in self.dropped
            for path in (file, source)
            for name in (path, PurePosixPath(path).name)
        )

    def check(self, known: dict[str, str]) -> None:
        """Refuse overrides that fit nothing: most likely a misspelt name.

        Args:
            known: photo name by PNG file of every cut-out of the store.

        Raises:
            DataError: a mask or a line of the drop list fits no cut-out, or a mask fits several.
        """
        fits: dict[str, list[str]] = {}
        for file in known:
            name = _name(file)
            for wanted in {name, PurePosixPath(name).name}:
                fits.setdefault(wanted, []).append(file)
        for name, path in self.masks.items():
            if name not in fits:
                raise DataError(f"{path}: no cut-out has this name; see cutouts.json for names")
            if len(fits[name]) > 1:
                raise DataError(
                    f"{path}: {len(fits[name])} cut-outs have this name; to say which is meant, "
                    f"move the mask to {path.parent / fits[name][0]}, or {fits[name][1]} beside it"
                )
        names = {
            n for pair in known.items() for n in (*pair, *(PurePosixPath(p).name for p in pair))
        }
        for name in sorted(self.dropped - names):
            raise DataError(f"{self.path}: {name!r:.80} is no cut-out or photo of this store")


def _name(file: str) -> str:
    """A PNG's path without its suffix, in the form in which names are compared."""
    return unicodedata.normalize("NFC", file.removesuffix(".png"))


def read_hand_mask(path: Path) -> BoolMask:
    """A mask (H, W) made by hand: by its alpha where it has any transparency, else by its light.

    Raises:
        DataError: not a readable image.
    """
    rgba = read_rgba(path)
    plane = rgba[..., 3] if rgba[..., 3].min() < 255 else rgba[..., :3].max(axis=2)
    return np.asarray(plane >= 128)


def file_stamp(path: Path) -> str:
    """A short hash of a file's content."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
