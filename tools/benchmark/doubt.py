"""Whether stated probabilities hold on test trays, and how many trays pass, by what was learnt on.

A case is a trained model with its store and the composed scenes that no training saw (a main job's
`syn_rule`, beside its `cutouts`). The counting rule is chosen on val; calibration and limit are
learnt on val, on composed scenes, and on both; test trays are read once and only measured. Photos
are looked at with second looks, scenes without, as the main job does. 'Right once answered' is the
share of trays whose list is right after each question got its true answer. The last lines pool all
cases. With --cache, what the networks gave is kept and read again.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from rpc.checkout.parts import SecondLooks
from rpc.checkout.receipt import make_receipt
from rpc.checkout.seen import Seen
from rpc.checkout.trained import load_checkout
from rpc.cli.leave import run
from rpc.counting import CountingRule, choose_rule
from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.doubt import Doubt
from rpc.counting.doubt.fit import Decided
from rpc.counting.doubt.judge import judge
from rpc.counting.doubt.learn import Labelled, certainties_of, learn_doubt
from rpc.data.cutouts import CutoutSet, read_cutouts
from rpc.data.dataset import Dataset
from rpc.data.files import write_json
from rpc.detection.dataset import read_source
from rpc.metrics import ece_interval, passing, reliability
from rpc.pipelines.labelled_trays import labelled, look_at, truths_of
from rpc.pipelines.store_job.doubt import doubt_of_trays
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.array_files import read_arrays
from rpc.structures import Detections

SOURCES = ("val", "test", "scenes")
Trays = tuple[Dataset, list[Seen]]


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the cases, print, write."""
    args = _parser().parse_args(argv)
    cases, pooled = {}, {}
    for name, model, store, scenes in args.case:
        found, trays = measure(
            *(_trays(name, Path(model), Path(store), Path(scenes), one, args) for one in SOURCES),
            read_cutouts(Path(scenes).parent / "cutouts"),
        )
        cases[name] = found
        for how, columns in trays.items():
            pooled.setdefault(how, []).append(columns)
        _show(name, found)
    total = {
        how: _figures(*(np.concatenate(column) for column in zip(*rows, strict=True)))
        for how, rows in pooled.items()
    }
    _show("pooled", {"passing": total})
    if args.out is not None:
        facts = {"code": code_version(), "machine": machine(), "libraries": library_versions()}
        write_json(args.out, {"cases": cases, "pooled": total, **facts}, indent=1)
    return 0


