"""Words on packs at a counter: a second look at items whose name is in doubt.

They are never needed: without the extra `words`, or where nothing was read on the exemplars, the
counter counts as it did without.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from rpc.data.parallel import available_cores
from rpc.features.text.installed import missing_reader
from rpc.features.text.pack_reader import PackReader, check_networks
from rpc.features.text.sku_words import SkuWords, words_of_texts
from rpc.recognition.box_classifier import BoxClassifier
from rpc.recognition.second_look import LooksAgain, SecondLook
from rpc.recognition.word_look import WordLook
from rpc.retrieval.gallery.gallery_state import GalleryState
from rpc.structures.readings import PackText, Rgb


def reading_classifier(
    classifier: BoxClassifier,
    names: Sequence[str],
    words: Sequence[SkuWords] | None,
    before: Sequence[SecondLook] = (),
) -> tuple[BoxClassifier, str]:
    """The classifier, which also reads items that it is not sure of; and a note where it cannot.

    Args:
        classifier: names items.
        names: of its SKUs, by label.
        words: of each; None where nobody read the exemplars.
        before: other looks at items whose name is in doubt; only what they leave is read.

    Returns:
        The classifier itself where nobody looks again; and, with a line that says so, where the
        extra `words` is not installed.
    """
    reads, note = second_looks(names, words)
    looks = [*before, *reads]
    return (LooksAgain(classifier, looks) if looks else classifier), note


def second_looks(
    names: Sequence[str], words: Sequence[SkuWords] | None
) -> tuple[list[SecondLook], str]:
    """The looks at items whose name is in doubt, and a note where one cannot be had.

    Args:
        names: of the SKUs, by label.
        words: of each; None where nobody read the exemplars.
    """
    if words is None or not any(one.photos for one in words):
        return [], ""
    if note := missing_reader():
        return [], note
    check_networks()  # now, not at the first doubtful item
    return [WordLook(read_pack, names, words)], ""


def words_of_gallery(state: GalleryState, names: Sequence[str]) -> list[SkuWords]:
    """The words that a gallery kept of each SKU, in the order of `names`."""
    by_name = {sku.name: sku for sku in state.skus}
    return [
        words_of_texts(PackText(one.readings, one.codes) for one in by_name[name].words)
        for name in names
    ]


def read_pack(picture: Rgb) -> PackText:
    """Text and barcodes on a pack (H, W, 3) uint8 RGB."""
    return shared_reader()(picture)


@cache
def shared_reader() -> PackReader:
    """The process's one reader: its networks take a second to load, so when they are first asked.

    One item is read at a time, so all cores may help.
    """
    return PackReader(threads=available_cores())
