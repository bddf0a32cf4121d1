"""Two processes, as torchrun starts them, learn one translation."""

import json
import os
import subprocess
import sys

import pytest
import torch

from rpc.runs.tensor_files import read_tensors
from synth.render.training.resume import NAME

PROGRAM = """
import json, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
import torch
from tests.synth.render.tiny_translation import tiny_settings
from rpc.runs.processes import joined
from synth.render.training.translation import train_translation

scenes, photos = ([Path(name) for name in names] for names in json.loads({pictures!r}))
settings = tiny_settings(
    training={{"iterations": {iterations}, "batch_size": {batch}, "flat_until": 0.99}}
)
with joined() as processes:
    translator, iterations = train_translation(
        scenes, photos, {out!r}, settings, resume=True, processes=processes
    )
    torch.save(translator.state_dict(), Path({out!r}) / f"rank{{processes.rank}}.pth")
    assert iterations == {iterations}
"""


def start(processes, pictures, out, iterations, batch):
    """Run the program to its end; the weights of every rank."""
    out.mkdir(exist_ok=True)
    program = out / "program.py"
    text = PROGRAM.format(
        tests=os.fspath(os.path.dirname(__file__)),  # noqa: PTH120
        pictures=json.dumps([[os.fspath(p) for p in paths] for paths in pictures]),
        iterations=iterations,
        batch=batch,
        out=os.fspath(out),
    )
    program.write_text(text)
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [*command, program], env=environment, capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return [torch.load(out / f"rank{rank}.pth", weights_only=True) for rank in range(processes)]


def same(one, two):
    return all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.slow
def test_two_processes_hold_equal_weights_and_resume_exactly(pictures, tmp_path):
    first, second = start(2, pictures, tmp_path / "whole", 6, 1)
    assert same(first, second)
    start(2, pictures, tmp_path / "parts", 4, 1)
    saved = read_tensors(tmp_path / "parts" / NAME)["state"]
    assert saved["iteration"] == 4
    assert len(saved["pools"]) == 2
    assert not torch.equal(*(pools["target"] for pools in saved["pools"]))
    again = start(2, pictures, tmp_path / "parts", 6, 1)
    assert same(again[0], first)
    assert same(again[1], first)


@pytest.mark.slow
def test_two_processes_learn_what_one_learns_from_batches_twice_as_large(pictures, tmp_path):
    # Of the same crops, up to rounding, as long as the pools have had room for everything.
    start(1, pictures, tmp_path / "one", 1, 2)
    start(2, pictures, tmp_path / "two", 1, 1)
    # What Adam remembers of one batch is half its gradient; its step would show the sign alone.
    alone, together = (
        [memory["exp_avg"] for part in optimizers.values() for memory in part["state"].values()]
        for optimizers in (
            read_tensors(tmp_path / name / NAME)["state"]["optimizers"] for name in ("one", "two")
        )
    )
    largest = max(gradient.abs().max() for gradient in alone)
    for one, two in zip(alone, together, strict=True):
        assert (one - two).abs().max() < 1e-5 * largest
