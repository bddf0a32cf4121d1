"""Which steps of a long job are done, kept on disk: after a stop the same command goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from rpc.data.files import DataError, read_json, write_json
from rpc.runs.run_folder import require_same_settings

NAME = "journal.json"


class StepJournal:
    """The journal of one output folder.

    Args:
        folder: of the job; made if it is missing.
        settings: what decides the result; a folder made with other settings is refused.

    Raises:
        DataError: the folder holds a job with other settings.
    """

    def __init__(self, folder: Path, settings: dict[str, Any]) -> None:
        self.path = folder / NAME
        self.steps: dict[str, float] = {}
        if self.path.is_file():
            before = read_json(self.path)
            was, done = before.get("settings"), before.get("steps")
            if not (isinstance(was, dict) and isinstance(done, dict)):
                raise DataError(f"{self.path}: not the journal of a job; choose another folder")
            require_same_settings(folder, was, settings)
            self.steps = dict(done)
        self.settings = settings

    def run(self, name: str, step: Callable[[], object]) -> None:
        """Do a step unless it is done; its seconds add up over interrupted tries."""
        if f"{name} done" in self.steps:
            return
        started = time.monotonic()
        try:
            step()
            self.steps[f"{name} done"] = 1.0
        finally:
            spent = self.steps.get(name, 0.0) + time.monotonic() - started
            self.steps[name] = round(spent, 1)
            write_json(self.path, {"settings": self.settings, "steps": self.steps}, indent=1)

    @property
    def seconds(self) -> dict[str, float]:
        """Seconds by step, so far."""
        return seconds_of(self.steps)


def seconds_of(steps: Mapping[str, float]) -> dict[str, float]:
    """The seconds among a journal's entries, by step."""
    return {name: value for name, value in steps.items() if not name.endswith(" done")}
