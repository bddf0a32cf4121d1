"""From a config file and a data set to the one config that a training runs with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from rpc.data.files import DataError
from rpc.data.scene_stream import SceneSource
from rpc.data.store import Store
from rpc.data.taxonomy import Taxonomy
from rpc.detection.config_checks import check_config, check_options, import_own_parts
from rpc.detection.dataset import PRODUCT, read_source
from rpc.detection.description import checked_model
from rpc.detection.streamed_dataset import STREAMED
from rpc.runs.config_files import read_config_file
from rpc.runs.devices import resolve_device


def build_config(
    path: str | Path,
    data_root: str | Path,
    scenes: str | Path | SceneSource | None = None,
    options: Mapping[str, Any] | None = None,
    *,
    iterations: int | None = None,
    minutes: float | None = None,
    amp: bool = False,
    seed: int = 0,
    launcher: str = "none",
    device: str | torch.device = "auto",
) -> Config:
    """Fill a config in: folders, number of classes, image size, budget, precision, seed.

    Args:
        path: a file of `configs/`.
        data_root: the store.
        scenes: folder of composed scenes to train on, or what makes them while the training runs
            (to be given to `train` too); None trains on the raw exemplars ('Single').
        options: changes by dotted name, such as `{"train_dataloader.batch_size": 4}`.
        iterations: updates, instead of those of the config.
        minutes: wall time that the training may take: a cap on its updates.
        amp: mixed precision: bfloat16 on a CPU, float16 on a GPU.
        seed: of weights, order and augmentation.
        launcher: "none", "pytorch" (torchrun) or "slurm".
        device: to train on, see `rpc.runs.devices`; of several processes each has its own GPU.

    Raises:
        DataError: the config or the data are missing or damaged, the scenes show other SKUs than
            the store, an option does not fit, or the device is unknown.
    """
    chosen = resolve_device(device)
    if launcher != "none" and chosen.index is not None:
        raise DataError(f"device {chosen}: each process takes a GPU of its own; take cuda or cpu")
    config = _read(Path(path), options or {})
    try:
        checked_model(config.model.to_dict())  # else no one could load what is trained
        _fill_in(config, Path(data_root), scenes, chosen)
        if config.train_dataloader.dataset.type == STREAMED:
            config.train_dataloader.dataset.seed = seed
        if iterations is not None:
            config.train_cfg.update(max_iters=iterations, max_minutes=None)
        if minutes is not None:
            config.train_cfg.update(max_minutes=minutes)
        if amp:
            _set_amp(config, chosen)
    except DataError:
        raise
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path}: not the config of a detector's training: {error}") from error
    config.randomness = {"seed": seed}
    config.launcher = launcher
    names = ("schedule", "display", "ema")
    config.custom_hooks = [*(config.get("custom_hooks") or []), *_present(config, names)]
    return config


def _fill_in(
    config: Config, root: Path, scenes: str | Path | SceneSource | None, device: torch.device
) -> None:
    """All that depends on the data and on the machine."""
    taxonomy = _fill_data(config, root, scenes)
    _set_num_classes(config.model, len(taxonomy))
    config.categories = json.dumps(taxonomy.to_list())
    _set_image_size(config)
    _limit_workers(config)
    _set_device(config, device)


def model_text(config: Config) -> str:
    """JSON text that a model file holds: what is needed to build the model and feed it.

    Weights that a backbone starts from are left out: the file holds better ones.
    """
    plain = config.to_dict()
    model = plain["model"]
    model.get("backbone", {}).pop("init_cfg", None)
    if "pretrained" in model.get("backbone", {}) or model["backbone"]["type"] == "EfficientNetLite":
        model["backbone"]["pretrained"] = False
    pipeline = plain["test_pipeline"]
    size = plain.get("image_size")
    if size is None:  # the steps of the pipeline say it
        size = next(step["scale"] for step in pipeline if step["type"] == "Resize")
    return json.dumps({"model": model, "test_pipeline": pipeline, "image_size": size}, indent=1)


def taxonomy_of(config: Config) -> Taxonomy:
    """The SKUs of a config that `build_config` filled in."""
    return Taxonomy.from_list(json.loads(config.categories))


def read_config(path: str | Path, options: Mapping[str, Any] | None = None) -> Config:
    """Read a config file with its bases: values only, nothing in it is run.

    Args:
        path: a file of `configs/`.
        options: changes by dotted name, such as `{"training.minutes": 4}`.

    Raises:
        DataError: the config is missing, damaged or more than plain values, names what nobody
            knows, or an option does not fit.
    """
    path = Path(path)
    values = read_config_file(path)
    import_own_parts(values.get("custom_imports"), str(path))
    check_options(values, options or {}, str(path))
    try:
        config = Config(values, filename=path)
        config.merge_from_dict(dict(options or {}))
    except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
        raise DataError(f"{path}: option does not fit: {error}") from error
    check_config(config.to_dict(), str(path))
    return config


def _read(path: Path, options: Mapping[str, Any]) -> Config:
    config = read_config(path, options)
    for name in ("train_dataloader", "val_dataloader", "train_cfg", "optim_wrapper", "model"):
        part = config.get(name)
        if name in config and not (isinstance(part, Mapping) or name.startswith("val_")):
            raise DataError(f"{path}: {name}: expected a dict of settings, got {part!r:.40}")
    missing = {"model", "train_dataloader", "train_cfg", "optim_wrapper"} - set(config)
    if missing:
        raise DataError(f"{path}: the config lacks {', '.join(sorted(missing))}")
    return config


def _fill_data(config: Config, root: Path, scenes: str | Path | SceneSource | None) -> Taxonomy:
    """Folders of the data sets; returns the SKUs to be told apart."""
    store = Store.open(root)
    agnostic = bool(config.get("agnostic", False))
    train = config.train_dataloader.dataset
    if scenes is None:
        train.update(root=str(root), source="exemplars", agnostic=agnostic)
    elif isinstance(scenes, str | Path):
        train.update(root=str(scenes), source="scenes", agnostic=agnostic)
        dataset, _ = read_source(scenes, "scenes")
        unlike = "" if agnostic else store.taxonomy.difference(dataset.taxonomy)
        if unlike:
            raise DataError(f"{scenes}: scenes of another store than {root}: {unlike}")
    else:
        unlike = "" if agnostic else store.taxonomy.difference(scenes.taxonomy)
        if unlike:
            raise DataError(f"composed scenes of another store than {root}: {unlike}")
        streamed = {"type": STREAMED, "agnostic": agnostic, "pipeline": train.pipeline}
        config.train_dataloader.dataset = streamed
        config.train_dataloader.sampler = {"type": "SceneOrder"}
    if config.get("val_cfg") and store.has_split("val") and len(store.split("val")):
        config.val_dataloader.dataset.update(root=str(root), agnostic=agnostic)
        config.val_evaluator.update(root=str(root), agnostic=agnostic)
    else:  # a folder import has exemplars only
        config.val_cfg = config.val_dataloader = config.val_evaluator = None
    return PRODUCT if agnostic else store.taxonomy


def _set_num_classes(part: Any, number: int) -> None:
    """Wherever the model's config says `num_classes`."""
    for node in _dicts(part):
        if "num_classes" in node:
            node["num_classes"] = number


