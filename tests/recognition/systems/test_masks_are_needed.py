"""Problems made so that the mechanism of a system, and nothing else, can solve them.

The backbones are two layers on a coarse retina: what counts is where a system looks.
"""

import numpy as np
import pytest
import torch
from torch import nn

from rpc.features.backbones import fully_convolutional
from rpc.recognition.systems import baseline, ma_cnn, mask_cnn, ra_cnn, st_cnn
from rpc.recognition.systems.system import Batch
from rpc.recognition.training.loop import accuracy, learn, predict
from rpc.recognition.training.schedule import LearningSettings
from rpc.structures import box_iou


class Retina(nn.Module):
    """Stands in for `Backbone`: a mean over 4 x 4 px, then two layers of convolution."""

    def __init__(self, name="", stages=(-1,), *, pretrained=True):
        super().__init__()
        self.layers = nn.Sequential(
            nn.AvgPool2d(4), nn.Conv2d(3, 16, 3), nn.ReLU(), nn.Conv2d(16, 32, 3), nn.ReLU()
        )
        self.channels = (32,) * len(stages)

    def forward(self, photos):
        return (self.layers(photos.float() / 127.5 - 1),) * len(self.channels)

    def learnable(self):
        yield from self.parameters()


NO_POINTS = np.zeros((0, 3))


class Drawn:
    """Stands in for `PhotoBatches`: every batch is drawn anew by a function of chance."""

    fingerprint = "drawn"

    def __init__(self, draw):
        self.draw = draw

    def batch(self, settings, phase, step):
        return self.some(settings.batch_size, [settings.seed, phase, step])

    def passes(self, seed, phase):
        return Passes(self)

    def some(self, count, seed):
        rng = np.random.default_rng(seed)
        made, points = zip(*(self.draw(rng, n % 2) for n in range(count)), strict=True)
        images = torch.from_numpy(np.stack(made).transpose(0, 3, 1, 2).copy())
        whole = torch.tensor([[0.0, 0, images.shape[3], images.shape[2]]]).expand(count, 4)
        places = torch.from_numpy(np.stack(points)).float()
        return Batch(images, torch.arange(count) % 2, whole, places)


class Passes:
    """Stands in for the passes of `PhotoBatches`."""

    def __init__(self, data):
        self.data, self.rng = data, np.random.default_rng(0)

    def some(self, count):
        yield self.data.some(48, 7)


def right(system, data, folder, iterations, lr=1e-2):
    """Share of 200 new photos that are named rightly after learning."""
    settings = LearningSettings(iterations=iterations, batch_size=24, lr=lr)
    learn(system, data, settings, folder)
    batch = data.some(200, 12345)
    return accuracy(predict(system, list(batch.images)), batch.labels), batch


def stripes(size, upright):
    """A pattern of period 4, of which a retina of 4 px sees the mean alone."""
    wave = np.where(np.arange(size) % 4 < 2, 255, 60).astype(np.uint8)
    pattern = wave[None].repeat(size, 0)
    return pattern if upright else pattern.T


def striped_thing(rng, label):
    rgb = np.full((96, 96, 3), 20, np.uint8)
    x, y = 4 * rng.integers(1, 17, 2)  # at whole cells of the retina: no edge tells the class
    rgb[y : y + 24, x : x + 24] = stripes(24, label == 1)[..., None]
    return rgb, NO_POINTS


@pytest.mark.slow
def test_what_is_readable_close_up_alone_is_read_by_recurrent_attention_alone(
    monkeypatch, tmp_path
):
    for module in (ra_cnn, baseline):
        monkeypatch.setattr(module, "Backbone", Retina)
    data = Drawn(striped_thing)
    torch.manual_seed(0)
    plain = baseline.Baseline(2, 96, backbone_lr_mult=1.0, dropout=0.0)
    assert right(plain, data, tmp_path / "plain", 220)[0] <= 0.6
    closer = ra_cnn.RaCnn(2, 96, close_side=96, backbone_lr_mult=1.0, rounds=1)
    share, batch = right(closer, data, tmp_path / "closer", 300)
    with torch.no_grad():
        first, *closer_up = (accuracy(s, batch.labels) for s in closer.scores(batch.images))
    assert share >= 0.95
    assert first <= 0.6
    assert min(closer_up) >= 0.95


QUARTERS = ((0, 0), (48, 0), (0, 48), (48, 48))


def framed_things(rng, label):
    """Stripes in three quarters; those that count are in a red frame, out of the stripes' reach."""
    rgb = np.full((96, 96, 3), 90, np.uint8)
    for number, quarter in enumerate(rng.permutation(4)[:3]):
        x, y = QUARTERS[quarter] + rng.integers(0, 7, 2)
        if number == 0:
            corners = np.array([[x, y, 1], [x + 41, y + 41, 1]])
        rgb[y : y + 42, x : x + 42] = (220, 20, 20) if number == 0 else (20, 20, 220)
        rgb[y + 4 : y + 38, x + 4 : x + 38] = 90
        upright = bool(label) if number == 0 else rng.random() < 0.5
        wave = np.where(np.arange(16) % 8 < 4, 255, 0).astype(np.uint8)[None].repeat(16, 0)
        rgb[y + 13 : y + 29, x + 13 : x + 29] = (wave if upright else wave.T)[..., None]
    return rgb, corners


class Near(Retina):
    """A retina of 2 px: a cell's reach is 10 px."""

    def __init__(self, name="", stages=(-1,), *, pretrained=True):
        super().__init__(name, stages)
        self.layers[0] = nn.AvgPool2d(2)


@pytest.mark.slow
def test_a_window_leaves_out_the_clutter_that_a_mean_over_the_photo_counts(monkeypatch, tmp_path):
    for module in (st_cnn, baseline):
        monkeypatch.setattr(module, "Backbone", Near)
    data = Drawn(framed_things)
    torch.manual_seed(0)
    plain = baseline.Baseline(2, 96, backbone_lr_mult=1.0, dropout=0.0)
    whole, _ = right(plain, data, tmp_path / "plain", 200)
    torch.manual_seed(0)
    moving = st_cnn.StCnn(
        2, 96, windows=1, window_side=48, look_side=32, backbone_lr_mult=1.0, locator_lr_mult=0.1,
        dropout=0.0,
    )  # fmt: skip
    window, _ = right(moving, data, tmp_path / "moving", 200)
    assert whole <= 0.85  # one of three stripes decides, the two others vote: 3 of 4 are right
    assert window >= 0.95


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
