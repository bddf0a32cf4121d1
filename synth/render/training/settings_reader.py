"""Settings of a learned renderer from the plain dicts of a config or a renderer's file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, get_type_hints

from rpc.data.files import DataError
from rpc.runs.settings import read_settings_class, require_known
from synth.render.training.settings import ContrastiveSettings, CycleSettings, RenderSettings

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
    require_known(values, {f.name for f in fields(RenderSettings)}, where)
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
        parts[name] = read_settings_class(made, given, f"{where}: {name}")
    try:
        return RenderSettings(**parts)
    except ValueError as error:
        raise DataError(f"{where}: {error}") from error
