"""What is kept out of mixed precision computes in float32 there, and changes nothing elsewhere."""

import copy

import pytest
import torch
from torch import nn

from rpc.features.backbones.efficientnet_lite import create_efficientnet_lite
from rpc.features.backbones.float32_layers import keep_large_depthwise_in_float32


def network():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Conv2d(4, 8, 1),
        nn.Conv2d(8, 8, 3, padding=1, groups=8),
        nn.Conv2d(8, 8, 5, padding=2, groups=8),
    )


def dtypes(model, inputs):
    """What each layer gives under mixed precision."""
    found = []
    hooks = [m.register_forward_hook(lambda *a: found.append(a[2].dtype)) for m in model]
    with torch.autocast("cpu", torch.bfloat16):
        model(inputs)
    for hook in hooks:
        hook.remove()
    return found


def test_only_large_depthwise_layers_leave_mixed_precision():
    inputs = torch.randn(2, 4, 9, 9)
    model = network()
    assert dtypes(model, inputs) == [torch.bfloat16] * 3
    keep_large_depthwise_in_float32(model)
    assert dtypes(model, inputs) == [torch.bfloat16, torch.bfloat16, torch.float32]


def test_outputs_gradients_and_names_of_weights_stay():
    inputs = torch.randn(2, 4, 9, 9)
    plain, kept = network(), network()
    keep_large_depthwise_in_float32(kept)
    assert list(plain.state_dict()) == list(kept.state_dict())
    for model in (plain, kept):
        model(inputs).square().mean().backward()
    for one, other in zip(plain.parameters(), kept.parameters(), strict=True):
        assert torch.equal(one.grad, other.grad)


def test_copies_compute_with_their_own_weights():
    kept = network()
    keep_large_depthwise_in_float32(kept)
    other = copy.deepcopy(kept)
    with torch.no_grad():
        other[2].weight.zero_()
        other[2].bias.zero_()
    inputs = torch.randn(1, 4, 9, 9)
    assert other(inputs).abs().max() == 0
    assert kept(inputs).abs().max() > 0


@pytest.mark.parametrize("folded", [True, False])
def test_the_lite_backbones_have_such_layers_and_keep_them_out(folded):
    body = create_efficientnet_lite("efficientnet_lite0", pretrained=False, folded=folded)
    large = [m for m in body.modules() if isinstance(m, nn.Conv2d) and m.kernel_size == (5, 5)]
    assert len(large) > 5
    for layer in large:
        with torch.autocast("cpu", torch.bfloat16):
            assert layer(torch.randn(1, layer.in_channels, 8, 8)).dtype == torch.float32
