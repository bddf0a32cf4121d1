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
    PhotoWords,
    Recipe,
    Segment,
    StoredIndex,
    check_name,
    renamed,
    with_photos,
    with_words,
    without_idle_segments,
    without_photos,
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
        words: what was read on it; None where nobody read.
    """

    embeddings: NDArray[np.floating]
    source: str = ""
    picture: NDArray[np.uint8] | None = None
    words: PhotoWords | None = None


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
    """Put SKUs, or more photos of known ones, into a gallery: `add_photos`."""
    return add_photos(folder, recipe, skus)[0]


def add_photos(
    folder: str | Path, recipe: Recipe, skus: Sequence[NewSku]
) -> tuple[GalleryState, tuple[str, ...]]:
    """Put SKUs, or more photos of known ones, into a gallery; nothing else is computed anew.

    All of them go in with one change. A photo that its SKU has already, by its descriptors or by
    its name and picture, is left out: the same call again, after a kill too, changes nothing. If
    nobody read such a photo before, its words are kept now.

    Returns:
        The state, and the names of photos that were left out.

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
        for sku in skus:
            check_name(sku.name)
        fresh, known = _without_known(folder, state, skus)
        blocks = [one.block for photos in fresh for one in photos]
        segment = files.write_segment(folder, np.concatenate(blocks)) if blocks else None
        before, start = state, 0
        for sku, new in zip(skus, fresh, strict=True):
            photos = []
            for one in new:
                assert segment is not None
                stop = start + len(one.block)
                photos.append(Photo(one.source, segment.file, start, stop, one.picture))
                start = stop
            state = with_photos(
                state,
                sku.name,
                segment,
                photos,
                title=sku.title,
                category_id=sku.category_id,
                words=_new_words(state, sku, new),
            )
        if state == before:
            return state, known
        return files.write_state(folder, _tidy(folder, state)), known


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


def remove_photos(folder: str | Path, photos: Mapping[str, Sequence[str]]) -> GalleryState:
    """Take single photos out of a gallery; a SKU that has no other goes too.

    Args:
        folder: of the gallery.
        photos: names of photo files, by SKU; those that are not there are passed over.

    Raises:
        DataError: nothing would be left, or another process is changing it.
    """

    def without(state: GalleryState) -> GalleryState:
        state = without_photos(state, photos)
        if not state.skus:
            raise DataError(f"{folder}: these are its only photos; a gallery needs one")
        return state

    return _change(folder, without)


def keep_words(folder: str | Path, words: Mapping[str, Sequence[PhotoWords]]) -> GalleryState:
    """Keep what was read on photos of a gallery that nobody read before.

    Args:
        folder: of the gallery.
        words: by SKU; photos that are not there any more are passed over.

    Raises:
        DataError: another process is changing the gallery.
    """
    return _change(folder, lambda state: with_words(state, words))


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
    return set_settings(folder, {name: value})


def set_settings(
    folder: str | Path, values: Mapping[str, Mapping[str, Any] | None]
) -> GalleryState:
    """`set_setting` of several that belong together: all of them or none.

    Raises:
        DataError: another process is changing the gallery.
    """

    def with_settings(state: GalleryState) -> GalleryState:
        settings = {**state.settings, **values}
        kept = {name: dict(value) for name, value in settings.items() if value is not None}
        return replace(state, settings=kept)

    return _change(folder, with_settings)


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


@dataclass(frozen=True, eq=False)
class _Fresh:
    """A photo that the gallery lacks: its name, embeddings (V, D), picture file, and words."""

    source: str
    block: NDArray[np.float16]
    picture: str
    words: PhotoWords | None


def _new_words(state: GalleryState, sku: NewSku, fresh: Sequence[_Fresh]) -> list[PhotoWords]:
    """The words of photos that are new, and of known ones that nobody read before."""
    new = [one.words for one in fresh if one.words is not None]
    has = next((one for one in state.skus if one.name == sku.name), None)
    if has is not None:
        there = {photo.source for photo in has.photos} - {words.source for words in has.words}
        new += [
            one.words
            for one in sku.photos
            if one.words is not None and one.source in there and not _holds(new, one.words)
        ]
    return new


def _holds(some: Sequence[PhotoWords], words: PhotoWords) -> bool:
    return any(one is words for one in some)


def _without_known(
    folder: Path, state: GalleryState, skus: Sequence[NewSku]
) -> tuple[list[list[_Fresh]], tuple[str, ...]]:
    """The photos that are new, by SKU; and the names of others.

    Pictures are written.

    Raises:
        DataError: descriptors are zero, not finite or of another dimension; a file is damaged.
    """
    fresh: list[list[_Fresh]] = []
    known: list[str] = []
    segments = {segment.file: segment for segment in state.segments}
    checked = [
        [_checked_embeddings(photo, sku.name, state.dimension) for photo in sku.photos]
        for sku in skus
    ]
    seen: dict[str, tuple[set[bytes], set[tuple[str, str]]]] = {}
    for sku, blocks in zip(skus, checked, strict=True):
        if sku.name not in seen:
            has = next((one.photos for one in state.skus if one.name == sku.name), ())
            rows = {
                file: files.read_segment(folder, segments[file], state.dimension)
                for file in {photo.segment for photo in has}
            }
            seen[sku.name] = (
                {rows[photo.segment][photo.start : photo.stop].tobytes() for photo in has},
                {(photo.source, photo.picture) for photo in has if photo.source and photo.picture},
            )
        vectors, pictures = seen[sku.name]
        fresh.append([])
        for photo, block in zip(sku.photos, blocks, strict=True):
            picture = "" if photo.picture is None else files.write_picture(folder, photo.picture)
            if block.tobytes() in vectors or (photo.source, picture) in pictures:
                known.append(photo.source or sku.name)
                continue
            vectors.add(block.tobytes())
            fresh[-1].append(_Fresh(photo.source, block, picture, photo.words))
    return fresh, tuple(known)


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
