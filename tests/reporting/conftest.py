from pathlib import Path

import pytest

from rpc.data import read_dataset
from rpc.structures import Detections

MINISTORE = Path(__file__).parents[2] / "examples" / "ministore"


@pytest.fixture(scope="session")
def ministore_test():
    return read_dataset(MINISTORE / "instances_test.json")


@pytest.fixture
def three_readings():
    """Of `three_trays`: all right; one extra; one item read as the other SKU, one weak box."""
    return [
        Detections([[0, 0, 10, 10], [20, 0, 30, 10]], [0.9, 0.8], [0, 1]),
        Detections([[5, 5, 9, 9]], [0.7], [0]),
        Detections([[0, 0, 10, 11], [0, 0, 9, 10]], [0.9, 0.2], [0, 1]),
    ]
