"""The exported counter that comes with the package is its model file, and counts alike."""

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from rpc.checkout.exported.loading import load_exported, read_description
from rpc.checkout.loading import EXPORTED, MODEL, load
from rpc.checkout.trained import load_checkout
from rpc.data.shipped import shipped
from rpc.data.store import Store
from rpc.detection import runtime
from rpc.detection.model_file import load_model
from rpc.detection.onnx_export import RawDetector
from rpc.inference.network_counter import PICTURES, map_names
from rpc.inference.session import OnnxNetwork
from rpc.pipelines.export import ExportRequest, export_model
from rpc.reporting.provenance import sha256
from rpc.retrieval.descriptors.onnx_descriptor import OnnxDescriptor
from rpc.retrieval.descriptors.product_descriptor import ProductDescriptor

FOLDER = shipped(EXPORTED)
STORE = Store.open(shipped("examples/ministore"))
TRAYS = [STORE.image_path("val", image) for image in STORE.split("val").images]


@pytest.fixture(scope="module")
def trained():
    runtime.setup()  # the warning filters are those of this moment, before any test's
    return load_checkout(shipped(MODEL))


@pytest.fixture(scope="module")
def exported():
    return load_exported(FOLDER)


def weights_in(path):
    """All weights of an ONNX file that a cast makes float32, as bytes."""
    return {
        numpy_helper.to_array(one).tobytes()
        for one in onnx.load(path).graph.initializer
        if one.data_type == onnx.TensorProto.FLOAT16
    }


def test_it_was_made_of_the_model_file_beside_it():
    found = read_description(FOLDER)
    assert found.origin["sha256"] == sha256(shipped(MODEL))
    model = load_model(shipped(MODEL))
    assert found.taxonomy == model.taxonomy
    assert dict(found.counting) == dict(model.counting)
    assert found.words == model.words
    for state, name in ((model.state_dict, "detector"), (model.recogniser, "recogniser")):
        there = weights_in(FOLDER / f"{name}.onnx")
        large = [w for w in state.values() if w.ndim == 4 and w.numel() >= 64]
        assert all(w.half().contiguous().numpy().tobytes() in there for w in large)


def test_raw_outputs_are_those_of_torch(trained, exported):
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (2, 416, 416, 3), np.uint8)
    names = map_names(3, objectness=True)
    path = FOLDER / "detector.onnx"
    network = OnnxNetwork(path.read_bytes(), str(path), {PICTURES: "tensor(uint8)"}, names)
    with torch.inference_mode():
        expected = RawDetector(trained.detector.model).eval()(torch.from_numpy(pictures))
    for found, there in zip(network(pictures), expected, strict=True):
        np.testing.assert_allclose(found, there.numpy(), atol=1e-4)
    crops = rng.integers(0, 256, (3, 128, 128, 3), np.uint8)
    extents = rng.normal(0, 1, (3, 2)).astype(np.float32)
    names_of = exported.recogniser.logits, trained.recogniser._logits
    found, there = (logits(crops, extents) for logits in names_of)
    np.testing.assert_allclose(found, there, atol=1e-4)
    pictures = [rng.integers(0, 256, size, np.uint8) for size in ((40, 70, 3), (200, 150, 3))]
    found, there = (one.recogniser.features(pictures) for one in (exported, trained))
    assert found.shape == (2, 304)
    np.testing.assert_allclose(found, there, atol=1e-4)


def test_trays_are_counted_alike(trained, exported):
    pairs = zip(exported(TRAYS[:4]), trained(TRAYS[:4]), strict=True)
    for found, expected in pairs:
        assert found.counts == expected.counts
        assert found.certainty == pytest.approx(expected.certainty, abs=1e-4)
        assert len(found.questions) == len(expected.questions)


def test_it_is_what_is_loaded_without_a_gpu_and_words_and_pictures_come_with_it(monkeypatch):
    monkeypatch.setattr("rpc.checkout.loading._gpu_of_torch", lambda device: False)
    counter = load()
    assert counter.name == str(FOLDER)
    assert counter.doubt is not None
    assert [type(look).__name__ for look in counter.recogniser.looks][:1] == ["LocalLook"]
    monkeypatch.setattr("rpc.checkout.loading._gpu_of_torch", lambda device: True)
    assert load(device="cpu").name == str(shipped(MODEL))


def test_the_descriptor_makes_the_same_vectors_by_the_same_recipe():
    found = OnnxDescriptor.read(FOLDER / "descriptor.onnx")
    expected = ProductDescriptor()
    assert dict(found.recipe) == dict(expected.recipe)
    rng = np.random.default_rng(0)
    pictures = [rng.integers(0, 256, size, np.uint8) for size in ((40, 70, 3), (200, 150, 3))]
    np.testing.assert_allclose(found(pictures), expected(pictures), atol=1e-5)
    views = zip(
        found.exemplar_embeddings(pictures), expected.exemplar_embeddings(pictures), strict=True
    )
    for one, other in views:
        np.testing.assert_allclose(one, other, atol=1e-5)
    assert found([]).shape == (0, found.recipe["dimension"])


@pytest.mark.slow
@pytest.mark.usefixtures("trained")
def test_an_export_of_the_model_file_gives_the_same_folder(tmp_path):
    out = export_model(ExportRequest(shipped(MODEL), tmp_path / "again", descriptor=True))
    again, there = read_description(out), read_description(FOLDER)
    assert set(again.files) == set(there.files)
    assert again.head == there.head
    for name in ("detector", "recogniser"):
        assert weights_in(out / f"{name}.onnx") == weights_in(FOLDER / f"{name}.onnx")
