"""Measure the gate of tools/render_scenes.py: injected faults caught, and false alarms.

Camera changes alone (white balance, exposure, gamma, light, blur, noise, JPEG) must pass; the same
changes with a fault injected before them must not. Any folder of composed scenes will do.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from rpc.data.evenly_spaced import evenly_spaced
from rpc.data.files import write_json
from rpc.features.backbones.embedding import Embedder
from rpc.reporting.provenance import code_version, machine
from rpc.runs.progress import bar
from synth.render.apply.chunks import ENCODER_SIDE
from synth.render.apply.scenes import SceneFolder
from synth.render.gate.gated import USUAL
from synth.render.gate.image_gate import Embed, Verdict, judge
from synth.render.gate.injected import FAULTS, ON_BOARD, Fault, camera_change, inject
from synth.render.gate.repair import can_repair, repair

QUANTILES = (0.001, 0.01, 0.5, 0.99, 0.999)


def main(argv: list[str] | None = None) -> int:
    """Inject, judge, print, and write the rates."""
    args = _parser().parse_args(argv)
    cv2.setNumThreads(1)
    encoder = Embedder(side=ENCODER_SIDE)
    result: dict[str, Any] = {
        "settings": {"images": args.images, "seed": args.seed, "thresholds": asdict(USUAL)},
        "code": code_version(),
        "machine": machine(),
        "scenes": {},
    }
    for number, folder in enumerate(args.scenes):
        name = (args.name or [])[number] if number < len(args.name or []) else folder.name
        with bar(name) as progress:
            found = measure(SceneFolder.open(folder), args.images, args.seed, encoder, progress)
        result["scenes"][name] = found
        print(name)
        print(_text(found))
    if args.out is not None:
        print(write_json(args.out, result, indent=1))
    return 0


def measure(
    scenes: SceneFolder, images: int, seed: int, embed: Embed | None, progress: Any = None
) -> dict[str, Any]:
    """Rates on some images of a folder.

    Returns:
        `alarms`: on camera changes alone: `items`, `false` items by reason, `boards` with a false
        alarm; `measures`: quantiles on those items; `faults`: by fault, how many were `injected`
        and `caught`, and in how many of them a repair `passed` the gate; `seconds` a verdict.
    """
    table = _Table()
    rows = evenly_spaced(len(scenes.dataset.images), images)
    for done, row in enumerate(rows):
        image = scenes.dataset.images[row]
        scene = scenes.read(image)
        masks = [mask for mask in scenes.masks(image) if mask.any()]
        rng = np.random.default_rng([seed, image.id])
        started = time.process_time()
        verdict = judge(scene, camera_change(scene, rng), masks, USUAL, embed)
        table.seconds += time.process_time() - started
        table.add_legitimate(verdict)
        for fault in FAULTS:
            injected = inject(scene, masks, int(rng.integers(len(masks))), fault, rng)
            if injected is not None:
                hurt = camera_change(injected[0], rng)
                verdict = judge(scene, hurt, masks, USUAL, embed)
                table.add_fault(fault, verdict, injected[1])
                if not verdict.passed and can_repair(verdict):
                    fixed = repair(scene, hurt, masks, verdict)
                    table.repaired[fault] += judge(scene, fixed, masks, USUAL, embed).passed
        if progress is not None:
            progress(done + 1, len(rows))
    return table.to_dict(len(rows))


class _Table:
    """Counts over images."""

    def __init__(self) -> None:
        self.items = self.boards = 0
        self.false: Counter[str] = Counter()
        self.injected: Counter[str] = Counter()
        self.caught: Counter[str] = Counter()
        self.repaired: Counter[str] = Counter()
        self.measures: list[list[float]] = []
        self.seconds = 0.0

    def add_legitimate(self, verdict: Verdict) -> None:
        self.items += len(verdict.items)
        self.boards += bool(verdict.strays.any())
        for view in verdict.items.values():
            self.false[view.reason or ""] += 1
            s, c = view.structure, view.colour
            self.measures.append(
                [s.fine, s.coarse, s.inside, s.shift, s.gain, c.tone, c.tint, c.pattern]
            )

    def add_fault(self, fault: Fault, verdict: Verdict, hurt: list[int]) -> None:
        self.injected[fault] += 1
        if fault in ON_BOARD:
            self.caught[fault] += bool(verdict.strays.any())
        else:
            self.caught[fault] += all(row in verdict.faulty for row in hurt)

    def to_dict(self, images: int) -> dict[str, Any]:
        names = ("fine", "coarse", "inside", "shift", "gain", "tone", "tint", "pattern")
        quantiles = np.quantile(np.asarray(self.measures), QUANTILES, axis=0).T.round(4)
        false = {reason: number for reason, number in self.false.items() if reason}
        return {
            "images": images,
            "alarms": {"items": self.items, "false": false, "boards": self.boards},
            "measures": dict(zip(names, quantiles.tolist(), strict=True)),
            "faults": {
                fault: {
                    "injected": self.injected[fault],
                    "caught": self.caught[fault],
                    "repaired": self.repaired[fault],
                }
                for fault in FAULTS
            },
            "seconds": round(self.seconds / images, 3),
        }


def _text(found: dict[str, Any]) -> str:
    alarms = found["alarms"]
    false = sum(alarms["false"].values())
    lines = [
        f"  false alarms: {false} of {alarms['items']} items, "
        f"{alarms['boards']} of {found['images']} boards; {found['seconds']} s a verdict"
    ]
    for fault, row in found["faults"].items():
        caught, injected, repaired = row["caught"], row["injected"], row["repaired"]
        lines.append(f"  {fault:12} caught {caught:4} of {injected:4}, repaired {repaired:4}")
    return "\n".join(lines)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("scenes", type=Path, nargs="+", help="folders of tools/compose_scenes.py")
    add("--name", nargs="+", help="what to call them (default: the folders' names)")
    add("--images", type=int, default=60, help="scenes of each (default: %(default)s)")
    add("--seed", type=int, default=0, help="of faults and cameras (default: %(default)s)")
    add("--out", type=Path, metavar="FILE", help="write the JSON there")
    return parser


if __name__ == "__main__":
    sys.exit(main())
