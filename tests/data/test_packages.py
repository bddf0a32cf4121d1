"""A package that is needed for some work only is imported by that work, and told when missing."""

import os
import subprocess
import sys

import pytest

from rpc.data.files import DataError
from rpc.data.packages import import_package


def test_a_package_is_imported_and_a_missing_one_is_told_with_its_remedy(monkeypatch):
    assert import_package("json").loads("1") == 1
    monkeypatch.setitem(sys.modules, "faiss", None)
    remedy = r"^faiss: needs the extra 'gallery'.*; pip install 'rpc-checkout\[gallery\]'$"
    with pytest.raises(DataError, match=remedy):
        import_package("faiss")
    with pytest.raises(DataError, match=r"pip install no_such_package$"):
        import_package("no_such_package")


ASK = """
import os, sys
import rpc.features.backbones.embedding, rpc.retrieval.gallery.gallery
import rpc.retrieval.descriptors.plain_descriptor, rpc.retrieval.descriptors.recipes
import rpc.features.backbones.feature_maps, rpc.features.backbones.trainable_backbone
import rpc.retrieval.descriptors.product_descriptor, rpc.retrieval.reranking.search_again
print("imported:", *{"timm", "faiss"} & set(sys.modules))
def note(event, arguments):
    if event.startswith(("socket.connect", "socket.getaddrinfo", "urllib.")):
        print("asked:", event, arguments[0])
sys.addaudithook(note)
import rpc.detection.detector, mmdet.datasets
print("there:", *{"albumentations"} & set(sys.modules))
# Once more, as if it had not been imported before.
os.environ.pop("NO_ALBUMENTATIONS_UPDATE", None)
for name in [name for name in sys.modules if name.partition(".")[0] == "albumentations"]:
    del sys.modules[name]
import synth.compose
print("there:", *{"albumentations"} & set(sys.modules))
"""


@pytest.fixture(scope="module")
def told():
    """What one process says that imports the library, and then what composes and detects."""
    variables = {name: value for name, value in os.environ.items() if "ALBUMENTATIONS" not in name}
    run = [sys.executable, "-W", "ignore", "-c", ASK]
    done = subprocess.run(run, capture_output=True, text=True, check=False, env=variables)
    assert done.returncode == 0, done.stderr[-1000:]
    return done.stdout.splitlines()


def test_reading_the_library_imports_neither_timm_nor_faiss(told):
    assert told[0] == "imported:"


def test_importing_what_composes_and_detects_asks_the_network_for_nothing(told):
    assert told.count("there: albumentations") == 2  # which asks for a newer one where it may
    assert not [line for line in told if line.startswith("asked:")]
