"""State of a gallery, as plain values: SKUs, their photos, and where their descriptors lie.

A state is never changed: each function gives the next one. Nothing here touches a file.

Key: M embeddings of D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from rpc.data.files import DataError
from rpc.structures.readings import Reading

FORMAT: Final = "rpc gallery"
VERSION: Final = 1
Recipe = Mapping[str, Any]  # plain JSON values; all that decides a descriptor, `name` among them


@dataclass(frozen=True)
class Photo:
    """Embeddings `start` to `stop` of a segment: those of one exemplar photo.

    Attributes:
        source: name of the photo file, for people; empty where there was none.
        segment: file name of the segment.
        start: first embedding.
        stop: one past the last embedding.
        picture: file name of the small picture of the product; empty where none was kept.
    """

    source: str
    segment: str
    start: int
    stop: int
    picture: str = ""


@dataclass(frozen=True)
class PhotoWords:
    """The words and barcodes of one exemplar photo.

    Attributes:
        source: name of the photo file; empty where there was none.
        readings: the pieces of text; none where nothing was legible.
        codes: barcodes, as 14 digits each (`rpc.structures.gtin`).
    """

    source: str
    readings: tuple[Reading, ...] = ()
    codes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sku:
    """One product.

    Attributes:
        name: unique in the gallery.
        category_id: its id in COCO files.
        title: its name for people.
        photos: its exemplars.
        words: what was read on some of them; empty where nobody read.
    """

    name: str
    category_id: int
    title: str = ""
    photos: tuple[Photo, ...] = ()
    words: tuple[PhotoWords, ...] = ()

    @property
    def count(self) -> int:
        """How many embeddings it has."""
        return sum(photo.stop - photo.start for photo in self.photos)


@dataclass(frozen=True)
class Segment:
    """A file of embeddings, never changed once it is written.

    Attributes:
        file: its name.
        count: M.
        crc32: checksum of the file.
    """

    file: str
    count: int
    crc32: int


@dataclass(frozen=True)
class StoredIndex:
    """A search index on disk.

    Attributes:
        kind: `hnsw` or `ivf`.
        file: its name.
        crc32: checksum of the file.
        segments: whose embeddings it holds, in this order.
    """

    kind: str
    file: str
    crc32: int
    segments: tuple[str, ...]


@dataclass(frozen=True)
class GalleryState:
    """A gallery at one moment.

    Attributes:
        recipe: of the descriptors.
        dimension: D.
        skus: by name.
        segments: in the order in which they were written.
        generation: grows by one with every write.
        settings: what was chosen on validation, by name (`open_set`, `fusion`), as plain values.
        index: the search index on disk, where one was built.
    """

    recipe: Recipe
    dimension: int
    skus: tuple[Sku, ...] = ()
    segments: tuple[Segment, ...] = ()
    generation: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)
    index: StoredIndex | None = None

    def sku(self, name: str) -> Sku:
        """The SKU of this name.

        Raises:
            DataError: there is none.
        """
        for sku in self.skus:
            if sku.name == name:
                return sku
        known = ", ".join(sku.name for sku in self.skus[:5])
        more = ", ..." if len(self.skus) > 5 else ""
        raise DataError(
            f"SKU {name!r:.80} is not in the gallery ({len(self.skus)} SKUs: {known}{more})"
        )

    @property
    def count(self) -> int:
        """How many embeddings are in use."""
        return sum(sku.count for sku in self.skus)


def with_photos(
    state: GalleryState,
    name: str,
    segment: Segment | None,
    photos: Sequence[Photo],
    *,
    title: str = "",
    category_id: int | None = None,
    words: Sequence[PhotoWords] = (),
) -> GalleryState:
    """The state with a new SKU, or with more photos of one that it knows.

    Args:
        state: before.
        name: of the SKU.
        segment: where the descriptors of its photos are; it may be known already.
        photos: one or more; none may change the title of a SKU that is there.
        title: name for people; of a known SKU it replaces the title where it is not empty.
        category_id: for COCO files; None takes the next free one, or that of the known SKU.
        words: what was read on photos, these or those that are there.

    Raises:
        DataError: no usable name, no photo, or a category id that another SKU has.
    """
    check_name(name)
    old = next((sku for sku in state.skus if sku.name == name), None)
    if not photos and old is None:
        raise DataError(f"SKU {name!r:.80}: expected at least one photo, got none")
    if old is None:
        number = _free_id(state) if category_id is None else category_id
        old = Sku(name, number, title)
    elif category_id is not None and category_id != old.category_id:
        raise DataError(
            f"SKU {name!r:.80} has the category id {old.category_id} here, not {category_id}; "
            "remove it first"
        )
    other = next((s for s in state.skus if s.category_id == old.category_id), old)
    if other.name != name:
        raise DataError(
            f"SKU {name!r:.80}: the category id {old.category_id} belongs to {other.name!r:.80}"
        )
    new = replace(
        old,
        title=title or old.title,
        photos=(*old.photos, *photos),
        words=(*old.words, *words),
    )
    others = [sku for sku in state.skus if sku.name != name]
    known = {one.file for one in state.segments}
    segments = state.segments
    if segment is not None and segment.file not in known:
        segments = (*segments, segment)
    return replace(state, skus=_sorted([*others, new]), segments=segments)


def without_sku(state: GalleryState, name: str) -> GalleryState:
    """The state without a SKU, and without the segments that nothing else needs.

    Raises:
        DataError: it is not there.
    """
    state.sku(name)
    skus = tuple(sku for sku in state.skus if sku.name != name)
    return without_idle_segments(replace(state, skus=skus))


def without_photos(state: GalleryState, photos: Mapping[str, Sequence[str]]) -> GalleryState:
    """The state without some photos, by SKU and source; a SKU that has no other goes too."""
    skus = []
    for sku in state.skus:
        gone = set(photos.get(sku.name, ()))
        kept = tuple(photo for photo in sku.photos if photo.source not in gone)
        words = tuple(one for one in sku.words if one.source not in gone)
        if kept:
            skus.append(replace(sku, photos=kept, words=words))
    return without_idle_segments(replace(state, skus=tuple(skus)))


def with_words(state: GalleryState, words: Mapping[str, Sequence[PhotoWords]]) -> GalleryState:
    """The state with what was read on photos, by SKU; photos that are not there are passed over."""
    skus = []
    for sku in state.skus:
        unread = {photo.source for photo in sku.photos} - {one.source for one in sku.words}
        new = tuple(one for one in words.get(sku.name, ()) if one.source in unread)
        skus.append(replace(sku, words=(*sku.words, *new)) if new else sku)
    return replace(state, skus=tuple(skus))


def without_idle_segments(state: GalleryState) -> GalleryState:
    """The state without segments that no photo uses and the stored index does not hold."""
    used = {photo.segment for sku in state.skus for photo in sku.photos}
    if state.index is not None:
        used |= set(state.index.segments)
    return replace(state, segments=tuple(one for one in state.segments if one.file in used))


def renamed(state: GalleryState, old: str, new: str, title: str | None = None) -> GalleryState:
    """The state with another name for a SKU; its id, photos and descriptors stay.

    Raises:
        DataError: no SKU is called `old`, or one is called `new` already.
    """
    sku = state.sku(old)
    check_name(new)
    if new != old and any(one.name == new for one in state.skus):
        raise DataError(f"SKU {new!r:.80} is in the gallery already; remove it first")
    others = [one for one in state.skus if one.name != old]
    fresh = replace(sku, name=new, title=sku.title if title is None else title)
    return replace(state, skus=_sorted([*others, fresh]))


def check_name(name: object) -> None:
    """Make sure that a SKU can be called so.

    Raises:
        DataError: empty, no text, longer than 200 characters, or with control characters.
    """
    if not isinstance(name, str) or not name.strip() or len(name) > 200 or not name.isprintable():
        raise DataError(f"SKU name: expected a line of 1 to 200 characters, got {name!r:.80}")


def surest_words(sku: Sku) -> tuple[str, ...]:
    """The texts on a SKU's photos, each once: those on most photos first, then the surest."""
    found: dict[str, list[float]] = {}
    for words in sku.words:
        for one in words.readings:
            found.setdefault(one.text, []).append(one.confidence)
    return tuple(sorted(found, key=lambda text: (-sum(found[text]), text)))


def _free_id(state: GalleryState) -> int:
    return max((sku.category_id for sku in state.skus), default=0) + 1


def _sorted(skus: Sequence[Sku]) -> tuple[Sku, ...]:
    """By name: the order of adding leaves no trace."""
    return tuple(sorted(skus, key=lambda sku: sku.name))
