"""Problems that need the masks of Mask-CNN."""

import numpy as np
import pytest
import torch
from torch import nn

from rpc.features.backbones import fully_convolutional
from rpc.recognition.systems import mask_cnn
from rpc.structures import box_iou
from tests.recognition.systems.injected import Drawn, framed_things, right


class Deep(nn.Module):
    """Stands in for `Backbone`: own layers on retinas of 4, 8 and 16 px, or one of 2 px."""

    def __init__(self, name="", stages=(-1,), *, pretrained=True):
        super().__init__()
        self.strides = (4, 8, 16) if len(stages) == 3 else (2,)
        self.channels = (32,) * len(stages)
        self.depths = nn.ModuleList(
            nn.Sequential(
                nn.AvgPool2d(stride), nn.Conv2d(3, 16, 3, padding=1), nn.ReLU(),
                nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(),
            )
            for stride in self.strides
        )  # fmt: skip

    def forward(self, photos):
        return tuple(layers(photos.float() / 127.5 - 1) for layers in self.depths)

    def learnable(self):
        yield from self.parameters()


def masked_system():
    torch.manual_seed(0)
    return mask_cnn.MaskCnn(
        2,
        96,
        groups={"thing": (0, 1)},
        part_side=96,
        stages=(-1,),
        backbone_lr_mult=1.0,
        dropout=0.0,
    )


@pytest.mark.slow
def test_under_clutter_masks_find_the_thing_and_selected_descriptors_win(monkeypatch, tmp_path):
    for module in (mask_cnn, fully_convolutional):
        monkeypatch.setattr(module, "Backbone", Deep)
    data, system = Drawn(framed_things), masked_system()
    masked, batch = right(system, data, tmp_path / "masked", 150)
    boxes = np.stack([look.boxes[0] for look in system.look(batch.images)])
    wanted = batch.points[:, :, :2].flatten(1).numpy() + np.array([0, 0, 1, 1])
    found = np.diag(box_iou(wanted, boxes)) >= 0.5
    plain = masked_system()
    everything = torch.ones(1, 96, 96, dtype=torch.bool)
    monkeypatch.setattr(
        plain,
        "part_masks",
        lambda images: dict.fromkeys(("object", "thing"), everything.expand(len(images), -1, -1)),
    )
    unmasked, _ = right(plain, data, tmp_path / "plain", 150)
    assert found.all()  # PCP at 0.5
    assert masked >= 0.95
    assert unmasked <= 0.85
