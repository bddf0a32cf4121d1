"""Config files without a framework: assignments of plain values, with files that they start from.

A config is written as Python, but never run: it may hold `NAME = VALUE` with literals and
`dict(...)`, and `_base_`, the file or files it starts from. Dicts are merged into those of the
base; other values replace them. Detectors' configs are read by mmengine (`rpc.detection.config`).
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rpc.data.files import DataError

BASE: Final = "_base_"


def read_config_file(path: str | Path, options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Read a config with its bases.

    Args:
        path: a file of `configs/recognition/` or `configs/render/`.
        options: changes by dotted name, such as `{"training.minutes": 4}`.

    Raises:
        DataError: the file is missing, holds more than plain values, starts from itself, or an
            option names a part of what is no dict.
    """
    values = _read(Path(path), ())
    for name, value in (options or {}).items():
        put_option(values, name, value, str(path))
    return values


def put_option(values: dict[str, Any], name: str, value: Any, where: str) -> None:
    """Set one option by its dotted name, in place.

    Raises:
        DataError: a part of the name holds a value, not settings.
    """
    *parts, last = name.split(".")
    for part in parts:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise DataError(f"{where}: option {name}: {part} holds no settings")
    values[last] = value


def _read(path: Path, above: tuple[Path, ...]) -> dict[str, Any]:
    if not path.is_file():
        raise DataError(f"{path}: no such config")
    place = path.resolve()
    if place in above:
        raise DataError(f"{path}: not a usable config: it starts from itself")
    try:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        own = dict(_assignment(statement) for statement in tree.body if not _is_text(statement))
    except (SyntaxError, ValueError, TypeError) as error:
        raise DataError(f"{path}: not a usable config: {' '.join(str(error).split())}") from error
    bases = own.pop(BASE, [])
    values: dict[str, Any] = {}
    for base in [bases] if isinstance(bases, str) else bases:
        values = merge(values, _read(path.parent / base, (*above, place)))
    return merge(values, own)


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes over values: dicts are merged, everything else is replaced."""
    merged = dict(values)
    for name, value in changes.items():
        before = merged.get(name)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        merged[name] = merge(before, value) if both else value  # type: ignore[arg-type]
    return merged


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _assignment(statement: ast.stmt) -> tuple[str, Any]:
    if (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
    ):
        return statement.targets[0].id, _value(statement.value)
    raise ValueError(f"line {statement.lineno}: expected NAME = VALUE")


def _value(node: ast.expr) -> Any:
    """A literal, or `dict(...)` of them, at any depth."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        if node.args or any(word.arg is None for word in node.keywords):
            raise ValueError(f"line {node.lineno}: expected dict(name=value, ...)")
        return {word.arg: _value(word.value) for word in node.keywords}
    if isinstance(node, ast.Dict):
        if any(key is None for key in node.keys):
            raise ValueError(f"line {node.lineno}: expected {{name: value, ...}}")
        pairs = zip(node.keys, node.values, strict=True)
        return {ast.literal_eval(key): _value(value) for key, value in pairs if key is not None}
    if isinstance(node, ast.List | ast.Tuple):
        items = [_value(item) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(f"line {node.lineno}: expected a plain value") from error
