"""Model files: written whole, read without executing anything that they might hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from torch import Tensor

from rpc.data.files import DataError
from rpc.data.taxonomy import Taxonomy
from rpc.detection.picture_tensors import sku_pictures_from_tensors, sku_pictures_to_tensors
from rpc.features.local.sku_pictures import SkuPictures
from rpc.features.text.sku_words import SkuWords, sku_words_from_json, sku_words_to_json
from rpc.runs.tensor_files import read_tensors, require_plain, weights_of, write_tensors

__all__ = [
    "SavedModel",
    "check_taxonomy",
    "load_model",
    "read_tensors",
    "write_model",
    "write_tensors",
]

VERSION = 1
_KINDS = {"state_dict": dict, "config": str, "categories": list, "meta": dict}


@dataclass(frozen=True)
class SavedModel:
    """A trained detector as its file holds it.

    Attributes:
        state_dict: weights by name; floating point numbers as float32.
        config: JSON text with `model`, `test_pipeline` and `image_size`: text, never Python.
        taxonomy: the SKUs; the classifier's rows are its labels.
        counting: `CountingRule.to_dict()` of the rule that was chosen on validation; None where
            none was chosen yet.
        meta: where the model comes from; plain values only.
        path: the file that it was read from.
        recogniser: weights of the crop classifier that names what the detector finds; None where
            the detector does.
        doubt: `rpc.counting.doubt.Doubt.to_dict()`: calibration, limit and look-alikes; None where
            none was fitted.
        words: what was read on each SKU's exemplars, by label; None where nobody read.
        pictures: of each SKU's exemplars, by label; None where none were kept.
    """

    state_dict: Mapping[str, Tensor] = field(repr=False)
    config: str = field(repr=False)
    taxonomy: Taxonomy
    counting: Mapping[str, Any] | None = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    path: Path = Path("model.pth")
    recogniser: Mapping[str, Tensor] | None = field(default=None, repr=False)
    doubt: Mapping[str, Any] | None = field(default=None, repr=False)
    words: tuple[SkuWords, ...] | None = field(default=None, repr=False)
    pictures: tuple[SkuPictures, ...] | None = field(default=None, repr=False)

    def with_rule(self, rule: Mapping[str, Any] | None) -> SavedModel:
        """The same model with another counting rule (`CountingRule.to_dict()`), or with none.

        What was fitted to decisions of the former rule goes.
        """
        return replace(self, counting=rule, doubt=None)

    def with_doubt(self, doubt: Mapping[str, Any] | None) -> SavedModel:
        """The same model with what says where it is in doubt (`Doubt.to_dict()`), or without."""
        return replace(self, doubt=doubt)

    def with_recogniser(self, state: Mapping[str, Tensor] | None) -> SavedModel:
        """The same detector, whose items are named by a crop classifier of these weights."""
        return replace(self, recogniser=state, doubt=None)

    def with_words(self, words: Sequence[SkuWords] | None) -> SavedModel:
        """The same model with what was read on each SKU's exemplars, or without; doubt goes."""
        return replace(self, words=None if words is None else tuple(words), doubt=None)

    def with_pictures(self, pictures: Sequence[SkuPictures] | None) -> SavedModel:
        """The same model with pictures of each SKU's exemplars, or without; doubt goes."""
        kept = None if pictures is None else tuple(pictures)
        return replace(self, pictures=kept, doubt=None)

    def with_taxonomy(self, taxonomy: Taxonomy) -> SavedModel:
        """The same weights for these SKUs, without a counting rule: it was chosen for others."""
        bare = replace(self, counting=None, doubt=None, words=None, pictures=None)
        return replace(bare, taxonomy=taxonomy)


