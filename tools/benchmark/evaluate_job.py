"""One evaluator on one pair of files, in a process of its own: prints its seconds and figures.

    python evaluate_job.py NAME GT.json RESULTS.json

Run by evaluate.py, also by Pythons that have none of this repository: what a job needs is imported
when it starts, and that is not timed.
"""

import argparse
import contextlib
import io
import json
import sys
import time
from importlib import import_module
from importlib.metadata import version

LEVELS = ("easy", "medium", "hard")


class Stages:
    """Seconds by stage: wall clock, and processor time of all threads."""

    def __init__(self):
        self.seconds = {}

    @contextlib.contextmanager
    def __call__(self, name):
        """Time what is done within."""
        wall, processor = time.perf_counter(), time.process_time()
        yield
        self.seconds[name] = {
            "wall": time.perf_counter() - wall,
            "processor": time.process_time() - processor,
        }


def ours(stage, gt, results):
    """This repository: the count metrics by the tool's protocol, then mAP."""
    from rpc.data import read_dataset
    from rpc.metrics import detection_metrics_by_group, level_groups, rpctool_metrics
    from rpc.reporting import read_results

    with stage("reading"):
        dataset = read_dataset(gt)
        found = read_results(results, dataset)
    levels = dataset.levels()
    with stage("counts, as rpctool"):
        columns = (found.scores, found.labels, found.rows)
        counts = rpctool_metrics(*columns, dataset.counts(), levels)
    with stage("mAP"):
        ids = [image.id for image in dataset.images]
        groups = {name: [ids[i] for i in rows] for name, rows in level_groups(levels).items()}
        boxes = detection_metrics_by_group(dataset, found, groups)
    return {
        "counts": {
            name: _printed([100 * row.cAcc, row.ACD, row.mCCD, 100 * row.mCIoU])
            for name, row in counts.items()
        },
        "mAP": {name: [row.mAP50, row.mmAP] for name, row in boxes.items()},
    }


def rpctool(stage, gt, results):
    """RPC's own tool, without mAP."""
    return _rpctool(stage, gt, results, "counts, as rpctool", False)


def rpctool_map(stage, gt, results):
    """RPC's own tool, with mAP, which takes much longer."""
    return _rpctool(stage, gt, results, "counts and mAP", True)


def _rpctool(stage, gt, results, name, with_map):
    """Through the function behind its command line; it reads the files once more for each level."""
    evaluator = import_module("rpctool.evaluate_v1.evaluateByBbox")
    evaluator.getMmap = with_map
    with stage("reading"):
        evaluator.loadjson(results)
        evaluator.loadjson(gt)
    levels = [*LEVELS, "averaged"]
    with stage(name):
        table = evaluator.evaluateByJsp(results, gt, method="", levels=levels)
    return {
        "counts": {
            level: _printed(table[level][key] for key in ("cAcc", "ACD", "mCCD", "mCIoU"))
            for level in levels
        }
    }


def _printed(figures):
    """To two decimals, as rpctool prints them, some with a percent sign; also nan."""
    return [f"{float(str(figure).rstrip('%')):.2f}" for figure in figures]


def pycocotools(stage, gt, results):
    """The reference for mAP."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    return _coco(stage, gt, results, COCO, COCOeval)


def faster_coco_eval(stage, gt, results):
    """The interface of pycocotools in C++."""
    from faster_coco_eval import COCO, COCOeval_faster

    return _coco(stage, gt, results, COCO, COCOeval_faster)


def hotcoco(stage, gt, results):
    """The interface of pycocotools in Rust; takes all cores."""
    from hotcoco import COCO, COCOeval

    return _coco(stage, gt, results, COCO, COCOeval)


def _coco(stage, gt, results, coco, evaluator):
    """mAP50 and mmAP of each level and of all images; nothing else is asked of the library."""
    with open(gt, encoding="utf-8") as file:  # noqa: PTH123
        images = json.load(file)["images"]
    with stage("reading"):
        truth = coco(gt)
        found = truth.loadRes(results)
    figures = {}
    with stage("mAP"):
        for level in (*LEVELS, "averaged"):
            evaluation = evaluator(truth, found, "bbox")
            if level != "averaged":
                ids = [image["id"] for image in images if image["level"] == level]
                evaluation.params.imgIds = ids
            evaluation.params.areaRng = [[0, 1e10]]
            evaluation.params.areaRngLbl = ["all"]
            evaluation.params.maxDets = [100]
            evaluation.evaluate()
            evaluation.accumulate()
            precision = evaluation.eval["precision"][..., 0, 0]
            there = precision[:, :, (precision > -1).any(axis=(0, 1))]
            figures[level] = [float(there[0].mean()), float(there.mean())]
    return {"mAP": figures}


JOBS = {
    "ours": (ours, "numpy"),
    "rpctool": (rpctool, "rpctool"),
    "rpctool with mAP": (rpctool_map, "rpctool"),
    "pycocotools": (pycocotools, "pycocotools"),
    "faster-coco-eval": (faster_coco_eval, "faster-coco-eval"),
    "hotcoco": (hotcoco, "hotcoco"),
}


def main(name, gt, results):
    """Run one job; the last line printed is its JSON."""
    job, package = JOBS[name]
    stage = Stages()
    with contextlib.redirect_stdout(io.StringIO()):
        figures = job(stage, gt, results)
    versions = {"python": sys.version.split()[0], "numpy": version("numpy")}
    versions[package] = version(package)
    print(json.dumps({"stages": stage.seconds, "figures": figures, "versions": versions}))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=JOBS, help="the evaluator")
    parser.add_argument("gt", metavar="GT.json", help="true items")
    parser.add_argument("results", metavar="RESULTS.json", help="COCO results list")
    main(**vars(parser.parse_args()))
