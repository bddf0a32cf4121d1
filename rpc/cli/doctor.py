"""Say what is installed, on which devices, and whether a tray is counted here.

Exit code: 0 trays can be counted, 1 something is broken.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from typing import Any

from rpc.cli.device_option import add_device_option
from rpc.cli.verb_parser import VerbParser
from rpc.pipelines.doctor import Findings, examine
from rpc.runs.screen import say_lines

EXIT_CODES = "Exit code: 0 trays can be counted, 1 something is broken."


def main(argv: list[str] | None = None) -> int:
    """Look this installation over and print what was found."""
    args = parser().parse_args(argv)
    findings = examine(args.device)
    if args.json:
        say_lines(json.dumps(findings.to_dict(), indent=1))
    else:
        say_lines("\n".join(page(findings)))
    return 0 if findings.usable else 1


def parser() -> argparse.ArgumentParser:
    """The options of this verb."""
    made = VerbParser(description=(__doc__ or "").partition("\n")[0], epilog=EXIT_CODES)
    made.add_argument("--json", action="store_true", help="print everything as JSON")
    add_device_option(made)
    return made


def page(findings: Findings) -> Iterator[str]:
    """The lines for a reader."""
    yield "versions"
    yield from _rows(findings.versions)
    if findings.extras:
        yield "extras"
        yield from _rows(_extras(findings.extras))
    if findings.devices:
        yield "devices"
        yield from _rows(_devices(findings.devices))
    if findings.files:
        yield "files that come with the package"
        yield from _rows(findings.files)
    if findings.counter:
        yield "a tray of the shipped store"
        yield from _rows(_counter(findings.counter))
    for problem in findings.problems:
        yield f"problem: {problem}"
    if findings.usable:
        yield "ok: trays are counted here"


def _rows(values: dict[str, str]) -> Iterator[str]:
    width = max(map(len, values))
    for name, value in values.items():
        yield f"  {name:{width}}  {value}"


def _extras(extras: dict[str, list[str]]) -> dict[str, str]:
    from rpc.data.packages import install_line

    return {
        extra: f"not installed ({', '.join(lacking)}): {install_line(extra)}"
        if lacking
        else "installed"
        for extra, lacking in extras.items()
    }


def _devices(found: dict[str, Any]) -> dict[str, str]:
    told = {True: ", with fast bfloat16", False: ", without fast bfloat16", None: ""}
    rows = {"cpu": f"{found['cpu']}, {found['cores']} cores{told[found['bfloat16']]}"}
    if found["bfloat16"] is None:
        return {**rows, "cuda": "torch is not installed: exported counters alone"}
    for number, gpu in enumerate(found["gpus"]):
        rows[f"cuda:{number}"] = f"{gpu['name']}, {gpu['memory'] / 2**30:.0f} GiB"
    return rows if found["gpus"] else {**rows, "cuda": "torch sees no GPU"}


def _counter(found: dict[str, Any]) -> dict[str, str]:
    items = sum(found["counts"].values())
    right = "as expected" if found["counts"] == found["expected"] else "NOT as expected"
    return {
        "device": found["device"],
        "load": f"{found['load_seconds']:.2f} s",
        "one photo": f"{found['photo_seconds']:.2f} s",
        "counted": f"{items} items of {len(found['counts'])} products, {right}",
    }
