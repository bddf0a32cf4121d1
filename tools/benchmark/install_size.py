"""How much room an environment takes on the disk, by package: what a till has to carry.

    python -m venv till && till/bin/pip install --no-compile 'rpc-checkout[serve]'
    python tools/benchmark/install_size.py till --out out/install_size.json

Counted are the files' bytes, as packages bring them: Python's compiled copies (`__pycache__`, which
`--no-compile` leaves out and a first run writes where it may) and pip and setuptools, which every
new environment has, are told apart.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path
from typing import Any, Final

MEGABYTE: Final = 1_000_000
OWN: Final = ("pip", "setuptools", "pkg_resources", "_distutils_hack")


def main() -> None:
    """Measure, print the largest and write one JSON file."""
    made = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    made.add_argument("environment", type=Path, metavar="DIR", help="of python -m venv")
    made.add_argument("--out", type=Path, metavar="FILE")
    args = made.parse_args()
    (packages,) = args.environment.glob("lib/python3*/site-packages")
    result = sizes(packages)
    text = json.dumps(result, indent=1)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text + "\n", encoding="utf-8")
    print(text)


def sizes(packages: Path) -> dict[str, Any]:
    """Megabytes (10^6 bytes) of a site-packages folder, in all and of each larger package."""
    found: Counter[str] = Counter()
    compiled = tests = own = 0
    for path in packages.rglob("*"):
        if path.is_symlink() or not path.is_file():
            continue
        size, parts = path.stat().st_size, path.relative_to(packages).parts
        name = parts[0].removesuffix(".libs")
        if "__pycache__" in parts:
            compiled += size
        elif name.partition("-")[0] in OWN:
            own += size
        else:
            found[name] += size
            tests += size if "tests" in parts else 0
    return {
        "runtime_mb": round(sum(found.values()) / MEGABYTE, 1),
        "of_it_tests_of_libraries_mb": round(tests / MEGABYTE, 1),
        "compiled_mb": round(compiled / MEGABYTE, 1),
        "pip_and_setuptools_mb": round(own / MEGABYTE, 1),
        "packages_mb": {
            name: round(size / MEGABYTE, 1)
            for name, size in found.most_common()
            if size >= MEGABYTE / 2
        },
    }


if __name__ == "__main__":
    main()
