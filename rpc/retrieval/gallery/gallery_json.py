"""A gallery's state as JSON and back: each field is checked, as files come from anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rpc.data.files import DataError, path_problem
from rpc.retrieval.gallery.gallery_state import (
    FORMAT,
    VERSION,
    GalleryState,
    Photo,
    PhotoWords,
    Segment,
    Sku,
    StoredIndex,
    check_name,
)
from rpc.structures.gtin import gtin
from rpc.structures.readings import readings_from_json, readings_to_json


def to_json(state: GalleryState) -> dict[str, Any]:
    """Plain values; a photo is a list `[source, segment's number, start, stop, picture]`."""
    number = {segment.file: place for place, segment in enumerate(state.segments)}
    skus = []
    for sku in state.skus:
        photos = [[p.source, number[p.segment], p.start, p.stop, p.picture] for p in sku.photos]
        entry = {
            "name": sku.name,
            "category_id": sku.category_id,
            "title": sku.title,
            "photos": photos,
        }
        if sku.words:  # galleries from before words were kept have no such field either
            entry["words"] = [words_to_json(one) for one in sku.words]
        skus.append(entry)
    index = state.index
    return {
        "format": FORMAT,
        "version": VERSION,
        "generation": state.generation,
        "recipe": dict(state.recipe),
        "dimension": state.dimension,
        "settings": dict(state.settings),
        "segments": [[s.file, s.count, s.crc32] for s in state.segments],
        "index": None
        if index is None
        else [index.kind, index.file, index.crc32, list(index.segments)],
        "skus": skus,
    }


def from_json(values: Mapping[str, Any], path: object) -> GalleryState:
    """The state of `to_json`.

    Args:
        values: what was read.
        path: of the file, for messages.

    Raises:
        DataError: another format or version, or a field that is missing or wrong.
    """
    if values.get("format") != FORMAT:
        raise DataError(f"{path}: not a gallery; make one with rpc-checkout gallery add")
    if values.get("version") != VERSION:
        raise DataError(
            f"{path}: gallery version {values.get('version')!r:.40}, expected {VERSION}; "
            "add its photos to a new gallery"
        )
    try:
        segments = tuple(_segment(entry) for entry in values["segments"])
        index = None if values["index"] is None else _index(values["index"])
        state = GalleryState(
            recipe=_mapping(values["recipe"]),
            dimension=_number(values["dimension"], 1, 1_000_000),
            skus=tuple(_sku(entry, segments) for entry in values["skus"]),
            segments=segments,
            generation=_number(values["generation"]),
            settings=_settings(values["settings"]),
            index=index,
        )
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        message = f"{error} is missing" if isinstance(error, KeyError) else error
        raise DataError(f"{path}: damaged: {message}; restore it from a copy") from error
    indexed = () if index is None else index.segments
    for names in ([segment.file for segment in segments], indexed):
        if len(set(names)) < len(names):
            raise DataError(f"{path}: damaged: a file of descriptors is named twice")
    _refuse_twice([sku.name for sku in state.skus], path)
    _refuse_twice([sku.category_id for sku in state.skus], path)
    return state


def words_to_json(words: PhotoWords) -> list[Any]:
    """Plain values: `[photo's name, [[text, confidence], ...], [barcode, ...]]`."""
    return [words.source, readings_to_json(words.readings), list(words.codes)]


def words_from_json(entry: Any) -> PhotoWords:
    """The words of `words_to_json`.

    Raises:
        ValueError: it is something else.
    """
    if not isinstance(entry, list) or len(entry) != 3 or not isinstance(entry[0], str):
        raise ValueError(f"words: expected [photo, readings, codes], got {entry!r:.60}")
    source, readings, codes = entry
    if not isinstance(codes, list) or any(gtin(code) != code for code in codes):
        raise ValueError(f"words: expected a list of barcodes of 14 digits, got {codes!r:.60}")
    return PhotoWords(source, readings_from_json(readings), tuple(codes))


def _segment(entry: Any) -> Segment:
    file, count, crc32 = entry
    return Segment(_file(file), _number(count, 1), _number(crc32))


def _index(entry: Any) -> StoredIndex:
    kind, file, crc32, segments = entry
    if kind not in ("hnsw", "ivf"):
        raise ValueError(f"index of an unknown kind {kind!r:.40}")
    return StoredIndex(kind, _file(file), _number(crc32), tuple(_file(s) for s in segments))


def _sku(entry: Any, segments: tuple[Segment, ...]) -> Sku:
    name = entry["name"]
    check_name(name)
    photos = tuple(_photo(photo, segments) for photo in entry["photos"])
    if not photos:
        raise ValueError(f"SKU {name!r:.80} has no photo")
    words = entry.get("words", [])
    if not isinstance(words, list):
        raise ValueError(f"SKU {name!r:.80}: words: expected a list, got {words!r:.40}")
    return Sku(
        name,
        _number(entry["category_id"]),
        str(entry["title"]),
        photos,
        tuple(words_from_json(one) for one in words),
    )


def _photo(entry: Any, segments: tuple[Segment, ...]) -> Photo:
    source, place, start, stop, picture = entry
    segment = segments[_number(place)]
    if not 0 <= _number(start) < _number(stop) <= segment.count:
        raise ValueError(
            f"embeddings {start} to {stop} of {segment.file}, which has {segment.count}"
        )
    return Photo(str(source), segment.file, start, stop, _file(picture) if picture else "")


def _file(name: Any) -> str:
    if problem := path_problem(name):
        raise ValueError(problem)
    if "/" in name:
        raise ValueError(f"{name!r:.80}: expected the name of a file of the gallery, without '/'")
    return str(name)


def _number(value: Any, least: int = 0, most: int = 2**63 - 1) -> int:
    if type(value) is not int or not least <= value <= most:
        raise ValueError(f"expected an integer from {least} on, got {value!r:.40}")
    return value


def _settings(value: Any) -> Mapping[str, Any]:
    """Settings chosen on validation."""
    settings = _mapping(value)
    for name in {"open_set", "fusion", "counting", "doubt", "camera", "scatter"} & settings.keys():
        if not (name == "counting" and settings[name] is None):
            _mapping(settings[name])
    return settings


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"expected an object, got {value!r:.40}")
    return value


def _refuse_twice(values: list[Any], path: object) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise DataError(f"{path}: damaged: the SKU {value!r:.80} is there twice")
        seen.add(value)
