"""The operators that mmdet needs from mmcv's compiled extension, backed by torchvision.

mmcv calls its extension with tensors that it has already allocated, and expects them filled in
place; the functions of this package keep that calling convention (argument names included) and
leave the arithmetic to torchvision. `extension_module` wraps them as the module `mmcv._ext`.
"""

from __future__ import annotations

import importlib.machinery
from collections.abc import Callable
from types import ModuleType
from typing import Any

from rpc.detection.operators.deformable import (
    deform_conv_backward_input,
    deform_conv_backward_parameters,
    deform_conv_forward,
    modulated_deform_conv_backward,
    modulated_deform_conv_forward,
)
from rpc.detection.operators.focal import (
    sigmoid_focal_loss_backward,
    sigmoid_focal_loss_forward,
    softmax_focal_loss_backward,
    softmax_focal_loss_forward,
)
from rpc.detection.operators.regions import (
    roi_align_backward,
    roi_align_forward,
    roi_pool_backward,
    roi_pool_forward,
)
from rpc.detection.operators.suppression import nms, nms_match, softnms

OPERATORS: dict[str, Callable[..., Any]] = {
    function.__name__: function
    for function in (
        nms,
        softnms,
        nms_match,
        roi_align_forward,
        roi_align_backward,
        roi_pool_forward,
        roi_pool_backward,
        deform_conv_forward,
        deform_conv_backward_input,
        deform_conv_backward_parameters,
        modulated_deform_conv_forward,
        modulated_deform_conv_backward,
        sigmoid_focal_loss_forward,
        sigmoid_focal_loss_backward,
        softmax_focal_loss_forward,
        softmax_focal_loss_backward,
    )
}


class _Extension(ModuleType):
    """Every name exists, as mmcv asserts at import; only those of `OPERATORS` can be called."""

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("__"):
            raise AttributeError(name)

        def missing(*args: Any, **kwargs: Any) -> Any:
            raise NotImplementedError(
                f"operator '{name}' needs mmcv's compiled extension, which is not installed; "
                f"available here: {', '.join(sorted(OPERATORS))}"
            )

        missing.__name__ = name
        return missing

    # Both are read by the environment report that mmengine writes when a training starts.
    def get_compiler_version(self) -> str:
        """Versions that the operators were compiled with."""
        return "none (operators of torchvision)"

    def get_compiling_cuda_version(self) -> str:
        """For which CUDA they were compiled."""
        return "not available"


def extension_module(name: str = "mmcv._ext") -> ModuleType:
    """A module with mmcv's calling convention; operators it lacks raise when called."""
    module = _Extension(name, "mmcv operators backed by torchvision")
    module.__spec__ = importlib.machinery.ModuleSpec(name, loader=None)
    for key, function in OPERATORS.items():
        setattr(module, key, function)
    return module
