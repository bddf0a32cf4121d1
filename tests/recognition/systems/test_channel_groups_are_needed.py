"""A problem that needs MA-CNN's groups of channels."""

import numpy as np
import torch
from torch import nn

from rpc.recognition.systems import ma_cnn
from tests.recognition.systems.injected import NO_POINTS, Drawn, Retina, right

MARKS = np.array([[16, 16], [48, 14], [30, 46]])
SHADES = np.array([[230, 30, 30], [30, 230, 30], [30, 30, 230]])


class Shades(Retina):
    """Twelve channels, four of each of three colours, each at its own strength."""

    def __init__(self, name="", stages=(-1,), *, pretrained=True):
        super().__init__(name, stages)
        self.channels = (12,) * len(stages)
        self.gain = nn.Parameter(1 + 0.1 * torch.arange(12.0))
        wanted = torch.from_numpy(SHADES).float().repeat(4, 1) / 255
        self.register_buffer("wanted", wanted)

    def forward(self, photos):
        cells = nn.functional.avg_pool2d(photos.float() / 255, 4)
        away = (cells[:, None] - self.wanted[None, :, :, None, None]).abs().sum(dim=2)
        maps = torch.relu(1.5 - away) * self.gain[None, :, None, None]
        return (maps,) * len(self.channels)

    def learnable(self):
        yield self.gain


def three_marks(rng, label):
    """Marks of three colours about three places; a notch in the third is the class."""
    rgb = np.full((64, 64, 3), 120, np.uint8)
    for (x, y), colour in zip(MARKS + rng.integers(-6, 7, (3, 2)), SHADES, strict=True):
        rgb[y - 5 : y + 6, x - 5 : x + 6] = colour
    if label:
        rgb[y - 5 : y, x - 5 : x] = 120
    return rgb, NO_POINTS


def test_grouped_channels_stay_a_part_each_and_do_not_collapse(monkeypatch, tmp_path):
    monkeypatch.setattr(ma_cnn, "Backbone", Shades)
    data = Drawn(three_marks)
    torch.manual_seed(0)
    system = ma_cnn.MaCnn(2, 64, parts=3, part_side=32, window=0.25)
    share, batch = right(system, data, tmp_path, 150)
    with torch.no_grad():
        places = ma_cnn.peak_places(system.attention(batch.images))  # (B, P, 2)
    assert share >= 0.9
    colours = batch.images[
        torch.arange(200)[:, None],
        :,
        ((places[..., 1] + 1) * 32).long(),
        ((places[..., 0] + 1) * 32).long(),
    ]  # what is at each part's peak, (B, P, 3)
    which = colours.argmax(dim=2)
    assert (colours.amax(dim=2) > 200).all()  # a mark
    assert (which == which[0]).all()  # the same one on every photo
    assert sorted(which[0].tolist()) == [0, 1, 2]  # and each another
