"""Stand-ins for problems made so that the mechanism of a system, and nothing else, solves them.

The backbones are two layers on a coarse retina: what counts is where a system looks.
"""

import numpy as np
import torch
from torch import nn

from rpc.recognition.systems.system import Batch
from rpc.recognition.training.loop import accuracy, learn, predict
from rpc.recognition.training.schedule import LearningSettings


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

    def unrectified(self, photos):
        return self.forward(photos)

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
