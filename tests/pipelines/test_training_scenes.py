"""The scenes that a job's trainings see: made while they run, or written first."""

from dataclasses import replace

import numpy as np
import pytest

from rpc.data.cutouts import Cutout, CutoutSet, write_cutouts
from rpc.data.images import read_image, write_image
from rpc.data.scene_stream import WrittenScenes
from rpc.pipelines.store_job import scenes as job_scenes
from rpc.pipelines.store_job.job import Job
from rpc.pipelines.store_job.scenes import PREVIEW, scene_steps, training_scenes
from tests.cli.small_shop import SKUS, make_store


@pytest.fixture
def job(tmp_path):
    """A job whose cut-outs are made."""
    made = Job(
        make_store(tmp_path / "store"), tmp_path / "out", start=None, workers=1, rule_scenes=2
    )
    cutouts = []
    for category in made.store.taxonomy.categories:
        name = f"{category.name}/view.png"
        rgba = np.full((40, 30, 4), 255, np.uint8)
        rgba[..., : category.id] = 40
        write_image(made.out / "cutouts" / name, rgba)
        cutouts.append(Cutout(name, "a.jpg", category.id, 0, 1, 30, 40, 1200, 1.0, 1.0, scale=2.0))
    write_cutouts(made.out / "cutouts", CutoutSet(tuple(cutouts), made.out / "cutouts", "drawn"))
    return made


def compose(job):
    dict(scene_steps(job))["scenes"]()


def test_scenes_are_new_and_not_written_unless_their_number_is_given(job):
    assert job.streams
    assert not replace(job, scenes=3).streams
    assert not replace(job, method="Render").streams
    assert not replace(job, prepared=job.out).streams
    assert len(job.store.taxonomy) == len(SKUS)
    compose(job)
    assert not (job.out / "syn").exists()
    assert read_image(job.out / PREVIEW).ndim == 3  # what people look at instead
    streamed = training_scenes(job)
    assert streamed.taxonomy == job.store.taxonomy

    written = replace(job, scenes=3)
    compose(written)
    assert training_scenes(written) == job.out / "syn"
    on_disk = WrittenScenes.open(job.out / "syn")
    assert on_disk.count == 3
    for index in range(3):
        assert np.array_equal(on_disk.scene(index).read(), streamed.scene(index).read())


def test_the_scenes_of_the_counting_rule_are_written_and_others(job, monkeypatch):
    monkeypatch.setattr(job_scenes, "PREVIEWED", 1)
    exemplars_only = replace(job, measure="none")
    compose(exemplars_only)
    rule = WrittenScenes.open(job.out / "syn_rule")
    assert rule.count == 2
    first = training_scenes(exemplars_only).scene(0).read()
    assert not np.array_equal(rule.scene(0).read(), first)
