"""The stack of signal handlers is afterwards what it was before, whoever took another one."""

import ctypes
import sys

import pytest

from rpc.data.signal_stack import _Stack, signal_stack_kept

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux's stacks")


def stack():
    found = _Stack()
    ctypes.CDLL(None).sigaltstack(None, ctypes.byref(found))
    return found.start, found.flags, found.size


def test_another_stack_that_the_block_takes_is_given_back():
    before, room = stack(), ctypes.create_string_buffer(1 << 16)
    with signal_stack_kept():
        take(room)
        assert stack()[0] == ctypes.addressof(room)
    assert stack() == before
    with pytest.raises(KeyError):
        take_and_fail(room)
    assert stack() == before


def take(room):
    other = _Stack(ctypes.addressof(room), 0, len(room))
    assert ctypes.CDLL(None).sigaltstack(ctypes.byref(other), None) == 0


def take_and_fail(room):
    with signal_stack_kept():
        take(room)
        raise KeyError


def test_a_network_that_openvino_compiles_leaves_the_stack_as_it_was(monkeypatch):
    openvino = pytest.importorskip("openvino")
    from tests.inference.test_openvino_network import network

    room, compiled = ctypes.create_string_buffer(1 << 16), openvino.Core.compile_model

    def compiled_on_another_stack(*arguments):  # as on processors with AMX
        take(room)
        return compiled(*arguments)

    monkeypatch.setattr(openvino.Core, "compile_model", compiled_on_another_stack)
    before = stack()
    network()
    assert stack() == before
