"""OpenVINO answers as ONNX Runtime does, in float32, and tells another network apart."""

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.inference.network_counter import PICTURES, NetworkDetector, map_names
from rpc.inference.openvino_network import OpenvinoNetwork
from rpc.inference.session import OnnxNetwork
from rpc.runs.openvino_files import openvino_bytes
from tests.inference.test_session import INPUTS, doubled

GRAPH, WEIGHTS = openvino_bytes(doubled())


def network(graph=GRAPH, inputs=INPUTS, outputs=("doubled",), **options):
    return OpenvinoNetwork(graph, WEIGHTS, "tiny.xml", inputs, outputs, **options)


def test_a_network_answers_as_onnx_runtime_does():
    ours = network(threads=1)
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    (found,) = ours(pixels)
    (expected,) = OnnxNetwork(doubled(), "tiny.onnx", INPUTS, ["doubled"])(pixels)
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float32
    assert ours.shape_of_input("pictures") == (None, 2, 2, 3)


def test_an_answer_stays_when_the_next_one_is_asked_for():
    ours = network()
    (first,) = ours(np.ones((1, 2, 2, 3), np.uint8))
    ours(np.zeros((1, 2, 2, 3), np.uint8))
    assert (first == 2).all()


@pytest.mark.parametrize(
    ("graph", "inputs", "outputs"),
    [
        (b"", INPUTS, ["doubled"]),
        (GRAPH[:-200], INPUTS, ["doubled"]),
        (GRAPH, {"pictures": "tensor(float)"}, ["doubled"]),
        (GRAPH, {"photos": "tensor(uint8)"}, ["doubled"]),
        (GRAPH, INPUTS, ["other"]),
    ],
)
def test_another_network_is_refused_in_a_line(graph, inputs, outputs):
    with pytest.raises(DataError, match=r"^tiny.xml: [^\n]*; export it again$"):
        network(graph, inputs, outputs)


def test_what_a_network_cannot_take_is_told_in_a_line():
    with pytest.raises(DataError, match=r"^tiny.xml: the network failed: [^\n]*$"):
        network()(np.zeros((1, 5, 5, 3), np.uint8))


def test_its_device_is_the_processor_and_its_arithmetic_float32(monkeypatch):
    import openvino

    asked = []

    def compiled(core, model, device, settings):
        asked.append((device, settings))
        raise RuntimeError("enough seen")

    monkeypatch.setattr(openvino.Core, "compile_model", compiled)
    for device in ("auto", "cpu"):
        with pytest.raises(DataError, match="enough seen"):
            OpenvinoNetwork(
                GRAPH, WEIGHTS, "tiny.xml", INPUTS, ["doubled"], device=device, threads=2
            )
    ((device, settings),) = {(device, tuple(some.items())) for device, some in asked}
    assert device == "CPU"
    assert dict(settings)["INFERENCE_PRECISION_HINT"] == "f32"
    assert dict(settings)["INFERENCE_NUM_THREADS"] == "2"
    with pytest.raises(DataError, match="device cuda: OpenVINO counts on the processor"):
        network(device="cuda")


def test_pictures_of_another_size_are_told():
    head = type("Head", (), {"strides": (8,)})()

    class Wrong:
        where = "detector.xml"

        def shape_of_input(self, name):
            assert name == PICTURES
            return (None, 64, 64, 3)

    def opens(inputs, outputs):
        assert list(outputs) == map_names(1, objectness=False)
        return Wrong()

    with pytest.raises(DataError, match=r"detector.xml: takes other pictures than of 416 px"):
        NetworkDetector(opens, head, objectness=False, image_size=416, labels=1)
