"""The ways in: each writes one changed input into a folder and calls the program on it."""

import argparse
import importlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from hypothesis import strategies as st

from rpc.cli.main import VERBS, module_of
from rpc.cli.main import main as rpc_checkout
from rpc.data.class_sets.class_layouts import read_class_set
from rpc.data.images import read_photo
from rpc.retrieval.gallery.gallery import Gallery
from rpc.runs.tensor_files import read_tensors
from tests.fuzz.mutations import (
    NASTY,
    cut,
    file_names,
    json_bytes,
    mutated,
    photo_bytes,
    places,
    rarely,
)
from tests.fuzz.seeds import Seeds
from tests.retrieval.gallery.gallery_makers import DIMENSION, RECIPE, unit_vectors
from tests.runs.mutations import mutated as mutated_model

# Verbs with no path that must exist, so that nonsense might start an hour's work or an endless one.
ALWAYS_BUSY = {"doctor", "bench", "make-start", "make-descriptor"}
ROOT = Path(__file__).parents[2]
BASELINE = "configs/recognition/baseline.py"
LABELS = {".txt", ".json", ".xml", ".csv", ".yaml"}
LISTS = {".txt", ".mat", ".xml", ".csv"}
PLACES = ("gone", "empty", "text.json")


@dataclass(frozen=True)
class Door:
    """One way in.

    Attributes:
        name: as reports have it.
        share: of all inputs, relative to the others.
        prepare: called with a draw function, the valid inputs and an empty folder; writes the
            input there and returns the call on it.
        outputs: names in the folder where the call may write.
    """

    name: str
    share: int
    prepare: Callable[[Callable, Seeds, Path], Callable[[], object]]
    outputs: tuple[str, ...] = ("out",)


def check(draw, seeds, folder):
    """A store whose JSON is changed."""
    _store_with(draw, seeds, folder, "train")
    return lambda: rpc_checkout(["check", f"{folder}/store", "--json", f"{folder}/out/check.json"])


def evaluate_truth(draw, seeds, folder):
    """Results against changed truth."""
    _write(folder / "truth.json", draw(json_bytes(seeds.texts["truth"])))
    _write(folder / "results.json", _json(seeds.texts["results"]))
    return lambda: _evaluate(folder)


def evaluate_results(draw, seeds, folder):
    """Changed results."""
    _write(folder / "truth.json", _json(seeds.texts["truth"]))
    _write(folder / "results.json", draw(json_bytes(seeds.texts["results"])))
    return lambda: _evaluate(folder)


def evaluate_counts(draw, seeds, folder):
    """A changed list of counts."""
    _write(folder / "truth.json", _json(seeds.texts["truth"]))
    _write(folder / "results.json", draw(json_bytes(seeds.texts["counts"])))
    return lambda: _evaluate(folder, threshold=())


def folds(draw, seeds, folder):
    """Folds of a store whose trays' JSON is changed."""
    _store_with(draw, seeds, folder, "test")
    line = ["folds", "--data", f"{folder}/store", "--out", f"{folder}/out", "--split", "test"]
    return lambda: rpc_checkout([*line, "--folds", "2"])


def cutouts(draw, seeds, folder):
    """Composing from a changed list of cut-outs."""
    shutil.copytree(seeds.cutouts, folder / "cutouts")
    _write(folder / "cutouts/cutouts.json", draw(json_bytes(seeds.texts["cutouts"])))
    line = ["compose", f"{folder}/cutouts", f"{folder}/out/scenes", "--count", "1"]
    line += ["--executor", "serial", "--mix", "1,0,0", "--rule", "easy:1-1:1-1", "--size", "64x64"]
    return lambda: rpc_checkout(line)


def gallery(draw, seeds, folder):
    """Telling what a gallery whose JSON is changed holds."""
    shutil.copytree(seeds.gallery, folder / "out")
    _write(folder / "out/gallery.json", draw(json_bytes(seeds.texts["gallery"])))
    return lambda: rpc_checkout(["gallery", "info", f"{folder}/out"])


