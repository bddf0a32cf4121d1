"""Build step beside pyproject.toml: configs and the example store travel inside the wheel."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from setuptools import setup
from setuptools.command.build_py import build_py

ROOT: Final = Path(__file__).resolve().parent
PACKAGES: Final = ("rpc", "synth")
SHARE: Final = "rpc/share"  # where rpc.data.shipped looks for them
SHARED: Final = {"configs": {".py"}, "examples/ministore": {".jpg", ".json", ".md"}}


def shared_files(root: Path = ROOT) -> dict[str, Path]:
    """Path inside the wheel of each shared file, and the file: what the package holds and no more.

    Raises:
        FileNotFoundError: a folder that shall travel is empty or missing.
    """
    found: dict[str, Path] = {}
    for folder, suffixes in SHARED.items():
        files = [path for path in sorted((root / folder).rglob("*")) if path.suffix in suffixes]
        if not files:
            raise FileNotFoundError(f"{root / folder}: expected files that travel in the wheel")
        found |= {f"{SHARE}/{path.relative_to(root).as_posix()}": path for path in files}
    return found


class BuildWithShare(build_py):
    """Copies the shared files into the package; an editable install finds them in the checkout."""

    def run(self) -> None:
        """Build from nothing: a module that was removed must not travel from an older build."""
        if self.editable_mode:
            super().run()
            return
        for package in PACKAGES:
            shutil.rmtree(Path(self.build_lib) / package, ignore_errors=True)
        super().run()
        for name, path in shared_files().items():
            target = Path(self.build_lib) / name
            self.mkpath(str(target.parent))
            self.copy_file(str(path), str(target), preserve_mode=False)

    def get_outputs(self, include_bytecode: bool = True) -> list[str]:
        """All files that were built, the shared ones too."""
        outputs: list[str] = super().get_outputs(include_bytecode)
        if not self.editable_mode:
            outputs += [str(Path(self.build_lib) / name) for name in shared_files()]
        return outputs


if __name__ == "__main__":
    setup(cmdclass={"build_py": BuildWithShare})
