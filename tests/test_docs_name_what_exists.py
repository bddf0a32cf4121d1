"""The documentation names modules, functions and files that are there."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FOLDERS = ("rpc", "synth", "tools", "configs", "tests", "docs", "examples")
NAME = re.compile(r"(?<![\w./-])(?:rpc|synth)(?:\.[A-Za-z_]\w*)+")
PATH = re.compile(rf"(?<![\w./-])(?:{'|'.join(FOLDERS)})/[\w.*/{{}},-]*[\w*/}}]")
LINK = re.compile(r"\]\((?!\w+:|#)([^)#\s]+)")
RESULT = re.compile(r"`(results/[\w./-]+)`")
FILE = re.compile(r"`(\w+\.py)`")
IDENTIFIER = re.compile(r"`([A-Za-z_]\w+)(?:[(.][^`]*)?`")


@cache
def module_file(dotted):
    """The file of a module or package; None where there is none."""
    place = ROOT.joinpath(*dotted.split("."))
    files = (place.with_suffix(".py"), place / "__init__.py")
    return next((file for file in files if file.is_file()), None)


@cache
def bound(file):
    """What a module binds at its top: name -> node; and the words it offers lazily."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    names = {}
    inner = [part for node in tree.body if isinstance(node, ast.If) for part in node.body]
    for node in [*tree.body, *inner]:  # inner: imports for types, of a lazy face
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names[node.name] = node
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name): node for alias in node.names}
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found = (name for target in targets for name in ast.walk(target))
            names |= {name.id: node for name in found if isinstance(name, ast.Name)}
            strings = (part for part in ast.walk(node) if isinstance(part, ast.Constant))
            if isinstance(node.value, ast.Dict | ast.List | ast.Tuple):  # __all__, a lazy face
                offered = {s.value: node for s in strings if isinstance(s.value, str)}
                names = offered | names
    return names


def exists(dotted):
    """Whether a dotted name is a module, or bound in one; members of a class are looked up."""
    parts = dotted.split(".")
    for cut in range(len(parts), 0, -1):
        file = module_file(".".join(parts[:cut]))
        if file is None:
            continue
        rest = parts[cut:]
        return not rest or has(file, rest)
    return False


def has(file, rest):
    """Whether a module binds `rest[0]`, and its class the member `rest[1]`."""
    node = bound(file).get(rest[0])
    if node is None or len(rest) == 1:
        return node is not None
    if isinstance(node, ast.ImportFrom) and (source := module_file(node.module)):
        return has(source, rest)
    if not isinstance(node, ast.ClassDef):
        return False
    members = {getattr(part, "name", None) for part in node.body}
    members |= {p.target.id for p in node.body if isinstance(p, ast.AnnAssign)}
    return rest[1] in members


def matches(path):
    """Whether a path is there; `*` and NAME stand for anything, each of `{a,b}` must be there."""
    path = re.sub(r"\bNAME\b", "*", path)
    if group := re.search(r"\{([^{}]*)\}", path):
        before, after = path[: group.start()], path[group.end() :]
        return all(matches(before + one + after) for one in group[1].split(","))
    return any(ROOT.glob(path)) if "*" in path else (ROOT / path).exists()


@cache
def file_names():
    """The names of all Python files."""
    return {file.name for folder in FOLDERS for file in (ROOT / folder).rglob("*.py")}


def wrong_in(text, folder=ROOT):
    """The names, paths, links and Python files of a text that do not exist."""
    wrong = {name for name in NAME.findall(text) if not exists(name)}
    wrong |= {path for path in PATH.findall(text) if not matches(path)}
    wrong |= {link for link in LINK.findall(text) if not (folder / link).exists()}
    wrong |= {path for path in RESULT.findall(text) if not (ROOT / "docs" / path).exists()}
    return wrong | (set(FILE.findall(text)) - file_names())


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_names_what_exists(page):
    assert wrong_in(page.read_text(encoding="utf-8"), page.parent) == set()


def overview():
    return (ROOT / "docs/overview.md").read_text(encoding="utf-8")


def test_the_overview_names_every_package_that_holds_modules():
    packages = {
        ".".join(file.parent.relative_to(ROOT).parts)
        for top in ("rpc", "synth")
        for file in (ROOT / top).glob("*/**/__init__.py")
        if file.parent.name != "operators"  # mmcv's compiled ones, see decision 0001
    }
    assert {name for name in packages if f"`{name}`" not in overview()} == set()


def test_the_overview_lists_public_names_where_they_are():
    rows = re.findall(
        r"^\| (`(?:rpc|synth)\..*?) \| (.*) \|$", overview().split("## Public")[1], re.M
    )
    assert len(rows) > 30
    missing = {}
    for modules, names in rows:
        here = set().union(*(bound(module_file(name)) for name in NAME.findall(modules)))
        missing[modules] = set(IDENTIFIER.findall(NAME.sub("", names))) - here
    assert {modules: names for modules, names in missing.items() if names} == {}


def test_what_does_not_exist_is_found():
    text = (
        "[a](docs/gone.txt), [b](https://example.org/x), `results/gone.json`, `gone_file.py`, "
        "`rpc.metrics.checkout_metrics`, `rpc.data.Store.open`, `rpc/metrics/specs.py`, "
        "rpc.metrix, `rpc.metrics.nothing`, rpc.data.Store.shut, tools/gone.py, tools/*.oy, "
        "configs/_base_/{models,gone}"
    )
    assert wrong_in(text) == {
        "rpc.metrix", "rpc.metrics.nothing", "rpc.data.Store.shut", "tools/gone.py", "tools/*.oy",
        "configs/_base_/{models,gone}", "docs/gone.txt", "results/gone.json", "gone_file.py",
    }  # fmt: skip
