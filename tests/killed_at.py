"""Kill work at its n-th file operation: a forked child ends without any clean-up."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

KILLED = 9
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "os.link", "os.truncate"}


def killed_at(folder: Path, last: int, work: Callable[[], object]) -> bool:
    """Whether the work died as it was about to begin its `last` file operation in the folder."""
    child = os.fork()
    if child == 0:
        seen = 0

        def hook(event, arguments):
            nonlocal seen
            if event in EVENTS and arguments and str(folder) in str(arguments[0]):
                seen += 1
                if seen == last:
                    os._exit(KILLED)

        code = 1
        try:
            sys.addaudithook(hook)
            work()
            code = 0
        finally:
            os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, KILLED)
    return code == KILLED
