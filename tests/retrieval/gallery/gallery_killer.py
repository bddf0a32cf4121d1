"""Kill a change of a gallery at each of its file operations; run as a module by a test.

    python -m tests.retrieval.gallery.gallery_killer FOLDER

A child process is forked for each try; an audit hook ends it, without any clean-up, as it is about
to open, rename, remove or make a file of the gallery for the n-th time.
"""

import shutil
import sys
from pathlib import Path

import numpy as np

from rpc.retrieval.gallery import gallery_edit
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, remove_skus, rename_sku
from tests.killed_at import killed_at
from tests.retrieval.gallery.gallery_makers import (
    DIMENSION,
    RECIPE,
    make_gallery,
    new_sku,
    unit_vectors,
)

QUERIES = unit_vectors(np.random.default_rng(9), 3, DIMENSION)


def with_picture():
    picture = np.full((8, 8, 3), 90, np.uint8)
    photos = [
        NewPhoto(photo.embeddings, photo.source, picture) for photo in new_sku("milk", 8).photos
    ]
    return [NewSku("milk", photos)]


CHANGES = {
    "add": lambda folder: add_skus(folder, RECIPE, with_picture()),
    "remove": lambda folder: remove_skus(folder, ["soap"]),
    "rename": lambda folder: rename_sku(folder, "soap", "suds"),
    "merge": lambda folder: add_skus(folder, RECIPE, with_picture()),
}


def answers(folder):
    found = Gallery.open(folder, RECIPE).search(QUERIES, 5)
    return [[(hit.sku.name, hit.score) for hit in hits] for hits in found]


def main(root):
    for name, change in CHANGES.items():
        gallery_edit.MANY = 1 if name == "merge" else 32
        source = make_gallery(root / name / "source")
        before = answers(source)
        done = root / name / "done"
        shutil.copytree(source, done)
        change(done)
        after = answers(done)
        last, kills, olds = 0, 0, 0
        while True:
            last += 1
            folder = root / name / f"try_{last}"
            shutil.copytree(source, folder)
            died = killed_at(folder, last, lambda at=folder, change=change: change(at))
            found = answers(folder)
            assert found in (before, after), f"{name}: a third state after operation {last}"
            assert died or found == after, f"{name}: finished, yet unchanged"
            kills, olds = kills + died, olds + (found == before)
            if found == before:
                change(folder)  # the same command again does it
                assert answers(folder) == after
            else:
                rename_sku(folder, "tea", "tea")  # any later change collects what was left
            files = [p for p in folder.rglob("*") if p.is_file() and not p.name.startswith(".")]
            assert not list(folder.rglob(".*part*")), f"{name}: part left at {last}"
            named = (folder / "gallery.json").read_text()
            assert all(p.name in named for p in files if p.name != "gallery.json")
            if not died:
                break
        print(name, kills, olds)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
