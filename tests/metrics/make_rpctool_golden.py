"""Seeded cases, and what RPC's own tool prints for them.

Run by the Python of an environment with rpctool, which wants old versions of its libraries:

    python -m venv old && old/bin/pip install rpctool==0.1.6 'numpy<2' 'pandas<2.2' matplotlib \
        scikit-image pycocotools boxx
    old/bin/python tests/metrics/make_rpctool_golden.py         writes rpctool_golden.json
    old/bin/python tests/metrics/make_rpctool_golden.py FILE    prints the tables of FILE's cases

The tests make the cases again from their seeds: no data is kept.
"""

import contextlib
import hashlib
import io
import json
import platform
import sys
import tempfile
from pathlib import Path

import numpy as np

GOLDEN = Path(__file__).with_name("rpctool_golden.json")
FIGURES = ("cAcc", "ACD", "mCCD", "mCIoU", "mAP50", "mmAP", "thre")

# What each case has beyond a middling detector's boxes; `seeds` cases are made of each.
KINDS = {
    "small": {"images": 12, "skus": 4, "seeds": 8},
    "middling": {"images": 60, "skus": 12, "seeds": 4},
    "large": {"images": 400, "skus": 40, "items": 8, "seeds": 1},
    "good": {"images": 60, "skus": 8, "skill": 0.98, "seeds": 4},
    "one level": {"images": 20, "skus": 4, "levels": ["hard"], "seeds": 3},
    "two levels": {"images": 20, "skus": 4, "levels": ["easy", "medium"], "seeds": 2},
    "absent SKUs": {"images": 15, "skus": 30, "seeds": 4},
    "images without boxes": {"images": 30, "skus": 4, "without": 0.4, "seeds": 4},
    "empty trays": {"images": 30, "skus": 4, "items": 1, "seeds": 3},
    "ties": {"images": 40, "skus": 4, "decimals": 1, "seeds": 4},
    "rounded scores": {"images": 40, "skus": 4, "decimals": 2, "seeds": 3},
    "scores at the thresholds": {"images": 40, "skus": 4, "grid": True, "seeds": 3},
    "no high score": {"images": 20, "skus": 4, "highest": 0.98, "seeds": 2},
    "no boxes": {"images": 10, "skus": 3, "without": 1.0, "seeds": 1},
}


def make_case(kind, seed):
    """The JSON objects of one case: the truth, as RPC has it, and a COCO results list."""
    settings = KINDS[kind]
    rng = np.random.default_rng([seed, *kind.encode()])
    number, skus = settings["images"], settings["skus"]
    levels = settings.get("levels", ["easy", "medium", "hard"])
    ids = rng.permutation(10 * number)[:number].tolist()
    images = [
        {"id": i, "file_name": f"{row}.jpg", "width": 100, "height": 100,
         "level": levels[row % len(levels)]}
        for row, i in enumerate(ids)
    ]  # fmt: skip
    annotations, results = [], []
    for i in ids:
        has_boxes = rng.random() >= settings.get("without", 0)
        for _ in range(rng.integers(0, 2 * settings.get("items", 3) + 1)):
            box = [int(n) for n in rng.integers(5, 50, 4)]
            sku = int(rng.integers(1, skus + 1))
            annotations.append(
                {"id": len(annotations) + 1, "image_id": i, "category_id": sku, "bbox": box,
                 "area": box[2] * box[3], "iscrowd": 0, "segmentation": [[]]}
            )  # fmt: skip
            if has_boxes:
                results += _boxes_of(rng, i, sku, box, skus, settings)
    if results and "highest" not in settings and settings.get("decimals") != 1:
        for level in levels:  # without a score of 0.99 in every level the tool stops
            there = {image["id"] for image in images if image["level"] == level}
            first = next((r for r in results if r["image_id"] in there), None)
            if first is not None:
                first["score"] = 0.995
    return _with_lists(images, annotations, skus), results


def _boxes_of(rng, image_id, sku, box, skus, settings):
    """What the detector says of one item: the item or another, sometimes twice, sometimes none."""
    skill = settings.get("skill", 0.8)
    found = []
    for is_good in rng.random(rng.integers(0, 3) if rng.random() > skill else 1) < skill:
        score = rng.beta(8, 1) if is_good else rng.beta(1, 2)
        named = sku if is_good else int(rng.integers(1, skus + 1))
        found.append(
            {"image_id": image_id, "category_id": named, "score": _score(rng, score, settings),
             "bbox": [float(n) for n in np.round(np.array(box) + rng.random(4), 2)]}
        )  # fmt: skip
    return found


def _score(rng, score, settings):
    if settings.get("grid"):
        return float(rng.choice(np.linspace(0.01, 0.99, 10)))
    score = min(score, settings.get("highest", 1.0))
    return round(float(score), settings.get("decimals", 6))


def _with_lists(images, annotations, skus):
    categories = [
        {"id": n, "name": f"{n}_sku", "supercategory": "food"} for n in range(1, skus + 1)
    ]
    names = [{"sku_name": c["name"], "category_id": c["id"], "name": "x"} for c in categories]
    return {
        "images": images, "annotations": annotations, "categories": categories,
        "__raw_Chinese_name_df": names,
    }  # fmt: skip


def digest(truth, results):
    """Tells whether a case is the same as when the golden values were made."""
    return hashlib.sha256(json.dumps([truth, results], sort_keys=True).encode()).hexdigest()[:16]


def by_rpctool(truth, results):
    """The tool's table: figures by level as it prints them; or the error that it stops with."""
    from rpctool.evaluate_v1 import evaluateByBbox

    evaluateByBbox.getMmap = True
    levels = [n for n in ("easy", "medium", "hard") if n in {i["level"] for i in truth["images"]}]
    table = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, value in (("results", results), ("truth", truth)):
            paths.append(str(Path(folder) / f"{name}.json"))
            Path(paths[-1]).write_text(json.dumps(value))
        for level in [*levels, "averaged"]:
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    row = evaluateByBbox.evaluateByJsp(*paths, method="m", levels=[level])[level]
                table[level] = {name: str(row[name]) for name in FIGURES}
            except (IndexError, ZeroDivisionError) as error:
                table[level] = f"{type(error).__name__}: {error}"
    return table


def main(argv):
    """Write the golden values, or print the tables of the cases that a file names."""
    if argv:
        cases = json.loads(Path(argv[0]).read_text())
        print(json.dumps([by_rpctool(*make_case(kind, seed)) for kind, seed in cases]))
        return
    import matplotlib
    import pandas
    import rpctool

    versions = {module.__name__: module.__version__ for module in (rpctool, np, pandas, matplotlib)}
    cases = []
    for kind, settings in KINDS.items():
        for seed in range(settings["seeds"]):
            truth, results = make_case(kind, seed)
            cases.append(
                {"kind": kind, "seed": seed, "digest": digest(truth, results),
                 "table": by_rpctool(truth, results)}
            )  # fmt: skip
            print(kind, seed, cases[-1]["table"]["averaged"])
    source = "https://pypi.org/project/rpctool/0.1.6 (RPC's authors, MIT)"
    golden = {"source": source, "python": platform.python_version(), "versions": versions}
    text = ",\n".join(json.dumps(case) for case in cases)
    GOLDEN.write_text(f'{json.dumps(golden)[:-1]}, "cases": [\n{text}\n]}}\n')


if __name__ == "__main__":
    main(sys.argv[1:])
