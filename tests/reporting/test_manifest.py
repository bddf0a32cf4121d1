import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

import rpc
from rpc.data import DataError
from rpc.reporting import manifest, provenance

MINISTORE = Path(__file__).parents[2] / "examples" / "ministore"


def test_the_manifest_says_what_the_numbers_rest_on(tmp_path):
    model = tmp_path / "model.pth"
    model.write_bytes(b"weights")
    facts = manifest(
        threshold=0.4,
        chosen_on="val",
        split="test",
        config=model,
        seeds={"compose": 1, "train": 2},
        data=MINISTORE,
        checkpoint=model,
        durations={"train": 12.34567},
        argv=["quickstart.py"],
    )
    json.dumps(facts, allow_nan=False)
    assert facts["threshold"] == {"value": 0.4, "chosen_on": "val"}
    digest = hashlib.sha256(b"weights").hexdigest()
    assert facts["checkpoint"] == facts["config"] == {"name": "model.pth", "sha256": digest}
    assert facts["data"]["name"] == "ministore"
    test = facts["data"]["splits"]["test"]
    assert (test["images"], test["annotations"], test["categories"]) == (36, 417, 12)
    expected = hashlib.sha256((MINISTORE / "instances_test.json").read_bytes()).hexdigest()
    assert test["sha256"] == expected
    assert facts["seeds"] == {"compose": 1, "train": 2}
    assert facts["durations"] == {"train": 12.346}
    assert facts["versions"]["numpy"]
    assert facts["machine"]["cores"] >= 1
    assert facts["code"]["version"] == rpc.__version__


def test_what_is_not_given_is_left_out():
    facts = manifest(threshold=0.5, chosen_on="given", split="test")
    assert not {"config", "seeds", "data", "checkpoint", "files", "durations"} & facts.keys()


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"gone\.pth: cannot be read"):
        manifest(threshold=0.5, chosen_on="val", split="test", checkpoint=tmp_path / "gone.pth")


@pytest.mark.parametrize("tracked", [True, False])
def test_the_commit_is_told_only_of_a_repository_that_holds_our_code(
    tmp_path, monkeypatch, tracked
):
    code = tmp_path / "rpc" / "__init__.py"
    code.parent.mkdir()
    code.write_text("")

    def git(*arguments):
        who = ["-c", "user.name=a", "-c", "user.email=a@b.c", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    git("add", ".") if tracked else None
    git("commit", "--allow-empty", "-m", "first")
    monkeypatch.setattr(provenance, "PACKAGE", code.parent)
    facts = provenance.code_version()
    if not tracked:
        assert facts == {"version": rpc.__version__}
        return
    assert len(facts["commit"]) == 40
    assert facts["dirty"] is False
    code.write_text("changed = 1\n")
    assert provenance.code_version()["dirty"] is True


def test_without_git_the_version_is_told(monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert provenance.code_version() == {"version": rpc.__version__}


def test_reporting_needs_no_torch():
    script = "import rpc.reporting, sys; sys.exit('torch' in sys.modules or 'mmdet' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_absolute_paths_of_the_command_line_lose_their_folders() -> None:
    words = ["tools/quickstart.py", "--data", "/home/someone/store", "--minutes", "12"]
    facts = manifest(threshold=0.5, chosen_on="val", split="test", argv=words)
    assert facts["argv"] == ["tools/quickstart.py", "--data", "store", "--minutes", "12"]
