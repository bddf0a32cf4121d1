"""A network is told apart from another one, and answers in float32 on the device asked for."""

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from rpc.data.files import DataError
from rpc.inference.session import OnnxNetwork

INPUTS = {"pictures": "tensor(uint8)"}


def doubled(name="doubled"):
    """A network that gives twice the pixels, as the bytes of its file."""
    pictures = helper.make_tensor_value_info("pictures", TensorProto.UINT8, ["n", 2, 2, 3])
    out = helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 2, 2, 3])
    nodes = [
        helper.make_node("Cast", ["pictures"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Add", ["pixels", "pixels"], [name]),
    ]
    graph = helper.make_graph(nodes, "tiny", [pictures], [out])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    model.metadata_props.add(key="recipe", value="{}")
    return model.SerializeToString()


def test_a_network_answers():
    network = OnnxNetwork(doubled(), "tiny.onnx", INPUTS, ["doubled"], threads=1)
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 2, 2, 3)
    (found,) = network(pixels)
    np.testing.assert_array_equal(found, 2.0 * pixels)
    assert found.dtype == np.float32
    assert network.shape_of_input("pictures") == ("n", 2, 2, 3)
    assert network.metadata == {"recipe": "{}"}


@pytest.mark.parametrize(
    ("content", "inputs", "outputs"),
    [
        (b"", INPUTS, ["doubled"]),
        (doubled()[:-20], INPUTS, ["doubled"]),
        (doubled(), {"pictures": "tensor(float)"}, ["doubled"]),
        (doubled(), {"photos": "tensor(uint8)"}, ["doubled"]),
        (doubled(), INPUTS, ["other"]),
    ],
)
def test_another_network_is_refused_in_a_line(content, inputs, outputs):
    with pytest.raises(DataError, match=r"^tiny.onnx: [^\n]*; export it again$"):
        OnnxNetwork(content, "tiny.onnx", inputs, outputs)


def test_what_a_network_cannot_take_is_told_in_a_line():
    network = OnnxNetwork(doubled(), "tiny.onnx", INPUTS, ["doubled"])
    with pytest.raises(DataError, match=r"^tiny.onnx: the network failed: [^\n]*$"):
        network(np.zeros((1, 5, 5, 3), np.uint8))


def test_a_device_is_the_one_that_is_asked_for_or_refused(monkeypatch):
    asked = []

    class Session:
        def __init__(self, content, options, providers):
            asked.append(providers)
            raise RuntimeError("not here")

    monkeypatch.setattr(onnxruntime, "InferenceSession", Session)
    cuda = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: cuda)
    for device in ("auto", "cpu", "cuda:1"):
        with pytest.raises(DataError, match="not here"):
            OnnxNetwork(doubled(), "tiny.onnx", INPUTS, ["doubled"], device=device)
    assert asked[:2] == [["CPUExecutionProvider"]] * 2
    assert asked[2][0] == ("CUDAExecutionProvider", {"device_id": "1", "use_tf32": "0"})
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: cuda[1:])
    with pytest.raises(DataError, match="device cuda: this onnxruntime has no GPU"):
        OnnxNetwork(doubled(), "tiny.onnx", INPUTS, ["doubled"], device="cuda")
    with pytest.raises(DataError, match="device 'gpu': expected auto, cpu"):
        OnnxNetwork(doubled(), "tiny.onnx", INPUTS, ["doubled"], device="gpu")
