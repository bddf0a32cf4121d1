"""torch's files of tensors, read record by record: nothing is executed and no size is believed.

`torch.load(weights_only=True)` runs no code, but it allocates what a file claims: a few bytes may
ask for gigabytes (a compressed record, an empty quantised tensor, a `bytearray` of any length).
Here a file of B bytes takes about B bytes of memory: records must be stored as they are, and a
tensor must lie inside its record. Both of torch's formats are read: the archive (since 1.6) and the
row of pickles before it, as torchvision's older files have it.
"""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, ClassVar, Final

import torch
from torch import Tensor

MAGIC: Final = 0x1950A86A20F9469CFC6C  # of the older format
MOST_PARTS: Final = 2_000_000  # of the values of a file, counted where they are used
DEEPEST: Final = 100  # dicts and lists in one another

_DTYPES: Final = {
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "ByteStorage": torch.uint8,
    "CharStorage": torch.int8,
    "ShortStorage": torch.int16,
    "IntStorage": torch.int32,
    "LongStorage": torch.int64,
    "BoolStorage": torch.bool,
}
_OPCODES: Final = frozenset(
    ord(getattr(pickle, name))
    for name in (
        "PROTO FRAME STOP MARK EMPTY_DICT EMPTY_LIST EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
        "NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE SHORT_BINUNICODE "
        "BINSTRING SHORT_BINSTRING GLOBAL STACK_GLOBAL REDUCE BUILD BINPERSID BINPUT LONG_BINPUT "
        "MEMOIZE BINGET LONG_BINGET APPEND APPENDS SETITEM SETITEMS"
    ).split()
)


class RefusedError(ValueError):
    """A file that is not read; the text is a clause that says why."""


@dataclass(frozen=True)
class _Claim:
    """A tensor as the file describes it, not yet believed."""

    storage: Any
    offset: Any
    size: Any
    stride: Any


@dataclass(frozen=True)
class _Storage:
    key: str
    dtype: torch.dtype
    count: int


