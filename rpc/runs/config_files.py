"""Config files without a framework: assignments of plain values, with files that they start from.

A config is written as Python, but never run: it may hold `NAME = VALUE` with literals and
`dict(...)`, names that were given a value above, and `_base_`, the file or files it starts from.
Dicts are merged into those of the base, unless they say `_delete_=True`; other values replace them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from rpc.data.files import DataError

BASE: Final = "_base_"
DELETE: Final = "_delete_"  # in a dict: nothing of the base's


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
        own: dict[str, Any] = {}
        for statement in tree.body:
            if not _is_text(statement):
                name, value = _assignment(statement, own)
                own[name] = value
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError) as error:
        raise DataError(f"{path}: not a usable config: {' '.join(str(error).split())}") from error
    bases = own.pop(BASE, [])
    bases = [bases] if isinstance(bases, str) else bases
    if not (isinstance(bases, list | tuple) and all(isinstance(base, str) for base in bases)):
        raise DataError(f"{path}: {BASE}: expected the names of config files")
    values: dict[str, Any] = {}
    for base in bases:
        values = merge(values, _read(path.parent / base, (*above, place)))
    return merge(values, own)


def merge(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Changes over values: dicts are merged, everything else is replaced."""
    merged = dict(values)
    for name, value in changes.items():
        before = merged.get(name)
        if not isinstance(value, Mapping):
            merged[name] = value
        elif isinstance(before, Mapping) and not value.get(DELETE):
            merged[name] = merge(before, value)
        else:
            merged[name] = {k: v for k, v in merge({}, value).items() if k != DELETE}
    return merged


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a docstring."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _assignment(statement: ast.stmt, above: Mapping[str, Any]) -> tuple[str, Any]:
    if (
        isinstance(statement, ast.Assign)
        and len(statement.targets) == 1
        and isinstance(statement.targets[0], ast.Name)
    ):
        return statement.targets[0].id, _value(statement.value, above)
    raise ValueError(f"line {statement.lineno}: expected NAME = VALUE")


def _value(node: ast.expr, above: Mapping[str, Any]) -> Any:
    """A literal, a name from `above`, or `dict(...)` of them, at any depth."""
    if isinstance(node, ast.Name) and node.id in above:
        return copy.deepcopy(above[node.id])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict":
        if node.args or any(word.arg is None for word in node.keywords):
            raise ValueError(f"line {node.lineno}: expected dict(name=value, ...)")
        return {word.arg: _value(word.value, above) for word in node.keywords}
    if isinstance(node, ast.Dict):
        if any(key is None for key in node.keys):
            raise ValueError(f"line {node.lineno}: expected {{name: value, ...}}")
        pairs = zip(node.keys, node.values, strict=True)
        return {
            ast.literal_eval(key): _value(value, above) for key, value in pairs if key is not None
        }
    if isinstance(node, ast.List | ast.Tuple):
        items = [_value(item, above) for item in node.elts]
        return items if isinstance(node, ast.List) else tuple(items)
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise ValueError(f"line {node.lineno}: expected a plain value") from error
