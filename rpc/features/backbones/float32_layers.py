"""Layers that mixed precision makes slower on a CPU, kept out of it."""

from __future__ import annotations

from torch import Tensor, autocast, nn


class _Float32:
    """Mixed into a layer: on a CPU mixed precision leaves it alone."""

    def forward(self, inputs: Tensor) -> Tensor:
        if inputs.device.type != "cpu":
            return super().forward(inputs)  # type: ignore[misc,no-any-return]
        with autocast("cpu", enabled=False):
            outputs: Tensor = super().forward(inputs.float())  # type: ignore[misc]
        return outputs


def keep_large_depthwise_in_float32(model: nn.Module) -> None:
    """Exempt depthwise convolutions of more than 3x3 from mixed precision on a CPU, in place.

    Their bfloat16 backward pass has no fast path there: 2 to 5 times slower than in float32, where
    all other layers gain 1.5 to 5 times (torch 2.14 on AVX512-BF16). A batch of the counter's
    recogniser takes 0.35 s of one core so, 0.74 s with all layers in bfloat16, 0.53 s in float32.
    """
    for module in model.modules():
        if isinstance(module, nn.Conv2d) and module.groups > 1 and module.kernel_size[0] > 3:
            # A subclass made on the spot: timm's own convolution pads otherwise than nn.Conv2d.
            module.__class__ = type("Float32Conv2d", (_Float32, type(module)), {})