def gallery_file(draw, seeds, folder):
    """Searching a gallery one of whose other files is damaged."""
    shutil.copytree(seeds.gallery, folder / "out")
    files = sorted(p for p in (folder / "out").rglob("*") if p.is_file() and p.suffix != ".json")
    file = draw(st.sampled_from(files))
    file.write_bytes(draw(cut(file.read_bytes())))
    query = unit_vectors(np.random.default_rng(1), 1, DIMENSION)
    return lambda: Gallery.open(folder / "out", RECIPE).search(query, 3)


def photos(draw, seeds, folder):
    """One photo's file with damage, or a header that lies."""
    name = draw(st.sampled_from(("tray.jpg", "tray.png", "tray", "tray.heic", "tray.tif")))
    _write(folder / name, draw(photo_bytes(seeds.photos)))
    return lambda: read_photo(folder / name)


def new(draw, seeds, folder):
    """A folder of photos with odd names and files."""
    for _ in range(draw(st.integers(1, 4))):
        names = draw(st.lists(file_names(), min_size=0, max_size=2))
        place = (folder / "photos").joinpath("sku", *map(os.fsdecode, names))
        place = (
            place if draw(st.integers(0, 2)) else (folder / "photos").joinpath(*place.parts[-2:])
        )
        data = draw(st.sampled_from(seeds.photos))
        data = draw(cut(data)) if rarely(draw, 4) else data
        try:
            _write(place / os.fsdecode(draw(file_names())), data)
        except OSError:  # a file where a folder should be, a path too long: as on a disk
            continue
    return lambda: rpc_checkout(["new", f"{folder}/photos", f"{folder}/out/store"])


def command_line(draw, seeds, folder):
    """A verb with nonsense for its options; no path leads to anything that could be worked on."""
    verb = draw(st.sampled_from(sorted(set(VERBS) - ALWAYS_BUSY)))
    made = importlib.import_module(f"rpc.cli.{module_of(verb)}").parser()
    (folder / "empty").mkdir()
    (folder / "text.json").write_text("{}")
    values = st.one_of(
        st.sampled_from(
            ("0", "-1", "1e400", "9" * 400, "nan", "inf", "", " ", "a,b", "1,2,3", "x")
        ),
        st.sampled_from(NASTY).map(lambda value: str(value)[:400].replace("\0", "")),
        st.sampled_from(tuple(f"{folder}/{name}" for name in PLACES)),
    )
    words = []
    for action in made._actions:
        if isinstance(action, argparse._HelpAction):
            continue
        needed = action.required or not action.option_strings
        path = action.type is not None and getattr(action.type, "__name__", "") == "Path"
        if not needed and draw(st.integers(0, 4)) and action.dest not in ("data", "out"):
            continue
        words += [*action.option_strings[-1:]]
        if action.nargs != 0:
            place = f"{folder}/{draw(st.sampled_from(PLACES))}"
            words += [place if path or needed else draw(values)]
    words += [draw(values)] if rarely(draw, 6) else []
    return lambda: rpc_checkout([verb, *words])


def config(draw, seeds, folder):
    """A changed config of a recognition system or a renderer, for data that are not there."""
    verb, values = draw(st.sampled_from(seeds.configs))
    values = draw(mutated(values))
    lines = [f"{name} = {value!r}" for name, value in values.items()]
    text = "\n".join(lines).encode("utf-8", "surrogatepass")
    _write(folder / "config.py", draw(cut(text)) if rarely(draw, 6) else text)
    return lambda: rpc_checkout([verb, f"{folder}/config.py", *_nothing(folder, verb)])


