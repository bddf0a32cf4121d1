import subprocess
import sys
from pathlib import Path

import pytest
from setuptools import Distribution

from tests.packaging.built import ROOT, setup_script


def build(target, monkeypatch):
    monkeypatch.chdir(ROOT)
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files(ignore_option_errors=True)
    command = setup_script().BuildWithShare(distribution)
    command.build_lib = str(target)
    command.ensure_finalized()
    command.run()
    return command


def files_of(folder):
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def kept(*folders):
    """What the repository keeps in these folders."""
    done = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *folders],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return {name for name in done.stdout.splitlines() if (ROOT / name).is_file()}


def test_modules_weights_configs_and_the_example_store_travel_and_nothing_else(
    tmp_path, monkeypatch
):
    command = build(tmp_path, monkeypatch)
    shared = kept("configs", "examples/ministore")
    assert {"configs/cpu_default.py", "examples/ministore/instances_test.json"} <= shared
    sources = kept("rpc/serving/web")  # of the page: only what is built of them travels
    expected = (kept("rpc", "synth") - sources) | {f"rpc/share/{name}" for name in shared}
    assert {"rpc/weights/ministore.pth", "rpc/serving/static/index.html"} <= expected
    assert files_of(tmp_path) == expected
    assert {Path(p).relative_to(tmp_path).as_posix() for p in command.get_outputs(False)} == (
        expected
    )
    copy = tmp_path / "rpc/share/configs/cpu_default.py"
    assert copy.read_bytes() == (ROOT / "configs/cpu_default.py").read_bytes()


def test_a_module_of_an_older_build_does_not_travel(tmp_path, monkeypatch):
    old = tmp_path / "rpc" / "cli" / "of_last_year.py"
    old.parent.mkdir(parents=True)
    old.write_text("")
    build(tmp_path, monkeypatch)
    assert not old.exists()


def test_a_checkout_without_its_configs_builds_no_wheel(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"configs: expected files"):
        setup_script().shared_files(tmp_path)


def test_an_installed_package_reads_its_own_configs_and_store(tmp_path, monkeypatch):
    build(tmp_path, monkeypatch)
    line = (
        "from rpc.data.shipped import shipped; from rpc.runs.config_files import read_config_file;"
        "print(shipped('examples/ministore'));"
        "print(read_config_file(shipped('configs/render/classical.py')) != {})"
    )
    done = subprocess.run(
        [sys.executable, "-c", line],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [str(tmp_path / "rpc/share/examples/ministore"), "True"]
