"""All that decides scene i: cut-outs, empty trays, settings and a seed; opened once a process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import cv2

from rpc.data.cutouts import FILE_NAME, CutoutSet
from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from synth.compose.backgrounds import Backgrounds
from synth.compose.config import SceneConfig
from synth.compose.library import CutoutLibrary
from synth.compose.scene import Scene, compose_scene

RECIPE: Final = 1  # raise it when the same settings give other pixels or places than before


@dataclass(frozen=True)
class SceneSources:
    """A set of scenes without its number; small, and sent to whoever composes.

    Attributes:
        cutouts: folder with `cutouts.json`.
        config: what scenes look like.
        seed: names the set.
        taxonomy: SKUs of the set; None for those that the cut-outs name.
        background_dir: photos of empty trays; None for plain trays.
        plain: fraction of plain trays where there are photos.
    """

    cutouts: Path
    config: SceneConfig
    seed: int = 0
    taxonomy: Taxonomy | None = None
    background_dir: Path | None = None
    plain: float = 0.3

    def compose(self, index: int) -> Scene:
        """Scene `index`, by one thread.

        Raises:
            DataError: a cut-out or background is damaged.
        """
        library, backgrounds = open_sources(self)
        with one_cv2_thread():
            return compose_scene(
                library, seed=self.seed, index=index, config=self.config, background=backgrounds
            )

    def settings(self, cutouts: CutoutSet, backgrounds: Backgrounds) -> dict[str, Any]:
        """All that decides what scene i looks like; not how many there are or who makes them.

        Raises:
            DataError: a file cannot be read.
        """
        files = sorted(cutouts.path(cutout) for cutout in cutouts.kept())
        return {
            "recipe": RECIPE,
            "seed": self.seed,
            # Through JSON, so that it compares equal to what is read back (tuples become lists).
            "config": json.loads(json.dumps(self.config.to_dict())),
            "skus": None if self.taxonomy is None else list(self.taxonomy.ids),
            "cutouts": _digest([self.cutouts / FILE_NAME], files),
            "backgrounds": _digest([], backgrounds.photos),
            "plain": backgrounds.plain,
        }


@lru_cache(maxsize=2)  # a store's products, and foreign ones beside them
def open_sources(sources: SceneSources) -> tuple[CutoutLibrary, Backgrounds]:
    """The library and backgrounds, opened once a process.

    Raises:
        DataError: they are missing or damaged, or a SKU has no cut-out that is kept.
    """
    library = CutoutLibrary.open(sources.cutouts, taxonomy=sources.taxonomy)
    return library, Backgrounds.from_folder(sources.background_dir, sources.plain)


@contextmanager
def one_cv2_thread() -> Iterator[None]:
    """Let OpenCV use one thread in the block: workers share the cores among themselves."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        cv2.setNumThreads(before)


def _digest(whole: Iterable[Path], by_size: Iterable[Path]) -> str:
    """Hash of some files' content and of the names and sizes of others (there may be 50,000)."""
    digest = hashlib.sha256()
    for path in whole:
        digest.update(path.read_bytes())
    for path in by_size:
        try:
            size = path.stat().st_size
        except OSError as error:
            raise DataError(f"{path}: cannot be read: {error.strerror}") from error
        digest.update(f"{path.parent.name}/{path.name}:{size}\n".encode())
    return digest.hexdigest()[:16]
