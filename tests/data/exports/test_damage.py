"""Damaged label files of every layout: a plan, a refusal in one line, and never anything else."""

import json
import random

import pytest

from rpc.data.dataset import read_dataset
from rpc.data.exports.found import look_at, told_unread
from rpc.data.exports.reading import plan_store
from rpc.data.exports.told import plan_page
from rpc.data.exports.write import write_store
from rpc.data.files import DataError
from tests.data.exports.layouts import ALL, truth_of

ODD = ("null", "true", "-1", "1e308", '""', '"../x"', "[]", "{}", "[[]]", '{"a": 1}', "[null]")
PIECES = (b"-", b'"', b"<", b"\n", b"e99", b"&a;", b"nan", b",,", b"\0", b": ", b"\xff", b"")


def damaged_json(value, rng):
    """The value with one inner value left out, doubled or replaced."""
    inner = value if isinstance(value, dict | list) and value else None
    if inner is None or rng.random() < 0.1:
        return json.loads(rng.choice(ODD))
    key = rng.choice(list(inner)) if isinstance(inner, dict) else rng.randrange(len(inner))
    if rng.random() < 0.15:
        del inner[key]
    else:
        inner[key] = damaged_json(inner[key], rng)
    return inner


def damage(path, rng):
    """Change a label file in place."""
    if path.suffix == ".json" and rng.random() < 0.8:
        value = json.loads(path.read_text(encoding="utf-8-sig"))
        path.write_text(json.dumps(damaged_json(value, rng)))
        return
    data = bytearray(path.read_bytes())
    at = rng.randrange(len(data) + 1)
    data[at : at + rng.randrange(20)] = rng.choice(PIECES)
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("writer", ALL, ids=[writer.__name__ for writer in ALL])
def test_a_damaged_export_is_planned_or_refused_in_one_line(writer, tmp_path):
    rng = random.Random(writer.__name__)
    root = tmp_path / "export"
    writer(root, truth_of(writer))
    labels = [p for p in sorted(root.rglob("*")) if p.is_file() and p.suffix != ".jpg"]
    sound = {path: path.read_bytes() for path in labels}
    for number in range(12):
        path = rng.choice(labels)
        damage(path, rng)
        try:
            files = look_at(root)
            told = told_unread(files)
            if files.layouts:
                plan = plan_store(files, decode=False)
                told = plan_page(plan)
                if plan.photos:
                    out = write_store(plan, tmp_path / f"out{number}")
                    for written in out.glob("instances_*.json"):
                        read_dataset(written)
        except DataError as error:
            told = str(error)
            assert "\n" not in told
        assert told or not files.layouts
        path.write_bytes(sound[path])
