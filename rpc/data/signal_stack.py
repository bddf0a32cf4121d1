"""The stack that a thread's signal handlers run on, kept from libraries that leave another behind.

On processors with AMX, OpenVINO gives the thread that compiles its first network another stack for
signals (`sigaltstack`) and then frees that memory. Python's handlers run on it: the next Ctrl-C
would be a segmentation fault, in place of a saved state and one line.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager


class _Stack(ctypes.Structure):
    """Linux's `stack_t`."""

    _fields_ = (("start", ctypes.c_void_p), ("flags", ctypes.c_int), ("size", ctypes.c_size_t))


@contextmanager
def signal_stack_kept() -> Iterator[None]:
    """Whatever the block does, this thread's signal stack is afterwards what it was before."""
    if sys.platform != "linux":
        yield
        return
    change = ctypes.CDLL(None).sigaltstack
    before = _Stack()
    change(None, ctypes.byref(before))
    try:
        yield
    finally:
        change(ctypes.byref(before), None)
