"""Products that training never saw, added to a gallery and counted: OUT/held_out.json, its page."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from pathlib import Path

from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.data.store_without import store_without
from rpc.features.text.installed import missing_reader
from rpc.features.text.pack_reader import PackReader
from rpc.pipelines.gallery.held_out_page import write_results
from rpc.pipelines.gallery.held_out_report import measure
from rpc.pipelines.gallery.photos import skus_of_store
from rpc.pipelines.store_job.defaults import BATCHES, WORKERS, Method
from rpc.pipelines.store_job.job import Job
from rpc.pipelines.store_job.run import run_job
from rpc.retrieval.descriptors.recipes import DEFAULT, describer
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_edit import add_skus, create_gallery
from rpc.retrieval.gallery.gallery_files import remove_gallery
from rpc.runs.folder_lock import writes_into


@dataclass(frozen=True)
class HeldOutRequest:
    """A measurement of SKUs that training never saw.

    Attributes:
        data: a store with val and test.
        without: names of the held-out SKUs.
        out: folder for everything that is made.
        model: of a training without these SKUs; None trains one.
        recipe: of the gallery's descriptors; None for the best.
        most: exemplars of a SKU.
        minutes: cap on the time of the trainings; None: any.
        iterations: updates of the detector, and twice as many of the recogniser, instead of those
            of the quick recipe.
        scenes: likewise: how many are composed.
        method: what is trained on.
        seed: of scenes and training.
        workers: processes.
        device: that networks are trained and run on, see `rpc.runs.devices`.
        words: also read the exemplars and the trays' doubtful items.
        pictures: also lay exemplar pictures on the trays' doubtful items.
    """

    data: Path
    without: tuple[str, ...]
    out: Path
    model: Path | None = None
    recipe: str | None = None
    most: int = 24
    minutes: float | None = None
    iterations: int | None = None
    scenes: int | None = None
    method: Method = "Render"
    seed: int = 0
    workers: int = WORKERS
    device: str = "auto"
    words: bool = False
    pictures: bool = False

    def job(self, reduced: Path) -> Job:
        """The training on the store without the held-out SKUs."""
        return Job(
            data=reduced,
            out=self.out / "job",
            minutes=self.minutes,
            detector_updates=self.iterations,
            recogniser_updates=None if self.iterations is None else BATCHES * self.iterations,
            scenes=self.scenes,
            seed=self.seed,
            workers=self.workers,
            device=self.device,
            method=self.method,
            words=False,  # what training and gallery do alone
            pictures=False,
        )


@writes_into(lambda request, *_, **__: request.out)
def measure_held_out(request: HeldOutRequest) -> Path:
    """Leave out, train, add, look, choose, report; the path of held_out.json.

    Raises:
        DataError: a SKU is unknown, a file is missing or damaged, or the job cannot be done.
    """
    store = Store.open(request.data)
    for name in request.without:
        store.taxonomy.by_name(name)
    model = request.model or _train(request, store)
    if not model.is_file():
        raise DataError(f"{model}: no such model")
    describe = describer(request.recipe or DEFAULT, request.device)
    seconds, processor = _fill_gallery(request, store, describe)
    folder = request.out / "gallery"
    result = measure(
        store,
        request.without,
        model,
        folder,
        describe,
        request.device,
        words=request.words,
        pictures=request.pictures,
    )
    result["add_seconds"] = {
        "by_sku": seconds,
        "median": round(statistics.median(seconds.values()), 3),
        "median_processor": round(statistics.median(processor), 3),
        "of": f"a SKU's exemplars, at most {request.most}, described and written; descriptor warm",
    }
    return write_results(request.out, result)[0]


def _train(request: HeldOutRequest, store: Store) -> Path:
    """A model that never saw the held-out SKUs."""
    reduced = request.out / "store"
    if not (reduced / "instances_train.json").is_file():
        store_without(store, request.without, reduced)
    job = request.job(reduced)
    run_job(job)
    return job.model


def _reader(request: HeldOutRequest) -> PackReader | None:
    if not request.words:
        return None
    if note := missing_reader():
        raise DataError(f"--words: {note}")
    return PackReader()


def _fill_gallery(
    request: HeldOutRequest, store: Store, describe: DescribesPictures
) -> tuple[dict[str, float], list[float]]:
    """Old SKUs together, then the held-out ones one by one; seconds of each, processor's too."""
    folder = request.out / "gallery"
    remove_gallery(folder)  # a run is done anew from here
    old = [name for name in store.taxonomy.names if name not in request.without]
    read = _reader(request)
    skus = skus_of_store(describe, store, old, request.most, read)
    recipe = dict(describe.recipe)
    create_gallery(folder, recipe, skus[0].photos[0].embeddings.shape[1])
    add_skus(folder, recipe, skus)
    seconds, processor = {}, []
    for name in request.without:
        began, used = time.perf_counter(), time.process_time()
        add_skus(folder, recipe, skus_of_store(describe, store, [name], request.most, read))
        seconds[name] = round(time.perf_counter() - began, 3)
        processor.append(round(time.process_time() - used, 3))
    return seconds, processor
