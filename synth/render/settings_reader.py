"""Settings of a learned renderer from the plain dicts of a config or a renderer's file."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rpc.data.files import DataError
from synth.render.settings import ContrastiveSettings, CycleSettings, RenderSettings

T = TypeVar("T")

OBJECTIVES: Mapping[str, type[CycleSettings] | type[ContrastiveSettings]] = {
    "cyclegan": CycleSettings,
    "contrastive": ContrastiveSettings,
}


def read_settings(values: Mapping[str, Any], where: str) -> RenderSettings:
    """Settings from a config's dicts.

    Args:
        values: by part: `training`, `objective`, `generator`, ...; an `objective` has its `type`.
        where: what the values were read from, for errors.

    Raises:
        DataError: a name is unknown, or a value is missing, of the wrong type or out of range.
    """
    hints = get_type_hints(RenderSettings)
    _known(values, {f.name for f in fields(RenderSettings)}, where)
    parts: dict[str, Any] = {}
    for name in ("objective", "training", *(n for n in values if n in hints)):
        value = values.get(name)
        if not isinstance(value, Mapping):
            raise DataError(f"{where}: {name}: expected a dict of settings, got {value!r:.80}")
        given = dict(value)
        made = hints[name]
        if name == "objective":
            kind = given.pop("type", None)
            if kind not in OBJECTIVES:
                raise DataError(
                    f"{where}: objective: expected type {' or '.join(OBJECTIVES)}, got {kind!r:.80}"
                )
            made = OBJECTIVES[kind]
        parts[name] = read_part(made, given, f"{where}: {name}")
    try:
        return RenderSettings(**parts)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error


def read_part(made: type[T], values: Mapping[str, Any], where: str) -> T:
    """One settings class from a dict.

    Raises:
        DataError: a name is unknown, or a value is missing, of the wrong type or out of range.
    """
    assert is_dataclass(made)
    hints = get_type_hints(made)
    _known(values, set(hints), where)
    given = {}
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise DataError(f"{where}.{name}: expected {_words(hints[name])}, got {value!r:.80}")
        given[name] = tuple(value) if isinstance(value, list) else value
    try:
        return made(**given)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: {error}") from error


def _known(values: Mapping[str, Any], names: set[str], where: str) -> None:
    unknown = sorted(map(str, set(values) - names))
    if unknown:
        raise DataError(
            f"{where}: unknown setting {', '.join(unknown)}; known: {', '.join(sorted(names))}"
        )


def _words(hint: Any) -> str:
    """A field's type as a reader of configs knows it."""
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of a field's type; a whole number does for a float."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is tuple:
        ones = get_args(hint)
        return (
            isinstance(value, list | tuple)
            and len(value) == len(ones)
            and all(_fits(v, one) for v, one in zip(value, ones, strict=True))
        )
    if isinstance(value, bool):
        return hint is bool
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)
