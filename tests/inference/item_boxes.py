"""Boxes of items inside a photo, by chance."""

import numpy as np
from hypothesis import strategies as st

WIDTH, HEIGHT = 120, 90


@st.composite
def item_boxes(draw, low=1.0):
    """Boxes inside the photo, with sides of `low` px and more."""
    boxes = []
    for _ in range(draw(st.integers(1, 6))):
        x, y = draw(st.floats(0, WIDTH - low)), draw(st.floats(0, HEIGHT - low))
        boxes.append([x, y, draw(st.floats(x + low, WIDTH)), draw(st.floats(y + low, HEIGHT))])
    return np.array(boxes)
