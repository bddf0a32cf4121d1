"""Rules of the house that no linter knows: short files, the field's words, plain docstrings."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
CODE = [path for top in ("rpc", "synth", "tools") for path in (ROOT / top).rglob("*.py")]
TESTS = list((ROOT / "tests").rglob("*.py"))
PAGES = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
LONGEST = 450  # lines of a file
# Words that were used before -> the field's own.
OLD = {
    r"[Yy]ardstick": "baseline",
    r"\b[Tt]runks?\b": "backbone",
    r"\bVariation": "Augmentation",
    r"\bfooled\b": "generator loss",
    r"\btake_start\b": "load_pretrained",
    r"\bGalleryNamer\b": "GalleryClassifier",
    r"\bRenamer\b|\bRenaming\b": "EnsembleClassifier",
    r"\bTellsSkus\b|\bNamesItems\b": "BoxClassifier",
    r"\blocator_factor\b|\btrunk_factor\b": "..._lr_mult",
    r"\bplanted\b": "injected",
}


def test_no_file_is_longer_than_a_reader_can_follow():
    lengths = {path: path.read_text(encoding="utf-8").count("\n") for path in CODE + TESTS}
    assert {str(path): count for path, count in lengths.items() if count > LONGEST} == {}


def test_words_that_were_given_up_do_not_come_back():
    found = [
        f"{path.relative_to(ROOT)}: {match.group()}, write {new}"
        for path in CODE + PAGES
        for old, new in OLD.items()
        for match in re.finditer(old, path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_docstrings_begin_with_the_thing_and_not_with_what():
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    found = [
        f"{path.relative_to(ROOT)}: {text.splitlines()[0]}"
        for path in CODE
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, kinds) and (text := ast.get_docstring(node) or "").startswith("What ")
    ]
    assert found == []


def test_only_one_module_prints():
    """Names of files and products steer no terminal: `rpc.runs.screen` makes them harmless."""
    own = {ROOT / "rpc/runs/screen.py", ROOT / "rpc/cli/main.py", ROOT / "rpc/cli/leave.py"}
    found = [
        f"{path.relative_to(ROOT)}: {node.lineno}: print, use rpc.runs.screen"
        for path in (ROOT / "rpc").rglob("*.py")
        if path not in own  # two of them say their own words alone, before anything is imported
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert found == []
