"""The main job's pictures: of each SKU's exemplars, kept in the model file."""

from __future__ import annotations

from typing import Final

from rpc.data.store import Store
from rpc.detection.model_file import load_model, write_model
from rpc.features.local.sku_pictures import SkuPictures, pack_pictures
from rpc.pipelines.store_job.job import Job, Step
from rpc.retrieval.gallery.exemplar_photos import COMPARED, ExemplarPhoto, spread
from rpc.runs.screen import say

STEP: Final = "pictures"


def pictures_steps(job: Job) -> list[Step]:
    """The step of this part; none where nothing is named or nobody wants pictures."""
    return [(STEP, lambda: _keep(job))] if job.pictures and job.names_crops else []


def pack_exemplars(store: Store, most: int = COMPARED) -> list[SkuPictures]:
    """The exemplars of each SKU, small, by label.

    Args:
        store: where the exemplars and their boxes are.
        most: photos of a SKU that are kept, spread over cameras and views.

    Raises:
        DataError: a photo is missing or damaged.
    """
    chosen = spread(store.exemplars(), most)
    return [
        pack_pictures(
            ExemplarPhoto(e.path, e.box, size=e.size).crop() for e in chosen.get(category.id, [])
        )
        for category in store.taxonomy.categories
    ]


def _keep(job: Job) -> None:
    pictures = pack_exemplars(job.store)
    count, size = sum(map(len, pictures)), sum(len(one) for some in pictures for one in some)
    say(f"pictures of {len(pictures)} SKUs: {count}, {size / 1e6:.1f} MB")
    write_model(job.model, load_model(job.model).with_pictures(pictures))
