"""Deformable convolution, v1 (offsets) and v2 (offsets and a mask).

Key: B images, C channels, H, W rows and columns.
"""

from typing import Any

import torch
from torch import Tensor
from torchvision import ops

from rpc.detection.operators.precision import at_least_float32


def _deform_backward(
    grad_output: Tensor,
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    mask: Tensor | None,
    geometry: tuple[int, ...],
) -> tuple[Tensor, ...]:
    """Gradients of input, weight, offset, mask and bias.

    `geometry` is stride, padding and dilation (rows, columns each), groups, offset groups.
    """
    bias = input.new_zeros(weight.shape[0])
    use_mask = mask is not None
    mask = input.new_zeros((input.shape[0], 1)) if mask is None else mask
    tensors = (
        at_least_float32(t).contiguous() for t in (grad_output, input, weight, offset, mask, bias)
    )
    gradients: tuple[Tensor, ...] = torch.ops.torchvision._deform_conv2d_backward(
        *tensors, *geometry, use_mask
    )
    return gradients


def _v1_geometry(g: dict[str, Any]) -> tuple[int, ...]:
    names = "dH dW padH padW dilationH dilationW group deformable_group".split()
    return tuple(g[name] for name in names)


def _v2_geometry(g: dict[str, Any]) -> tuple[int, ...]:
    names = "stride_h stride_w pad_h pad_w dilation_h dilation_w group deformable_group".split()
    return tuple(g[name] for name in names)


def deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    offset: Tensor,
    output: Tensor,
    columns: Tensor,
    ones: Tensor,
    **geometry: Any,
) -> None:
    """Deformable convolution v1 of `input` (B, C, H, W) into `output`; no bias.

    `columns` and `ones` are the compiled version's work space, unused here.
    """
    g = _v1_geometry(geometry)
    tensors = (at_least_float32(t) for t in (input, offset, weight))
    output.copy_(ops.deform_conv2d(*tensors, None, g[0:2], g[2:4], g[4:6]))


def deform_conv_backward_input(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_input: Tensor,
    grad_offset: Tensor,
    weight: Tensor,
    columns: Tensor,
    **geometry: Any,
) -> None:
    """Gradients of `deform_conv_forward` by input and offset."""
    gradients = _deform_backward(grad_output, input, weight, offset, None, _v1_geometry(geometry))
    grad_input.copy_(gradients[0])
    grad_offset.copy_(gradients[2])


def deform_conv_backward_parameters(
    input: Tensor,
    offset: Tensor,
    grad_output: Tensor,
    grad_weight: Tensor,
    columns: Tensor,
    ones: Tensor,
    *,
    scale: float = 1,
    **geometry: Any,
) -> None:
    """Gradient of `deform_conv_forward` by the weight, times `scale`, added to `grad_weight`."""
    gradients = _deform_backward(
        grad_output, input, grad_weight, offset, None, _v1_geometry(geometry)
    )  # the gradient by the weight does not depend on the weight: its shape is enough
    grad_weight.add_(gradients[1], alpha=scale)


def modulated_deform_conv_forward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    output: Tensor,
    columns: Tensor,
    *,
    with_bias: bool,
    **geometry: Any,
) -> None:
    """Deformable convolution v2 (with a mask) of `input` (B, C, H, W) into `output`."""
    g = _v2_geometry(geometry)
    convolved = ops.deform_conv2d(
        at_least_float32(input),
        at_least_float32(offset),
        at_least_float32(weight),
        at_least_float32(bias) if with_bias else None,
        g[0:2],
        g[2:4],
        g[4:6],
        at_least_float32(mask),
    )
    output.copy_(convolved)


def modulated_deform_conv_backward(
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    ones: Tensor,
    offset: Tensor,
    mask: Tensor,
    columns: Tensor,
    grad_input: Tensor,
    grad_weight: Tensor,
    grad_bias: Tensor,
    grad_offset: Tensor,
    grad_mask: Tensor,
    grad_output: Tensor,
    *,
    with_bias: bool,
    **geometry: Any,
) -> None:
    """Gradients of `modulated_deform_conv_forward` by all five of its inputs."""
    gradients = _deform_backward(grad_output, input, weight, offset, mask, _v2_geometry(geometry))
    targets = (grad_input, grad_weight, grad_offset, grad_mask)
    for target, gradient in zip(targets, gradients, strict=False):
        target.copy_(gradient)
    if with_bias:
        grad_bias.copy_(gradients[4])
