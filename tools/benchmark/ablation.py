"""Measure the gain of each part of a trained counter: test trays right with it and without it.

A case is a store with a trained model; several cases of one name are seeds. For each row the rule
is chosen anew on val, and test trays are counted once. Differences to the whole counter are means
over the seeds, with intervals from a bootstrap by tray. Boxes are found once for all rows, and what
was read and compared is kept, so a row costs little.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np

from rpc.checkout.counter import Checkout
from rpc.checkout.parts import SecondLooks
from rpc.checkout.seen import Seen, see
from rpc.checkout.trained import load_checkout
from rpc.cli.leave import run
from rpc.counting import CountingRule, choose_rule
from rpc.data.dataset import Dataset
from rpc.data.files import write_json
from rpc.data.images import read_image
from rpc.detection.dataset import read_source
from rpc.pipelines.labelled_trays import rule_of_photos, rule_with_repeats, truths_of
from rpc.recognition.counter.recogniser import Recogniser
from rpc.recognition.local_look import LocalLook
from rpc.recognition.second_look import LooksAgain, ObservedItems, SecondLook, looked_again
from rpc.recognition.word_look import WordLook
from rpc.reporting.provenance import code_version, library_versions, machine
from rpc.runs.progress import bar

RESAMPLES = 2000
SEED = 18


@dataclass(frozen=True)
class Row:
    """A counter without one of its parts.

    Attributes:
        looks: kinds of its second looks.
        turns: quarter turns in which a doubtful crop is seen.
        repeats: whether a SKU is likelier that lies on the tray already.
        foreign_odds: whether 'no single product' is weighed as the model's rule has it.
        by_item: whether it is decided apart that something is an item, and which one.
    """

    looks: tuple[type, ...] = (LocalLook, WordLook)
    turns: int = 4
    repeats: bool = True
    foreign_odds: bool = True
    by_item: bool = True


WHOLE = "whole counter"
ROWS = {
    WHOLE: Row(),
    "without words": Row(looks=(LocalLook,)),
    "without pictures": Row(looks=(WordLook,)),
    "without second looks": Row(looks=()),
    "doubtful crops in one turn": Row(turns=1),
    "without repeats": Row(repeats=False),
    "without foreign odds": Row(foreign_odds=False),
    "item and name by one score": Row(by_item=False),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the cases, print, write."""
    args = _parser().parse_args(argv)
    right: dict[str, list[dict[str, np.ndarray]]] = {}
    for name, model, store in args.case:
        print(f"{name}: {model}", flush=True)
        found = measure(Path(model), Path(store))
        for row, rights in found.items():
            print(f"  {row:28} {rights.sum()} of {len(rights)}", flush=True)
        right.setdefault(name, []).append(found)
        result = {"stores": {one: summary(cases) for one, cases in right.items()}}
        facts = {"code": code_version(), "machine": machine(), "libraries": library_versions()}
        if args.out is not None:
            write_json(args.out, {**result, **facts, "resamples": RESAMPLES}, indent=1)
    for name, rows in result["stores"].items():
        _show(name, rows)
    return 0


def measure(model: Path, store: Path) -> dict[str, np.ndarray]:
    """For each row, which test trays (N,) are right."""
    counter = load_checkout(model, looks=SecondLooks(words=True, pictures=True))
    first, looks = _parts(counter)
    odds = 1.0 if counter.rule is None else counter.rule.foreign_odds
    sets = {split: read_source(store, split) for split in ("val", "test")}
    seen: dict[str, dict[tuple[Any, ...], list[Seen]]] = {}
    for split, (dataset, path_of) in sets.items():
        seen[split] = {_view(row): [] for row in ROWS.values()}
        with bar(f"looking at {split} trays") as progress:
            for done, image in enumerate(dataset.images, start=1):
                rgb = read_image(path_of(image))
                found = counter.detector.predict(rgb)
                found = found.select(found.scores >= counter.floor)
                tables = {
                    turns: one.probabilities(rgb, found.boxes) for turns, one in first.items()
                }
                items = ObservedItems(partial(read_image, path_of(image)), found.boxes)
                for (kinds, turns), trays in seen[split].items():
                    own = [look for look in looks if isinstance(look, kinds)]
                    table = looked_again(own, items, tables[turns])
                    trays.append(see(found, table))
                progress(done, len(dataset.images))
    return {
        name: _right(
            row, odds, sets["val"][0], sets["test"][0], *(seen[s][_view(row)] for s in sets)
        )
        for name, row in ROWS.items()
    }


