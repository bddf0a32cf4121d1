"""Where the photo of an entry is: by its file name as written, or as another system writes it.

A Mac writes "é" as two signs where others write one, Windows does not tell "A" from "a" and
separates folders by backslashes, and some tools name a file with the folder that it lies in. Such
a name is understood where exactly one file is meant, and the one who asks is told.
"""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Final, Literal
from urllib.parse import unquote

from rpc.data.by_kind import Problem
from rpc.data.files import DataError, path_problem, safe_join

How = Literal["", "accent", "case", "backslash", "folder"]

# Of one name, and of several.
KINDS: Final[dict[How, tuple[str, str]]] = {
    "accent": (
        "differs from the file's name only in how an accent is written",
        "file names differ from the files' only in how an accent is written",
    ),
    "case": (
        "differs from the file's name only in capital letters",
        "file names differ from the files' only in capital letters",
    ),
    "backslash": ("holds backslashes", "file names hold backslashes, which are read as folders"),
    "folder": (
        "begins with the name of the folder that the file lies in",
        "file names begin with the name of the folder that the files lie in",
    ),
}


def nfc(name: str) -> str:
    """The name with every accented letter written as one sign, as all but Macs write it."""
    return unicodedata.normalize("NFC", name)


def _folded(name: str) -> str:
    return nfc(nfc(name).casefold())


class PhotoFolder:
    """The photos of a folder, by the file names of a JSON, which are not trusted.

    Args:
        folder: that the names are relative to.
        root: that no photo lies outside of; `folder` where it is None.
        follow_links: whether a link may lead out of `root`; None as `safe_join`.
    """

    def __init__(
        self,
        folder: str | Path,
        root: str | Path | None = None,
        *,
        follow_links: bool | None = None,
    ) -> None:
        self.folder = Path(folder)
        self.root = self.folder if root is None else Path(root)
        self.follow_links = follow_links
        self._listed: dict[Path, dict[str, list[str]]] = {}

    def path(self, file_name: str) -> Path:
        """Where the file is, or where it would be as the name is written.

        Raises:
            DataError: the name leads out of the folder.
        """
        return self.find(file_name)[0]

    def find(self, file_name: str) -> tuple[Path, How]:
        """`path`, and how the name differs from the file's; "" where it does not.

        Raises:
            DataError: the name leads out of the folder.
        """
        relative, how = self._relative(file_name)
        inside = self.folder.relative_to(self.root).as_posix()
        name = relative if inside == "." else f"{inside}/{relative}"
        return safe_join(self.root, name, follow_links=self.follow_links), how

    def differing(self, file_names: Iterable[str]) -> dict[str, tuple[str, How]]:
        """The files, and how they differ, of those names that are not written as the files' are."""
        found: dict[str, tuple[str, How]] = {}
        for name in file_names:
            try:
                path, how = self.find(name)
            except DataError:
                continue
            if how:
                found[name] = (path.relative_to(self.folder).as_posix(), how)
        return found

    def notes(self, file_names: Iterable[str]) -> list[Problem]:
        """The names that are told, one note a file."""
        return [
            Problem(
                f"{self.folder.name}: {name}",
                f"{KINDS[how][0]}: read as {file}",
                KINDS[how][1],
            )
            for name, (file, how) in self.differing(file_names).items()
        ]

    def _relative(self, file_name: str) -> tuple[str, How]:
        problem = path_problem(file_name)
        if problem is not None:
            slashed = file_name.replace("\\", "/") if isinstance(file_name, str) else ""
            if path_problem(slashed) is None and (found := self._there(slashed)[0]):
                return found, "backslash"
            raise DataError(f"{problem}{self._hint(file_name)}")
        if os.path.lexists(self.folder / file_name):
            return file_name, ""
        found, how = self._there(file_name)
        return (found, how) if found else (file_name, "")

    def _there(self, relative: str) -> tuple[str, How]:
        """The one file that is meant, relative to the folder; empty where there is none."""
        parts = PurePosixPath(relative).parts
        found, how = self._walk(parts)
        if not found and len(parts) > 1 and parts[0] == self.folder.name:
            found, how = self._walk(parts[1:])[0], "folder"
        return found, how

    def _walk(self, parts: tuple[str, ...]) -> tuple[str, How]:
        place, how = self.folder, ""
        made: list[str] = []
        for part in parts:
            if not os.path.lexists(place / part):
                part, differs = self._alike(place, part)
                if not part:
                    return "", ""
                how = "case" if "case" in (how, differs) else differs
            made.append(part)
            place = place / part
        return "/".join(made), how  # type: ignore[return-value]

    def _alike(self, place: Path, part: str) -> tuple[str, How]:
        """The one name in a folder that differs in accents or capitals only."""
        if place not in self._listed:
            names: dict[str, list[str]] = {}
            for name in _names(place):
                names.setdefault(_folded(name), []).append(name)
            self._listed[place] = names
        alike = self._listed[place].get(_folded(part), [])
        accents: list[tuple[Callable[[str], str], How]] = [(nfc, "accent"), (_folded, "case")]
        for form, how in accents:
            same = [name for name in alike if form(name) == form(part)]
            if len(same) == 1:
                return same[0], how
        return "", ""

    def near(self, file_name: str) -> str:
        """A file of the folder that may be meant by a name, but is not sure to be; empty if none.

        It has the name without a URL's or another folder's parts, or with another suffix.
        """
        last = unquote(PureWindowsPath(file_name.strip()).name)
        names = sorted(_names(self.folder))
        for form in (_folded, lambda name: _folded(PurePosixPath(name).stem)):
            found = [name for name in names if form(name) == form(last)]
            if found and form(last):
                return found[0]
        return ""

    def _hint(self, file_name: object) -> str:
        """Where the file lies after all, for the message of a name that is refused."""
        last = PureWindowsPath(file_name).name if isinstance(file_name, str) else ""
        if last and path_problem(last) is None and (self.folder / last).is_file():
            return f"; {self.folder.name}/ has a file {last!r:.100}: write this name"
        return ""


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir()]
    except OSError:
        return []
