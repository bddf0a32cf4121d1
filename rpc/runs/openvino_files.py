"""ONNX networks as OpenVINO files, float32 or int8."""

from __future__ import annotations

import io
import logging
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from rpc.data.packages import needed
from rpc.data.signal_stack import signal_stack_kept
from rpc.runs.progress import Report

Inputs = Mapping[str, NDArray[Any]]  # what a network is called with, by name


def openvino_bytes(onnx: bytes) -> tuple[bytes, bytes]:
    """Graph and weights of a network: its arithmetic, and the precision of its weights, stay."""
    with needed("openvino"):
        import openvino
    return _saved(openvino.Core().read_model(onnx))


def int8_bytes(
    onnx: bytes,
    examples: Sequence[Inputs],
    progress: Report = lambda done, total, facts="": None,
) -> tuple[bytes, bytes]:
    """Graph and weights of the network with most of its arithmetic in int8.

    Quantised after training, by the ranges that `examples` show: symmetric weights, asymmetric
    activations (NNCF's preset `mixed`). The last layers, whose errors nothing evens out any more,
    stay in float32; they are a small part of the work.

    Args:
        onnx: the network.
        examples: what it is called with, as at a counter.
        progress: called with the examples seen and their number.
    """
    with needed("nncf"):
        import nncf
    network = _folded(onnx)
    seen = 0

    def shown(example: Inputs) -> dict[str, NDArray[Any]]:
        nonlocal seen
        seen += 1
        progress(min(seen, len(examples)), len(examples))
        return dict(example)

    with _quiet(), signal_stack_kept():
        made = nncf.quantize(
            network,
            nncf.Dataset(examples, shown),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(examples),
            ignored_scope=nncf.IgnoredScope(names=_last_layers(network)),
        )
    return _saved(made)


def _folded(onnx: bytes) -> Any:
    """The network as it is run: normalisation in its weights, no shared ones, limits as limits."""
    with needed("openvino"):
        import openvino
        from openvino.passes import ConstantFolding, Manager
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.onnx"
        path.write_bytes(onnx)
        network = openvino.convert_model(path)  # reads its weights while the file is there
        folds = Manager()
        folds.register_pass(ConstantFolding())
        folds.run_passes(network)
    return network


def _last_layers(network: Any) -> list[str]:
    """Names of the layers with weights after which nothing with weights comes."""
    found: set[str] = set()
    for result in network.get_results():
        node = result
        while node.get_type_name() not in ("Convolution", "MatMul") and node.inputs():
            node = node.input_value(0).get_node()
        found.add(node.get_friendly_name())
    return sorted(found)


def _saved(network: Any) -> tuple[bytes, bytes]:
    import openvino

    with tempfile.TemporaryDirectory() as folder:
        graph = Path(folder) / "network.xml"
        openvino.save_model(network, graph, compress_to_fp16=False)
        return graph.read_bytes(), graph.with_suffix(".bin").read_bytes()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without nncf's own reports and bars."""
    log = logging.getLogger("nncf")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with redirect_stdout(io.StringIO()):
            yield
    finally:
        log.setLevel(before)
