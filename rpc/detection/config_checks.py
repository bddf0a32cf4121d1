"""A training's config held against the parts that it names: their names, settings and numbers.

mmengine takes any setting that nobody reads in silence, and reads others only when a part is built.
"""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, get_type_hints

import mmdet.registry
from mmengine.registry import Registry
from torch.utils.data import DataLoader

from rpc.data.files import DataError
from rpc.detection.description import PARTS
from rpc.runs.settings import nearest, typed_values

OWN: Final = "rpc.detection."  # a config imports nothing else

_TOP: Final = frozenset(
    """
    agnostic auto_scale_lr cfg custom_hooks custom_imports data_preprocessor default_hooks
    default_scope display ema env_cfg image_size launcher load_from log_level log_processor model
    model_wrapper_cfg optim_wrapper param_scheduler randomness resume schedule start test_cfg
    test_dataloader test_evaluator test_pipeline train_cfg train_dataloader train_pipeline val_cfg
    val_dataloader val_evaluator val_pipeline vis_backends visualizer work_dir
    """.split()
)
_PARAMWISE: Final = frozenset(
    """
    custom_keys bias_lr_mult bias_decay_mult norm_decay_mult flat_decay_mult dwconv_decay_mult
    dcn_offset_lr_mult bypass_duplicate
    """.split()
)
_STAGE: Final = frozenset("max_per_img min_bbox_size multi_label nms nms_pre score_thr".split())
_PLAIN: Final[Mapping[str, frozenset[str]]] = {
    "paramwise_cfg": _PARAMWISE,
    "clip_grad": frozenset("error_if_nonfinite foreach max_norm max_value norm_type type".split()),
    "test_cfg": _STAGE | {"rpn", "rcnn"},
    "custom_imports": frozenset({"imports", "allow_failed_imports"}),
}
# What mmengine or mmdet takes out of a part's settings before it is built.
_TAKEN_OUT: Final = frozenset({"type", "_scope_", "priority", "requires_grad", "init_cfg"})
_OF_BUILDERS: Final = frozenset({"constructor", "paramwise_cfg", "name"})
# (least, most, whole numbers only); None is let through: it means "no such limit".
_NUMBERS: Final[Mapping[str, tuple[float, float, bool]]] = {
    "train_dataloader.batch_size": (1, 100_000, True),
    "val_dataloader.batch_size": (1, 100_000, True),
    "train_dataloader.num_workers": (0, 1024, True),
    "val_dataloader.num_workers": (0, 1024, True),
    "train_cfg.max_minutes": (1e-6, 1e6, False),
    "train_cfg.max_iters": (1, 1e9, True),
    "train_cfg.save_minutes": (0, 1e6, False),
    "train_cfg.val_at": (0, 1, False),
    "optim_wrapper.optimizer.lr": (0, 1e30, False),
    "optim_wrapper.optimizer.weight_decay": (0, 1e3, False),
    "image_size": (32, 8192, True),
    "ema.momentum": (1e-9, 1, False),
}
_FREE: Final = frozenset({"custom_keys", "default_hooks", "env_cfg"})  # any names inside
_OF_PARTS: Final = ("type", "ema_type", "constructor")  # their values are names of parts
_LARGEST: Final = 2**63


def check_config(config: Mapping[str, Any], where: str) -> None:
    """Refuse a config with names that nobody knows or numbers that nobody could use.

    Args:
        config: plain dicts, with bases and options merged in.
        where: the file, for errors.

    Raises:
        DataError: a part is in no registry, a setting is unknown to its part, or a number is out
            of range; says which one is nearest.
    """
    _check(config, (), where)
    for name, (least, most, whole) in _NUMBERS.items():
        value: Any = config
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        for number in value if isinstance(value, list | tuple) else [value]:
            fine = type(number) in ((int,) if whole else (int, float)) and least <= number <= most
            if number is not None and not fine:
                kind = "a whole number" if whole else "a number"
                raise DataError(
                    f"{where}: {name}: expected {kind} from {least:g} to {most:g}, "
                    f"got {_short(number)}"
                )


def check_options(config: Mapping[str, Any], options: Mapping[str, Any], where: str) -> None:
    """Refuse an option that names nothing in the config it changes.

    Raises:
        DataError: as `check_config`.
    """
    for option in options:
        part: Any = config
        above: tuple[str, ...] = ()
        for name in option.split("."):
            if isinstance(part, list | tuple):
                if not (name.isdecimal() and int(name) < len(part)):
                    raise DataError(f"{where}: option {option}: {above[-1]} has no item {name:.40}")
                part = part[int(name)]
            elif isinstance(part, Mapping):
                known = _known(part, above)
                if known is None and not _FREE.intersection(above):
                    known = frozenset(map(str, part))
                if name not in part and known is not None and name not in known:
                    raise DataError(f"{where}: option {option:.80}: {_unknown(name, known)}")
                part = part.get(name, {})
            elif part is None:
                return  # what was switched off is switched on with all that it needs
            else:
                raise DataError(f"{where}: option {option:.80}: {above[-1]} holds no settings")
            above = (*above, name)


