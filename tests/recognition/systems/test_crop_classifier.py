"""A crop classifier sees what is printed on a crop and how large it appeared."""

import pytest
import torch

from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.recognition.systems.system import Batch

CLASSES = 4


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(0)
    model = CropClassifier(CLASSES)
    torch.nn.init.normal_(model.head.weight, std=0.1)
    return model.eval()


@torch.inference_mode()
def test_crops_become_scores_of_all_classes(model):
    for size in (0, 1, 3):
        crops = torch.zeros(size, 3, model.side, model.side, dtype=torch.uint8)
        assert model(crops, torch.zeros(size, 2)).shape == (size, CLASSES)
        assert torch.equal(model(crops), model(crops, torch.zeros(size, 2)))


def test_the_stem_and_the_first_blocks_do_not_learn_and_the_rest_does():
    model = CropClassifier(CLASSES, pretrained=False, frozen_blocks=2)
    (phase,) = model.phases()
    learning = {id(p) for group in phase.groups for p in group.parameters}
    wanted = [*model.blocks[2:].parameters(), *model.extent.parameters(), *model.head.parameters()]
    assert learning == {id(p) for p in wanted}
    batch = Batch(
        torch.zeros(2, 3, 32, 32),
        torch.tensor([0, 1]),
        torch.zeros(2, 4),
        torch.zeros(2, 0, 3),
        torch.zeros(2, 2),
    )
    phase.loss(batch, torch.Generator())["class"].backward()
    assert all(p.grad is not None for p in wanted)


@torch.inference_mode()
def test_one_print_in_two_sizes_can_get_two_names(model):
    crop = torch.full((1, 3, model.side, model.side), 90, dtype=torch.uint8)
    small, large = (model(crop, torch.full((1, 2), value)) for value in (-1.0, 1.0))
    assert not torch.allclose(small, large)
