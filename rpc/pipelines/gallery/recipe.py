"""The descriptor that a gallery was made with, or that a new one is to be made with."""

from __future__ import annotations

from pathlib import Path

from rpc.data.files import DataError
from rpc.retrieval.descriptors import recipes
from rpc.retrieval.gallery.gallery import DescribesPictures
from rpc.retrieval.gallery.gallery_files import exists, read_state


def descriptor_of(folder: Path, device: str = "auto") -> DescribesPictures:
    """The descriptor of a gallery that is there.

    Raises:
        DataError: there is none, or it is damaged, or an unknown device.
    """
    return recipes.describer_of(read_state(folder).recipe, device)


def descriptor_for(
    folder: Path, recipe: str | None = None, device: str = "auto"
) -> DescribesPictures:
    """The descriptor of a gallery, or of a new one by a recipe's name; None takes the best.

    Raises:
        DataError: the gallery was made with another recipe, or recipe or device
            are unknown.
    """
    if not exists(folder):
        return recipes.describer(recipe or recipes.DEFAULT, device)
    made = read_state(folder).recipe
    if recipe is not None and recipe != made["name"]:
        raise DataError(
            f"{folder}: made with the recipe {made['name']!r}, not {recipe!r}; "
            "leave --recipe out or choose another folder"
        )
    return recipes.describer_of(made, device)
