"""Focal losses over sigmoid and softmax.

Key: N rows, C classes.
"""

import torch
from torch import Tensor
from torchvision import ops

from rpc.detection.operators.precision import at_least_float32


def _sigmoid_focal(
    input: Tensor, target: Tensor, weight: Tensor, gamma: float, alpha: float
) -> Tensor:
    """Loss (N, C) of logits (N, C); label C is background, a negative label is ignored."""
    classes = input.shape[1]
    one_hot = (target[:, None] == torch.arange(classes, device=target.device)).to(input.dtype)
    loss: Tensor = ops.sigmoid_focal_loss(input, one_hot, alpha, gamma, reduction="none")
    row = (target >= 0).to(input.dtype)
    if weight.numel():
        known = (target >= 0) & (target < classes)
        row = torch.where(known, weight[target.clamp(0, classes - 1)].to(row.dtype), row)
    return loss * row[:, None]


def sigmoid_focal_loss_forward(
    input: Tensor, target: Tensor, weight: Tensor, output: Tensor, *, gamma: float, alpha: float
) -> None:
    """Sigmoid focal loss (Lin et al. 2017) of logits (N, C) into `output` (N, C).

    `target` (N,) holds labels; C means background, below 0 ignored. `weight` (C,) or empty.
    """
    output.copy_(_sigmoid_focal(at_least_float32(input), target, weight, gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor, target: Tensor, weight: Tensor, grad_input: Tensor, *, gamma: float, alpha: float
) -> None:
    """Gradient (N, C) of the sum of `sigmoid_focal_loss_forward` into `grad_input`."""
    with torch.enable_grad():
        logits = at_least_float32(input).detach().requires_grad_()
        loss = _sigmoid_focal(logits, target, weight, gamma, alpha).sum()
        (gradient,) = torch.autograd.grad(loss, logits)
    grad_input.copy_(gradient)


def _softmax_terms(
    softmax: Tensor, target: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Probability (N,) of the target, its logarithm, the target's clamp and the row weight."""
    index = target.clamp(min=0)
    probability = softmax.gather(1, index[:, None])[:, 0]
    log = probability.clamp(min=torch.finfo(softmax.dtype).tiny).log()
    row = (target >= 0).to(softmax.dtype)
    return probability, log, index, row * weight[index] if weight.numel() else row


def softmax_focal_loss_forward(
    softmax: Tensor, target: Tensor, weight: Tensor, output: Tensor, *, gamma: float, alpha: float
) -> None:
    """Softmax focal loss of probabilities (N, C) into `output` (N,); labels below 0 give 0."""
    probability, log, _, row = _softmax_terms(at_least_float32(softmax), target, weight)
    output.copy_(-alpha * (1 - probability) ** gamma * log * row)


def softmax_focal_loss_backward(
    softmax: Tensor,
    target: Tensor,
    weight: Tensor,
    buff: Tensor,
    grad_input: Tensor,
    *,
    gamma: float,
    alpha: float,
) -> None:
    """Gradient (N, C) by the logits, not by the probabilities, into `grad_input`."""
    softmax = at_least_float32(softmax)
    probability, log, index, row = _softmax_terms(softmax, target, weight)
    rest = 1 - probability
    slope = alpha * (gamma * rest ** (gamma - 1) * probability * log - rest**gamma) * row
    chosen = torch.zeros_like(softmax).scatter_(1, index[:, None], 1)
    grad_input.copy_(slope[:, None] * (chosen - softmax))