def _set_image_size(config: Config) -> None:
    size = config.get("image_size")
    if size is None:
        return
    if not isinstance(size, int) or size < 32:
        raise DataError(f"image_size: expected pixels, 32 or more, got {size!r:.40}")
    for name in ("train_pipeline", "test_pipeline", "train_dataloader", "val_dataloader"):
        for node in _dicts(config.get(name)):
            if node.get("type") == "Resize":
                node["scale"] = (size, size)
            elif node.get("type") == "Pad":
                node["size"] = (size, size)


def _set_amp(config: Config, device: torch.device) -> None:
    if device.type == "cuda":
        config.optim_wrapper.type = "CheckedAmpOptimWrapper"
        config.optim_wrapper.update(dtype="float16", loss_scale="dynamic")
    else:
        config.optim_wrapper.amp = True


def _limit_workers(config: Config) -> None:
    """No more data workers than the machine has cores."""
    for name in ("train_dataloader", "val_dataloader"):
        loader = config.get(name)
        if loader:
            loader.num_workers = min(loader.num_workers, os.cpu_count() or 1)
            loader.persistent_workers = loader.num_workers > 0 and name == "train_dataloader"


def _set_device(config: Config, device: torch.device) -> None:
    """Note the device, and correct settings that mmengine and mmdet get wrong without a GPU."""
    config.device = str(device)
    if device.type == "cuda":
        return
    config.env_cfg.dist_cfg.backend = "gloo"
    if config.model.type == "RTMDet":
        config.model.use_syncbn = False
    config.model_wrapper_cfg = {
        "type": "MMDistributedDataParallel",
        "device_ids": None,
        "broadcast_buffers": False,
    }


def _present(config: Config, names: tuple[str, ...]) -> list[Any]:
    return [config.get(name) for name in names if config.get(name)]


def _dicts(part: Any) -> Iterator[dict[str, Any]]:
    """All dicts inside a config's part, however deep."""
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from _dicts(value)
    elif isinstance(part, list | tuple):
        for value in part:
            yield from _dicts(value)
