"""The commands that README.md and docs/ name, as lists of words with all placeholders filled in."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from tests.cli.small_shop import ROOT, VERB

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^((?: {4}.+\n)+)", re.MULTILINE)
_INLINE = re.compile(r"`([^`]+)`")
_CALL = re.compile(
    r"^(?:\w+=\S+ )*(?:(?:\S*/)?python3? |torchrun (?:--\S+ \S+ )+)?"
    r"(?:rpc-checkout(?: (?P<verb>[a-z][\w-]*))?|tools/(?P<script>[\w/]+)\.py)(?P<rest>(?: .*)?)$"
)


@dataclass(frozen=True)
class Command:
    """A command of a page.

    Attributes:
        page: relative to the repository.
        text: as it is written, on one line.
        module: of rpc.cli; "" for `rpc-checkout` alone, or `benchmark/<name>`.
        words: what follows, placeholders of optional and repeated words made plain.
        whole: it can be run as it stands; otherwise it names a verb and some options.
    """

    page: str
    text: str
    module: str
    words: tuple[str, ...]
    whole: bool


def commands() -> Iterator[Command]:
    """All commands of all pages, in the order of the pages."""
    for path in PAGES:
        page, text = path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")
        blocks = [body for _, body in _FENCED.findall(text)]
        rest = _FENCED.sub("", text)
        for block in [*blocks, *(match[1] for match in _INDENTED.finditer(rest))]:
            for line in block.replace("\\\n", " ").splitlines():
                yield from _commands(page, line, whole=True)
        for match in _INLINE.finditer(rest):
            yield from _commands(page, match[1], whole=False)


def _commands(page: str, text: str, *, whole: bool) -> Iterator[Command]:
    for part in " ".join(text.split(" # ")[0].split()).split("&&"):
        match = _CALL.match(part.strip())
        if match:
            name = match["script"] or match["verb"] or ""
            if match["script"] and not name.startswith("benchmark/"):
                name = VERB[name].removeprefix("rpc.cli.")
            words = tuple(_plain(match["rest"]))
            done = whole and "..." not in match["rest"]
            yield Command(page, part.strip(), name.replace("-", "_"), words, done)


def _plain(rest: str) -> Iterator[str]:
    """Words without the signs of a usage line: [ ] of options, ..., and | of choices."""
    for word in shlex.split(rest.replace("[", " ").replace("]", " "), comments=True):
        plain = word.split("|")[0]
        if plain not in ("...", ">", "<"):
            yield "1" if plain == "N" else plain


def shell_blocks(page: str) -> list[str]:
    """The blocks of shell commands of a page, as they are."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return [body for language, body in _FENCED.findall(text) if language == "sh"]
