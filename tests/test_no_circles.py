from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


def test_no_files_import_each_other_in_a_circle() -> None:
    files = module_files(ROOT, "rpc", "synth")
    graph = {name: imported(path, files) - {name} for name, path in files.items()}
    assert graph["synth.exemplar.cutouts"] >= {"synth.exemplar.cut", "rpc.data.store"}
    in_order(graph)


@pytest.mark.parametrize("closing", ["import one.a", "def late():\n    from one.a import x"])
def test_a_circle_is_found_even_where_an_import_hides_in_a_function(
    tmp_path: Path, closing: str
) -> None:
    (tmp_path / "one").mkdir()
    for name, text in {"__init__": "", "a": "from one import b", "b": closing}.items():
        (tmp_path / "one" / f"{name}.py").write_text(text, encoding="utf-8")
    files = module_files(tmp_path, "one")
    with pytest.raises(AssertionError, match=r"one\.a.*one\.b|one\.b.*one\.a"):
        in_order({name: imported(path, files) for name, path in files.items()})


def in_order(graph: dict[str, set[str]]) -> None:
    """Fail with the names of a circle if there is one."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise AssertionError("imports in a circle: " + " -> ".join(error.args[1])) from error


def module_files(root: Path, *packages: str) -> dict[str, Path]:
    """Every module's file by its dotted name."""
    files = {}
    for package in packages:
        for path in (root / package).rglob("*.py"):
            parts = path.relative_to(root).with_suffix("").parts
            files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


def imported(path: Path, files: dict[str, Path]) -> set[str]:
    """The modules among `files` that a file imports anywhere, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = {f"{node.module}.{name.name}" for name in node.names}
            found |= {name if name in files else node.module for name in inner}
    return found & files.keys()
