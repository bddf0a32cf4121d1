"""Interface of the renderers, and their file: fitted and trained ones are used alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from rpc.data.files import DataError
from rpc.runs.devices import resolve_device
from rpc.runs.tensor_files import first_misfit, read_tensors, require_plain, write_tensors

Rgb = NDArray[np.uint8]
Kind = Literal["classical", "learned"]

VERSION: Final = 1
_TYPES: Final = {"version": int, "kind": str, "state": dict, "origin": dict}
# Each has `from_state(state) -> Renderer`, that of networks takes a device, too; torch networks are
# imported only where one is needed.
_MAKERS: Final[Mapping[Kind, str]] = {
    "classical": "synth.render.classical.classical_renderer",
    "learned": "synth.render.apply.learned",
}


class Renderer(Protocol):
    """Makes a composed scene look like a photo of the target camera, at the same size."""

    def render(self, rgb: Rgb, rng: np.random.Generator) -> Rgb:
        """The scene (H, W, 3) as the target camera would show it: a function of its arguments."""


@dataclass(frozen=True)
class RendererFile:
    """A renderer with what must be known about its making.

    Attributes:
        renderer: ready to use.
        kind: which of the makers made it.
        origin: plain values: `supervision` ("E" or "T"), `split`, `photos` (how many were seen),
            `background` (of the training scenes), `settings`, ...
    """

    renderer: Renderer
    kind: Kind
    origin: Mapping[str, Any]


def write_renderer(
    path: str | Path, kind: Kind, state: Mapping[str, Any], origin: Mapping[str, Any]
) -> Path:
    """Write a renderer's file, whole or not at all.

    Args:
        path: of the file.
        kind: which maker reads `state`.
        state: tensors and plain values.
        origin: plain values, see `RendererFile`.

    Raises:
        DataError: the file cannot be written.
    """
    content = {"version": VERSION, "kind": kind, "state": dict(state), "origin": dict(origin)}
    return write_tensors(path, content)


def read_renderer(path: str | Path, device: str | torch.device = "cpu") -> RendererFile:
    """Read what `write_renderer` wrote; nothing in the file is executed.

    Args:
        path: of the file.
        device: that a learned renderer runs on, see `rpc.runs.devices`; a classical one has no
            network.

    Raises:
        DataError: the file is missing, damaged, or something else; or an unknown device.
    """
    content = read_tensors(path)
    kind, state, origin = (content.get(name) for name in ("kind", "state", "origin"))
    if not (
        all(isinstance(content.get(name), kind) for name, kind in _TYPES.items())
        and content["version"] == VERSION
        and (kind == "classical" or kind == "learned")
    ):
        raise DataError(
            f"{path}: not a renderer of version {VERSION}; expected a file that "
            "rpc-checkout train-render wrote"
        )
    assert isinstance(origin, dict)
    require_plain(origin, f"{path}: origin")
    make: Callable[..., Renderer] = import_module(_MAKERS[kind]).from_state
    where = {"device": resolve_device(device)} if kind == "learned" else {}
    try:
        made = RendererFile(make(state, **where), kind, origin)
        # What does not fit shows here, not at the first scene.
        made.renderer.render(np.full((64, 64, 3), 200, np.uint8), np.random.default_rng(0))
    # A state of wrong types fails in any way.
    except Exception as error:
        raise DataError(f"{path}: a damaged renderer: {first_misfit(error)}") from error
    return made
