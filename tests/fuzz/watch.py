"""What a program does while it is watched: files that it changes, memory, time."""

import os
import signal
import sys
from contextlib import contextmanager
from pathlib import Path

CPU_SECONDS = 10  # of processor time, so that a busy machine changes nothing
WALL_SECONDS = 120  # asleep for good
GROWTH = 2 << 30  # bytes of memory above what was there before
# Audited events that change a file: positions of a path and of the open folder it starts from.
CHANGES = {
    "os.remove": [(0, 1)], "os.rename": [(0, 2), (1, 3)], "os.mkdir": [(0, 2)],
    "os.rmdir": [(0, 1)], "os.truncate": [(0, None)], "os.chmod": [(0, 2)], "os.link": [(1, 3)],
    "os.symlink": [(1, 2)], "os.utime": [(0, 3)], "shutil.rmtree": [(0, None)],
}  # fmt: skip
STARTS = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pty.spawn")
# Programs that may be asked something: the commit of a report, the system's libraries and fonts.
HELPERS = ("git", "/sbin/ldconfig", "fc-list")
NETWORK = ("socket.connect", "socket.getaddrinfo", "urllib.Request")


class TooLongError(BaseException):
    """The call took more time than any input may."""


class Watch:
    """Audits this process from now on; a hook of Python cannot be taken back."""

    def __init__(self):
        self.allowed = ()
        self.faults = None
        sys.addaudithook(self._note)

    @contextmanager
    def over(self, *allowed):
        """Faults noted while the block runs: writes elsewhere than in `allowed`, and the like."""
        self.allowed = tuple(os.path.realpath(one) for one in allowed)
        before = memory("VmRSS")
        Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
        faults = self.faults = []
        try:
            with _limited():
                yield faults
        except TooLongError as error:
            faults.append(f"took too long: {error}")
        finally:
            self.faults = None
            grown = memory("VmHWM") - before
            if grown > GROWTH:
                faults.append(f"took {grown / 1e9:.1f} GB more memory")

    def _note(self, event, arguments):
        if self.faults is None:
            return
        if event == "subprocess.Popen" and arguments[0] in HELPERS:
            return
        if event in STARTS or event in NETWORK:
            self.faults.append(f"{event} {arguments[0]!r:.80}")
        elif event == "open":
            path, _, flags = arguments
            if (flags or 0) & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND):
                self._require(event, path)
        elif event in CHANGES:
            for path, folder in CHANGES[event]:
                self._require(event, arguments[path], -1 if folder is None else arguments[folder])

    def _require(self, event, path, folder=-1):
        if isinstance(path, int):  # an open file, checked when it was opened
            return
        path = Path(os.fsdecode(path))
        if folder >= 0:
            path = Path(f"/proc/self/fd/{folder}").resolve() / path
        if path == Path(os.devnull):
            return
        real = Path(os.path.realpath(path.parent)) / path.name
        if not any(real.is_relative_to(root) for root in self.allowed):
            self.faults.append(f"{event} outside the output folder: {path}")


def memory(name):
    """Bytes that Linux says of this process: VmRSS now, VmHWM at its peak."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise LookupError(name)


@contextmanager
def _limited():
    """Raise TooLongError in a block that takes too much time."""

    def stop(number, frame):
        where = f"{frame.f_code.co_filename}:{frame.f_lineno}" if frame else "?"
        raise TooLongError(where)

    clocks = ((signal.ITIMER_PROF, CPU_SECONDS), (signal.ITIMER_REAL, WALL_SECONDS))
    before = [signal.signal(number, stop) for number in (signal.SIGPROF, signal.SIGALRM)]
    for clock, seconds in clocks:
        signal.setitimer(clock, seconds)
    try:
        yield
    finally:
        for clock, _ in clocks:
            signal.setitimer(clock, 0)
        for number, handler in zip((signal.SIGPROF, signal.SIGALRM), before, strict=True):
            signal.signal(number, handler)
