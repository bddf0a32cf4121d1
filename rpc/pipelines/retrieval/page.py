"""retrieval.md: the tutorial's table, published figures beside ours and marked as published."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rpc.data.class_sets.class_folders import CUB, DOGS
from rpc.reporting.pages.markdown import markdown_text

# Wei's ICME 2019 tutorial: top1, top5 of VGG-16 in per cent. Its table lists these methods.
TUTORIAL: Final[Mapping[str, Mapping[str, tuple[float, float]]]] = {
    CUB: {
        "VLAD": (55.92, 62.51),
        "FV": (52.04, 59.19),
        "avgPool": (56.42, 63.14),
        "maxPool": (58.35, 64.18),
        "avg&maxPool": (59.72, 65.79),
    },
    DOGS: {
        "VLAD": (69.28, 74.43),
        "FV": (68.37, 73.74),
        "avgPool": (73.76, 78.47),
        "maxPool": (70.37, 75.59),
        "avg&maxPool": (74.86, 79.24),
    },
}
# A port to PyTorch with torchvision's own VGG-16 (mikiyukio/SCDA_pytorch, its README): top1.
# Its first three are average, maximum and both of the selected cells: the last of them is SCDA.
PORT: Final[Mapping[str, Mapping[str, float]]] = {
    CUB: {"SCDA": 55.9, "SCDA+": 56.2, "SCDA_flip+": 58.8}
}
MEANING: Final = (
    "top1 and top5: mean over the queries of the mean precision at the hits within the first 1 or "
    "5 places, 0 without a hit (the denominator is the number of hits, as in the SCDA paper: top5 "
    "can exceed top1). In per cent. ms: a photo's cost beyond reading and backbone."
)


def retrieval_text(report: Mapping[str, Any]) -> str:
    """The markdown of retrieval.json."""
    data, maps = report["data"], report["backbone"]
    facts = [
        f"Data: {markdown_text(data['name'])}, {data['classes']} classes, {data['gallery']} photos "
        f"in the gallery (train), {data['queries']} queries (test).",
        f"Backbone: {markdown_text(maps['backbone'])} ({markdown_text(maps['weights'])}), layers "
        f"{' and '.join(markdown_text(layer) for layer in maps['layers'])}; "
        f"{1000 * report['backbone_seconds']:.1f} ms a photo.",
    ]
    parts = ["# Retrieval", *facts, _table(report), MEANING]
    if data["name"] in TUTORIAL:
        parts.append(
            "Published figures were not measured here: the tutorial's are by VGG-16 (MatConvNet), "
            "the port's by VGG-16 (torchvision, IMAGENET1K_V1); ours are by the backbone above. "
            "As far as can be told the tutorial's three pools pool SCDA's selected cells; its "
            "avg&maxPool is then to be held against our SCDA. Our pools take all cells."
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
