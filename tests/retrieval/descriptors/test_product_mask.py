"""GrabCut on a crop alone: an injected product is found, what cannot be told stays whole."""

import cv2
import numpy as np
import pytest

from rpc.retrieval.descriptors.product_mask import product_mask


def injected(angle):
    crop = np.full((150, 150, 3), (205, 200, 190), np.uint8)
    crop += np.random.default_rng(0).integers(0, 8, crop.shape, dtype=np.uint8)
    mask = np.zeros((150, 150), np.uint8)
    corners = cv2.boxPoints(((75, 75), (125, 70), angle)).astype(np.int32)
    cv2.fillConvexPoly(mask, corners, 1)
    crop[mask > 0] = (180, 30, 40)
    x, y, width, height = cv2.boundingRect(mask)
    tight = slice(y, y + height), slice(x, x + width)
    return crop[tight], mask[tight] > 0


@pytest.mark.parametrize("angle", [30, 45, 60])
def test_a_injected_product_is_found(angle):
    crop, truth = injected(angle)
    found = product_mask(crop)
    assert (found & truth).sum() / (found | truth).sum() > 0.9


def test_the_same_crop_gives_the_same_mask():
    crop, _ = injected(20)
    product_mask(np.roll(crop, 9, axis=0))
    assert np.array_equal(product_mask(crop), product_mask(crop))


@pytest.mark.parametrize("shape", [(1, 1, 3), (3, 200, 3), (40, 40, 3)])
def test_a_tiny_or_plain_crop_stays_whole(shape):
    found = product_mask(np.full(shape, 90, np.uint8))
    assert found.shape == shape[:2]
    assert found.all()
