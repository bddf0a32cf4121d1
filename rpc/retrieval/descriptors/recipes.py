"""Descriptors by name: what a gallery is made with, and how the one that made it is found again."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol

from rpc.data.files import DataError
from rpc.data.packages import needed
from rpc.data.shipped import shipped
from rpc.retrieval.gallery.gallery import DescribesPictures

if TYPE_CHECKING:
    import torch


class MakesDescriber(Protocol):
    """Makes a descriptor with its default settings."""

    def __call__(self, *, device: str | torch.device) -> DescribesPictures:
        """A descriptor whose network runs on `device`."""
        ...


def describer(name: str, device: str | torch.device = "cpu") -> DescribesPictures:
    """The descriptor of a name, with its default settings, on a device (`rpc.runs.devices`).

    Raises:
        DataError: there is none of this name, or an unknown device.
    """
    if name not in DESCRIBERS:
        raise DataError(f"recipe {name!r:.40}: expected one of {', '.join(sorted(DESCRIBERS))}")
    return DESCRIBERS[name](device=device)


def describer_of(
    recipe: Mapping[str, Any], device: str | torch.device = "cpu"
) -> DescribesPictures:
    """The descriptor that a gallery was made with, on a device (`rpc.runs.devices`).

    Raises:
        DataError: its recipe is not known here, today's differs from it, or an unknown device.
    """
    found = describer(str(recipe.get("name")), device)
    today = dict(found.recipe)
    for field in sorted({*today, *recipe}):
        if today.get(field) != recipe.get(field):
            raise DataError(
                f"the gallery's recipe {recipe['name']!r} has {field} = "
                f"{recipe.get(field)!r:.60}, this version makes {today.get(field)!r:.60}; "
                "add the photos to a new gallery"
            )
    return found


# Imported here: who only opens a gallery that is described already needs no torch.
def _plain(*, device: str | torch.device) -> DescribesPictures:
    with needed("torch"):
        from rpc.retrieval.descriptors.plain_descriptor import PlainDescriptor
    return PlainDescriptor(device=device)


def _product(*, device: str | torch.device) -> DescribesPictures:
    if find_spec("torch") is None and isinstance(device, str):
        from rpc.retrieval.descriptors.onnx_descriptor import OnnxDescriptor

        return OnnxDescriptor.read(shipped(EXPORTED), device=device)
    with needed("torch"):
        from rpc.retrieval.descriptors.product_descriptor import ProductDescriptor
    return ProductDescriptor(device=device)


EXPORTED: Final = "rpc/weights/ministore/descriptor.onnx"  # the same, where there is no torch
DESCRIBERS: Final[Mapping[str, MakesDescriber]] = {
    "plain": _plain,
    "product": _product,
}
DEFAULT: Final = "product"
