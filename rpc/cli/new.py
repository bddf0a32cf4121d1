"""Make a store of a plain folder of photos: PHOTOS/<sku>/*.jpg, one product a photo."""

from __future__ import annotations

import argparse
from pathlib import Path

from rpc.data.files import read_json
from rpc.data.importer import REPORT, import_folder
from rpc.runs.progress import bar

SHOWN = 10


def main(argv: list[str] | None = None) -> int:
    """Import the folder that the command line names."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path, help="one folder of photos for each SKU")
    parser.add_argument("out", type=Path, help="the store to make: a new folder")
    parser.add_argument(
        "--backgrounds", type=Path, metavar="DIR", help="photos of the empty tray (optional)"
    )
    args = parser.parse_args(argv)
    with bar("importing photos") as progress:
        root = import_folder(args.photos, args.out, args.backgrounds, progress=progress)
    report = read_json(root / REPORT)
    print(f"{root}: {report['exemplars']} exemplars, {report['backgrounds']} backgrounds")
    _say("skipped", [f"{entry['file']}: {entry['why']}" for entry in report["skipped"]])
    _say("product not found for sure, whole photo taken", report["box_not_sure"])
    print(
        "no checkout photos: tools/quickstart.py trains a counter all the same, its threshold from "
        "composed scenes; to measure it, add val/ and test/ with their instances_{val,test}.json"
    )
    return 0


def _say(what: str, lines: list[str]) -> None:
    if lines:
        print(f"{len(lines)} {what}:")
        print("\n".join(f"  - {line}" for line in lines[:SHOWN]))
    if len(lines) > SHOWN:
        print(f"  ... and {len(lines) - SHOWN} more, see {REPORT}")
