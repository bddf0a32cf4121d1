"""Plain values of a config held against the types that a function or a settings class asks for."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import is_dataclass
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rpc.data.files import DataError

T = TypeVar("T")


def read_settings_class(made: type[T], values: Mapping[str, Any], where: str) -> T:
    """One settings class from a dict.

    Raises:
        DataError: a name is unknown, or a value is missing, of the wrong type or out of range.
    """
    assert is_dataclass(made)
    given = typed_values(get_type_hints(made), values, where)
    try:
        return made(**given)
    except (TypeError, ValueError) as error:
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
    given = {}
    for name, value in values.items():
        if not _fits(value, hints[name]):
            raise DataError(f"{where}.{name}: expected {_words(hints[name])}, got {value!r:.80}")
        given[name] = tuple(value) if isinstance(value, list) else value
    return given


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
        DataError: there is one; all names that are known are told.
    """
    unknown = sorted(map(str, set(values) - set(names)))
    if unknown:
        raise DataError(
            f"{where}: unknown setting {', '.join(unknown)}; known: {', '.join(sorted(names))}"
        )


def _words(hint: Any) -> str:
    """A type as a reader of configs knows it."""
    if get_origin(hint) is Literal:
        return " or ".join(map(repr, get_args(hint)))
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type; a whole number does for a float."""
    origin = get_origin(hint)
    if origin is Literal:
        return value in get_args(hint)
    if origin in (Union, types.UnionType):
        return any(_fits(value, one) for one in get_args(hint))
    if origin is tuple:
        ones = get_args(hint)
        if not isinstance(value, list | tuple):
            return False
        if len(ones) == 2 and ones[1] is Ellipsis:
            return all(_fits(v, ones[0]) for v in value)
        return len(value) == len(ones) and all(
            _fits(v, o) for v, o in zip(value, ones, strict=True)
        )
    if hint is Any:
        return True
    if isinstance(value, bool):
        return hint is bool
    if origin is not None:
        return isinstance(value, origin)
    return isinstance(value, int | float) if hint is float else isinstance(value, hint)
