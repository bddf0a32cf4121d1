"""Measure the cost of recognition systems, learning and at work, relative to their backbone alone.

Each system first learns a few batches of drawn photos, so that nothing in it is unfitted. Then its
forward pass and a learning step of each of its phases are timed beside the backbone's forward pass
and step, at the same side and batch, in the same process, by turns: medians of the processor's time
after warm-ups.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

# Read by OpenMP when torch is imported: spinning threads slow every neighbour on a shared machine.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import torch

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.files import DataError, write_json
from rpc.data.images import write_image
from rpc.features.backbones.trainable_backbone import Backbone
from rpc.recognition.systems.registry import SystemSettings, build_system, system_names
from rpc.recognition.systems.system import Batch, GradientPhase, System
from rpc.recognition.training.loop import learn
from rpc.recognition.training.photo_batches import PhotoBatches
from rpc.recognition.training.schedule import LearningSettings
from rpc.reporting.provenance import code_version, library_versions, machine

WARM_UPS: Final = 1
POINTS: Final = 15  # key points, as CUB has them


def main(argv: list[str] | None = None) -> int:
    """Measure, print the table and write the numbers."""
    args = _parser().parse_args(argv)
    options = {"backbone": args.backbone, "pretrained": False}
    result: dict[str, Any] = {
        "settings": {
            "backbone": args.backbone,
            "classes": args.classes,
            "batch": args.batch,
            "repeats": args.repeats,
            "warm_ups": WARM_UPS,
            "torch_threads": torch.get_num_threads(),
        },
        "code": code_version(),
        "versions": library_versions(),
        "machine": machine(),
        "systems": {},
    }
    print(f"{'system':14} {'forward':>9} {'learning':>9} {'parameters':>11}   x the backbone's")
    for name in args.systems:
        if name not in system_names():
            raise DataError(f"--systems {name}: expected some of {', '.join(system_names())}")
        settings = SystemSettings(name, args.side, options)
        one = measure(settings, args.classes, args.batch, args.repeats)
        result["systems"][name] = one
        ratios = (one["forward_ratio"], one["learning_ratio"], one["parameters_ratio"])
        print(f"{name:14} {ratios[0]:9.2f} {ratios[1]:9.2f} {ratios[2]:11.2f}", flush=True)
        if args.out is not None:  # whole after each system: the last ones take minutes
            write_json(args.out, result, indent=1)
    if args.out is not None:
        print(args.out)
    return 0


def measure(settings: SystemSettings, classes: int, batch: int, repeats: int) -> dict[str, Any]:
    """Seconds of a system and of its backbone, and their ratios."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        examples = _drawn(Path(folder), max(2 * classes, batch), classes, settings.side)
        batches = PhotoBatches(examples, settings.side)
        system = build_system(settings, classes)
        few = LearningSettings(iterations=1, batch_size=batch)  # one batch of every phase
        learned = learn(system, batches, few, folder)
        first = batches.batch(few, 0, 0)
    backbone = Backbone(settings.options["backbone"], pretrained=False)
    forward = _by_turns(
        {
            "backbone": lambda: _forward(backbone.eval(), first),
            "system": lambda: _forward(system, first),
        },
        repeats,
    )
    steps: dict[str, Callable[[], object]] = {"backbone": lambda: _backbone_step(backbone, first)}
    phases = [phase for phase in system.phases() if isinstance(phase, GradientPhase)]
    for number, phase in enumerate(phases):
        steps[f"{number + 1} {phase.name}"] = _step_of(system, phase, first)
    seconds = _by_turns(steps, repeats)
    own = {name: value for name, value in seconds.items() if name != "backbone"}
    total = sum(phase.share for phase in phases)
    learning = sum(
        phase.share / total * value for phase, value in zip(phases, own.values(), strict=True)
    )
    parameters = [sum(p.numel() for p in part.parameters()) for part in (system, backbone)]
    return {
        "side": settings.side,
        "forward_seconds": forward["system"],
        "backbone_forward_seconds": forward["backbone"],
        "forward_ratio": forward["system"] / forward["backbone"],
        "step_seconds": own,
        "backbone_step_seconds": seconds["backbone"],
        "learning_ratio": learning / seconds["backbone"] if phases else 0.0,
        "fit_seconds": {
            name: value
            for name, value in learned.seconds.items()
            if name.partition(" ")[2] not in {phase.name for phase in phases}
        },
        "fit_photos": len(examples),
        "parameters": parameters[0],
        "backbone_parameters": parameters[1],
        "parameters_ratio": parameters[0] / parameters[1],
    }


@torch.inference_mode()
def _forward(network: torch.nn.Module, batch: Batch) -> object:
    return network(batch.images)


def _backbone_step(backbone: Backbone, batch: Batch) -> None:
    """Forward and backward of the backbone, its mean as loss."""
    backbone.train()
    for parameter in backbone.learnable():
        parameter.requires_grad_(True)
    loss = backbone(batch.images)[0].mean()
    torch.autograd.backward([loss])
    backbone.zero_grad(set_to_none=True)


def _step_of(system: System, phase: GradientPhase, batch: Batch) -> Callable[[], None]:
    """Forward and backward of a phase: what rests gets no gradient."""
    parameters = [p for group in phase.groups for p in group.parameters]

    def step() -> None:
        system.train().requires_grad_(False)
        for parameter in parameters:
            parameter.requires_grad_(True)
        terms = phase.loss(batch, torch.Generator().manual_seed(0))
        torch.autograd.backward([torch.stack([term.float() for term in terms.values()]).sum()])
        system.zero_grad(set_to_none=True)

    return step


def _by_turns(steps: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Medians of the processor's seconds; what disturbs the machine disturbs all alike."""
    seconds: dict[str, list[float]] = {name: [] for name in steps}
    for turn in range(WARM_UPS + repeats):
        for name, step in steps.items():
            started = time.process_time()
            step()
            if turn >= WARM_UPS:
                seconds[name].append(time.process_time() - started)
    return {name: statistics.median(found) for name, found in seconds.items()}


def _drawn(folder: Path, count: int, classes: int, side: int) -> list[LabelledPhoto]:
    """Noise with a brighter rectangle and key points in it."""
    examples = []
    for number in range(count):
        rng = np.random.default_rng([0, number])
        rgb = rng.integers(0, 120, (side, side, 3), np.uint8)
        low, high = side // 5, side - side // 5
        rgb[low:high, low:high, number % 3] += 100
        places = rng.uniform(low, high, (POINTS, 2)).tolist()
        points = tuple((float(x), float(y), 1.0) for x, y in places)
        path = write_image(folder / f"{number}.png", rgb)
        box = (float(low), float(low), float(high), float(high))
        examples.append(LabelledPhoto(path, number % classes, box=box, points=points))
    return examples


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--systems", nargs="+", default=list(system_names()), metavar="NAME", help="only these")
    add("--backbone", default="efficientnet_lite0", metavar="NAME", help="of all systems")
    add("--side", type=int, default=192, metavar="PX", help="of the photos")
    add("--classes", type=int, default=36, metavar="K", help="told apart")
    add("--batch", type=int, default=8, metavar="B", help="photos at once")
    add("--repeats", type=int, default=5, metavar="N", help="of each measurement")
    add("--out", type=Path, metavar="JSON", help="for the numbers")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
