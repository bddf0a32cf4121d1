"""Packs of a family for tests: one layout and print, and a label that tells the flavours apart."""

import cv2
import numpy as np

HEIGHT, WIDTH = 260, 180
LABEL = (slice(84, 174), slice(24, 156))


def pack(family=0, label=(200, 30, 30), emblem=None):
    """A pack (H, W, 3): letters and patches of a family, a label of one colour, and an emblem."""
    rng = np.random.default_rng(family)
    rgb = cv2.resize(rng.integers(90, 220, (9, 6, 3), dtype=np.uint8), (WIDTH, HEIGHT))
    for _ in range(26):
        place = tuple(int(v) for v in rng.integers(8, [WIDTH - 40, HEIGHT - 8]))
        letters = "".join(chr(65 + int(v)) for v in rng.integers(0, 26, 3))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        cv2.putText(rgb, letters, place, cv2.FONT_HERSHEY_SIMPLEX, 0.7, colour, 2)
    rgb[LABEL] = label
    if emblem is not None:
        draw = np.random.default_rng(1000 + emblem)
        for _ in range(14):
            x, y = (int(v) for v in draw.integers([34, 94], [146, 164]))
            cv2.circle(rgb, (x, y), int(draw.integers(3, 9)), (255, 255, 255), 2)
    return rgb


def lying(rgb, degrees=25.0, light=(1.0, 1.0, 1.0), seed=0):
    """The pack as it lies on a tray: turned, smaller, in another light, with noise."""
    size = 320
    matrix = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), degrees, 0.9)
    matrix[:, 2] += (size / 2 - WIDTH / 2, size / 2 - HEIGHT / 2)
    seen = cv2.warpAffine(rgb, matrix, (size, size), borderValue=(120, 120, 120))
    noise = np.random.default_rng(seed).normal(0, 3, seen.shape)
    return np.clip(seen * np.array(light) + noise, 0, 255).astype(np.uint8)
