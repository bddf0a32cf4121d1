"""`--follow-links`: photos behind links that lead out of a store, where the user wants them."""

from __future__ import annotations

import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rpc.cli.main import main
from rpc.data.files import FOLLOW_LINKS, DataError, safe_join

ROOT = Path(__file__).parents[2]
READERS = (
    "check", "new", "quickstart", "cutouts", "compose", "train", "train-render", "detect",
    "evaluate", "table3", "retrieve", "colocalise", "recognise", "recognition-table", "fuse",
    "held-out", "name-crops", "quality", "folds", "make-start",
)  # fmt: skip


@pytest.fixture
def linked(tmp_path, monkeypatch):
    """A store whose photos lie elsewhere."""
    monkeypatch.delenv(FOLLOW_LINKS, raising=False)
    store = tmp_path / "store"
    store.mkdir()
    for part in (ROOT / "examples" / "ministore").iterdir():
        if part.suffix == ".json":
            shutil.copy(part, store)
        else:
            (store / part.name).symlink_to(part)
    monkeypatch.setenv(FOLLOW_LINKS, "")
    return store


def test_links_are_refused_by_default_and_followed_where_the_user_says_so(linked, capsys):
    assert main(["check", str(linked), "--fast"]) == 1
    assert "leads out of the data folder through a link" in capsys.readouterr().out
    assert main(["check", str(linked), "--fast", "--follow-links"]) == 0


def test_worker_processes_follow_links_as_well(linked, monkeypatch):
    monkeypatch.setenv(FOLLOW_LINKS, "1")
    code = (
        "import multiprocessing as m, sys\n"
        "from rpc.data.files import safe_join\n"
        "if __name__ == '__main__':\n"
        "    with m.get_context('spawn').Pool(1) as pool:\n"
        "        print(pool.apply(safe_join, (sys.argv[1], 'val')).name)\n"
    )
    script = linked.parent / "work.py"
    script.write_text(code)
    run = subprocess.run(
        [sys.executable, str(script), str(linked)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.strip() == "val"


def test_the_variable_decides_only_where_nothing_is_said(linked, monkeypatch):
    with pytest.raises(DataError, match=r"through a link.*--follow-links"):
        safe_join(linked, "val")
    monkeypatch.setenv(FOLLOW_LINKS, "1")
    assert safe_join(linked, "val").is_dir()
    with pytest.raises(DataError, match="through a link"):
        safe_join(linked, "val", follow_links=False)
    with pytest.raises(DataError, match="leads out"):
        safe_join(linked, "../x")


@pytest.mark.parametrize("verb", READERS)
def test_every_verb_that_reads_photos_of_a_store_has_the_option(verb):
    parser = importlib.import_module(f"rpc.cli.{verb.replace('-', '_')}").parser()
    assert "--follow-links" in parser.format_help()
