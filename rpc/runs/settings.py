"""Plain values of a config held against the types that a function or a settings class asks for."""

from __future__ import annotations

import difflib
import types
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from rpc.data.files import DataError

T = TypeVar("T")


def read_settings_class(made: type[T], values: Mapping[str, Any], where: str) -> T:
    """One settings class from a dict.

    Raises:
        DataError: a name is unknown, or a value is missing, of the wrong type or out of range.
    """
    assert is_dataclass(made)
    given = typed_values(get_type_hints(made), values, where)
    needed = {f.name for f in fields(made) if f.default is f.default_factory is MISSING}
    if missing := sorted(needed - set(given)):
        raise DataError(f"{where}: missing {', '.join(missing)}; expected a value")
    try:
        return made(**given)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error


def typed_values(hints: Mapping[str, Any], values: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The values, lists as tuples, once each is known to be of the type that its name asks for.

    Args:
        hints: types by name, as `get_type_hints` gives them.
        values: of some of the names.
        where: what the values were read from, for errors.

    Raises:
        DataError: a name is unknown, or a value is of the wrong type.
    """
    require_known(values, hints, where)
    return {
        name: _converted(value, hints[name], f"{where}.{name}") for name, value in values.items()
    }


def require_at_least(name: str, value: float, least: float) -> None:
    """Refuse a number below its least value.

    Raises:
        DataError: it is below; the line begins with `name`, such as "--limit".
    """
    if value < least:
        raise DataError(f"{name} {value}: expected {least} or more")


def require_known(values: Mapping[str, Any], names: Collection[str], where: str) -> None:
    """Refuse a name that is not among `names`.

    Raises:
        DataError: there is one; all names that are known are told, and the nearest.
    """
    unknown = sorted(map(str, set(values) - set(names)))
    if unknown:
        hint = nearest(unknown[0], names).removeprefix("; ")
        raise DataError(
            f"{where}: unknown setting {', '.join(unknown):.200}; {f'{hint} ' if hint else ''}"
            f"known: {', '.join(sorted(names))}"
        )


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of an error about an unknown word: the nearest known one, where there is one."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""


def _converted(value: object, hint: Any, place: str) -> Any:
    """A value as its type has it: a list becomes a tuple, a whole number does for a float."""
    if _is_too_long(value):
        raise DataError(f"{place}: expected {_words(hint)}, got an integer of more than 64 bits")
    try:
        return msgspec.convert(value, hint)
    except msgspec.ValidationError as error:  # its own words lack the value and the choices
        raise DataError(f"{place}: expected {_words(hint)}, got {value!r:.80}") from error


def _is_too_long(value: object) -> bool:
    """Whether an integer in a value is longer than arrays and floats take."""
    if isinstance(value, Mapping):
        return any(map(_is_too_long, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_is_too_long, value))
    return isinstance(value, int) and abs(value) >= 2**63


def _words(hint: Any) -> str:
    """A type as a reader of configs knows it."""
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    if get_origin(hint) in (Union, types.UnionType):
        return " or ".join(map(_words, get_args(hint)))
    if hint is types.NoneType:
        return "None"
    if isinstance(hint, type) and not get_args(hint):
        return hint.__name__
    return str(hint).replace("collections.abc.", "").replace("typing.", "")