def config_options(draw, seeds, folder):
    """Changed options on the command line, for data that are not there."""
    verb, values = draw(st.sampled_from(seeds.configs))
    path = draw(st.sampled_from(list(places(values))[1:]))
    words = [draw(st.sampled_from(("a", "type", "0"))) if rarely(draw, 4) else one for one in path]
    value = draw(st.sampled_from(NASTY))
    option = f"{'.'.join(map(str, words))}={value!r:.400}".replace("\0", "")
    config = ROOT / ("configs/render/cut_cpu.py" if verb == "train-render" else BASELINE)
    line = [verb, str(config), *_nothing(folder, verb), "--cfg-options", option]
    return lambda: rpc_checkout(line)


def class_set(draw, seeds, folder):
    """A public data set's folder, one of whose lists is damaged."""
    tree = draw(st.sampled_from(sorted(seeds.class_sets.iterdir())))
    shutil.copytree(tree, folder / "set")
    lists = [p for p in sorted((folder / "set").rglob("*")) if p.suffix in LISTS]
    if lists:
        file = draw(st.sampled_from(lists))
        file.write_bytes(draw(cut(file.read_bytes())))
    return lambda: read_class_set(folder / "set")


def export(draw, seeds, folder):
    """An export of an annotation tool, one of whose label files is damaged."""
    tree = draw(st.sampled_from(sorted(seeds.exports.iterdir())))
    shutil.copytree(tree, folder / "export", copy_function=os.link)
    lists = [p for p in sorted((folder / "export").rglob("*")) if p.suffix in LABELS]
    file = draw(st.sampled_from(lists))
    data = file.read_bytes()
    file.unlink()
    if file.suffix == ".json" and draw(st.booleans()):
        file.write_bytes(draw(json_bytes(json.loads(data))))
    else:
        file.write_bytes(draw(cut(data)))
    if rarely(draw, 3):
        return lambda: rpc_checkout(["check", f"{folder}/export"])
    return lambda: rpc_checkout(["new", f"{folder}/export", "--out", f"{folder}/out/store"])


def model_file(draw, seeds, folder):
    """A counter's model file with changed values, or with damage."""
    path = folder / "model.pth"
    if rarely(draw, 4):
        path.write_bytes(draw(cut(seeds.model.read_bytes())))
    else:
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        torch.save(mutated_model(read_tensors(seeds.model), rng), path)
    line = ["count", f"{seeds.store}/test/tray_1.png", "--model", str(path), "--threshold", "0.5"]
    return lambda: rpc_checkout([*line, "--out", f"{folder}/out"])


DOORS = (
    Door("check", 15, check),
    Door("evaluate, truth", 15, evaluate_truth),
    Door("evaluate, results", 15, evaluate_results),
    Door("evaluate, counts", 5, evaluate_counts),
    Door("folds", 5, folds),
    Door("cutouts.json", 10, cutouts),
    Door("gallery.json", 10, gallery),
    Door("gallery's files", 5, gallery_file),
    Door("config", 10, config),
    Door("--cfg-options", 10, config_options),
    Door("class set", 10, class_set),
    Door("export", 15, export),
    Door("model file", 10, model_file),
    Door("photo", 25, photos),
    Door("folder of photos", 15, new),
    Door("command line", 15, command_line, (".",)),
)


def _nothing(folder, verb):
    """Options of data that are not there."""
    line = ["--data", f"{folder}/gone", "--out", f"{folder}/out"]
    return [*line, "--scenes", f"{folder}/gone"] if verb == "train-render" else line


def _store_with(draw, seeds, folder, split):
    shutil.copytree(seeds.store, folder / "store", copy_function=os.link)
    path = folder / f"store/instances_{split}.json"
    path.unlink()
    _write(path, draw(json_bytes(seeds.texts["train" if split == "train" else "truth"])))


def _evaluate(folder, threshold=("--threshold", "0.5")):
    line = ["--gt", f"{folder}/truth.json", "--results", f"{folder}/results.json", *threshold]
    line += ["--out", f"{folder}/out", "--bootstrap", "0", "--worst-carts", "0"]
    return rpc_checkout(["evaluate", *line])


def _json(value):
    return json.dumps(value).encode()


def _write(path, data):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
