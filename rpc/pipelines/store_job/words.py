"""The main job's words: what is on the packs, read on exemplars and kept in the model file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rpc.data.store import Store
from rpc.detection.model_file import load_model, write_model
from rpc.features.text.installed import missing_reader
from rpc.features.text.pack_reader import PackReader
from rpc.features.text.sku_words import SkuWords, words_of_texts
from rpc.pipelines.store_job.job import Job, Step
from rpc.retrieval.gallery.exemplar_photos import READ, ExemplarPhoto, spread
from rpc.runs.progress import bar
from rpc.runs.screen import say
from rpc.structures.readings import ReadsPacks

STEP: Final = "words"


def words_steps(job: Job) -> list[Step]:
    """The step of this part; none where nothing is named or nobody wants words."""
    return [(STEP, lambda: _read(job))] if job.words and job.names_crops else []


def read_exemplars(store: Store, read: ReadsPacks, most: int = READ) -> list[SkuWords]:
    """Read the exemplars of each SKU: their words, by label.

    Args:
        store: where the exemplars and their boxes are.
        read: the reader.
        most: photos of a SKU that are read, spread over cameras and views.

    Raises:
        DataError: a photo is missing or damaged.
    """
    chosen = spread(store.exemplars(), most)
    words: list[SkuWords] = []
    with bar("reading packs") as progress:
        for category in store.taxonomy.categories:
            photos = chosen.get(category.id, [])
            crops = (ExemplarPhoto(e.path, e.box, size=e.size).crop() for e in photos)
            words.append(words_of_texts(map(read, crops)))
            progress(len(words), len(store.taxonomy))
    return words


def told(words: Sequence[SkuWords]) -> str:
    """A line about what was read."""
    legible = sum(bool(one.readings) for one in words)
    photos, codes = sum(one.photos for one in words), sum(len(one.codes) for one in words)
    return f"words on {legible} of {len(words)} SKUs, {codes} barcodes; {photos} photos read"


def _read(job: Job) -> None:
    if note := missing_reader():
        say(note)
        return
    words = read_exemplars(job.store, PackReader())
    say(told(words))
    write_model(job.model, load_model(job.model).with_words(words))
