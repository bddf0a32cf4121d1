from pathlib import Path

import numpy as np
import pytest

from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy, read_dataset
from rpc.structures import Detections

MINISTORE = Path(__file__).parents[2] / "examples" / "ministore"


@pytest.fixture(scope="session")
def ministore_test():
    return read_dataset(MINISTORE / "instances_test.json")


@pytest.fixture
def three_trays():
    """Two SKUs (ids 3 and 7), three trays: two items, one item, none."""
    items = [(1, 10, 3, (0, 0, 10, 10)), (2, 10, 7, (20, 0, 30, 10)), (3, 30, 7, (0, 0, 10, 10))]
    return Dataset(
        images=(
            ImageInfo(10, "a.jpg", 100, 100, "easy"),
            ImageInfo(20, "b.jpg", 100, 100, "hard"),
            ImageInfo(30, "c.jpg", 100, 100, "hard"),
        ),
        annotations=tuple(
            Annotation(number, image, sku, box, 100.0) for number, image, sku, box in items
        ),
        taxonomy=Taxonomy([Category(7, "soap", title="Soap | 1 <kg>"), Category(3, "tea")]),
    )


@pytest.fixture
def three_readings():
    """Of `three_trays`: all right; one extra; one item read as the other SKU, one weak box."""
    return [
        Detections([[0, 0, 10, 10], [20, 0, 30, 10]], [0.9, 0.8], [0, 1]),
        Detections([[5, 5, 9, 9]], [0.7], [0]),
        Detections([[0, 0, 10, 11], [0, 0, 9, 10]], [0.9, 0.2], [0, 1]),
    ]


@pytest.fixture
def no_system_fonts(monkeypatch):
    """Only Pillow's own font: pictures do not depend on the machine."""
    monkeypatch.setattr("rpc.reporting.pictures.lettering.SYSTEM_FONTS", ())
    return np.full((60, 80, 3), 200, dtype=np.uint8)
