"""Networks of torch as ONNX files: weights in half precision where that loses nothing."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch
from torch import Tensor, nn

from rpc.data.packages import needed

if TYPE_CHECKING:
    import onnx

SMALL: Final = 64  # numbers: below, a cast costs more than it saves
LARGEST_FOLDED: Final = 1024  # numbers


def onnx_bytes(
    network: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    metadata: Mapping[str, str] | None = None,
) -> bytes:
    """A network as the content of an ONNX file.

    Weights that half precision holds exactly, as those of a model file, are stored so and become
    float32 when the file is opened; all arithmetic is in float32.

    Args:
        network: in evaluation mode, on the CPU.
        inputs: examples by the names of the arguments of its `forward`; the first dimension of
            each, the same of all, may have any length.
        outputs: names of what it gives.
        metadata: texts that travel in the file.

    Raises:
        DataError: a package that exports is not installed.
    """
    with needed("onnx"):
        import onnx
    with needed("onnxscript"):
        from onnxscript import optimizer  # torch's exporter asks for the package as well
    length = torch.export.Dim("length")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # the exporter's own, about itself
        program: Any = torch.onnx.export(
            network,
            tuple(inputs.values()),
            dynamo=True,
            verbose=False,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes={name: {0: length} for name in inputs},
            optimize=False,  # it would fold normalisation into weights, which then need all digits
        )
    # Shapes and limits become numbers: a runtime starts in half the time, and knows the limits.
    optimizer.fold_constants(
        program.model, input_size_limit=SMALL - 1, output_size_limit=LARGEST_FOLDED
    )
    optimizer.remove_unused_nodes(program.model)
    model: onnx.ModelProto = program.model_proto
    _halve(model)
    model.doc_string = ""
    del model.metadata_props[:]
    for name, text in (metadata or {}).items():
        model.metadata_props.add(key=name, value=text)
    _forget_sources(model)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def _halve(model: onnx.ModelProto) -> None:
    """Store float32 weights as float16, where that is exact, with a cast for each that needs them.

    Layers that share weights have casts of their own: what comes after such a layer, like its
    normalisation, is joined with it alone.
    """
    from onnx import TensorProto, helper, numpy_helper

    kept, casts, readers = [], [], _readers(model.graph)
    for weight in model.graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < SMALL:
            kept.append(weight)
            continue
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            kept.append(weight)
            continue
        name = f"{weight.name}.half"
        kept.append(numpy_helper.from_array(half, name))
        for number, (node, place) in enumerate(readers.get(weight.name, ())):
            full = f"{weight.name}.{number}"
            node.input[place] = full
            casts.append(helper.make_node("Cast", [name], [full], to=TensorProto.FLOAT))
    nodes = [*casts, *model.graph.node]
    del model.graph.initializer[:], model.graph.node[:]
    model.graph.initializer.extend(kept)
    model.graph.node.extend(nodes)


def _readers(graph: onnx.GraphProto) -> dict[str, list[tuple[onnx.NodeProto, int]]]:
    """The nodes that read each value, and as which of their inputs."""
    found: dict[str, list[tuple[onnx.NodeProto, int]]] = {}
    for node in graph.node:
        for place, name in enumerate(node.input):
            found.setdefault(name, []).append((node, place))
    return found


def _forget_sources(model: onnx.ModelProto) -> None:
    """Leave out where each node came from: stack traces with the paths of this machine."""
    for node in model.graph.node:
        del node.metadata_props[:]
        node.doc_string = ""
    for value in (*model.graph.value_info, *model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    for weight in model.graph.initializer:
        del weight.metadata_props[:]
    del model.graph.metadata_props[:]
