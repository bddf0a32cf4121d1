"""Join a recognition system with a counter's own recogniser: chosen on val trays, measured on test.

Every tray is looked at once. On val, the temperature of the system's answers, its weight and the
counting rule are chosen; for the counter as it is, a rule is chosen in the same way. Then test is
read once. DIR is what --recogniser of rpc-checkout detect and rpc-checkout count takes.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from rpc.cli.verb_parser import VerbParser


def main(argv: list[str] | None = None) -> int:
    """Look, choose, measure, write."""
    args = parser().parse_args(argv)
    from rpc.checkout.loading import load_checkout
    from rpc.data.files import DataError
    from rpc.data.store import Store
    from rpc.detection.model_file import check_taxonomy, load_model
    from rpc.pipelines.recognition.fusion import Looked, choose, look, measure, write_page
    from rpc.recognition.ensemble.ensemble_classifier import SystemClassifier
    from rpc.recognition.ensemble.ensemble_file import write_ensemble
    from rpc.recognition.training.model_file import read_model

    store = Store.open(args.data)
    checkout = load_checkout(args.model)
    if checkout.recogniser is None:
        raise DataError(f"{args.model}: has no recogniser to join with")
    check_taxonomy(load_model(args.model), store.taxonomy)
    system = read_model(args.recogniser)
    unknown = sorted(set(system.classes) - set(store.taxonomy.names))
    if len(unknown) == len(system.classes):
        raise DataError(
            f"{args.recogniser}: none of its {len(unknown)} classes is a SKU of {args.data}; "
            "train it on this store's exemplars or scenes"
        )
    classifier = SystemClassifier(
        system.build(), system.classes, margin=args.margin, turns=args.turns
    )
    trays: dict[str, Looked] = {s: look(store, s, checkout, classifier) for s in ("val", "test")}
    choice = choose(trays["val"], store.taxonomy.names, classifier)
    result = measure(trays, choice, store)
    facts = _facts(args, store, system)
    print(write_ensemble(args.out, args.recogniser, choice.ensemble, facts))
    for path in write_page(args.out, {**result, **facts}):
        print(path)
    return 0


def _facts(args: argparse.Namespace, store: Any, system: Any) -> dict[str, Any]:
    from rpc.reporting.provenance import (
        code_version,
        library_versions,
        machine,
        sha256,
        store_facts,
    )

    return {
        "system": system.settings.name,
        "chosen_on": "val",
        "model": {"name": args.model.name, "sha256": sha256(args.model)},
        "recogniser": {"name": args.recogniser.name, "sha256": sha256(args.recogniser)},
        "data": store_facts(store.root),
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = made.add_argument
    add("model", type=Path, help="model.pth of a counter with a recogniser")
    add("--recogniser", type=Path, required=True, metavar="FILE",
        help="best.pth of rpc-checkout recognise")  # fmt: skip
    add("--data", type=Path, required=True, metavar="ROOT", help="a store with val and test")
    add("--out", type=Path, required=True, metavar="DIR", help="for all that is written")
    add("--margin", type=float, default=0.04, help="around a box, share of its sides, as in "
        "training (default: %(default)s)")  # fmt: skip
    add("--turns", type=int, choices=(1, 2, 4), default=4, help="quarter turns of a box that are "
        "averaged (default: %(default)s)")  # fmt: skip
    return made
