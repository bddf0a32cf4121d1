"""Features of a trained recogniser on a gallery's own pictures, as a part of their descriptors.

A recogniser that was trained on a store sees what tells its products apart better than a descriptor
that never saw it. It cannot name a product that came later, but its features tell that product's
crops from others', too. They are joined to the descriptor, each of unit length; the rest is as for
any descriptor. docs/gallery.md says what that is worth.

The features of exemplars are kept in a hidden file beside the gallery, one for each recogniser; it
may be removed at any time.

Key: M embeddings, N crops, D dimensions of a descriptor, F of the features, V embeddings of one
photo, which are its turns evenly over the circle.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError, write_bytes
from rpc.data.images import read_image
from rpc.recognition.box_classifier import SeesPictures
from rpc.retrieval.descriptors.rotation import rotated
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_files import PICTURES
from rpc.retrieval.gallery.index import build_index
from rpc.runs.array_files import read_arrays

FloatArray = NDArray[np.floating[Any]]
Features = NDArray[np.float16]
SHARE: Final = 0.4  # of a similarity that comes from features: 0.2 to 0.5 do alike
LEAST: Final = 1e-12  # length: shorter vectors tell nothing
FILL: Final = 127  # grey around a picture that is turned, as around crops


def joined_embeddings(
    embeddings: FloatArray, features: FloatArray, share: float = SHARE
) -> NDArray[np.float64]:
    """Descriptors (N, D) and features (N, F), one behind the other; rows of zeros tell nothing."""
    parts = [np.sqrt(1 - share) * _unit(embeddings), np.sqrt(share) * _unit(features)]
    return np.concatenate(parts, axis=1)


def gallery_with_features(
    gallery: Gallery, recogniser: SeesPictures, share: float = SHARE
) -> Gallery:
    """The gallery in memory, its descriptors joined by features; nothing of it changes on disk."""
    features = _features(gallery, recogniser)
    embeddings = _unit(joined_embeddings(gallery.embeddings, features, share)).astype(np.float16)
    state = replace(gallery.state, dimension=embeddings.shape[1])
    index = build_index("exact", embeddings)
    return replace(gallery, state=state, embeddings=embeddings, index=index)


def _features(gallery: Gallery, recogniser: SeesPictures) -> Features:
    """Features (M, F) to the picture of each embedding; zeros where it has no picture."""
    probe = recogniser.features([_probe()])
    # Two runtimes of one network differ in the last bits.
    digest = hashlib.sha256(np.round(probe, 2).tobytes()).hexdigest()[:16]
    path = gallery.folder / f".features-{digest}.npz"
    width = probe.shape[1]
    kept = _read(path, width)
    used: dict[str, Features] = {}
    found = np.zeros((len(gallery.embeddings), width), np.float16)
    for number, rows in enumerate(_rows_by_photo(gallery)):
        name = gallery.photos[number].picture
        key = f"{name}/{len(rows)}"
        if name and len(rows):
            picture = gallery.folder / PICTURES / name
            block = kept[key] if key in kept else _asked(recogniser, picture, len(rows))
            if block is not None:
                found[rows] = used[key] = block
    if used.keys() - kept.keys():
        _write(path, used)
    return found


def _asked(recogniser: SeesPictures, path: Path, turns: int) -> Features | None:
    """Features (V, F) to so many turns of a picture; None where somebody removed it."""
    if not path.is_file():
        return None
    picture = read_image(path)
    views = [rotated(picture, 360 * n / turns, FILL) for n in range(turns)]
    return recogniser.features(views).astype(np.float16)


def _rows_by_photo(gallery: Gallery) -> list[NDArray[np.int64]]:
    """The embeddings of each photo, in their order."""
    order = np.argsort(gallery.photo_of, kind="stable")
    ends = np.searchsorted(gallery.photo_of[order], np.arange(len(gallery.photos) + 1))
    return [order[start:stop] for start, stop in pairwise(ends)]


def _probe() -> NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (96, 96, 3), dtype=np.uint8)


def _read(path: Path, width: int) -> dict[str, Features]:
    """Features by picture and number of turns; none where the file is missing or damaged."""
    try:
        blocks = read_arrays(path)
        fits = all(
            block.dtype == np.float16
            and block.shape == (int(name.rpartition("/")[2]), width)
            and np.isfinite(block).all()
            for name, block in blocks.items()
        )
    except (OSError, ValueError):
        return {}
    return blocks if fits else {}


def _write(path: Path, blocks: Mapping[str, Features]) -> None:
    """Keep features for the next time, where the folder can be written."""
    content = io.BytesIO()
    arrays: dict[str, Any] = dict(blocks)
    np.savez(content, **arrays)
    with suppress(DataError):
        write_bytes(path, content.getvalue())


def _unit(rows: FloatArray) -> NDArray[np.float64]:
    """Rows (N, D) of unit length; a row of zeros stays one."""
    array = np.asarray(rows, np.float64)
    return np.asarray(array / np.maximum(np.linalg.norm(array, axis=1, keepdims=True), LEAST))
