"""A clip as a strip of pictures with the state that the watcher gives each of them."""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
from PIL import Image, ImageDraw

from rpc.camera import Frame, TrayWatcher
from rpc.cli.leave import run
from rpc.data.images import read_image, write_image
from rpc.data.store import Store
from rpc.pictures.lettering import Lettering
from synth.clips import KINDS, Clip, stage_of, write_script

COLOURS = {
    "empty": (110, 110, 110), "moving": (200, 110, 0), "still": (30, 90, 200),
    "read": (0, 130, 60), "left": (130, 40, 140),
}  # fmt: skip


def main(argv: Sequence[str] | None = None) -> int:
    """Draw a clip, watch it, write the strip."""
    args = _parser().parse_args(argv)
    store = Store.open(args.store)
    dataset = store.split("test")
    image = dataset.images[args.photo]
    boxes = np.array([one.bbox for one in dataset.annotations_of(image.id)])
    stage = stage_of(read_image(store.image_path("test", image)), boxes, margin=0.1)
    told = watched(Clip(stage, write_script(stage, args.kind, args.seed)))
    chosen = [told[place] for place in np.linspace(0, len(told) - 1, args.pictures).astype(int)]
    pictures = [labelled(*one) for one in chosen]
    starts = range(0, args.pictures, args.columns)
    rows = [np.hstack(pictures[start : start + args.columns]) for start in starts]
    print(write_image(args.out, np.vstack(rows), quality=85))
    return 0


def watched(clip: Clip) -> list[tuple[Frame, str]]:
    """The frames with their states; that the tray is empty at first is known."""
    watcher, told = TrayWatcher(), []
    for one in clip.frames():
        frame = Frame(one.time_s, one.rgb)
        step = watcher.step(frame)
        if step.reads and not one.content:
            step = watcher.nothing_there()
        told.append((frame, step.state.value))
    return told


def labelled(frame: Frame, state: str) -> np.ndarray:
    """A frame with its time and state."""
    picture = Image.fromarray(frame.rgb)
    draw = ImageDraw.Draw(picture)
    draw.rectangle((0, 0, picture.width, 30), fill=COLOURS[state])
    text = f"{frame.time_s:4.1f} s  {state}"
    draw.text((8, 4), text, fill="white", font=Lettering().font(text, 20))
    return np.pad(np.asarray(picture), ((0, 6), (0, 6), (0, 0)), constant_values=255)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add = parser.add_argument
    add("--store", type=Path, default=Path("examples/ministore"), metavar="DIR", help="photos of "
        "its test split are shown (default: %(default)s)")  # fmt: skip
    add("--photo", type=int, default=3, metavar="N", help="which one (default: %(default)s)")
    add("--kind", choices=KINDS, default="rest", help="(default: %(default)s)")
    add("--seed", type=int, default=3, help="of the clip (default: %(default)s)")
    add("--pictures", type=int, default=12, help="(default: %(default)s)")
    add("--columns", type=int, default=4, help="(default: %(default)s)")
    add("--out", type=Path, required=True, metavar="FILE", help="a JPEG")
    return parser


if __name__ == "__main__":
    run(main)