def import_own_parts(imports: object, where: str) -> None:
    """Import the modules that register this project's parts; a config names no others.

    Raises:
        DataError: it does.
    """
    names = imports.get("imports") if isinstance(imports, Mapping) else []
    for name in [names] if isinstance(names, str) else names or []:
        if not (isinstance(name, str) and name.startswith(OWN)):
            raise DataError(
                f"{where}: custom_imports: {name!r:.80} is not imported: a config is never a "
                f"program; register the part in a module of {OWN[:-1]}"
            )
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise DataError(f"{where}: custom_imports: {error}") from error


def _check(part: object, above: tuple[str, ...], where: str) -> None:
    place = ".".join(above)
    if isinstance(part, Mapping):
        for name in _OF_PARTS:
            if name in part:
                _check_type(part[name], f"{place}.{name}", where)
        if "_scope_" in part and part["_scope_"] not in ("mmdet", "mmengine"):
            raise DataError(f"{where}: {place}._scope_: expected mmdet or mmengine")
        known = _known(part, above)
        _check_own(part, f"{where}: {place}")
        for name, value in part.items():
            if not isinstance(name, str):
                raise DataError(f"{where}: {place}: {name!r:.40}: expected names in text")
            if known is not None and name not in known:
                raise DataError(f"{where}: {place or 'config'}: {_unknown(name, known)}")
            _check(value, (*above, name), where)
    elif isinstance(part, list | tuple):
        for value in part:
            _check(value, above, where)
    elif isinstance(part, float) and math.isnan(part):
        raise DataError(f"{where}: {place}: expected a number, got NaN")
    elif isinstance(part, int) and abs(part) > _LARGEST:
        raise DataError(f"{where}: {place}: expected a number, got {_short(part)}")


def _check_type(name: object, place: str, where: str) -> None:
    if not isinstance(name, str) or name not in _registered():
        hint = nearest(name, _registered()) if isinstance(name, str) else ""
        raise DataError(f"{where}: {place}: {name!r:.60} is no registered part{hint}")


def _check_own(part: Mapping[str, Any], where: str) -> None:
    """Types of the settings of our own parts: their constructors say them."""
    made = _registered().get(str(part.get("type")))
    if inspect.isclass(made) and made.__module__.startswith(OWN):
        hints = get_type_hints(made.__init__)
        typed_values(hints, {name: value for name, value in part.items() if name in hints}, where)


def _known(part: Mapping[str, Any], above: tuple[str, ...]) -> frozenset[str] | None:
    """Names that a dict of settings may have; None where any may be."""
    last = above[-1] if above else ""
    if not above:
        return _TOP
    if last.endswith("_dataloader") and len(above) == 1:
        return _loader_settings()
    if "test_cfg" in above[-2:-1] and "type" not in part:
        return _STAGE
    if "type" not in part or last == "clip_grad":
        return _PLAIN.get(last)
    made = _registered().get(str(part["type"]))
    names = _settings(made)
    if names is None and "ema_type" in part:
        return None
    return None if names is None else names | _TAKEN_OUT | _OF_BUILDERS


def _unknown(name: str, known: frozenset[str]) -> str:
    hint = nearest(name, known)
    told = f"; known: {', '.join(sorted(known - _TAKEN_OUT)):.300}" if not hint and known else hint
    return f"unknown setting {name!r:.60}{told}"


def _short(value: object) -> str:
    if isinstance(value, int) and value.bit_length() > 60:
        return "a number of more than 18 digits"
    return f"{value!r:.40}"


@cache
def _registered() -> Mapping[str, Any]:
    """Every part by its name: mmdet's, those of the frameworks below it, and our own."""
    found: dict[str, Any] = dict.fromkeys(PARTS)  # some are functions of mmcv
    registries = [r for r in vars(mmdet.registry).values() if isinstance(r, Registry)]
    for registry in registries:
        registry.import_from_location()
        above: Registry | None = registry
        while above is not None:
            above.import_from_location()
            for name, made in above.module_dict.items():
                found[name] = found.get(name) or made
            above = above.parent
    return found


@cache
def _settings(made: Any) -> frozenset[str] | None:
    """Names of the arguments of a part, those that it hands to its bases among them; None: any."""
    if made is None:
        return None
    if not inspect.isclass(made):
        return _arguments(made)[0] if callable(made) else None
    names: set[str] = set()
    for base in made.__mro__:
        if "__init__" not in vars(base):
            continue
        if base is object:
            break
        own, hands_on = _arguments(base.__init__)  # type: ignore[misc]
        names |= own
        if not hands_on:
            return frozenset(names)
    return None


def _arguments(function: Any) -> tuple[frozenset[str], bool]:
    """Names of the arguments, and whether any others are taken, too."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return frozenset(), True
    own = frozenset(
        p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
    )
    return own - {"self"}, any(p.kind is p.VAR_KEYWORD for p in parameters)


@cache
def _loader_settings() -> frozenset[str]:
    return _arguments(DataLoader.__init__)[0] | {"num_batch_per_epoch"}
