"""Commands of this project run by another one: they stop, and save, when it stops or is gone.

A command holds the reading end of a pipe as its standard input, and nothing is ever written to
it: when it ends, whoever held the other end has let go of it, or has been killed.
"""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Mapping, Sequence

from rpc.runs.interruption import FOLLOWS


class Commands:
    """Commands that run beside this process, and end with it."""

    def __init__(self) -> None:
        self._running: list[subprocess.Popen[str]] = []
        self._lock = threading.Lock()
        self._stopped = False

    def run(
        self, line: Sequence[str], environment: Mapping[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code, and what it wrote to stderr."""
        with self._lock:
            if self._stopped:
                return subprocess.CompletedProcess(list(line), 130, stderr="stopped")
            process = subprocess.Popen(
                line,
                stdin=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env={**os.environ, **environment, FOLLOWS: "1"},
            )
            self._running.append(process)
        with process:
            assert process.stderr is not None
            said = process.stderr.read()
        with self._lock:
            self._running.remove(process)
        return subprocess.CompletedProcess(list(line), process.wait(), stderr=said)

    def stop(self) -> None:
        """Ask all that run to stop; they save first. None begins any more."""
        with self._lock:
            self._stopped = True
            for process in self._running:
                if process.stdin is not None:
                    process.stdin.close()
