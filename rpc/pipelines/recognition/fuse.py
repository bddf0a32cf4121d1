"""A recognition system joined with a counter's own recogniser: OUT/ensemble.json and its page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rpc.checkout.trained import load_checkout
from rpc.data.file_group import file_group
from rpc.data.files import DataError
from rpc.data.store import Store
from rpc.detection.model_file import check_taxonomy, load_model
from rpc.pipelines.recognition.fusion import Looked, choose, look, measure, write_page
from rpc.recognition.ensemble.ensemble_classifier import SystemClassifier
from rpc.recognition.ensemble.ensemble_file import write_ensemble
from rpc.recognition.training.model_file import SystemModel, read_model
from rpc.reporting.provenance import (
    code_version,
    library_versions,
    machine,
    sha256,
    store_facts,
)
from rpc.runs.devices import resolve_device
from rpc.runs.folder_lock import writes_into


@dataclass(frozen=True)
class FusionRequest:
    """A system to be joined with a counter's recogniser.

    Attributes:
        model: of a counter with a recogniser.
        recogniser: file of the system.
        data: a store with val and test.
        out: folder for all that is written.
        margin: around a box, share of its sides, as in training.
        turns: quarter turns of a box that are averaged.
        device: that the networks run on, see `rpc.runs.devices`.
    """

    model: Path
    recogniser: Path
    data: Path
    out: Path
    margin: float = 0.04
    turns: int = 4
    device: str = "auto"


@writes_into(lambda request, *_, **__: request.out)
def fuse_recogniser(request: FusionRequest) -> Path:
    """Look at every tray once, choose on val, measure on test; the path of the ensemble's file.

    Raises:
        DataError: the counter has no recogniser, store, model and system do not fit, or the device
            is unknown.
    """
    device = resolve_device(request.device)
    store = Store.open(request.data)
    checkout = load_checkout(request.model, device=str(device))
    if checkout.recogniser is None:
        raise DataError(f"{request.model}: has no recogniser to join with")
    check_taxonomy(load_model(request.model), store.taxonomy)
    system = read_model(request.recogniser)
    unknown = sorted(set(system.classes) - set(store.taxonomy.names))
    if len(unknown) == len(system.classes):
        raise DataError(
            f"{request.recogniser}: none of its {len(unknown)} classes is a SKU of "
            f"{request.data}; train it on this store's exemplars or scenes"
        )
    classifier = SystemClassifier(
        system.build().to(device), system.classes, margin=request.margin, turns=request.turns
    )
    trays: dict[str, Looked] = {
        "val": look(store, "val", checkout, classifier),
        "test": look(store, "test", checkout, classifier),
    }
    choice = choose(trays["val"], store.taxonomy.names, classifier)
    facts = _facts(request, store, system)
    with file_group(request.out):
        write_page(request.out, {**measure(trays, choice, store), **facts})
        return write_ensemble(request.out, request.recogniser, choice.ensemble, facts)


def _facts(request: FusionRequest, store: Store, system: SystemModel) -> dict[str, Any]:
    return {
        "system": system.settings.name,
        "chosen_on": "val",
        "model": {"name": request.model.name, "sha256": sha256(request.model)},
        "recogniser": {"name": request.recogniser.name, "sha256": sha256(request.recogniser)},
        "data": store_facts(store.root),
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
    }
