"""A network in an OpenVINO file at work, on the processor: float32 but for what was made int8."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.data.packages import needed
from rpc.data.signal_stack import signal_stack_kept
from rpc.inference.network import BYTES, FLOATS, failed, require_ports, unreadable

Array = NDArray[Any]
_TYPES: Final = {BYTES: "u8", FLOATS: "f32"}
_SETTINGS: Final = {
    # Not bfloat16, which the runtime takes by itself where the processor has it.
    "INFERENCE_PRECISION_HINT": "f32",
    "PERFORMANCE_HINT": "LATENCY",
    "NUM_STREAMS": "1",
}


class OpenvinoNetwork:
    """A network out of the bytes of its two files; see `rpc.inference.session.OnnxNetwork`.

    Args:
        graph: the `.xml`.
        weights: the `.bin`.
        where: the graph's file, for errors.
        inputs: name and type of each, in the order of the calls.
        outputs: names, in the order of the answers.
        device: "auto" or "cpu".
        threads: of one call; None takes the runtime's own choice, one a core.

    Raises:
        DataError: they are no such network, another device is asked for, or the extra `openvino` is
            not installed.
    """

    def __init__(
        self,
        graph: bytes,
        weights: bytes,
        where: str,
        inputs: Mapping[str, str],
        outputs: Sequence[str],
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        if device not in ("auto", "cpu"):
            raise DataError(
                f"device {device:.40}: OpenVINO counts on the processor; take cpu, or export the "
                "model with --format onnx"
            )
        with needed("openvino"):
            import openvino
        settings = _SETTINGS | ({"INFERENCE_NUM_THREADS": str(threads)} if threads else {})
        try:
            core = openvino.Core()
            model = core.read_model(graph, weights)
            with signal_stack_kept():
                compiled = core.compile_model(model, "CPU", settings)
            found = {port.any_name: port.element_type.get_type_name() for port in compiled.inputs}
            made = [port.any_name for port in compiled.outputs]
        except Exception as error:
            raise unreadable(where, "OpenVINO", error) from error
        wanted = {name: _TYPES[one] for name, one in inputs.items()}
        require_ports(where, found, made, wanted, outputs)
        self._model, self._compiled = model, compiled
        self._request = compiled.create_infer_request()
        self.inputs, self.outputs, self.where = tuple(inputs), tuple(outputs), where

    def shape_of_input(self, name: str) -> tuple[int | str | None, ...]:
        """Shape of an input; None where any number goes."""
        sides = self._model.input(name).partial_shape
        return tuple(None if side.is_dynamic else int(side.get_length()) for side in sides)

    def __call__(self, *arrays: Array) -> list[Array]:
        """The outputs in their order.

        Args:
            arrays: the inputs in their order.

        Raises:
            DataError: the network fails on them.
        """
        try:
            given = dict(zip(self.inputs, arrays, strict=True))
            found = self._request.infer(given)
            return [np.array(found[port]) for port in self._compiled.outputs]
        except Exception as error:
            raise failed(self.where, error) from error
