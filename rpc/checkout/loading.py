"""A checkout counter from files: a model, and a gallery or a recognition system beside it."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from rpc.checkout.counter import Checkout
from rpc.checkout.exported.loading import is_exported, load_exported
from rpc.checkout.parts import SecondLooks
from rpc.data.files import DataError
from rpc.data.packages import install_line, needed
from rpc.data.shipped import shipped
from rpc.data.taxonomy import Taxonomy

# What comes with the package, of examples/ministore's SKUs: as trained, and exported.
MODEL: Final = "rpc/weights/ministore.pth"
EXPORTED: Final = "rpc/weights/ministore"
# Where a Linux that has a GPU's driver shows it: asking torch would take seconds.
_DRIVERS: Final = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")


def load(
    model: str | Path | None = None,
    gallery: str | Path | None = None,
    *,
    device: str = "auto",
    fusion: bool = False,
    recogniser: str | Path | None = None,
    threshold: float | None = None,
    words: bool = True,
    pictures: bool = True,
) -> Checkout:
    """Load a checkout counter.

    Example:
        >>> counter = rpc.load(device="cpu")
        >>> print(counter("examples/ministore/val/val_00003_easy.jpg"))
          2 x Nudori Chicken 65 g
          1 x Crispee Sour Cream 90 g
          1 x Crispee Salt & Vinegar 90 g
          1 x Nudori Beef 65 g
          1 x Nudori Spicy Beef 65 g
        6 items, 5 products

    Args:
        model: the model file of a training, or a folder of `rpc-checkout export`, which is counted
            with without torch; None takes the one that comes with the package, which knows the SKUs
            of `examples/ministore`: exported, or in torch where it runs on a GPU.
        gallery: a folder of exemplars (`rpc.Gallery`) that names what the model finds. The SKUs
            are then the gallery's, and those that the model was trained on do not matter.
        device: "auto" (the GPU where there is one), "cpu", "cuda" or a GPU such as "cuda:1".
        fusion: with a gallery, ask the model's own recogniser as well, as was chosen for it.
        recogniser: a folder of `rpc-checkout fuse`: a recognition system that is asked beside the
            model's own recogniser.
        threshold: score from which a box counts, 0 to 1; None takes the one that was chosen with
            the model or the gallery.
        words: read items whose name is in doubt, where words were kept of the exemplars and the
            extra `words` is installed; see docs/words.md.
        pictures: compare items whose name is in doubt with exemplar pictures, where some were kept;
            see docs/pictures.md.

    Raises:
        DataError: a file is missing or damaged, parts do not fit one another, or an unknown device.
    """
    path = _shipped_model(recogniser, device) if model is None else Path(model)
    if gallery is not None and recogniser is not None:
        raise DataError("a gallery and a recogniser are given: expected one of them")
    if fusion and gallery is None:
        raise DataError("fusion: expected a gallery to join the model's recogniser with")
    looks = SecondLooks(words, pictures)
    if is_exported(path):
        if recogniser is not None:
            raise DataError(f"{path}: an exported counter takes no recognition system beside it")
        counter = load_exported(path, gallery, fusion=fusion, device=device, looks=looks)
        return counter if threshold is None else counter.with_threshold(threshold)
    counter = _trained(path, gallery, recogniser, device, looks, fusion=fusion)
    return counter if threshold is None else counter.with_threshold(threshold)


def check_gallery(gallery: Taxonomy, data: Taxonomy, folder: str | Path) -> None:
    """Make sure that a gallery's SKUs are those of a data set, or some of them.

    Raises:
        DataError: the data set has no such SKU, or calls its id by another name.
    """
    known = {category.id: category.name for category in data.categories}
    for category in gallery.categories:
        if known.get(category.id) != category.name:
            raise DataError(
                f"{folder}: its SKU {category.id} {category.name!r:.60} is "
                f"{known.get(category.id, 'not there')!r:.60} in the data; "
                "make a gallery of this data's exemplars"
            )


def check_skus(counter: Checkout, data: Taxonomy) -> None:
    """Make sure that a counter's SKUs are those of a data set.

    Raises:
        DataError: ids or names differ.
    """
    if unlike := counter.taxonomy.difference(data):
        raise DataError(
            f"{counter.name}: checkpoint of another data set: {unlike}; "
            "choose the data that it was trained on, or train a model for this data"
        )


def _shipped_model(recogniser: str | Path | None, device: str) -> Path:
    """The package's own model: exported, but for what only torch does."""
    in_torch = recogniser is not None or device.startswith("cuda") or _gpu_of_torch(device)
    return shipped(MODEL if in_torch else EXPORTED)


def _gpu_of_torch(device: str) -> bool:
    """Whether a device that is chosen automatically will be a GPU."""
    driver = sys.platform != "linux" or any(Path(path).exists() for path in _DRIVERS)
    if device != "auto" or not driver or find_spec("torch") is None:
        return False
    import torch

    return torch.cuda.is_available()


def _trained(
    path: Path,
    gallery: str | Path | None,
    recogniser: str | Path | None,
    device: str,
    looks: SecondLooks,
    *,
    fusion: bool,
) -> Checkout:
    """A counter that runs in torch."""
    if find_spec("torch") is None:
        raise DataError(
            f"{path}: a model file runs in torch, which is not installed: "
            f"{install_line('train')}; or, where it is, export the file: "
            f"rpc-checkout export {path.name} --out DIR"
        )
    with needed("torch"):  # here: a counter that was exported does without
        from rpc.checkout import trained
        from rpc.runs.devices import resolve_device
    chosen = str(resolve_device(device))
    if gallery is not None:
        return trained.load_gallery_checkout(
            path, gallery, fusion=fusion, device=chosen, looks=looks
        )
    if recogniser is not None:
        return trained.load_ensemble_checkout(path, recogniser, device=chosen, looks=looks)
    return trained.load_checkout(path, device=chosen, looks=looks)
