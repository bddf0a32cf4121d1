"""One scene rendered, judged, repaired where it must be, or given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from rpc.data.files import DataError
from rpc.structures.masks import BoolMask
from synth.render.apply.renderer import Renderer
from synth.render.colours import Rgb
from synth.render.gate.image_gate import Embed, Thresholds, Verdict, judge
from synth.render.gate.repair import can_repair, repair

Outcome = Literal["kept", "repaired", "dropped"]
USUAL: Final = Thresholds()


@dataclass(frozen=True)
class Gated:
    """A rendered scene and what the gate made of it.

    Attributes:
        outcome: whether it was kept as it was, repaired, or dropped.
        image: (H, W, 3) to be used; of a dropped scene the last try.
        raw: (H, W, 3) as the renderer gave it.
        first: what the gate says of `raw`; None where it was not asked.
        last: what the gate says of `image`; None likewise.
    """

    outcome: Outcome
    image: Rgb
    raw: Rgb
    first: Verdict | None
    last: Verdict | None


def render_gated(
    scene: Rgb,
    masks: Sequence[BoolMask],
    renderer: Renderer,
    rng: np.random.Generator,
    *,
    gate: bool = True,
    embed: Embed | None = None,
    thresholds: Thresholds = USUAL,
) -> Gated:
    """Render a scene and let nothing pass whose products are not those of the scene.

    Args:
        scene: (H, W, 3).
        masks: (H, W) each, what is in sight of its items.
        renderer: makes it look real.
        rng: the renderer's chance.
        gate: False keeps whatever the renderer gives.
        embed: the encoder that the gate asks in doubt.
        thresholds: what is a fault.

    Raises:
        DataError: the renderer gave an image of another size or type.
    """
    raw = renderer.render(scene, rng)
    if raw.shape != scene.shape or raw.dtype != np.uint8:
        raise DataError(
            f"the renderer gave {raw.dtype} {raw.shape} for a scene uint8 {scene.shape}; "
            "expected the same size: train it again"
        )
    if not gate:
        return Gated("kept", raw, raw, None, None)
    first = judge(scene, raw, masks, thresholds, embed)
    if first.passed:
        return Gated("kept", raw, raw, first, first)
    if not can_repair(first):
        return Gated("dropped", raw, raw, first, first)
    fixed = repair(scene, raw, masks, first)
    last = judge(scene, fixed, masks, thresholds, embed)
    return Gated("repaired" if last.passed else "dropped", fixed, raw, first, last)
