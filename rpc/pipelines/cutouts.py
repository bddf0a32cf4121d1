"""The products cut out of a store's exemplar photos: RGBA PNGs and OUT/cutouts.json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rpc.data.cutouts import read_cutouts
from rpc.data.store import Store
from rpc.runs.folder_lock import writes_into
from rpc.runs.progress import bar
from synth.exemplar import build_cutouts, write_sheets
from synth.exemplar.methods.registry import DEFAULT_METHOD
from synth.exemplar.quality import DEFAULT_CUT
from synth.exemplar.upside_down_set import add_upside_down


@dataclass(frozen=True)
class CutoutRequest:
    """Cut-outs to be made.

    Attributes:
        data: the store.
        out: folder of the cut-outs.
        method: of the masks, one of `synth.exemplar.METHODS`.
        workers: processes.
        quality_cut: least quality, 0 to 1.
        sizes: CSV of real sizes.
        sheet: draw contact sheets, too.
        device: that networks run on, see `rpc.runs.devices`.
        allow_missing_skus: go on without SKUs that have no usable cut-out.
        upside_down: add cans and cups as they look on their heads.
    """

    data: Path
    out: Path
    method: str = DEFAULT_METHOD
    workers: int = 2
    quality_cut: float = DEFAULT_CUT
    sizes: Path | None = None
    sheet: bool = False
    device: str = "cpu"
    allow_missing_skus: bool = False
    upside_down: bool = True


@writes_into(lambda request, *_, **__: request.out)
def make_cutouts(request: CutoutRequest) -> Path:
    """Cut out every exemplar; the path of cutouts.json, with the report and the sheets beside it.

    Raises:
        DataError: store, sizes or settings do not fit.
    """
    store = Store.open(request.data)
    with bar("cutting out products") as progress:
        path = build_cutouts(
            store,
            request.out,
            request.method,
            workers=request.workers,
            sizes=request.sizes,
            quality_cut=request.quality_cut,
            device=request.device,
            allow_missing=request.allow_missing_skus,
            progress=progress,
            learning=lambda done, total: progress(done, total, "SKUs learned"),
        )
    if request.upside_down:
        add_upside_down(request.out)
    if request.sheet:
        names = {c.id: c.name for c in store.taxonomy.categories}
        write_sheets(read_cutouts(request.out), names=names)
    return path
