"""A network in an ONNX file at work, in ONNX Runtime: float32 whatever the processor could do."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.inference.network import failed, require_ports, unreadable

Array = NDArray[Any]
_KNOWN: Final = re.compile(r"auto|cpu|cuda(:\d{1,2})?")
_CUDA: Final = "CUDAExecutionProvider"
_WARNINGS_OFF: Final = 3  # errors alone
# Precision that a processor's or a card's fast paths would take from the numbers.
_PRECISE: Final = {"mlas.enable_gemm_fastmath_arm64_bfloat16": "0"}
_PRECISE_CUDA: Final = {"use_tf32": "0"}


class OnnxNetwork:
    """A network out of the bytes of an ONNX file.

    Args:
        content: of the file; what lies in other files is not read.
        where: the file, for errors.
        inputs: name and type of each, such as "tensor(uint8)", in the order of the calls.
        outputs: names, in the order of the answers.
        device: "auto" (the processor), "cpu", "cuda" or "cuda:1".
        threads: of one call; None takes the runtime's own choice, one a core.

    Raises:
        DataError: it is no such network, or the device is not there.
    """

    def __init__(
        self,
        content: bytes,
        where: str,
        inputs: Mapping[str, str],
        outputs: Sequence[str],
        *,
        device: str = "cpu",
        threads: int | None = None,
    ) -> None:
        providers = _providers(device)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _WARNINGS_OFF
        options.inter_op_num_threads = 1
        options.intra_op_num_threads = threads or 0
        options.add_session_config_entry("session.force_spinning_stop", "1")
        for name, value in _PRECISE.items():
            options.add_session_config_entry(name, value)
        onnxruntime.disable_telemetry_events()
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=providers)
        except Exception as error:
            raise unreadable(where, "ONNX Runtime", error) from error
        found = {one.name: one.type for one in self._session.get_inputs()}
        made = [one.name for one in self._session.get_outputs()]
        require_ports(where, found, made, inputs, outputs)
        self.inputs, self.outputs, self.where = tuple(inputs), tuple(outputs), where

    @property
    def metadata(self) -> dict[str, str]:
        """Texts by name that the file carries beside the network."""
        return dict(self._session.get_modelmeta().custom_metadata_map)

    def shape_of_input(self, name: str) -> tuple[int | str | None, ...]:
        """Shape of an input; a text or None where any number goes."""
        (shape,) = (one.shape for one in self._session.get_inputs() if one.name == name)
        return tuple(shape)

    def __call__(self, *arrays: Array) -> list[Array]:
        """The outputs in their order.

        Args:
            arrays: the inputs in their order.

        Raises:
            DataError: the network fails on them.
        """
        try:
            given = dict(zip(self.inputs, arrays, strict=True))
            return [np.asarray(one) for one in self._session.run(list(self.outputs), given)]
        except Exception as error:
            raise failed(self.where, error) from error


def _providers(device: str) -> list[Any]:
    """The parts of the runtime that compute.

    Raises:
        DataError: an unknown device, or one that is not there.
    """
    if not _KNOWN.fullmatch(device):
        raise DataError(f"device {device!r:.40}: expected auto, cpu, cuda or a GPU such as cuda:1")
    if not device.startswith("cuda"):
        return ["CPUExecutionProvider"]
    if _CUDA not in onnxruntime.get_available_providers():
        raise DataError(
            f"device {device}: this onnxruntime has no GPU; install onnxruntime-gpu, or take cpu"
        )
    number = device.partition(":")[2] or "0"
    return [(_CUDA, {"device_id": number, **_PRECISE_CUDA}), "CPUExecutionProvider"]
