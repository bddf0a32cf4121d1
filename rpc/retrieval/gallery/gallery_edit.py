"""Changes of a gallery on disk: seconds each, whole or not at all, one process at a time.

Key: V embeddings of one photo, D dimensions.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.retrieval.gallery import gallery_files as files
from rpc.retrieval.gallery.gallery import Gallery, check_recipe, unit_embeddings
from rpc.retrieval.gallery.gallery_state import (
    GalleryState,
    Photo,
    Recipe,
    Segment,
    StoredIndex,
    check_name,
    renamed,
    with_photos,
    without_idle_segments,
    without_sku,
)
from rpc.retrieval.gallery.index import build_index, write_index

MANY: Final = 32  # small segments; then they become one
SMALL: Final = 8192  # embeddings of a small segment


@dataclass(frozen=True, eq=False)
class NewPhoto:
    """An exemplar photo on its way into a gallery.

    Attributes:
        embeddings: (V, D), V of one or more.
        source: name of the photo file, for people.
        picture: the product, cropped (H, W, 3); None keeps no picture.
    """

    embeddings: NDArray[np.floating]
    source: str = ""
    picture: NDArray[np.uint8] | None = None


@dataclass(frozen=True, eq=False)
class NewSku:
    """A SKU on its way into a gallery; of one that is there, the photos are added.

    Attributes:
        name: of the SKU.
        photos: one or more.
        title: name for people.
        category_id: for COCO files; None takes the next free one.
    """

    name: str
    photos: Sequence[NewPhoto]
    title: str = ""
    category_id: int | None = None


def create_gallery(folder: str | Path, recipe: Recipe, dimension: int) -> GalleryState:
    """Make an empty gallery, or find the one that is there.

    Args:
        folder: made where it is missing; one that holds other files is refused.
        recipe: of its descriptors, with a `name`.
        dimension: D.

    Raises:
        DataError: the folder holds something else, or a gallery of another recipe or dimension.
    """
    folder = Path(folder)
    if not isinstance(recipe.get("name"), str) or dimension < 1:
        raise ValueError(f"gallery: expected a recipe with a name and D >= 1, got {recipe!r:.80}")
    if not files.exists(folder):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            others = [path.name for path in folder.iterdir() if not path.name.startswith(".")]
        except OSError as error:
            raise DataError(f"{folder}: cannot be made: {error.strerror}") from error
        ours = {files.DESCRIPTORS, files.PICTURES, files.INDEXES}  # of a first change, killed
        if set(others) - ours:
            raise DataError(f"{folder}: holds other files ({min(others)}); choose an empty folder")
        with files.writing(folder):
            if not files.exists(folder):
                return files.write_state(folder, GalleryState(dict(recipe), dimension))
    state = files.read_state(folder)
    check_recipe(state, recipe, folder)
    if state.dimension != dimension:
        raise DataError(
            f"{folder}: its descriptors have {state.dimension} dimensions, not {dimension}"
        )
    return state


def add_skus(folder: str | Path, recipe: Recipe, skus: Sequence[NewSku]) -> GalleryState:
    """Put SKUs, or more photos of known ones, into a gallery; nothing else is computed anew.

    All of them go in with one change.

    Raises:
        DataError: a descriptor is zero or not finite, the recipe or dimension is another one, a
            name or category id is taken, or another process is changing the gallery.
    """
    folder = Path(folder)
    skus = [sku for sku in skus if sku.photos]
    if not skus:
        raise DataError(f"{folder}: no photo to add")
    files.read_state(folder)  # before the lock, which would be made where no gallery is
    with files.writing(folder):
        state = files.read_state(folder)
        check_recipe(state, recipe, folder)
        blocks = [
            _checked_embeddings(photo, sku.name, state.dimension)
            for sku in skus
            for photo in sku.photos
        ]
        for sku in skus:
            check_name(sku.name)
        segment = files.write_segment(folder, np.concatenate(blocks))
        start = 0
        for sku in skus:
            photos = []
            for new in sku.photos:
                stop = start + len(new.embeddings)
                picture = "" if new.picture is None else files.write_picture(folder, new.picture)
                photos.append(Photo(new.source, segment.file, start, stop, picture))
                start = stop
            state = with_photos(
                state, sku.name, segment, photos, title=sku.title, category_id=sku.category_id
            )
        return files.write_state(folder, _tidy(folder, state))


def remove_skus(folder: str | Path, names: Sequence[str]) -> GalleryState:
    """Take SKUs out of a gallery, all or none.

    Raises:
        DataError: one is not there, or another process is changing the gallery.
    """

    def without(state: GalleryState) -> GalleryState:
        for name in names:
            state = without_sku(state, name)
        return state

    return _change(folder, without)


def rename_sku(folder: str | Path, old: str, new: str, title: str | None = None) -> GalleryState:
    """Give a SKU another name; its id, photos and scores stay.

    Raises:
        DataError: `old` is not there, `new` is, or another process is changing the gallery.
    """
    return _change(folder, lambda state: renamed(state, old, new, title))


def set_setting(folder: str | Path, name: str, value: Mapping[str, Any] | None) -> GalleryState:
    """Keep what was chosen on validation, such as `open_set`, with the gallery; None forgets it.

    Raises:
        DataError: another process is changing the gallery.
    """

    def with_setting(state: GalleryState) -> GalleryState:
        others = {key: kept for key, kept in state.settings.items() if key != name}
        return replace(state, settings=others if value is None else {**others, name: dict(value)})

    return _change(folder, with_setting)


def store_index(folder: str | Path, kind: Literal["exact", "hnsw", "ivf"]) -> GalleryState:
    """Build a search index and keep it with the gallery; `exact` removes the one that is kept.

    Later changes are found as well: embeddings that came after it are added when the gallery is
    opened, embeddings that went are passed over. Build it anew when much has changed.

    Raises:
        DataError: the gallery is empty, or another process is changing it.
    """
    folder = Path(folder)
    files.read_state(folder)
    with files.writing(folder):
        state = replace(files.read_state(folder), index=None)
        if kind != "exact":
            if not state.skus:
                raise DataError(f"{folder}: the gallery is empty; add a SKU's photos first")
            state = _merged(folder, state, {segment.file for segment in state.segments})
            embeddings = Gallery.of_state(folder, state).embeddings
            part = write_index(folder / files.INDEXES / "new.faiss", build_index(kind, embeddings))
            name, crc32 = files.named_by_content(part)
            segments = tuple(segment.file for segment in state.segments)
            state = replace(state, index=StoredIndex(kind, name, crc32, segments))
        return files.write_state(folder, without_idle_segments(state))


def _change(folder: str | Path, change: Callable[[GalleryState], GalleryState]) -> GalleryState:
    folder = Path(folder)
    files.read_state(folder)
    with files.writing(folder):
        return files.write_state(folder, _tidy(folder, change(files.read_state(folder))))


def _checked_embeddings(photo: NewPhoto, sku: str, dimension: int) -> NDArray[np.float16]:
    """Unit embeddings (V, D) of a photo in half precision, checked."""
    what = f"SKU {sku!r:.80}, photo {photo.source!r:.80}" if photo.source else f"SKU {sku!r:.80}"
    try:
        unit = unit_embeddings(photo.embeddings, dimension, "descriptors")
    except ValueError as error:
        raise DataError(f"{what}: {error}") from error
    if len(unit) == 0:
        raise DataError(f"{what}: expected at least one descriptor, got none")
    return np.asarray(unit, dtype=np.float16)


def _tidy(folder: Path, state: GalleryState) -> GalleryState:
    """Join many small segments, and those that are mostly out of use, to one."""
    fixed = set(state.index.segments) if state.index is not None else set()
    used = dict.fromkeys((segment.file for segment in state.segments), 0)
    for sku in state.skus:
        for photo in sku.photos:
            used[photo.segment] += photo.stop - photo.start
    free = [segment for segment in state.segments if segment.file not in fixed]
    small = [segment.file for segment in free if segment.count < SMALL]
    chosen = {segment.file for segment in free if 2 * used[segment.file] < segment.count}
    if len(small) > MANY:
        chosen |= set(small)
    return _merged(folder, state, chosen) if chosen else state


def _merged(folder: Path, state: GalleryState, chosen: set[str]) -> GalleryState:
    """The embeddings in use of the `chosen` segments in one new segment, the others as they are."""
    blocks = {
        segment.file: files.read_segment(folder, segment, state.dimension)
        for segment in state.segments
        if segment.file in chosen
    }
    parts, skus, start = [], [], 0
    places = []
    for sku in state.skus:
        for photo in sku.photos:
            if photo.segment in chosen:
                parts.append(blocks[photo.segment][photo.start : photo.stop])
                places.append((start, start + photo.stop - photo.start))
                start = places[-1][1]
    if not parts:
        return without_idle_segments(state)
    segment = files.write_segment(folder, np.concatenate(parts))
    moved = iter(places)
    for sku in state.skus:
        photos = [_moved(p, segment, next(moved)) if p.segment in chosen else p for p in sku.photos]
        skus.append(replace(sku, photos=tuple(photos)))
    rest = tuple(one for one in state.segments if one.file not in {*chosen, segment.file})
    return replace(state, skus=tuple(skus), segments=(*rest, segment))


def _moved(photo: Photo, segment: Segment, place: tuple[int, int]) -> Photo:
    return replace(photo, segment=segment.file, start=place[0], stop=place[1])
