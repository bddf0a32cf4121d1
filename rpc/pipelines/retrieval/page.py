"""retrieval.md: the tutorial's table, published figures beside ours and marked as published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rpc.data.class_sets.cub import CUB
from rpc.data.class_sets.dogs import DOGS
from rpc.reporting.pages.markdown import markdown_text
from rpc.retrieval.descriptors.methods import ALL_CELLS

# Wei's ICME 2019 tutorial: top1, top5 of VGG-16 in per cent. All its rows pool the cells that SCDA
# selects; what it calls "avg&maxPool" is SCDA.
TUTORIAL: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    CUB: {
        "VLAD": (55.92, 62.51),
        "FV": (52.04, 59.19),
        "selected avgPool": (56.42, 63.14),
        "selected maxPool": (58.35, 64.18),
        "SCDA": (59.72, 65.79),
    },
    DOGS: {
        "VLAD": (69.28, 74.43),
        "FV": (68.37, 73.74),
        "selected avgPool": (73.76, 78.47),
        "selected maxPool": (70.37, 75.59),
        "SCDA": (74.86, 79.24),
    },
}
# A port to PyTorch with torchvision's own VGG-16 (mikiyukio/SCDA_pytorch, its README): top1.
PORT: Final[Mapping[str, Mapping[str, float]]] = {
    CUB: {
        "selected avgPool": 52.7,
        "selected maxPool": 53.6,
        "SCDA": 55.9,
        "SCDA+": 56.2,
        "SCDA_flip+": 58.8,
    }
}
MEANING: Final = (
    "top1 and top5: mean over the queries of the mean precision at the hits within the first 1 or "
    "5 places, 0 without a hit (the denominator is the number of hits, as in the SCDA paper: top5 "
    "can exceed top1). In per cent. ms: a photo's cost beyond reading and backbone. "
    f"{', '.join(ALL_CELLS)} take all cells, to be compared with; RootSIFT and whitening are ours, "
    "too; the others are the tutorial's and the SCDA paper's, of selected cells."
)


def retrieval_text(report: Mapping[str, Any]) -> str:
    """The markdown of retrieval.json."""
    data, maps = report["data"], report["backbone"]
    facts = [
        f"Data: {markdown_text(data['name'])}, {data['classes']} classes, {data['gallery']} photos "
        f"in the gallery, {data['queries']} queries ({markdown_text(data['split'])}).",
        f"Backbone: {markdown_text(maps['backbone'])} ({markdown_text(maps['weights'])}), layers "
        f"{' and '.join(markdown_text(layer) for layer in maps['layers'])}; "
        f"{1000 * report['backbone_seconds']:.1f} ms a photo.",
    ]
    parts = ["# Retrieval", *facts, _table(report), MEANING]
    if data["name"] in TUTORIAL:
        parts.append(
            "Published figures were not measured here: the tutorial's are by VGG-16 (MatConvNet), "
            "the port's by VGG-16 (torchvision, IMAGENET1K_V1); ours are by the backbone above. "
            "The tutorial's pools, VLAD and FV take the cells that SCDA selects; what it calls "
            "avg&maxPool is SCDA."
        )
    if data["limited"]:
        parts.append(f"Only the first {data['limited']} photos of each class on either side.")
    return "\n\n".join(parts) + "\n"


def _table(report: Mapping[str, Any]) -> str:
    name = report["data"]["name"]
    tutorial, port = TUTORIAL.get(name, {}), PORT.get(name, {})
    heads = ["method", "dimension", "top1", "top5", "ms"]
    heads += ["published (VGG-16) top1", "published top5"] if tutorial else []
    heads += ["published port top1"] if port else []
    rows = [heads, ["---", *["---:"] * (len(heads) - 1)]]
    for method, figures in report["methods"].items():
        row = [
            markdown_text(method),
            str(figures["dimension"]),
            f"{100 * figures['top1']:.2f}",
            f"{100 * figures['top5']:.2f}",
            f"{1000 * figures['seconds'] / report['photos']:.2f}",
        ]
        if tutorial:
            row += [f"{value:.2f}" for value in tutorial.get(method, ())] or ["", ""]
        if port:
            row += [f"{port[method]:.1f}" if method in port else ""]
        rows.append(row)
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)
