"""All recognition systems on data sets, the same budget, several seeds: OUT/recognition.json."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from rpc.data.file_group import file_group
from rpc.data.files import DataError, read_json, write_bytes, write_json
from rpc.data.shipped import shipped
from rpc.pipelines.recognition.table_page import Budget, gather, page
from rpc.recognition.systems.named_groups import with_numbered_groups
from rpc.recognition.systems.registry import MissingAnnotationsError, require_needs, system_names
from rpc.recognition.training.data_sets import open_class_set
from rpc.recognition.training.run_settings import read_run_settings
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.commands import Commands
from rpc.runs.config_files import read_config_file
from rpc.runs.devices import resolve_device
from rpc.runs.folder_lock import writes_into
from rpc.runs.run_folder import require_same_settings
from rpc.runs.screen import say

CONFIGS: Final = shipped("configs/recognition")
TRAIN: Final = (sys.executable, "-m", "rpc.cli", "recognise")


@dataclass(frozen=True)
class RecognitionTableRequest:
    """A table of systems, data sets and seeds.

    Attributes:
        data: folders of data sets by name.
        out: folder of all runs and the table.
        scenes: folders of composed scenes by the name of a store.
        systems: names, of `system_names()`.
        seeds: 0 to `seeds` - 1.
        jobs: cells side by side.
        cpu_minutes: processor time of all gradient phases of a cell.
        iterations: batches of a cell, instead.
        device: that the systems run on, see `rpc.runs.devices`.

    Raises:
        DataError: scenes without data, an unknown system, or no job or seed.
    """

    data: Mapping[str, Path]
    out: Path
    scenes: Mapping[str, Path] = field(default_factory=dict)
    systems: tuple[str, ...] = field(default_factory=system_names)
    seeds: int = 3
    jobs: int = 1
    cpu_minutes: float = 3.0
    iterations: int | None = None
    device: str = "auto"

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.scenes) - set(self.data)):
            raise DataError(f"--scenes {unknown[0]}: no --data of this name")
        if unknown := sorted(set(self.systems) - set(system_names())):
            raise DataError(f"--systems {unknown[0]}: expected some of {', '.join(system_names())}")
        if self.jobs < 1 or self.seeds < 1:
            raise DataError(f"--jobs {self.jobs} --seeds {self.seeds}: expected 1 or more of each")

    @property
    def budget(self) -> Budget:
        """Of all gradient phases of a system: batches, or else processor time."""
        minutes = None if self.iterations is not None else self.cpu_minutes
        return Budget(minutes, self.iterations)


@dataclass(frozen=True)
class Cell:
    """One training of the table."""

    name: str
    system: str
    seed: int

    def __str__(self) -> str:
        return f"{self.name} / {self.system} / seed {self.seed}"


@writes_into(lambda request, *_, **__: request.out)
def make_recognition_table(request: RecognitionTableRequest) -> Path:
    """Run what is missing, the table anew after every cell; the path of recognition.json.

    A system that learns from what a data set lacks (key points) is named in the table, with the
    reason, and not run.

    Raises:
        DataError: a data set does not fit, an unknown device, or a cell failed; those that were
            running are finished.
        KeyboardInterrupt: a signal; the cells that were running have saved, and go on next time.
    """
    resolve_device(request.device)  # before any cell
    not_run = _unfit(request)
    cells = [
        Cell(name, system, seed)
        for seed in range(request.seeds)
        for name in request.data
        for system in request.systems
        if system not in not_run.get(name, {})
    ]
    writing, commands = threading.Lock(), Commands()

    def run(cell: Cell) -> None:
        _run_cell(request, cell, commands)
        with writing:
            _write(request, not_run)

    pool = ThreadPoolExecutor(request.jobs)
    running: list[Future[None]] = []
    try:
        running = [pool.submit(run, cell) for cell in cells]
        wait(running, return_when=FIRST_EXCEPTION)
    except KeyboardInterrupt:
        commands.stop()
        raise
    finally:
        pool.shutdown(cancel_futures=True)
    for done in running:
        if not done.cancelled():
            done.result()
    return _write(request, not_run)


def _unfit(request: RecognitionTableRequest) -> dict[str, dict[str, str]]:
    """Why a system cannot learn from a data set, by data set and system; each is opened once."""
    settings = {}
    for system in request.systems:
        config = CONFIGS / f"{system}.py"
        settings[system] = read_run_settings(read_config_file(config), str(config)).system
    unfit: dict[str, dict[str, str]] = {}
    for name, root in request.data.items():
        data = open_class_set(root, request.scenes.get(name))
        for system in request.systems:
            try:
                require_needs(settings[system], data.known, data.name)
                with_numbered_groups(settings[system], data)
            except MissingAnnotationsError as error:
                unfit.setdefault(name, {})[system] = str(error)
    return unfit


def _run_cell(request: RecognitionTableRequest, cell: Cell, commands: Commands) -> None:
    """Run one cell if it is not there.

    Raises:
        DataError: it failed, or was run with another budget.
    """
    out = request.out / cell.name / cell.system / f"seed{cell.seed}"
    if (out / "result.json").is_file():
        _require_same_budget(request, out)
        return
    say(cell)
    threads = {} if request.jobs == 1 else {"OMP_NUM_THREADS": str(_threads(request.jobs))}
    done = commands.run(_command(request, cell, out), threads)
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise DataError(f"{cell}: {said:.300}")


def _require_same_budget(request: RecognitionTableRequest, out: Path) -> None:
    """Refuse the result of another budget, or of a model that was trained elsewhere."""
    result = read_json(out / "result.json")
    if result["training"] is None:
        raise DataError(
            f"{out}: figures of a model that was trained elsewhere, not a cell of this table; "
            "remove the folder or choose another --out"
        )
    training = result["config"]["values"]["training"]
    before = {name: training.get(name) for name in ("cpu_minutes", "iterations")}
    require_same_settings(out, before, asdict(request.budget))


def _command(request: RecognitionTableRequest, cell: Cell, out: Path) -> list[str]:
    """The command line of a cell's training."""
    config, scenes = CONFIGS / f"{cell.system}.py", request.scenes.get(cell.name)
    line = [*TRAIN, str(config), "--data", str(request.data[cell.name]), "--out", str(out)]
    line += ["--seed", str(cell.seed), "--resume", "--workers", "1", "--device", request.device]
    if request.iterations is None:
        line += ["--cpu-minutes", str(request.cpu_minutes)]
    else:
        line += ["--iterations", str(request.iterations)]
    return line if scenes is None else [*line, "--scenes", str(scenes)]


def _threads(jobs: int) -> int:
    """Of each of so many jobs, so that together they take no more than there are cores."""
    return max((os.cpu_count() or 1) // jobs, 1)


def _write(request: RecognitionTableRequest, not_run: Mapping[str, Mapping[str, str]]) -> Path:
    """The table, as JSON and as a page."""
    names = list(request.data)
    result = {
        "systems": gather(request.out, names, request.systems),
        "asked": list(request.systems),
        "data": names,
        "not_run": not_run,
        **asdict(request.budget),
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }
    with file_group(request.out):
        write_bytes(request.out / "recognition.md", page(result).encode())
        return write_json(request.out / "recognition.json", result, indent=1)
