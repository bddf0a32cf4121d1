"""Pooling of regions: RoIAlign and RoIPool.

Key: B images, C channels, H, W rows and columns, h, w of a pooled region, N regions.
"""

import torch
from torch import Tensor
from torchvision import ops

from rpc.detection.operators.precision import at_least_float32

# The registered backward operators: torchvision's public functions reach them through autograd
# only, and here the graph belongs to mmcv's own autograd.Function.
_TORCHVISION = torch.ops.torchvision


def roi_align_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Average RoIAlign of `input` (B, C, H, W) at `rois` (N, 5) into `output` (N, C, h, w)."""
    _refuse_max_mode(pool_mode)
    size = (aligned_height, aligned_width)
    pooled = ops.roi_align(
        at_least_float32(input),
        at_least_float32(rois),
        size,
        spatial_scale,
        sampling_ratio,
        bool(aligned),
    )
    output.copy_(pooled)


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> None:
    """Gradient (B, C, H, W) of `roi_align_forward` into `grad_input`."""
    _refuse_max_mode(pool_mode)
    gradient = _TORCHVISION._roi_align_backward(
        at_least_float32(grad_output),
        at_least_float32(rois),
        spatial_scale,
        aligned_height,
        aligned_width,
        *grad_input.shape,
        sampling_ratio,
        bool(aligned),
    )
    grad_input.copy_(gradient)


def _refuse_max_mode(pool_mode: int) -> None:
    if pool_mode == 0:
        raise NotImplementedError(
            "roi_align with pool_mode='max' needs mmcv's compiled extension; use pool_mode='avg'"
        )


def roi_pool_forward(
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax: Tensor,
    *,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """RoIPool of `input` (B, C, H, W) at `rois` (N, 5) into `output` and `argmax` (N, C, h, w)."""
    pooled, best = _TORCHVISION.roi_pool(
        at_least_float32(input), at_least_float32(rois), spatial_scale, pooled_height, pooled_width
    )
    output.copy_(pooled)
    argmax.copy_(best)


def roi_pool_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax: Tensor,
    grad_input: Tensor,
    *,
    pooled_height: int,
    pooled_width: int,
    spatial_scale: float,
) -> None:
    """Gradient (B, C, H, W) of `roi_pool_forward` into `grad_input`."""
    gradient = _TORCHVISION._roi_pool_backward(
        at_least_float32(grad_output),
        at_least_float32(rois),
        argmax,
        spatial_scale,
        pooled_height,
        pooled_width,
        *grad_input.shape,
    )
    grad_input.copy_(gradient)