def read_archive(path: Path) -> Any:
    """The value that `torch.save` wrote: tensors on the CPU and plain values.

    Raises:
        RefusedError: it holds what is neither, or claims more than it holds.
        Exception: of many kinds, it is something else or damaged.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            return _read_zip(archive, path.stat().st_size)
    return _read_row(io.BytesIO(path.read_bytes()))


def _read_zip(archive: zipfile.ZipFile, whole: int) -> Any:
    entries = archive.infolist()
    records = {entry.filename.partition("/")[2]: entry for entry in entries}
    packed = [entry.filename for entry in entries if entry.compress_type != zipfile.ZIP_STORED]
    if packed:
        raise RefusedError(
            f"its record {packed[0]!r:.60} is compressed; expected a file as torch.save writes it"
        )
    if len(records) < len(entries) or sum(entry.file_size for entry in entries) > whole:
        raise RefusedError(
            "its records are larger than the file; expected a file as torch.save writes it"
        )
    if "byteorder" in records and archive.read(records["byteorder"]) != b"little":
        raise RefusedError("its numbers are in the byte order of another processor")
    content = _Reader(io.BytesIO(archive.read(records["data.pkl"]))).load()

    def fill(key: str, target: memoryview) -> None:
        with archive.open(records[f"data/{key}"]) as record:
            if record.readinto(target) != len(target):  # type: ignore[attr-defined]
                raise EOFError(key)

    sizes = {name[5:]: r.file_size for name, r in records.items() if name.startswith("data/")}
    return _Believed(sizes, fill, whole).value(content)


def _read_row(file: io.BytesIO) -> Any:
    """The older format: magic number, version, machine, value, names of storages, storages."""
    if _Reader(file).load() != MAGIC:
        raise ValueError("not torch's magic number")
    _Reader(file).load()
    machine = _Reader(file).load()
    if not machine["little_endian"]:
        raise RefusedError("its numbers are in the byte order of another processor")
    reader = _Reader(file)
    content, names = reader.load(), _Reader(file).load()
    data = file.getbuffer()
    places: dict[str, tuple[int, int]] = {}
    start = file.tell()
    for name in names:
        length = int.from_bytes(data[start : start + 8], "little") * reader.storages[name].itemsize
        places[name] = (start + 8, length)
        start += 8 + length
    if start > len(data):
        raise EOFError("storages")

    def fill(key: str, target: memoryview) -> None:
        first = places[key][0]
        target[:] = data[first : first + len(target)]

    sizes = {name: length for name, (_, length) in places.items()}
    return _Believed(sizes, fill, len(data)).value(content)


_PLAIN_UNPICKLER: Final[Any] = pickle._Unpickler  # Python's own


class _Reader(_PLAIN_UNPICKLER):  # type: ignore[misc]
    """Python's own unpickler, of few instructions and of few names, none of which does anything."""

    dispatch: ClassVar[dict[int, Callable[[Any], None]]] = {
        code: act for code, act in _PLAIN_UNPICKLER.dispatch.items() if code in _OPCODES
    }

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="utf-8")
        self.storages: dict[str, torch.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Names that a file may hold: tensors of plain numbers, and dicts in order."""
        found: Any = _NAMES.get((module, name))
        if module == "torch":
            found = found or _DTYPES.get(name) or _dtype(name)
        if found is None:
            raise RefusedError(
                f"it holds '{module}.{name}', and loading that could execute code; expected "
                "tensors and plain values only"
            )
        return found

    def persistent_load(self, pid: Any) -> _Storage:
        """A storage; its numbers are read when a tensor needs them."""
        kind, dtype, key, _, count, *view = pid
        fine = kind == "storage" and isinstance(dtype, torch.dtype) and isinstance(key, str)
        if not fine or type(count) is not int or count < 0 or any(view):
            raise ValueError("not a storage")
        self.storages[key] = dtype
        return _Storage(key, dtype, count)

    def _set_state(self) -> None:
        """Keep the versions of layers that torch attaches to its dicts of weights."""
        state = self.stack.pop()
        if isinstance(self.stack[-1], OrderedDict) and isinstance(state, dict):
            versions = state.get("_metadata")
            if isinstance(versions, dict):
                vars(self.stack[-1])["_metadata"] = versions

    dispatch[pickle.BUILD[0]] = _set_state


def _claim(storage: Any, offset: Any, size: Any, stride: Any, *_: Any) -> _Claim:
    return _Claim(storage, offset, size, stride)


def _parameter(data: Any, *_: Any) -> Any:
    return data


def _device(*words: Any) -> str:
    return ":".join(map(str, words))


def _dtype(name: str) -> torch.dtype | None:
    found = getattr(torch, name, None)
    return found if isinstance(found, torch.dtype) else None


_NAMES: Final[Mapping[tuple[str, str], Callable[..., Any]]] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch", "Size"): tuple,
    ("torch", "device"): _device,
    ("torch._utils", "_rebuild_tensor"): _claim,
    ("torch._utils", "_rebuild_tensor_v2"): _claim,
    ("torch._utils", "_rebuild_parameter"): _parameter,
}


@dataclass
class _Believed:
    """A file's values, once its claims have been held against its size.

    Attributes:
        sizes: bytes of each storage that the file really holds.
        fill: puts the first bytes of a storage into a buffer.
        whole: bytes of the file.
    """

    sizes: Mapping[str, int]
    fill: Callable[[str, memoryview], None]
    whole: int
    _storages: dict[str, Tensor] = field(default_factory=dict)
    _tensors: dict[Any, Tensor] = field(default_factory=dict)
    _known: dict[int, tuple[Any, int]] = field(default_factory=dict)
    _bytes: int = 0

    def value(self, content: Any) -> Any:
        """The content with tensors in the place of claims.

        Raises:
            RefusedError: a tensor is larger than its storage, the tensors together than the file,
                or the values hold one another too often.
        """
        return self._value(content, ())[0]

    def _value(self, part: Any, place: tuple[Any, ...]) -> tuple[Any, int]:
        """A part of the content, and how many values it is of, each time it is used."""
        if part is None or isinstance(part, bool | int | float | str | torch.dtype):
            return part, 1
        if isinstance(part, _Claim):
            return self._tensor(part, place), 1
        if not isinstance(part, dict | list | tuple):
            raise RefusedError(f"it holds a {type(part).__name__}; expected plain values")
        if id(part) not in self._known:
            if len(place) > DEEPEST:
                raise RefusedError("its values lie too deep in one another")
            self._known[id(part)] = self._container(part, place)
        found = self._known[id(part)]
        if found[1] > MOST_PARTS:
            raise RefusedError("its values hold one another more often than memory could")
        return found

    def _container(self, part: Any, place: tuple[Any, ...]) -> tuple[Any, int]:
        if isinstance(part, dict):
            if not all(isinstance(name, str | int) for name in part):
                raise RefusedError("it holds a dict whose names are neither text nor whole numbers")
            pairs = [(name, self._value(value, (*place, name))) for name, value in part.items()]
            filled = type(part)((name, value) for name, (value, _) in pairs)
            versions = getattr(part, "_metadata", None)
            if versions is not None:
                vars(filled)["_metadata"] = self._value(versions, place)[0]
            return filled, 1 + sum(count for _, (_, count) in pairs)
        items = [self._value(value, (*place, n)) for n, value in enumerate(part)]
        return type(part)(value for value, _ in items), 1 + sum(count for _, count in items)

    def _tensor(self, claim: _Claim, place: tuple[Any, ...]) -> Tensor:
        storage, size, stride = claim.storage, claim.size, claim.stride
        numbers = (claim.offset, *size, *stride)
        if not (
            isinstance(storage, _Storage)
            and isinstance(size, tuple)
            and isinstance(stride, tuple)
            and len(size) == len(stride) <= 16
            and all(type(number) is int and number >= 0 for number in numbers)
        ):
            raise ValueError("not a tensor")
        key = (storage, claim.offset, size, stride)
        if key not in self._tensors:
            last = sum((side - 1) * step for side, step in zip(size, stride, strict=True))
            count = prod(size)
            needed = claim.offset + last + 1 if count else 0
            held = min(storage.count, self.sizes[storage.key] // storage.dtype.itemsize)
            self._bytes += count * storage.dtype.itemsize
            if max(needed, count) > held or self._bytes > 2 * self.whole:
                name = ".".join(map(str, place))
                raise RefusedError(
                    f"its tensor {name!r:.80} claims {'x'.join(map(str, size)):.60} numbers, and "
                    f"the file holds {held} for it; expected a file as torch.save writes it"
                )
            flat = self._storage(storage)
            self._tensors[key] = flat.as_strided(size, stride, claim.offset)
        return self._tensors[key]

    def _storage(self, storage: _Storage) -> Tensor:
        """The numbers of a storage, read once."""
        if storage.key not in self._storages:
            raw = torch.empty(self.sizes[storage.key], dtype=torch.uint8)
            if len(raw):
                self.fill(storage.key, raw.numpy().data)
            self._storages[storage.key] = raw
        raw = self._storages[storage.key]
        return raw[: len(raw) // storage.dtype.itemsize * storage.dtype.itemsize].view(
            storage.dtype
        )
