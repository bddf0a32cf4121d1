import pytest
import torch

from rpc.features.parts.channel_groups import part_maps
from rpc.features.pooling.second_order import TensorSketch, bilinear, covariance, root_of
from rpc.features.precision import full_precision


def maps(seed=0):
    return torch.rand(2, 6, 5, 5, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: covariance(x),
        lambda x: root_of(covariance(x)),
        lambda x: bilinear(x, x),
        lambda x: TensorSketch(6, 6, 64)(x, x),
        lambda x: part_maps(x, torch.ones(2, 3, 6)),
    ],
)
def test_under_autocast_the_result_is_that_of_single_precision(function):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert (maps()[0] @ maps()[0]).dtype == torch.bfloat16  # elsewhere it is on
        found = function(maps())
        from_half = function(maps().bfloat16())
    assert found.dtype == torch.float32
    assert torch.equal(found, function(maps()))
    assert from_half.dtype == torch.float32


def test_single_and_double_arguments_stay_and_half_ones_are_lifted():
    @full_precision
    def types(*args, **kwargs):
        return [value.dtype for value in (*args, *kwargs.values())]

    half, single, double = (
        torch.zeros(1, dtype=t) for t in (torch.float16, torch.float32, torch.float64)
    )
    assert types(half, single, last=double) == [torch.float32, torch.float32, torch.float64]
    assert types(torch.zeros(1, dtype=torch.int64)) == [torch.int64]
    assert types() == []

    @full_precision
    def listed(values):
        return [value.dtype for value in values]

    assert listed([half, double]) == [torch.float32, torch.float64]