def write_model(path: str | Path, model: SavedModel) -> Path:
    """Write a detector as one small file, whole or not at all; returns the path.

    Weights are written in half precision, but for those that it cannot hold.

    Args:
        path: of the file to write, usually `model.pth`.
        model: what it holds; its own `path` does not matter.

    Raises:
        DataError: the file cannot be written.
    """
    content = {
        "version": VERSION,
        "state_dict": _halves(model.state_dict),
        "config": model.config,
        "categories": model.taxonomy.to_list(),
        "counting": None if model.counting is None else _plain(model.counting),
        "meta": _plain(model.meta),
    }
    if model.recogniser is not None:
        content["recogniser"] = _halves(model.recogniser)
    if model.doubt is not None:
        content["doubt"] = _plain(model.doubt)
    if model.words is not None:
        content["words"] = sku_words_to_json(model.words)
    if model.pictures is not None:
        content["pictures"] = sku_pictures_to_tensors(model.pictures)
    return write_tensors(path, content)


def load_model(path: str | Path) -> SavedModel:
    """Read what `write_model` wrote.

    Raises:
        DataError: the file is missing, is no checkpoint, would execute code on loading, lacks a
            part, or is of another version.
    """
    content = read_tensors(path)
    version = content.get("version")
    if version is None and "optimizer" in content:
        raise DataError(
            f"{path}: a training's resume point, not a model; use the model.pth beside it, "
            "written when the training ends"
        )
    for name, kind in {"version": int, **_KINDS}.items():
        if not isinstance(content.get(name), kind):
            raise DataError(
                f"{path}: not a model of this project: expected '{name}' ({kind.__name__})"
            )
    for name in ("categories", "counting", "meta", "doubt", "words"):
        require_plain(content.get(name), f"{path}: {name}")
    if version != VERSION:
        raise DataError(f"{path}: model version {version!r:.20}, expected {VERSION}; train it anew")
    try:
        taxonomy = Taxonomy.from_list(content["categories"])
    except DataError as error:
        raise DataError(f"{path}: {error}") from error
    counting, doubt = content.get("counting"), content.get("doubt")
    for name, values in (("counting", counting), ("doubt", doubt)):
        if values is not None and not isinstance(values, dict):
            raise DataError(
                f"{path}: expected '{name}' to be a dict or None, got a {type(values).__name__}"
            )
    state = _full(weights_of(content["state_dict"], f"{path}: 'state_dict'"))
    names = content.get("recogniser")
    recogniser = None if names is None else _full(weights_of(names, f"{path}: 'recogniser'"))
    text, meta = content["config"], content["meta"]
    seen = content.get("words"), content.get("pictures")
    words, pictures = _of_exemplars(*seen, len(taxonomy), path)
    model = SavedModel(state, text, taxonomy, counting, meta, Path(path), recogniser, doubt)
    return replace(model, words=words, pictures=pictures)


def _of_exemplars(
    words: Any, pictures: Any, skus: int, path: str | Path
) -> tuple[tuple[SkuWords, ...] | None, tuple[SkuPictures, ...] | None]:
    """The words and pictures of so many SKUs, where the file has any."""
    try:
        return (
            None if words is None else sku_words_from_json(words, skus),
            None if pictures is None else sku_pictures_from_tensors(pictures, skus),
        )
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def check_taxonomy(model: SavedModel, taxonomy: Taxonomy) -> None:
    """Make sure that a model was trained for these SKUs.

    Raises:
        DataError: ids or names differ.
    """
    if unlike := model.taxonomy.difference(taxonomy):
        raise DataError(
            f"{model.path}: checkpoint of another data set: {unlike}; "
            "choose the data that it was trained on, or train a model for this data"
        )


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as JSON knows them: a safe reader would refuse even a subclass of str."""
    plain: dict[str, Any] = json.loads(json.dumps(dict(values)))
    return plain


def _halves(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in half precision; equal ones (RTMDet shares convolutions) are stored once."""
    known: dict[tuple[Any, ...], Tensor] = {}
    halves = {}
    for name, value in state.items():
        half = _half(value)
        key = (half.dtype, half.shape, half.contiguous().numpy().tobytes())
        halves[name] = known.setdefault(key, half)
    return halves


def _half(value: Tensor) -> Tensor:
    value = value.detach().cpu()
    if not value.is_floating_point():
        return value
    half = value.half()
    return value if half.isinf().any() else half


def _full(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The weights in single precision; what the file holds once is held once."""
    known = {id(value): value.float() for value in state.values() if value.is_floating_point()}
    return {name: known.get(id(value), value) for name, value in state.items()}
