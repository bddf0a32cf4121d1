import numpy as np
import pytest
import torch

from rpc.data.images import encode_jpeg
from rpc.detection.picture_tensors import sku_pictures_from_tensors, sku_pictures_to_tensors
from rpc.features.local.sku_pictures import (
    pack_pictures,
    unpack_pictures,
)
from tests.features.local.packs import pack


def jpeg(rgb):
    return torch.frombuffer(bytearray(encode_jpeg(rgb)), dtype=torch.uint8)


ONE = jpeg(pack())


def test_pictures_come_back_small_and_nearly_the_same():
    packed = pack_pictures([pack(), np.tile(pack(1), (3, 3, 1))])
    first, second = unpack_pictures(packed)
    assert np.abs(first.astype(int) - pack()).mean() < 8
    assert max(second.shape) == 320
    assert sum(map(len, packed)) < 60_000


def test_a_file_holds_them_as_they_are():
    pictures = [pack_pictures([pack()]), ()]
    assert sku_pictures_from_tensors(sku_pictures_to_tensors(pictures), 2) == tuple(pictures)


@pytest.mark.parametrize(
    "values",
    [
        {},
        [[]],
        [[], 5],
        [[], [b"jpeg"]],
        [[], [ONE.float()]],
        [[], [ONE[None]]],
        [[], [ONE[100:]]],
        [[], [ONE[:0]]],
        [[], [ONE] * 65],
        [
            [],
            [
                torch.frombuffer(
                    bytearray(encode_jpeg(np.zeros((2, 9, 3), np.uint8))), dtype=ONE.dtype
                )
            ],
        ],
        [
            [],
            [
                torch.frombuffer(
                    bytearray(encode_jpeg(np.zeros((9, 2000, 3), np.uint8))), dtype=ONE.dtype
                )
            ],
        ],
    ],
)
def test_damaged_pictures_are_told(values):
    with pytest.raises(ValueError, match="pictures"):
        sku_pictures_from_tensors(values, 2)
