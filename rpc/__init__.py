"""Automatic checkout: tray photo in, shopping list out, and an honest measure of how good it is.

>>> import rpc
>>> counter = rpc.load()
>>> receipt = counter("examples/ministore/val/val_00003_easy.jpg")
>>> receipt.counts
{'cup_noodle_1': 2, 'chips_bag_1': 1, 'chips_bag_2': 1, 'cup_noodle_0': 1, 'cup_noodle_3': 1}

The names below are loaded when they are first used: `import rpc` alone needs neither torch nor
numpy.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from rpc.version import __version__

if TYPE_CHECKING:
    from rpc.checkout.counter import Checkout
    from rpc.checkout.loading import load
    from rpc.checkout.receipt import Receipt, ReceiptItem
    from rpc.data.files import DataError
    from rpc.data.store import Store
    from rpc.recognition.systems.registry import create_system, list_systems
    from rpc.reporting.evaluation.evaluate import evaluate
    from rpc.retrieval.gallery.gallery import Gallery

__all__ = [
    "Checkout",
    "DataError",
    "Gallery",
    "Receipt",
    "ReceiptItem",
    "Store",
    "__version__",
    "create_system",
    "evaluate",
    "list_systems",
    "load",
]

# Public name -> its module; a test holds them against the imports above.
_HOMES: Final = {
    "Checkout": "rpc.checkout.counter",
    "DataError": "rpc.data.files",
    "Gallery": "rpc.retrieval.gallery.gallery",
    "Receipt": "rpc.checkout.receipt",
    "ReceiptItem": "rpc.checkout.receipt",
    "Store": "rpc.data.store",
    "create_system": "rpc.recognition.systems.registry",
    "evaluate": "rpc.reporting.evaluation.evaluate",
    "list_systems": "rpc.recognition.systems.registry",
    "load": "rpc.checkout.loading",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first used."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
