"""Files of arrays (.npz) read without believing what they claim: no pickle, no size.

`numpy.load` makes room for the shape that a header names before it looks at what follows, and a
compressed file may inflate a thousand times. A file of B bytes takes about B bytes here.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray


def read_arrays(path: str | Path) -> dict[str, NDArray[Any]]:
    """All arrays of a file that `numpy.savez` wrote, by name.

    Raises:
        OSError: it cannot be read.
        ValueError: it is something else, damaged, compressed, or claims more than it holds.
    """
    data = Path(path).read_bytes()
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
                raise ValueError("compressed; expected a file as numpy.savez writes it")
            if sum(entry.file_size for entry in entries) > len(data):
                raise ValueError("its arrays are larger than the file")
            return {
                entry.filename.removesuffix(".npy"): array_of(archive.read(entry))
                for entry in entries
            }
    except ValueError:
        raise
    # A damaged archive shows in many ways: BadZipFile, EOFError, NotImplementedError, ...
    except Exception as error:
        raise ValueError(f"not a file of arrays: {error!s:.100}") from error


def array_of(data: bytes) -> NDArray[Any]:
    """The array of the bytes of a .npy file: on these very bytes, which it cannot change.

    Raises:
        ValueError: it is something else, holds objects, or claims more than there is.
    """
    file = io.BytesIO(data)
    try:
        if npy.read_magic(file) != (1, 0):
            raise ValueError("a .npy file of another version")
        shape, by_column, dtype = npy.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError("objects, not numbers")
        if any(side < 0 for side in shape):
            raise ValueError(f"a shape of {shape}")
        flat: NDArray[Any] = np.frombuffer(data, dtype, offset=file.tell())
        return flat.reshape(shape[::-1]).T if by_column else flat.reshape(shape)
    except ValueError:
        raise
    # The header is text that numpy parses as Python: nested too deep, of odd types, ...
    except Exception as error:
        raise ValueError(f"not an array: {error!s:.100}") from error
