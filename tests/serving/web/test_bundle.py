"""The committed page is the one that its sources build, and speaks to no other host."""

import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WEB = ROOT / "rpc/serving/web"
STATIC = ROOT / "rpc/serving/static"
SOURCES = ("public", "src")  # folders; and the files beside them that a build reads:
FILES = ("build_stamp.ts", "index.html", "package-lock.json", "package.json", "tsconfig.json")
NAMES = {"http://www.w3.org/" + end for end in ("2000/svg", "1999/xhtml", "1998/Math/MathML")}
ADDRESS = re.compile(r"(?:https?:|wss?:)?//[a-zA-Z0-9][\w.-]*\.[a-z]{2,}[\w/.-]*")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def built():
    return {
        path.relative_to(STATIC).as_posix(): path
        for path in STATIC.rglob("*")
        if path.is_file() and path.name != "build.json"
    }


def test_the_page_was_built_of_these_sources():
    """If not: `npm ci && npm run build` in rpc/serving/web, and commit rpc/serving/static."""
    stamp = json.loads((STATIC / "build.json").read_text(encoding="utf-8"))
    paths = [WEB / name for name in (*FILES, "vite.config.ts")]
    paths += [path for name in SOURCES for path in (WEB / name).rglob("*") if path.is_file()]
    now = {path.relative_to(WEB).as_posix(): digest(path) for path in paths}
    assert stamp["sources"] == now
    assert stamp["built"] == {name: digest(path) for name, path in built().items()}


def test_the_page_names_no_other_host():
    found = {
        f"{name}: {address}"
        for name, path in built().items()
        for address in ADDRESS.findall(path.read_text(encoding="utf-8"))
        if address not in NAMES
    }
    assert found == set()


def test_the_page_holds_no_script_and_no_style_of_its_own():
    """A content security policy without `unsafe-inline` must not break it."""
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\bsrc=)|<style|\bstyle=|\bon\w+=", page) == []
    assert {"index.html", "assets/app.js", "assets/app.css", "assets/icon.svg"} == set(built())


def test_line_ends_are_kept_as_they_were_built():
    """Git must not turn them on a checkout: their digests would change."""
    assert b"\r\n" not in b"".join(path.read_bytes() for path in built().values())


@pytest.mark.slow
def test_building_again_gives_the_same_bytes(tmp_path):
    if not (WEB / "node_modules").is_dir() or shutil.which("npx") is None:
        pytest.skip("needs Node and `npm ci` in rpc/serving/web")
    copy = tmp_path / "serving" / "web"
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns("node_modules", "tests", ".pictures"))
    (copy / "node_modules").symlink_to(WEB / "node_modules")
    command = ["npx", "vite", "build", "--logLevel", "error"]
    subprocess.run(command, cwd=copy, check=True, timeout=300)
    again = tmp_path / "serving" / "static"
    names = {path.relative_to(again).as_posix() for path in again.rglob("*") if path.is_file()}
    assert names == set(built()) | {"build.json"}
    assert {n: (again / n).read_bytes() for n in names} == {
        n: (STATIC / n).read_bytes() for n in names
    }
