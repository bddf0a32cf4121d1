"""Facts of an installation: versions, extras, devices, shipped files; and a tray is counted.

Nothing is imported before it is asked for: where a library is broken, this still says which.
"""

from __future__ import annotations

import importlib
import platform
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from importlib import metadata
from importlib.util import find_spec
from typing import Any, Final

import rpc

# What counting imports, in the order in which one builds on another.
CORE: Final = ("numpy", "cv2", "msgspec", "filelock", "scipy", "pycocotools", "onnxruntime")
CORE_LAST: Final = ("rpc.checkout.loading",)
TRAINING: Final = ("torch", "torchvision", "timm", "rpc.detection")  # where torch is installed
HEADLESS: Final = "pip install --force-reinstall --no-deps opencv-python-headless"
MORE: Final = ("timm", "scipy", "pillow", "filelock")  # beside those of a report's manifest
SHIPPED: Final = (
    "configs/cpu_default.py",
    "rpc/weights/ministore.pth",
    "rpc/weights/ministore",
    "rpc/weights/ministore_gallery",
    "examples/ministore",
)
TRAY: Final = "val_00003_easy.jpg"  # every item shows its print: any sound counter is right on it
FAULTS: Final = (ImportError, OSError, ValueError, RuntimeError)


@dataclass(frozen=True)
class Findings:
    """Findings of `examine`.

    Attributes:
        versions: of this package, Python and libraries, by name.
        extras: by extra, what is missing of it: modules, none where it is installed.
        devices: "cpu", "cores", "bfloat16" (in the processor's hardware; None without torch, which
            knows), and "gpus": name and bytes of memory.
        files: what travels with the package, and where it lies.
        counter: "load_seconds", "photo_seconds", "counts" and "expected"; empty where none ran.
        problems: a line each; none where this installation counts.
    """

    versions: dict[str, str] = field(default_factory=dict)
    extras: dict[str, list[str]] = field(default_factory=dict)
    devices: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    counter: dict[str, Any] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether trays can be counted here."""
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        """All of it, for JSON."""
        return {
            "usable": self.usable,
            "problems": self.problems,
            "versions": self.versions,
            "extras": {extra: {"missing": lacking} for extra, lacking in self.extras.items()},
            "devices": self.devices,
            "files": self.files,
            "counter": self.counter,
        }


def examine(device: str = "auto") -> Findings:
    """Look an installation over, and count a tray of the shipped store with the shipped model.

    Args:
        device: that the tray is counted on.
    """
    from rpc.data.packages import keep_off_the_network

    keep_off_the_network()
    basic = {"rpc-checkout": rpc.__version__, "python": platform.python_version()}
    training = TRAINING if find_spec("torch") is not None else ()
    problems = broken_imports(CORE + CORE_LAST + training)
    if problems:
        return Findings(versions=basic, problems=problems)
    from rpc.reporting.provenance import library_versions

    files, absent = shipped_files()
    counter: dict[str, Any] = {}
    faults = [f"{name}: did not come with the package; install it anew" for name in absent]
    if not absent:
        counter, faults = counted_tray(device)
    versions = basic | library_versions() | _versions(MORE)
    return Findings(versions, missing_extras(), devices(), files, counter, faults)


def _versions(names: tuple[str, ...]) -> dict[str, str]:
    """Versions of those that are installed."""
    found = {}
    for name in names:
        with suppress(metadata.PackageNotFoundError):
            found[name] = metadata.version(name)
    return found


def broken_imports(names: tuple[str, ...] = CORE + CORE_LAST) -> list[str]:
    """A line on the first library that counting needs and that cannot be imported; else none."""
    for name in names:
        try:
            importlib.import_module(name)
        except FAULTS as error:
            hint = f"; on a machine without a screen: {HEADLESS}" if "libGL" in str(error) else ""
            return [f"{name}: cannot be imported: {' '.join(str(error).split())}{hint}"]
    return []


def missing_extras() -> dict[str, list[str]]:
    """By extra, those of its modules that are not installed."""
    from rpc.data.packages import EXTRAS

    return {
        extra: [name for name in names if find_spec(name) is None]
        for extra, names in EXTRAS.items()
    }


def devices() -> dict[str, Any]:
    """The processor and the GPUs that torch sees."""
    from rpc.reporting.provenance import machine

    if find_spec("torch") is None:
        return {**machine(), "bfloat16": None, "gpus": []}
    import torch

    from rpc.runs.processes import has_fast_bfloat16

    gpus = []
    if torch.cuda.is_available():
        for number in range(torch.cuda.device_count()):
            facts = torch.cuda.get_device_properties(number)
            gpus.append({"name": facts.name, "memory": facts.total_memory})
    here = machine()
    return {**here, "bfloat16": has_fast_bfloat16("cpu"), "gpus": gpus}


def shipped_files() -> tuple[dict[str, str], list[str]]:
    """Where the files that come with the package lie; and those that are not there."""
    from rpc.data.shipped import shipped

    places = {name: shipped(name) for name in SHIPPED}
    absent = [name for name, path in places.items() if not path.exists()]
    return {name: str(path) for name, path in places.items()}, absent


def counted_tray(device: str) -> tuple[dict[str, Any], list[str]]:
    """Count an easy tray of the shipped store: times and counts; and what went wrong."""
    from rpc.checkout.loading import load
    from rpc.data.shipped import shipped
    from rpc.data.store import Store

    try:
        store = Store.open(shipped("examples/ministore"))
        trays = store.split("val")
        (tray,) = (image for image in trays.images if image.file_name == TRAY)
        began = time.perf_counter()
        counter = load(device=device)
        loaded = time.perf_counter()
        photo = store.image_path("val", tray)
        counter(photo)  # the first one warms up
        warm = time.perf_counter()
        counts = counter(photo).counts
        done = time.perf_counter()
    except FAULTS as error:
        return {}, [f"counting: {' '.join(str(error).split())}"]
    names = {category.id: category.name for category in store.taxonomy.categories}
    shown = Counter(names[item.category_id] for item in trays.annotations_of(tray.id))
    found = {
        "device": counter.device,
        "photo": str(photo),
        "load_seconds": round(loaded - began, 3),
        "photo_seconds": round(done - warm, 3),
        "counts": counts,
        "expected": dict(shown),
    }
    if counts == dict(shown):
        return found, []
    return found, [f"counting: expected {dict(shown)} on {photo.name}, got {counts}"]
