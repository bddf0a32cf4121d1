"""A problem that needs MA-CNN's groups of channels."""

import numpy as np
import pytest
import torch
from torch import nn

from rpc.features.parts.channel_groups import part_maps, peak_places
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


LAMP = slice(0, 4)  # px, rows and columns, of what tells where three channels respond most


def lit_marks(rng, label):
    """Marks of three colours, and a lamp that is on or off."""
    rgb, _ = three_marks(rng, label)
    places = MARKS + rng.integers(-6, 7, (3, 2))
    rgb[:] = 120
    for (x, y), colour in zip(places, SHADES, strict=True):
        rgb[y - 5 : y + 6, x - 5 : x + 6] = colour
    rgb[LAMP, LAMP] = 255 if rng.random() < 0.5 else 0
    return rgb, np.concatenate([places, np.ones((3, 1), int)], axis=1)


class Ambivalent(Shades):
    """Nine channels of one colour each, and three louder ones of two colours, by the lamp."""

    def forward(self, photos):
        own = super().forward(photos)[0][:, :9]  # (B, 9, h, w), red, green, blue three times
        lamp = (photos[:, 0, 1, 1] > 128).float()[:, None, None]
        loud = 3 * (own[:, 0] * (0.3 + 0.7 * lamp) + own[:, 1] * (1 - 0.7 * lamp))
        maps = torch.cat([own, loud[:, None] * self.gain[None, :3, None, None]], dim=1)
        return (maps,) * len(self.channels)


def shares_of_marks(system, batch):
    """How often each part's peak lies nearest to each mark: (P, 3), of the photos."""
    with torch.no_grad():
        peaks = (peak_places(system.attention(batch.images)) + 1) * 32  # px
    away = (peaks[:, :, None] - batch.points[:, None, :, :2]).square().sum(dim=3)
    return nn.functional.one_hot(away.argmin(dim=2), 3).float().mean(dim=0)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["centred", "sum"])
@pytest.mark.parametrize("losses", [True, False])
def test_the_losses_part_marks_that_ambivalent_channels_join(monkeypatch, tmp_path, form, losses):
    monkeypatch.setattr(ma_cnn, "Backbone", Ambivalent)
    torch.manual_seed(0)
    system = ma_cnn.MaCnn(2, 64, parts=3, part_side=32, window=0.25, attention=form)
    if not losses:
        some = next(system.grouping.parameters())
        monkeypatch.setattr(system, "_group_loss", lambda batch, chance: {"none": 0 * some.sum()})
    _, batch = right(system, Drawn(lit_marks), tmp_path, 400, lr=1e-3)
    found = shares_of_marks(system, batch)
    if losses:
        assert (found.amax(dim=1) == 1).all()  # each part keeps to one mark on every photo
        assert sorted(found.argmax(dim=1).tolist()) == [0, 1, 2]  # and each to another
    else:
        assert found.amax(dim=1).min() < 0.7  # of the part where channels were grouped


def test_maps_that_are_the_papers_are_nearly_flat_where_nothing_is_negative():
    maps = torch.rand(1, 8, 8, 8)
    weights = torch.ones(1, 2, 8)
    flat, peaked = (part_maps(maps, weights, form).flatten(2) * 64 for form in ("sigmoid", "sum"))
    assert float(flat.std()) < 0.2 * float(peaked.std())
