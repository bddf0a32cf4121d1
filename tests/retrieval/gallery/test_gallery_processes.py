import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.retrieval.gallery import gallery_files
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import add_skus, remove_skus
from tests.retrieval.gallery.gallery_makers import (
    DIMENSION,
    RECIPE,
    make_gallery,
    new_sku,
    unit_vectors,
)

ROOT = Path(__file__).parents[3]
QUERIES = unit_vectors(np.random.default_rng(9), 3, DIMENSION)


def test_a_change_killed_at_any_file_operation_leaves_the_old_gallery_or_the_new_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-m", "tests.retrieval.gallery.gallery_killer", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    kills = {name: (int(n), int(old)) for name, n, old in map(str.split, done.stdout.splitlines())}
    assert set(kills) == {"add", "remove", "rename", "merge"}
    assert all(number >= 4 and old >= 2 for number, old in kills.values())


def read_again_and_again(folder, begin, stop, counts):
    Gallery.open(folder, RECIPE)
    begin.wait(60)
    opened = 0
    while not stop.is_set() or opened < 5:
        gallery = Gallery.open(folder, RECIPE)
        names = [hit.sku.name for hit in gallery.search(QUERIES, 10)[0]]
        assert sorted(names) == list(gallery.names)
        opened += 1
    counts.put(opened)


def test_two_processes_read_while_one_writes(tmp_path):
    make_gallery(tmp_path)
    context = multiprocessing.get_context("spawn")
    begin, stop, counts = context.Barrier(3), context.Event(), context.Queue()
    readers = [
        context.Process(target=read_again_and_again, args=(tmp_path, begin, stop, counts))
        for _ in range(2)
    ]
    for reader in readers:
        reader.start()
    try:
        begin.wait(60)
        for number in range(15):
            add_skus(tmp_path, RECIPE, [new_sku("milk", 10 + number)])
            remove_skus(tmp_path, ["milk"])
        stop.set()
        opened = [counts.get(timeout=60) for _ in readers]
    finally:
        stop.set()
        for reader in readers:
            reader.join(60)
    assert [reader.exitcode for reader in readers] == [0, 0]
    assert min(opened) >= 5


def test_files_that_an_opening_reader_needs_are_not_collected(tmp_path):
    make_gallery(tmp_path)
    with gallery_files.reading(tmp_path):
        state = gallery_files.read_state(tmp_path)
        remove_skus(tmp_path, ["soap"])
        embeddings = [gallery_files.read_segment(tmp_path, s, DIMENSION) for s in state.segments]
        assert sum(len(block) for block in embeddings) == 12
    remove_skus(tmp_path, ["tea"])
    assert len(list((tmp_path / "descriptors").iterdir())) == 1


def test_a_second_writer_is_told_who_is_writing_and_changes_nothing(tmp_path):
    make_gallery(tmp_path)
    with gallery_files.writing(tmp_path), ThreadPoolExecutor(1) as other:
        second = other.submit(add_skus, tmp_path, RECIPE, [new_sku("milk", 8)])
        with pytest.raises(DataError, match=f"PID {os.getpid()}.* is writing here; wait"):
            second.result()
    assert "milk" not in Gallery.open(tmp_path).names
    add_skus(tmp_path, RECIPE, [new_sku("milk", 8)])


def test_a_full_disk_leaves_the_old_gallery(tmp_path, monkeypatch):
    make_gallery(tmp_path)

    def no_room(self, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_room)
    with pytest.raises(DataError, match="No space left"):
        add_skus(tmp_path, RECIPE, [new_sku("milk", 8)])
    monkeypatch.undo()
    assert Gallery.open(tmp_path, RECIPE).names == ("cola", "soap", "tea")