def measure(
    val: Trays, test: Trays, scenes: Trays, cutouts: CutoutSet
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Figures of one case, and by how it was learnt which test trays pass and are right."""
    rule = choose_rule([one.detections for one in val[1]], val[0].counts()).rule
    trays = labelled(truths_of(test[0]), test[1], rule)
    right = np.array([one.right for one in trays.became])
    doubts = {
        "plain limits": None,
        "val": doubt_of_trays(rule, val, None, None),
        "composed": doubt_of_trays(rule, None, scenes, cutouts),
        "val and composed": doubt_of_trays(rule, val, scenes, cutouts),
        "straight lines": learn_doubt(
            *(labelled(truths_of(known[0]), known[1], rule) for known in (val, scenes)),
            len(test[0].taxonomy),
            bent=False,
        ),
    }
    asked = {how: _asked(test, rule, doubt) for how, doubt in doubts.items()}
    columns = {
        how: (questions == 0, right, questions, _right_once_answered(trays, doubts[how]))
        for how, questions in asked.items()
    }
    return {
        "trays": {"val": len(val[1]), "composed": len(scenes[1]), "test": len(test[1])},
        "cAcc": float(right.mean()),
        "rule": rule.to_dict(),
        "reliability": {
            "none" if doubt is None else how: _held(trays, doubt, len(test[0].taxonomy))
            for how, doubt in doubts.items()
        },
        "doubt": {how: one.to_dict() for how, one in doubts.items() if one is not None},
        "passing": {how: _figures(*rows) for how, rows in columns.items()},
    }, columns


def _figures(
    passes: np.ndarray, right: np.ndarray, questions: np.ndarray, answered: np.ndarray
) -> dict[str, Any]:
    """The work of a cashier over N trays: how many pass, how many questions the others cost."""
    return {
        **passing(passes, right).to_dict(),
        "questions_a_tray": float(questions.mean()),
        "right_once_answered": float(answered.mean()) if not np.isnan(answered).any() else None,
    }


def _right_once_answered(trays: Labelled, doubt: Doubt | None) -> np.ndarray:
    """(N,) whether each list is right once each question got its true answer; NaN if not known."""
    if doubt is None:
        return np.full(len(trays), np.nan)
    answered = []
    for made, became in zip(trays.made, trays.became, strict=True):
        found = judge(made, doubt.calibration, doubt.limit, worth=doubt.target)
        counts = made.counts & (became.labels == made.shares.argmax(axis=1))
        fine = np.where(made.counts, counts, became.labels < 0)
        fine[list(found.questions)] = True
        answered.append(bool(fine.all()) and became.unseen == 0)
    return np.array(answered, dtype=np.float64)


def _held(trays: Labelled, doubt: Doubt | None, skus: int) -> dict[str, Any]:
    """How well the probabilities of lines and of whole trays hold."""
    calibration = Calibration() if doubt is None else doubt.calibration
    decided = Decided.of(trays.made, trays.became, skus)
    line = decided.counts
    stated = calibration.item(decided.items) * calibration.likeliest(decided.shares.max(axis=1))
    right = decided.labels == decided.shares.argmax(axis=1)
    sure, fine = certainties_of(trays, calibration), [one.right for one in trays.became]
    return {
        "lines": _reliability(stated[line], right[line], decided.trays[line]),
        "trays": _reliability(sure, np.array(fine), np.arange(len(sure))),
    }


def _reliability(stated: Any, right: Any, groups: Any) -> dict[str, Any]:
    ends = ece_interval(stated, right, groups, np.random.default_rng(0), resamples=300)
    return {**reliability(stated, right).to_dict(), "interval": list(ends)}


def _asked(trays: Trays, rule: CountingRule, doubt: Doubt | None) -> np.ndarray:
    """(N,) how many questions each tray costs."""
    photo = np.zeros((1, 1, 3), np.uint8)
    receipts = (make_receipt(one, rule, trays[0].taxonomy, photo, doubt) for one in trays[1])
    return np.array([len(receipt.questions) for receipt in receipts])


def _trays(
    name: str, model: Path, store: Path, scenes: Path, source: str, args: argparse.Namespace
) -> Trays:
    """A source's images and what the model sees on them, the first `--most` of scenes."""
    dataset, path_of = read_source(scenes if source == "scenes" else store, source)
    if source == "scenes":
        dataset = dataset.subset([image.id for image in dataset.images[: args.most]])
    cache = None if args.cache is None else args.cache / f"{name}_{source}.npz"
    if cache is not None and cache.is_file():
        return dataset, _read_seen(cache, dataset)
    paths = [path_of(image) for image in dataset.images]
    real = source != "scenes"
    looks = SecondLooks(words=real, pictures=real)
    seen = look_at(dataset, paths, load_checkout(model, device=args.device, looks=looks))
    if cache is not None:
        cache.parent.mkdir(parents=True, exist_ok=True)
        np.savez(cache, **_arrays(dataset, seen))
    return dataset, seen


def _arrays(dataset: Dataset, seen: Sequence[Seen]) -> dict[str, Any]:
    found = {}
    for image, one in zip(dataset.images, seen, strict=True):
        columns = one.detections
        parts = (columns.boxes, columns.scores, columns.labels, columns.item_scores)
        for key, part in zip(("boxes", "scores", "labels", "items"), parts, strict=True):
            found[f"{image.id}/{key}"] = part
        found[f"{image.id}/p"] = one.probabilities
    return found


def _read_seen(path: Path, dataset: Dataset) -> list[Seen]:
    arrays = read_arrays(path)
    return [
        Seen(
            Detections(*(arrays[f"{image.id}/{key}"] for key in ("boxes", "scores", "labels")),
                       arrays[f"{image.id}/items"]),
            np.asarray(arrays[f"{image.id}/p"], dtype=np.float64),
        )
        for image in dataset.images
    ]  # fmt: skip


def _show(name: str, found: dict[str, Any]) -> None:
    print(name, found.get("trays", ""))
    for how, one in found.get("reliability", {}).items():
        cells = [
            f"{part} ECE {100 * one[part]['ece']:.2f} "
            f"({100 * one[part]['interval'][0]:.2f} to {100 * one[part]['interval'][1]:.2f})"
            for part in ("lines", "trays")
        ]
        print(f"  {how:17} {'; '.join(cells)}")
    for how, one in found["passing"].items():
        low, high = one["coverage_interval"]
        print(
            f"  {how:17} {100 * one['coverage']:.1f} % pass ({100 * low:.1f} to {100 * high:.1f}), "
            f"{one['right']} of {one['passed']} right, {one['questions_a_tray']:.2f} questions a "
            f"tray, right once answered: {_percent(one['right_once_answered'])}"
        )


def _percent(share: float | None) -> str:
    return "not known" if share is None else f"{100 * share:.1f} %"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--case", nargs=4, action="append", required=True, metavar=("NAME", "MODEL", "STORE",
        "SCENES"), help="a model, its store, and composed scenes of another seed")  # fmt: skip
    add("--most", type=int, default=300, help="scenes at most (default: %(default)s)")
    add("--cache", type=Path, metavar="DIR", help="for what the networks gave")
    add("--device", default="auto", help="that they run on (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    run(main)
