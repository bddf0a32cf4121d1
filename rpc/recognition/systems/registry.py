"""The recognition systems by name: each registers itself in its own module of this package.

The figures that their papers give stand in docs/recognition.md.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final, TypeVar, get_type_hints

import torch

from rpc.data.files import DataError
from rpc.recognition.systems.options import require_ranges
from rpc.recognition.systems.system import System
from rpc.runs.devices import resolve_device
from rpc.runs.settings import typed_values

S = TypeVar("S", bound=System)


@dataclass(frozen=True)
class SystemInfo:
    """A recognition system in words.

    Attributes:
        name: by which it is created.
        title: for people.
        source: the paper.
        needs: what training photos must have besides labels: "boxes", "points".
    """

    name: str
    title: str
    source: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Registration:
    """A system that can be built by name.

    Attributes:
        info: the system in words.
        made: its class.
        preset: arguments that make it this one of the class's systems.
        usual: arguments that settings may replace, where they are not the class's own defaults.
    """

    info: SystemInfo
    made: type[System]
    preset: Mapping[str, Any]
    usual: Mapping[str, Any]

    def hints(self) -> dict[str, Any]:
        """Types of the options that settings may give, with their ranges."""
        fixed = {"num_classes", "side", "return", *self.preset}
        hints = get_type_hints(self.made.__init__, include_extras=True)
        return {name: hint for name, hint in hints.items() if name not in fixed}


_REGISTERED: Final[dict[str, Registration]] = {}


def register(
    name: str,
    *,
    title: str,
    source: str,
    needs: tuple[str, ...] = (),
    preset: Mapping[str, Any] | None = None,
    usual: Mapping[str, Any] | None = None,
) -> Callable[[type[S]], type[S]]:
    """Make a class of systems known by a name; above the class, once for each of its systems.

    Its constructor takes `num_classes` and `side`, then options by keyword; a numeric option's
    range is in its type (`rpc.recognition.systems.options`).

    Args:
        name: by which it is created.
        title: for people.
        source: the paper.
        needs: what training photos must have besides labels: "boxes", "points".
        preset: arguments that make it this one of the class's systems.
        usual: arguments that settings may replace, where they are not the class's own defaults.

    Raises:
        ValueError: another class has this name.
    """

    def registered(made: type[S]) -> type[S]:
        if name in _REGISTERED:
            raise ValueError(f"system {name!r}: registered twice")
        info = SystemInfo(name, title, source, needs)
        _REGISTERED[name] = Registration(info, made, preset or {}, usual or {})
        return made

    return registered


@cache
def _import_all() -> None:
    """Import every module of this package, so that its systems register themselves."""
    for module in pkgutil.iter_modules(importlib.import_module(__package__).__path__):
        importlib.import_module(f"{__package__}.{module.name}")


def system_names() -> tuple[str, ...]:
    """The names of all systems, in the order of their modules."""
    return tuple(info.name for info in list_systems())


def list_systems() -> tuple[SystemInfo, ...]:
    """Every recognition system that can be created, in words.

    Example:
        >>> from rpc.recognition.systems.registry import list_systems
        >>> [info.title for info in list_systems() if info.name == "isqrt"]
        ['iSQRT-COV']
    """
    _import_all()
    in_order = sorted(_REGISTERED.values(), key=lambda known: known.made.__module__)
    # A class's decorators run from the lowest to the topmost: read them from the top.
    by_class: dict[type[System], list[SystemInfo]] = {}
    for known in in_order:
        by_class.setdefault(known.made, []).insert(0, known.info)
    return tuple(info for infos in by_class.values() for info in infos)


def registration(name: str) -> Registration:
    """Description of a system.

    Raises:
        DataError: there is no such system.
    """
    _import_all()
    if name not in _REGISTERED:
        raise DataError(f"system {name!r:.80}: expected one of {', '.join(system_names())}")
    return _REGISTERED[name]


def create_system(
    name: str,
    num_classes: int,
    *,
    side: int | None = None,
    pretrained: bool = True,
    device: str | torch.device = "cpu",
    **options: Any,
) -> System:
    """A fresh recognition system, to be trained by `rpc.recognition.training.loop.learn`.

    Args:
        name: one of `list_systems()`.
        num_classes: K.
        side: of the photos that it is trained and tested on, px; its class's default where None.
        pretrained: whether published weights of its backbone start it.
        device: that it is put on, see `rpc.runs.devices`.
        **options: arguments of its class, such as `backbone="resnet18"`; docs/recognition.md.

    Raises:
        DataError: the name or an option is unknown, or a value is of the wrong type or range.

    Example:
        >>> import torch
        >>> from rpc.recognition.systems.registry import create_system
        >>> system = create_system("isqrt", 5, side=64, pretrained=False, width=16).eval()
        >>> system(torch.zeros(2, 3, 64, 64, dtype=torch.uint8)).shape
        torch.Size([2, 5])
    """
    if side is None:
        parameters = inspect.signature(registration(name).made).parameters
        side = int(parameters["side"].default)
    settings = SystemSettings(name, side, options)
    return build_system(settings, num_classes, pretrained=pretrained).to(resolve_device(device))


@dataclass(frozen=True)
class SystemSettings:
    """Which system, and how it is built.

    Attributes:
        name: of `list_systems`.
        side: S of the photos, px.
        options: arguments of its class by name; its own defaults where there are none.
    """

    name: str
    side: int
    options: Mapping[str, Any] = field(default_factory=dict)


def build_system(settings: SystemSettings, num_classes: int, *, pretrained: bool = True) -> System:
    """A fresh system.

    Args:
        settings: which one.
        num_classes: K.
        pretrained: whether published weights may start it (an option can still say no); False
            where a file of weights follows.

    Raises:
        DataError: the name or an option is unknown, or a value is of the wrong type or range.
    """
    known = registration(settings.name)
    hints = known.hints()
    plain = get_type_hints(known.made.__init__)
    where = f"system {settings.name}"
    options = typed_values({name: plain[name] for name in hints}, settings.options, where)
    require_ranges(hints, options, where)
    if not pretrained and "pretrained" in hints:
        options["pretrained"] = False
    try:
        return known.made(num_classes, settings.side, **{**known.preset, **known.usual, **options})
    except DataError:
        raise
    except (ValueError, RuntimeError) as error:  # torch answers impossible sizes with either
        raise DataError(f"{where}: {' '.join(str(error).split()):.300}") from error


class MissingAnnotationsError(DataError):
    """Data that lack the annotations which a system learns from."""


def require_needs(settings: SystemSettings, known: frozenset[str], data: str) -> None:
    """Refuse data that lack what a system learns from; the system need not be built for it.

    Args:
        settings: which system, and how it would be built.
        known: what the data have besides labels: "boxes", "points".
        data: their name, for the error.

    Raises:
        MissingAnnotationsError: something is missing.
    """
    its = registration(settings.name)
    needs = its.made.needs_of({**its.preset, **its.usual, **settings.options})
    words = {"boxes": "boxes of the objects", "points": "key points"}
    lacks = [words.get(need, need) for need in needs if need not in known]
    if lacks:
        raise MissingAnnotationsError(
            f"{data}: has no {' and no '.join(lacks)}, which {settings.name} learns from; "
            "choose a system that needs labels alone, such as baseline"
        )
