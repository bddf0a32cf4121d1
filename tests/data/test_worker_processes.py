"""Workers leave signals to their parent, and end when it asks or is gone."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from rpc.data.files import atomic_path
from rpc.data.parallel import process_pool
from rpc.data.worker_processes import signals_left_to_parent
from tests.drill.strikes import session_of

ROOT = Path(__file__).parents[2]
# A parent of two workers: says who they are, and waits.
PARENT = """
import os, time
from rpc.data.parallel import process_pool
if __name__ == "__main__":
    with process_pool(2, "test") as pool:
        print(*{pool.submit(os.getpid).result() for _ in range(4)}, flush=True)
        time.sleep(60)
"""


def struck(number):
    """Sends this worker a signal from another process, and says that it lives."""
    subprocess.run(["kill", f"-{number}", str(os.getpid())], check=True)
    time.sleep(0.05)
    return os.getpid()


def test_signals_to_the_group_do_not_reach_a_worker_but_its_parents_do():
    with process_pool(1, "test") as pool:
        pids = {pool.submit(struck, int(n)).result() for n in (signal.SIGINT, signal.SIGHUP)}
        pids |= {pool.submit(struck, int(signal.SIGTERM)).result()}
        (pid,) = pids
        (worker,) = pool._processes.values()
        os.kill(pid, signal.SIGTERM)  # how Python's pools end workers
        worker.join(10)
        assert worker.exitcode == 1


def test_what_is_blocked_for_workers_comes_to_the_parent_afterwards():
    held = []

    def struck_while_blocked():
        with signals_left_to_parent():
            # To this thread: a test runner's, which blocks nothing, would take the process's.
            signal.pthread_kill(threading.get_ident(), signal.SIGINT)
            held.append(True)

    with pytest.raises(KeyboardInterrupt):
        struck_while_blocked()
    assert held
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as parent:  # fmt: skip
        assert parent.stdout.readline().split()
        assert len(session_of(parent.pid)) >= 2
        parent.kill()
        parent.wait()
        limit = time.monotonic() + 10
        while session_of(parent.pid) and time.monotonic() < limit:
            time.sleep(0.02)
        assert session_of(parent.pid) == []
        assert parent.stderr.read() == ""


def write_slowly(folder):
    """Begins to write a file, and takes its time."""
    with atomic_path(folder / "slow.txt") as part:
        part.write_text("half")
        (folder / "begun").touch()
        time.sleep(60)


@pytest.mark.parametrize("how", ["break off", "terminate"])
def test_what_workers_are_at_is_broken_off_and_nothing_half_written_stays(tmp_path, how):
    began = time.monotonic()

    def work():
        with process_pool(1, "test") as pool:
            for _ in range(3):
                pool.submit(write_slowly, tmp_path)
            while not (tmp_path / "begun").exists():
                time.sleep(0.01)
            if how == "terminate":  # as where the system killed another one
                for worker in pool._processes.values():
                    worker.terminate()
                    worker.join()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        work()
    assert time.monotonic() - began < 50
    assert [path.name for path in tmp_path.iterdir()] == ["begun"]
