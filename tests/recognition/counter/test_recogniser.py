"""A recogniser answers with probabilities, whichever way a product lies."""

import numpy as np
import pytest
import torch

from rpc.recognition.counter.recogniser import Recogniser
from rpc.recognition.systems.crop_classifier import CropClassifier

SKUS = 3


@pytest.fixture(scope="module")
def model():
    """Pretrained, with a head that gives decided answers (an untrained one says 1 / K to all)."""
    torch.manual_seed(0)
    model = CropClassifier(SKUS + 1)
    torch.nn.init.normal_(model.head.weight, std=0.1)
    return model.eval()


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(0, 256, (150, 200, 3), np.uint8)


def test_probabilities_of_each_box_sum_to_one(model, photo):
    boxes = np.array([[10.0, 10, 60, 90], [0, 0, 200, 150], [190, 140, 200, 150]])
    probabilities = Recogniser(model).probabilities(photo, boxes)
    assert probabilities.shape == (3, SKUS + 1)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)


def test_features_are_those_that_the_answer_is_made_of(model, photo):
    recogniser = Recogniser(model)
    square = photo[:128, :128]  # of the size that the network takes
    features = recogniser.features([square, photo])
    assert features.shape == (2, 304)
    extents = torch.zeros(1, 2)
    with torch.inference_mode():
        decided = model.decided(torch.from_numpy(features[:1]), extents).numpy()
    np.testing.assert_allclose(
        decided, recogniser._logits(square[None], extents.numpy()), atol=1e-3
    )
    many = recogniser.features([square] * 70)  # more than go through the network together
    np.testing.assert_allclose(many, np.tile(features[:1], (70, 1)), atol=1e-3)


def test_no_box_gives_no_row(model, photo):
    assert Recogniser(model).probabilities(photo, np.zeros((0, 4))).shape == (0, SKUS + 1)


@pytest.mark.parametrize(("turns", "invariant"), [(4, True), (1, False)])
def test_only_an_average_over_quarter_turns_passes_over_how_a_product_lies(
    model, photo, turns, invariant
):
    photo = np.repeat(np.repeat(photo[:30, :40], 5, axis=0), 5, axis=1)  # patches, not noise
    # Squares whose margin is a whole number of pixels: their crops turn without rounding.
    boxes = np.array([[20.0, 30, 70, 80], [90, 40, 190, 140]])
    x1, y1, x2, y2 = boxes.T
    rotated_boxes = np.stack([y1, 200 - x2, y2, 200 - x1], axis=1)
    recogniser = Recogniser(model, turns, settled=2.0)
    straight = recogniser.probabilities(photo, boxes)
    rotated = recogniser.probabilities(np.ascontiguousarray(np.rot90(photo)), rotated_boxes)
    assert (np.abs(straight - rotated).max() < 0.02) == invariant


def test_only_a_doubtful_crop_is_seen_again(model, photo):
    boxes = np.array([[10.0, 10, 60, 90], [0, 0, 200, 150], [90, 40, 190, 140], [5, 5, 30, 30]])
    once = Recogniser(model, turns=1).probabilities(photo, boxes)
    always = Recogniser(model, settled=2.0).probabilities(photo, boxes)
    limit = float(np.median(once.max(axis=1)))
    found = Recogniser(model, settled=limit).probabilities(photo, boxes)
    doubtful = once.max(axis=1) < limit
    assert 0 < doubtful.sum() < len(boxes)
    np.testing.assert_allclose(found[doubtful], always[doubtful], atol=1e-5)
    np.testing.assert_allclose(found[~doubtful], once[~doubtful], atol=1e-5)
    assert np.abs(once - always)[doubtful].max() > 1e-3


def test_a_recogniser_comes_back_from_its_weights(model, photo):
    boxes = np.array([[10.0, 10, 60, 90]])
    again = Recogniser.from_state(model.state_dict())
    np.testing.assert_allclose(
        again.probabilities(photo, boxes),
        Recogniser(model).probabilities(photo, boxes),
        atol=1e-6,
    )


def test_the_boxes_of_several_photos_at_once_keep_their_photo(model, photo):
    recogniser = Recogniser(model, turns=1)
    boxes = [np.array([[10.0, 10, 60, 90]]), np.zeros((0, 4)), np.array([[5.0, 5, 30, 30]] * 2)]
    photos = [photo, photo, np.ascontiguousarray(photo[::-1])]
    found = recogniser.batch_probabilities(photos, boxes)
    assert [len(rows) for rows in found] == [1, 0, 2]
    for rgb, places, rows in zip(photos, boxes, found, strict=True):
        np.testing.assert_allclose(rows, recogniser.probabilities(rgb, places), atol=1e-5)
    assert recogniser.batch_probabilities([], []) == []


def test_a_recogniser_computes_on_its_device(model, photo):
    boxes = np.array([[10.0, 10, 60, 90]])
    elsewhere = Recogniser.from_state(model.state_dict(), device=torch.device("meta"))
    assert {p.device for p in elsewhere.model.parameters()} == {torch.device("meta")}
    calls = []
    elsewhere.model.register_forward_pre_hook(
        lambda _, given: calls.extend(x.device for x in given)
    )
    with pytest.raises(NotImplementedError):  # "meta" holds no values to give back
        elsewhere.probabilities(photo, boxes)
    assert calls == [torch.device("meta")] * 2
