"""Feature maps with an injected common object: the proof that DDT is not SCDA."""

import numpy as np

CHANNELS = 24


def injected_set(images=12, seed=0, distractor=6.0, with_object=None, side=14):
    """Maps (C, h, w) of several sizes, and true boxes xyxy in cells (None where none is injected).

    Every image has noise, a distractor in a direction of its own, brighter than all else, and the
    common direction, weaker, in a random rectangle.
    """
    rng = np.random.default_rng(seed)
    common = rng.normal(size=CHANNELS)
    common = unit(common - common.mean() + 0.02)  # hardly seen by a sum over the channels
    maps, boxes = [], []
    for number in range(images):
        height, width = side + rng.integers(0, 4, 2)
        features = 0.1 * rng.normal(size=(CHANNELS, height, width))
        own = np.zeros(CHANNELS)
        while own.sum() < 0.7:  # bright: a large sum over the channels
            own = rng.normal(size=CHANNELS)
            own = unit(own - (own @ common) * common)
        x, y = rng.integers(0, side // 2, 2)
        features[:, y : y + 4, x : x + 4] += distractor * own[:, None, None]
        box = None
        if with_object is None or with_object[number]:
            w, h = rng.integers(4, 7, 2)
            x1, y1 = rng.integers(0, width - w + 1), rng.integers(0, height - h + 1)
            features[:, y1 : y1 + h, x1 : x1 + w] = 5 * common[:, None, None] + 0.1 * rng.normal(
                size=(CHANNELS, h, w)
            )
            box = (int(x1), int(y1), int(x1 + w), int(y1 + h))
        maps.append(features.astype(np.float32))
        boxes.append(box)
    return maps, boxes


def unit(vector):
    return vector / np.linalg.norm(vector)
