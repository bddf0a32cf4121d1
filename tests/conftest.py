"""What every test needs: a hypothesis that can be repeated, and threads that wait politely."""

import gc
import os
import signal

import pytest
from hypothesis import settings

# Read when torch is imported, by any test module: spinning threads slow their neighbours, and where
# files of tests run side by side (make test), a thread each is enough.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What is imported stays: the cycle collector need not walk through its million objects again and
# again, neither while it is loaded nor in every test.
gc.disable()


def pytest_collection_finish():
    """All is imported: only what tests make is watched from here on."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(7_000)  # ten times the default: trainings make and drop much at every step
    gc.enable()


# A busy machine is slow, not wrong: no example fails for the time it takes. And the same examples
# every time: a test that fails now and then tells nobody which change broke it.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(autouse=True)
def _signals_are_heard_as_before():
    """A tool listens to the end of its process, which in a test is not the end."""
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:  # tests in a shell's background
        signal.signal(signal.SIGINT, signal.default_int_handler)
    before = {number: signal.getsignal(number) for number in numbers}
    yield
    for number, handler in before.items():
        if signal.getsignal(number) != handler:
            signal.signal(number, handler)


@pytest.fixture
def three_trays():
    """Two SKUs (ids 3 and 7), three trays: two items, one item, none."""
    from rpc.data import Annotation, Category, Dataset, ImageInfo, Taxonomy

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
def no_system_fonts(monkeypatch):
    """Only Pillow's own font: pictures do not depend on the machine."""
    import numpy as np

    monkeypatch.setattr("rpc.pictures.lettering.SYSTEM_FONTS", ())
    return np.full((60, 80, 3), 200, dtype=np.uint8)
