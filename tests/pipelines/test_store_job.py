"""A job's settings: numbers and contradictions are refused at once, files before any work."""

from dataclasses import replace

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.detection.dataset import PRODUCT
from rpc.detection.model_file import SavedModel
from rpc.features.local.sku_pictures import unpack_pictures
from rpc.pipelines.store_job.defaults import RECIPES
from rpc.pipelines.store_job.job import Job, measurable_split
from rpc.pipelines.store_job.pictures import pack_exemplars, pictures_steps
from rpc.pipelines.store_job.training import cut_notes
from rpc.pipelines.store_job.words import read_exemplars, told, words_steps
from rpc.retrieval.gallery.exemplar_photos import ExemplarPhoto
from rpc.structures.readings import PackText, Reading
from tests.cli.small_shop import make_store


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"detector_updates": 0}, "--detector-updates: expected 1 or more"),
        ({"recogniser_updates": -1}, "--recogniser-updates: expected 1 or more"),
        ({"recipe": "huge"}, "--recipe: expected one of quick"),
        ({"minutes": 0.0}, "--minutes: expected above 0"),
        ({"scenes": 0}, "--scenes"),
        ({"workers": 0}, "--workers"),
        ({"method": "Single", "measure": "none"}, "--method Single"),
    ],
)
def test_settings_that_make_no_sense_are_refused_when_they_are_made(tmp_path, settings, words):
    with pytest.raises(DataError, match=words):
        Job(tmp_path, tmp_path / "out", **settings)


def test_a_missing_config_is_told_before_any_work(tmp_path):
    store = make_store(tmp_path / "store")
    job = Job(store, tmp_path / "out", config=tmp_path / "none.py")
    with pytest.raises(DataError, match="no such config"):
        job.check()
    assert not job.out.exists()


def test_a_store_of_exemplars_alone_is_not_measured(tmp_path):
    store = make_store(tmp_path / "store")
    assert measurable_split(store) == "test"
    for split in ("val", "test"):
        (store / f"instances_{split}.json").unlink()
    assert measurable_split(store) == "none"


def test_a_recipe_says_how_much_is_learned_and_options_change_single_numbers(tmp_path):
    store = make_store(tmp_path / "store")
    quick = RECIPES["quick"]
    job = Job(store, tmp_path / "out", recipe="quick", recogniser_updates=9)
    assert job.amounts == replace(quick, recogniser_updates=9)
    assert job.detector_steps == quick.detector_updates
    assert replace(job, agnostic=True).detector_steps == quick.alone_updates
    assert replace(job, one_stage=True, detector_updates=5).detector_steps == 5
    assert Job(store, tmp_path / "out", recipe="long").amounts == RECIPES["long"]


def test_a_cap_is_divided_by_what_the_trainings_cost(tmp_path):
    job = Job(tmp_path, tmp_path / "out", detector_updates=700, recogniser_updates=3600)
    assert job.detector_minutes is None
    assert replace(job, minutes=6.0).detector_minutes == pytest.approx(2.0)
    assert replace(job, minutes=6.0, agnostic=True).detector_minutes == 6.0


def test_what_a_cap_cut_is_told_for_each_training_and_nothing_otherwise():
    def notes(made, asked, **recogniser):
        meta = {"iterations": made, "iterations_asked": asked, "cap_minutes": 5.0, **recogniser}
        return cut_notes(SavedModel({}, "", PRODUCT, meta=meta))

    assert notes(340, 340) == notes(167, None) == []
    whole = {"recogniser": {"iterations": 470, "iterations_asked": 470}}
    assert len(notes(20, 340, **whole)) == 1
    cut = {"recogniser": {"iterations": 47, "iterations_asked": 1470}}
    lines = notes(20, 340, **cut)
    assert "5.0 minutes (--minutes) cut the detector's training: 20 updates instead" in lines[0]
    assert "recogniser's training: 47 updates instead of 1,470" in lines[1]


def test_words_are_a_step_of_jobs_that_name_items(tmp_path):
    job = Job(make_store(tmp_path / "store"), tmp_path / "out")
    assert [name for name, _ in words_steps(job)] == ["words"]
    for without in (replace(job, words=False), replace(job, agnostic=True)):
        assert words_steps(without) == []


def test_the_exemplars_of_each_sku_are_read(tmp_path):
    job = Job(make_store(tmp_path / "store"), tmp_path / "out")
    asked = []

    def read(picture):
        asked.append(picture.shape)
        return PackText((Reading("tea", 0.8),) if len(asked) == 1 else ())

    words = read_exemplars(job.store, read)
    assert len(words) == len(job.taxonomy)
    assert [one.photos for one in words] == [1, 1]
    assert words[0].readings == (Reading("tea", 0.8),)
    assert told(words) == "words on 1 of 2 SKUs, 0 barcodes; 2 photos read"


def test_pictures_are_a_step_of_jobs_that_name_items(tmp_path):
    job = Job(make_store(tmp_path / "store"), tmp_path / "out")
    assert [name for name, _ in pictures_steps(job)] == ["pictures"]
    for without in (replace(job, pictures=False), replace(job, agnostic=True)):
        assert pictures_steps(without) == []


def test_the_exemplars_of_each_sku_are_kept_small(tmp_path):
    job = Job(make_store(tmp_path / "store"), tmp_path / "out")
    pictures = pack_exemplars(job.store, most=1)
    assert [len(one) for one in pictures] == [1, 1]
    exemplar = job.store.exemplars()[0]
    (picture,) = unpack_pictures(pictures[job.taxonomy.label(exemplar.category_id)])
    crop = ExemplarPhoto(exemplar.path, exemplar.box, size=exemplar.size).crop()
    assert picture.shape == crop.shape
    assert np.abs(picture.mean(axis=(0, 1)) - crop.mean(axis=(0, 1))).max() < 10
