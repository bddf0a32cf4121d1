"""The library as a program uses it: `import rpc` and the shipped model on trays of its store."""

import ast
import doctest
import functools
import importlib
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import rpc
from rpc.data.images import read_image
from rpc.detection import runtime
from tests.retrieval.gallery.gallery_makers import make_gallery

ROOT = Path(__file__).parents[1]
VAL = ROOT / "examples" / "ministore" / "val"
TRAYS = [VAL / "val_00003_easy.jpg", VAL / "val_00001_medium.jpg"]  # no item hides its print
LOADED_ONCE = functools.cache(rpc.load)


@pytest.fixture
def counter():
    """The shipped model, loaded once for all tests."""
    runtime.setup()  # pytest restores the warning filters for every test
    return LOADED_ONCE(device="cpu")


def test_importing_the_library_is_quick_and_loads_no_library():
    script = (
        "import sys, time; began = time.perf_counter(); import rpc, synth; "
        "print(time.perf_counter() - began, "
        "*({'torch', 'numpy', 'mmdet', 'cv2', 'PIL'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    seconds, *loaded = ran.stdout.split()
    assert float(seconds) < 0.2
    assert loaded == []


def test_every_public_name_is_there_and_known_to_type_checkers():
    tree = ast.parse((ROOT / "rpc" / "__init__.py").read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    declared = {name.name: node.module for node in block.body for name in node.names}
    assert declared == rpc._HOMES
    assert sorted([*declared, "__version__"]) == sorted(rpc.__all__)
    assert {*rpc.__all__} <= {*dir(rpc)}
    for name, module in declared.items():
        assert getattr(rpc, name) is getattr(importlib.import_module(module), name)
    with pytest.raises(AttributeError, match="module 'rpc' has no attribute 'nonsense'"):
        _ = rpc.nonsense


@pytest.mark.parametrize("module", ["rpc", *sorted({*rpc._HOMES.values()})])
def test_the_examples_of_the_docstrings_run(module, counter, monkeypatch, tmp_path):
    monkeypatch.setattr(rpc, "load", lambda *_, **__: counter, raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    make_gallery(tmp_path / "gallery")
    found = doctest.testmod(importlib.import_module(module), extraglobs={"rpc": rpc})
    assert found.failed == 0
    assert found.attempted >= 1


def test_three_lines_count_a_tray(counter):
    receipt = counter(TRAYS[0])
    assert receipt.counts == {
        "cup_noodle_1": 2, "chips_bag_1": 1, "chips_bag_2": 1, "cup_noodle_0": 1,
        "cup_noodle_3": 1,
    }  # fmt: skip
    assert sum(receipt.counts.values()) == len(receipt.items)
    assert 0 <= receipt.certainty <= 1
    assert all(len(item.alternatives) == 5 for item in receipt.items)
    assert receipt.draw().shape[0] >= 1000
    assert repr(counter).endswith("weights/ministore, 12 SKUs, on cpu)")


def test_the_receipt_is_what_detecting_and_counting_give(counter):
    rgb = read_image(TRAYS[1])
    kept = counter.counted(rgb)
    receipt = counter(rgb)
    assert [item.score for item in receipt.items] == kept.scores.tolist()
    assert [list(item.box) for item in receipt.items] == kept.boxes.tolist()
    names = [counter.taxonomy.category(label).name for label in kept.labels]
    assert [item.sku for item in receipt.items] == names
    # The score is the detector's times the probability of the item's SKU, its first alternative;
    # a calibration changes the probability that is told.
    for item in receipt.items:
        sku, share = item.alternatives[0]
        assert sku == item.sku
        assert item.score <= share or counter.doubt is not None


def test_a_tray_is_the_same_as_path_bytes_pil_image_and_array(counter):
    path = TRAYS[0]
    expected = counter(path)
    assert counter(str(path)) == expected
    assert counter(path.read_bytes()) == expected
    assert counter(Image.open(io.BytesIO(path.read_bytes()))) == expected
    assert counter(read_image(path)) == expected


def test_a_list_of_trays_gives_what_each_alone_gives(counter):
    alone = [counter(path) for path in TRAYS]
    together = counter([TRAYS[0].read_bytes(), read_image(TRAYS[1])])
    assert [one.counts for one in together] == [one.counts for one in alone]
    for one, other in zip(together, alone, strict=True):
        assert [item.sku for item in one.items] == [item.sku for item in other.items]
        # Convolutions of several photos may add in another order.
        np.testing.assert_allclose(
            [item.box for item in one.items], [item.box for item in other.items], atol=0.01
        )
        assert one.certainty == pytest.approx(other.certainty, abs=1e-4)


def test_what_does_not_go_together_is_refused_before_anything_is_read():
    with pytest.raises(rpc.DataError, match="a gallery and a recogniser are given"):
        rpc.load(gallery="a", recogniser="b")
    with pytest.raises(rpc.DataError, match="fusion: expected a gallery"):
        rpc.load(fusion=True)
    with pytest.raises(rpc.DataError, match=r"gone\.pth"):
        rpc.load("gone.pth")
