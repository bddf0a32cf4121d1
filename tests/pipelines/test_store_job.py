"""A job's settings: numbers and contradictions are refused at once, files before any work."""

import pytest

from rpc.data.files import DataError
from rpc.pipelines.store_job.job import Job, measurable_split
from tests.cli.small_shop import make_store


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"iterations": 0}, "--iterations: expected 1 or more"),
        ({"minutes": 0.0}, "--minutes above 0"),
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
