"""The runtime is set up before any test module imports mmdet; a drawn store to train on."""

import pytest

from rpc.detection import runtime
from tests.detection.drawn_store import SKUS, TINY, random_trays, write_split

runtime.setup()


@pytest.fixture(autouse=True)
def _harmless_warnings_stay_quiet():
    """pytest restores the warning filters for every test; set them up again."""
    runtime.setup()


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory):
    """A store with 3 exemplars and 5 validation trays."""
    root = tmp_path_factory.mktemp("store")
    singles = [[(sku, 30, 25, 70, 65)] for sku in SKUS.ids]
    write_split(root / "instances_train.json", root / "exemplars", singles)
    write_split(root / "instances_val.json", root / "val", random_trays(5, 1))
    return root


@pytest.fixture(scope="session")
def tiny_scenes(tmp_path_factory):
    """A folder of 12 scenes of the same SKUs."""
    root = tmp_path_factory.mktemp("scenes")
    write_split(root / "instances.json", root / "images", random_trays(12, 2))
    return root


@pytest.fixture
def tiny_options():
    """What makes RTMDet small and quick."""
    return dict(TINY)
