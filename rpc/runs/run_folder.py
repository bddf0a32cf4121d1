"""The rule for a folder that holds a run already: the same settings go on, others are refused."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from rpc.data.files import DataError

SHOWN: Final = 3  # settings whose values are told
LONGEST: Final = 60  # characters of a value


def require_same_settings(
    path: Path, before: Mapping[str, Any], now: Mapping[str, Any], free: Collection[str] = ()
) -> None:
    """Refuse to go on with what was made with other settings.

    Args:
        path: of what is there: a folder, or the file of a resume point.
        before: its settings, nested dicts of plain values.
        now: those that are asked for; a tuple equals the list of its values, as JSON has it.
        free: dotted names that may change.

    Raises:
        DataError: settings differ; all are named, the first of them with both values.
    """
    changed = [one for one in _differences(before, now) if one[0] not in free]
    if not changed:
        return
    told = [f"{name}: {_short(was)} then, {_short(asked)} now" for name, was, asked in changed]
    if len(changed) > SHOWN:
        told[SHOWN:] = [f"also {', '.join(name for name, _, _ in changed[SHOWN:])}"]
    raise DataError(
        f"{path}: made with other settings ({'; '.join(told)}); choose another folder or delete "
        "this one"
    )


def require_same_input(
    source: Path, out: Path, before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """Refuse to call finished what was made from files that changed meanwhile.

    Args:
        source: of the files.
        out: of what was made from them.
        before: settings of the work as it began, digests of the files among them.
        now: the same, taken anew.

    Raises:
        DataError: they differ.
    """
    changed = [name for name, _, _ in _differences(before, now)]
    if changed:
        raise DataError(
            f"{source}: was changed while {out} was made from it ({', '.join(changed)}): parts of "
            f"it are of the earlier files; remove {out} and run again"
        )


def _differences(
    was: Mapping[str, Any], now: Mapping[str, Any], where: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Dotted names of what differs, with both values; None where there is none."""
    for name in dict.fromkeys([*now, *was]):
        old, new = was.get(name), now.get(name)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            yield from _differences(old, new, f"{where}{name}.")
        elif _plain(old) != _plain(new):
            yield f"{where}{name}", old, new


def _plain(value: Any) -> Any:
    """A value with lists for tuples."""
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."
