"""The build script of the repository, a wheel made with it, and an easy tray."""

import importlib.util
import json
import shutil
import subprocess
import sys
import zipfile
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = (
    "LICENSE", "MANIFEST.in", "README.md", "configs", "examples", "pyproject.toml", "rpc",
    "setup.py", "synth",
)  # fmt: skip
TRAY = ROOT / "examples/ministore/val/val_00003_easy.jpg"


def truth():
    """What lies on `TRAY`: SKU -> count."""
    raw = json.loads((TRAY.parents[1] / "instances_val.json").read_text())
    (image,) = [i["id"] for i in raw["images"] if i["file_name"] == TRAY.name]
    names = {c["id"]: c["name"] for c in raw["categories"]}
    shown = (names[a["category_id"]] for a in raw["annotations"] if a["image_id"] == image)
    return dict(Counter(shown))


def setup_script():
    spec = importlib.util.spec_from_file_location("rpc_setup_script", ROOT / "setup.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def unpack_wheel(folder):
    """Build the wheel of a copy of the sources, without network; the folder it is unpacked to."""
    source, target = folder / "source", folder / "site"
    source.mkdir()
    for name in SOURCES:
        path = ROOT / name
        if path.is_dir():
            hide = shutil.ignore_patterns("__pycache__", ".*")
            shutil.copytree(path, source / name, ignore=hide)
        else:
            shutil.copy(path, source / name)
    command = [
        sys.executable, "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps",
        "--no-index", "--no-build-isolation", "--wheel-dir", str(folder), str(source),
    ]  # fmt: skip
    subprocess.run(command, cwd=folder, check=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target)
    return target
