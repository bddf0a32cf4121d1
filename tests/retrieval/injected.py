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


def filled_set(share, seed, *, rectified, images=10, side=12, place="anywhere"):
    """Maps whose common object fills a share of every image, and its masks (h, w).

    Backgrounds are patches in directions of each image's own. Rectified maps have sparse
    directions without a negative value, as behind a ReLU. `place` is "anywhere" or "below": the
    whole lower part of every image.
    """
    rng = np.random.default_rng(seed)
    common = _direction(rng, rectified)
    maps, masks = [], []
    for _ in range(images):
        height, width = side + rng.integers(0, 4, 2)
        features = 0.3 * rng.normal(size=(CHANNELS, height, width))
        for _ in range(4):
            y, x = rng.integers(0, height - 3), rng.integers(0, width - 3)
            h, w = rng.integers(2, 7, 2)
            own = _direction(rng, rectified)
            features[:, y : y + h, x : x + w] += 2.5 * own[:, None, None]
        mask = np.zeros((height, width), bool)
        if place == "below":
            mask[round((1 - share) * height) :] = True
        else:
            h = min(height, round(np.sqrt(share * height * width) * np.exp(rng.uniform(-0.2, 0.2))))
            w = min(width, round(share * height * width / h))
            y, x = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
            mask[y : y + h, x : x + w] = True
        strength = 4 * np.exp(0.25 * rng.normal(size=int(mask.sum())))
        features[:, mask] = common[:, None] * strength
        features[:, mask] += 0.3 * rng.normal(size=(CHANNELS, len(strength)))
        maps.append(np.maximum(features, 0) if rectified else features)
        masks.append(mask)
    return maps, masks


def _direction(rng, rectified):
    if not rectified:
        return unit(rng.normal(size=CHANNELS))
    return unit(np.abs(rng.normal(size=CHANNELS)) * (rng.permutation(CHANNELS) < CHANNELS // 3))