def _view(row: Row) -> tuple[Any, ...]:
    return row.looks, row.turns


def _right(
    row: Row, odds: float, val: Dataset, test: Dataset, on_val: list[Seen], on_test: list[Seen]
) -> np.ndarray:
    """(N,) whether the list of each test tray is right, by a rule of the val trays."""
    odds = odds if row.foreign_odds else 1.0
    if row.repeats:
        rule, named = rule_of_photos(truths_of(val), on_val, val.counts(), (odds,))
    else:
        rule, named = rule_with_repeats(on_val, val.counts(), 0.0, odds)
    if not row.by_item:
        found = [one.detections for one in named]
        chosen = choose_rule(found, val.counts(), base=CountingRule(0.5, counts_by="score")).rule
        rule = replace(chosen, repeat_gain=rule.repeat_gain, foreign_odds=rule.foreign_odds)
    counts = np.zeros_like(test.counts())
    for place, one in enumerate(on_test):
        labels = rule.apply(one.by_rule(rule).detections).labels
        counts[place] = np.bincount(labels, minlength=counts.shape[1])
    right: np.ndarray = (counts == test.counts()).all(axis=1)
    return right


def _parts(counter: Checkout) -> tuple[dict[int, Recogniser], list[SecondLook]]:
    """The recogniser by its number of turns, and the second looks."""
    recogniser = counter.recogniser
    looks = list(recogniser.looks) if isinstance(recogniser, LooksAgain) else []
    own = recogniser.first if isinstance(recogniser, LooksAgain) else recogniser
    if not isinstance(own, Recogniser):
        raise SystemExit(f"{counter.name}: has no recogniser of its own")
    once = Recogniser(own.model, 1, device=own.device)
    return {1: once, 4: own}, looks


def summary(cases: Sequence[dict[str, np.ndarray]]) -> dict[str, Any]:
    """Figures of each row of one store, over its seeds."""
    whole = np.array([case[WHOLE] for case in cases], dtype=np.float64)
    rng = np.random.default_rng(SEED)
    drawn = rng.integers(0, whole.shape[1], (RESAMPLES, whole.shape[1]))
    rows = {}
    for name in ROWS:
        right = np.array([case[name] for case in cases], dtype=np.float64)
        lost = (whole - right).mean(axis=0)  # by tray
        rows[name] = {
            "cAcc": right.mean(axis=1).tolist(),
            "brings": float(lost.mean()),
            "interval": np.percentile(lost[drawn].mean(axis=1), [2.5, 97.5]).tolist(),
        }
    return {"trays": whole.shape[1], "seeds": len(cases), "rows": rows}


def _show(name: str, found: dict[str, Any]) -> None:
    print(f"{name}: {found['trays']} test trays, {found['seeds']} seeds")
    for row, one in found["rows"].items():
        seeds = " / ".join(f"{100 * value:.1f}" for value in one["cAcc"])
        low, high = (100 * end for end in one["interval"])
        print(
            f"  {row:28} {100 * np.mean(one['cAcc']):5.1f} % ({seeds})  the part brings "
            f"{100 * one['brings']:+.1f} ({low:+.1f} to {high:+.1f})"
        )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add(
        "--case",
        nargs=3,
        action="append",
        required=True,
        metavar=("NAME", "MODEL", "STORE"),
        help="a store's name, a trained model and the store; several of a name are seeds",
    )
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    run(main)
