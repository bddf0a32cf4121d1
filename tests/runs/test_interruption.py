"""Signals are heard at any moment and end the work in code of ours, never in foreign code."""

import os
import signal
import threading
import time

import pytest

from rpc.runs import interruption
from rpc.runs.interruption import Interruption, leave_at_signals, listen, stop_requested


@pytest.fixture(autouse=True)
def left_at_once(monkeypatch):
    """This process listens as a tool does; what would have left it at once."""
    left = []
    listen(lambda again: left.append("again" if again else "import"))
    yield left
    leave_at_signals(0)  # forgets what was heard; the handlers go back by themselves


def program(text, *, ours):
    """Names of a module that lies in the project, or outside."""
    folder = interruption._OURS[0] if ours else "/somewhere/else/"
    names = {"kill": lambda number=signal.SIGINT: os.kill(os.getpid(), number)}
    exec(compile(text, folder + "module.py", "exec"), names)
    return names


FOREIGN = """
def swallow():
    for _ in range(3):
        try:
            kill()
            [n for n in range(100)]
        except:
            return "swallowed"
    return "whole"

def call_back(function):
    kill()
    function()
    return "foreign code went on"
"""
OURS = """
def work(foreign, log):
    log.append(foreign())
    log.append("our code went on")

def inner():
    raise AssertionError("entered")
"""


@pytest.mark.parametrize("number", interruption.STOP_SIGNALS)
def test_foreign_code_is_finished_before_a_signal_ends_the_work(number):
    foreign = program(FOREIGN, ours=False)
    foreign["kill"] = lambda: os.kill(os.getpid(), number)
    log = []
    with pytest.raises(KeyboardInterrupt):
        program(OURS, ours=True)["work"](foreign["swallow"], log)
    assert log in ([], ["whole"])


def test_the_end_comes_in_the_first_function_of_ours_that_foreign_code_calls():
    foreign, ours = program(FOREIGN, ours=False), program(OURS, ours=True)
    log = []
    with pytest.raises(KeyboardInterrupt):
        ours["work"](lambda: foreign["call_back"](ours["inner"]), log)
    assert log == []


def test_an_import_is_left_at_once_or_finished_first(tmp_path, monkeypatch, left_at_once):
    (tmp_path / "half_way.py").write_text(
        "import os, signal\ntry:\n    os.kill(os.getpid(), signal.SIGINT)\n    import string\n"
        "except BaseException as error:\n    raise ImportError('damaged') from error\n"
        "whole = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    text = "def load():\n    import half_way\n    return half_way\n"
    with pytest.raises(KeyboardInterrupt):
        program(text, ours=True)["load"]()
    import half_way

    assert half_way.whole
    assert left_at_once == ["import"]  # where it leaves the process, nothing comes after it


def test_waiting_ends_at_once():
    begun = time.monotonic()
    threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGTERM)).start()
    text = "def wait(event):\n    event.wait(20)\n"
    with pytest.raises(KeyboardInterrupt):
        program(text, ours=True)["wait"](threading.Event())
    assert time.monotonic() - begun < 10


def send(*numbers):
    for number in numbers:
        os.kill(os.getpid(), number)


def test_a_training_is_told_and_not_broken_off():
    saved = []

    def train():
        with Interruption() as asked:
            assert not asked.requested
            send(signal.SIGTERM)
            saved.append(asked.requested)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train()
    assert saved == [True]


def test_a_wish_that_nobody_heeded_ends_the_block_all_the_same():
    with pytest.raises(KeyboardInterrupt), Interruption():
        send(signal.SIGINT)


def test_a_block_with_nothing_to_save_ends_at_once():
    reached = []

    def measure(before, within):
        with Interruption() as asked:
            send(*before)
            with asked.at_once():
                send(*within)
                reached.append(1)

    with pytest.raises(KeyboardInterrupt):
        measure((), (signal.SIGINT,))
    with pytest.raises(KeyboardInterrupt):
        measure((signal.SIGTERM,), ())  # heard before
    assert not reached


def test_the_same_wish_twice_is_one_and_a_later_one_leaves_at_once(left_at_once, monkeypatch):
    now = [100.0]
    monkeypatch.setattr(interruption.time, "monotonic", lambda: now[0])

    def train():
        with Interruption() as asked:
            # As `timeout` does: to the process and to its group.
            send(signal.SIGTERM, signal.SIGTERM, signal.SIGINT)
            assert asked.requested
            assert not left_at_once
            now[0] += 1.5
            send(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        train()
    assert left_at_once == ["again"]


def test_without_a_tool_a_training_hears_signals_for_its_time_only():
    for number in interruption.STOP_SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with pytest.raises(KeyboardInterrupt), Interruption():
        send(signal.SIGTERM)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    assert not stop_requested()


def test_what_a_process_is_started_deaf_to_it_does_not_hear():
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
    listen(lambda again: None)
    os.kill(os.getpid(), signal.SIGHUP)
    assert not stop_requested()


def test_outside_the_main_thread_nothing_is_changed():
    before = signal.getsignal(signal.SIGINT)
    seen = []

    def train():
        with Interruption() as asked:
            seen.append((asked.requested, signal.getsignal(signal.SIGINT)))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert seen == [(False, before)]
