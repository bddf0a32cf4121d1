"""Cut the products out of a store's exemplar photos: RGBA PNGs and cutouts.json."""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.data.cutouts import read_cutouts
from rpc.data.files import read_json
from rpc.data.store import Store
from rpc.runs.progress import bar
from synth.exemplar import METHODS, build_cutouts, write_sheets
from synth.exemplar.cutouts import REPORT
from synth.exemplar.quality import DEFAULT_CUT
from synth.exemplar.segment import DEFAULT_METHOD

SHOWN = 10


def main(argv: list[str] | None = None) -> int:
    """Make the cut-outs that the command line asks for."""
    args = _parser().parse_args(argv)
    store = Store.open(args.data)
    with bar("cutting out products") as progress:
        path = build_cutouts(
            store,
            args.out,
            args.method,
            workers=args.workers,
            sizes=args.sizes,
            quality_cut=args.quality_cut,
            progress=progress,
            learning=lambda done, total: progress(done, total, "SKUs learned"),
        )
    report = read_json(args.out / REPORT)
    dropped = ", ".join(f"{number} {reason}" for reason, number in report["dropped"].items())
    print(
        f"{path}: {report['kept']} of {report['exemplars']} exemplars kept"
        + (f" (dropped: {dropped})" if dropped else "")
    )
    skipped = report["skipped"]
    if skipped:
        print(f"{len(skipped)} photos left out:")
        print("\n".join(f"  - {entry['why']}" for entry in skipped[:SHOWN]))
    if len(skipped) > SHOWN:
        print(f"  ... and {len(skipped) - SHOWN} more, see {args.out / REPORT}")
    if args.sheet:
        names = {c.id: c.name for c in store.taxonomy.categories}
        for sheet in write_sheets(read_cutouts(args.out), names=names):
            print(sheet)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0],
        epilog="A mask by hand: OUT/overrides/<name of the PNG>.png; cut-outs not to be used: "
        "OUT/overrides/drop.txt. Run the same command again afterwards.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, metavar="ROOT", help="the store")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the cut-outs")
    parser.add_argument(
        "--method",
        choices=METHODS,
        default=DEFAULT_METHOD,
        help="of the masks; ddt: what all photos of a SKU share",
    )
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="processes")
    parser.add_argument(
        "--quality-cut", type=float, default=DEFAULT_CUT, metavar="Q", help="least quality, 0 to 1"
    )
    parser.add_argument(
        "--sizes", type=Path, metavar="CSV", help="real sizes: sku,height_mm[,width_mm]"
    )
    parser.add_argument("--sheet", action="store_true", help="also draw contact sheets")
    return parser
