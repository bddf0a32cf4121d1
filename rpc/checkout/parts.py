"""Parts of a counter out of what a file holds: the rule, doubt, second looks, a gallery's names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from rpc.checkout.counter import Checkout
from rpc.checkout.pictures import gallery_picture_looks, picture_looks
from rpc.checkout.words import reading_classifier, words_of_gallery
from rpc.counting import CountingRule
from rpc.counting.doubt.doubt import Doubt
from rpc.data.files import DataError
from rpc.features.local.sku_pictures import SkuPictures
from rpc.features.text.sku_words import SkuWords
from rpc.recognition.box_classifier import BoxClassifier
from rpc.recognition.ensemble.gallery_classifier import GalleryClassifier
from rpc.recognition.second_look import SecondLook
from rpc.retrieval.gallery.gallery import DescribesPictures, Gallery

T = TypeVar("T")


@dataclass(frozen=True)
class SecondLooks:
    """Which second looks a counter has at items whose name is in doubt, where it can.

    Attributes:
        words: it reads them, see docs/words.md.
        pictures: it compares them with exemplar pictures, see docs/pictures.md.
    """

    words: bool = False
    pictures: bool = False


def looking_again(
    counter: Checkout,
    looks: SecondLooks,
    words: Sequence[SkuWords] | None,
    pictures: Sequence[SkuPictures] | None,
) -> Checkout:
    """The counter with the second looks that something was kept for."""
    compares = picture_looks(pictures) if looks.pictures else []
    return _reading(counter, words if looks.words else None, compares)


def naming_by_gallery(
    counter: Checkout,
    folder: str | Path,
    describe: DescribesPictures,
    looks: SecondLooks,
    *,
    fusion: bool = False,
) -> Checkout:
    """The counter, whose items a gallery names; its rule and doubt are the gallery's, where chosen.

    Args:
        counter: finds items, and names those of its own SKUs where a fusion is asked for.
        folder: the gallery.
        describe: makes descriptors as the gallery was made.
        looks: second looks at items whose name is in doubt.
        fusion: ask the counter's own recogniser as well, as was chosen for this gallery.

    Raises:
        DataError: the gallery is missing, damaged, empty or of another recipe, or the counter has
            no recogniser to ask.
    """
    gallery = Gallery.open(folder, describe.recipe)
    recogniser = counter.recogniser if fusion else None
    if fusion and recogniser is None:
        raise DataError(f"{counter.name}: has no recogniser to ask; leave fusion out")
    names = counter.taxonomy.names
    classifier = GalleryClassifier(gallery, describe, recogniser=recogniser, recogniser_names=names)
    settings = gallery.state.settings
    source = (settings.get("fusion") or {}) if fusion else settings
    chosen = source.get("counting")
    # Doubt belongs to the rule that it was learnt with.
    named = replace(
        counter,
        taxonomy=classifier.taxonomy,
        recogniser=classifier,
        rule=counter.rule if chosen is None else rule_of(chosen, folder),
        doubt=None if chosen is None else doubt_of(source.get("doubt"), folder),
    )
    skus = classifier.taxonomy.names
    known = words_of_gallery(gallery.state, skus) if looks.words else None
    compares = gallery_picture_looks(Path(folder), gallery.state, skus) if looks.pictures else []
    return _reading(named, known, compares)


def doubt_of(values: Mapping[str, Any] | None, path: str | Path) -> Doubt | None:
    """The doubt that the file at `path` holds: where its counter is not sure.

    Raises:
        DataError: it is damaged.
    """
    return _read(Doubt.from_dict, values, path)


def rule_of(values: Mapping[str, Any] | None, path: str | Path) -> CountingRule | None:
    """The counting rule that the file at `path` holds.

    Raises:
        DataError: it is damaged.
    """
    return _read(CountingRule.from_dict, values, path)


def _read(
    from_dict: Callable[[Mapping[str, Any]], T], values: Mapping[str, Any] | None, path: str | Path
) -> T | None:
    try:
        return None if values is None else from_dict(values)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def _reading(
    counter: Checkout, words: Sequence[SkuWords] | None, before: Sequence[SecondLook] = ()
) -> Checkout:
    """The counter, which looks again at what it doubts: `before`, then by words where known."""
    if counter.recogniser is None:
        return counter
    own: BoxClassifier = counter.recogniser
    reads, note = reading_classifier(own, counter.taxonomy.names, words, before)
    return replace(counter, recogniser=reads, notes=(*counter.notes, *([note] if note else [])))
