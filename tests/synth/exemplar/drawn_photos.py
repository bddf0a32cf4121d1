"""Photos of one plain product, and a segmenter that needs no photo."""

import numpy as np

COLOURS = {"can": (200, 40, 40), "bag": (30, 90, 200)}


def draw_photo(width, height, colour, side=160, seed=0):
    """A rectangle of width x height px in the middle of a grey, slightly noisy photo.

    Returns:
        The photo (side, side, 3), the true mask (side, side), and the box xyxy.
    """
    rng = np.random.default_rng(seed)
    rgb = np.full((side, side, 3), 190, dtype=np.int16)
    x1, y1 = (side - width) // 2, (side - height) // 2
    box = (x1, y1, x1 + width, y1 + height)
    mask = np.zeros((side, side), dtype=bool)
    mask[y1 : y1 + height, x1 : x1 + width] = True
    rgb[mask] = colour
    rgb = rgb + rng.normal(0, 3, rgb.shape)
    return rgb.clip(0, 255).astype(np.uint8), mask, box


class WholeBox:
    """A segmenter that takes the box for the product; sets no store on fire."""

    def __call__(self, rgb, box):
        soft = np.zeros(rgb.shape[:2], dtype=np.float32)
        x1, y1, x2, y2 = (round(v) for v in box)
        soft[y1:y2, x1:x2] = 1
        return soft

    def __repr__(self):
        return "WholeBox()"
