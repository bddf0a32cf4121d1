"""XML from strangers: no entities, so that nothing is inflated and no other file is opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from rpc.data.files import DataError

LARGEST = 1 << 30  # bytes: CVAT writes some 200 bytes an item
DEEPEST = 100  # levels: annotation files have six


def read_xml(path: str | Path) -> Element:
    """The root of an XML file.

    Raises:
        DataError: the file is missing, too large, not XML (with line and column), or declares
            entities, which no annotation tool does.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise DataError(f"{path}: more than {LARGEST >> 30} GB of XML; split the export")
        return _Parser(path).parse()
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}") from error


class _Parser:
    """Expat with a tree builder behind it, and without what XML can do beyond a tree."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._tree = TreeBuilder()
        self._depth = 0
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._tree.data
        parser.EntityDeclHandler = self._refuse_entity
        parser.ExternalEntityRefHandler = self._refuse_entity
        self._parser = parser

    def parse(self) -> Element:
        try:
            with self._path.open("rb") as file:
                self._parser.ParseFile(file)
            return self._tree.close()
        except expat.ExpatError as error:
            raise DataError(
                f"{self._path}: not valid XML at line {error.lineno}, column {error.offset + 1}: "
                f"{expat.errors.messages.get(error.code, 'damaged')}"
            ) from error
        except (ValueError, LookupError) as error:  # an encoding that Python does not know
            if isinstance(error, DataError):
                raise
            raise DataError(f"{self._path}: not usable XML: {error}") from error

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > DEEPEST:
            raise DataError(f"{self._path}: XML nested deeper than {DEEPEST} levels")
        self._tree.start(tag, attributes)

    def _end(self, tag: str) -> None:
        self._depth -= 1
        self._tree.end(tag)

    def _refuse_entity(self, *_: Any) -> NoReturn:
        raise DataError(
            f"{self._path}: declares XML entities, which can inflate a file without limit; "
            "remove its DOCTYPE"
        )
