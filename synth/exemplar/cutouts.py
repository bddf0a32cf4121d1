"""All exemplars of a store to cut-outs on disk: in parallel, and going on after a kill.

In the folder: the PNG files, `cutouts.json` (see docs/overview.md), `report.json` (what was left
out and why), `journal.jsonl` (what is done), `common/` where the way of cutting learns from all
photos of a SKU, and `overrides/` if somebody made it.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import cv2

from rpc.data.check_photos import require_exemplars
from rpc.data.cutouts import FILE_NAME, Cutout, CutoutSet, write_cutouts
from rpc.data.exemplars import Exemplar
from rpc.data.file_names import FileNames
from rpc.data.files import DataError, safe_join, write_json
from rpc.data.images import write_image
from rpc.data.parallel import process_pool
from rpc.data.store import Store
from rpc.runs.folder_lock import writes_into
from synth.exemplar.again import Again, Doubtful, write_again
from synth.exemplar.assemble import Piece, Weak, assemble, judge_doubts
from synth.exemplar.cut import MAX_SIDE, cut_photo
from synth.exemplar.journal import Entry, Journal
from synth.exemplar.methods.registry import DEFAULT_METHOD, make_segmenter
from synth.exemplar.overrides import FOLDER, Overrides, file_stamp, read_hand_mask
from synth.exemplar.quality import DEFAULT_CUT
from synth.exemplar.scale import read_sizes
from synth.exemplar.segmenter import Segmenter, SetSegmenter

REPORT = "report.json"
VERSION = 1  # of what a cut-out looks like; a new one makes all masks anew

Progress = Callable[[int, int], None]  # done, total


@dataclass(frozen=True)
class Job:
    """One exemplar to cut: everything a process needs to know."""

    exemplar: Exemplar
    source: str
    file: str
    out: Path
    stamp: str
    mask: Path | None
    segmenter: Segmenter | SetSegmenter
    max_side: int


@writes_into(lambda store, out, *_, **__: out)
def build_cutouts(
    store: Store | str | Path,
    out: str | Path,
    segmenter: Segmenter | SetSegmenter | str = DEFAULT_METHOD,
    *,
    workers: int = 2,
    sizes: str | Path | None = None,
    quality_cut: float = DEFAULT_CUT,
    max_side: int = MAX_SIDE,
    device: str = "cpu",
    allow_missing: bool = False,
    progress: Progress | None = None,
    learning: Progress | None = None,
) -> Path:
    """Cut all exemplars of a store; the result is the same for any number of workers.

    Run again, only what is missing or has changed (settings, photo, box, mask by hand) is made
    anew; decisions (quality, pose, drop list, scale) are always taken afresh. A photo that cannot
    be read or shows no product is left out and listed in `report.json`. SKUs without a sure cut-out
    are listed there, too, and shown in `again_001.jpg`, ...; one without any usable cut-out is
    refused, but only after all others' are written.

    Args:
        store: an open store or its folder.
        out: folder for the cut-outs.
        segmenter: how masks are made, or the name of a way in `methods.registry.METHODS`.
        workers: processes; 1 works in this one.
        sizes: CSV of real sizes, see `scale.read_sizes`.
        quality_cut: masks of a lower quality are not used.
        max_side: px; larger products are scaled down to it.
        device: that the networks of a `segmenter` given by name run on, see `rpc.runs.devices`.
        allow_missing: go on without the SKUs that have no usable cut-out; `cutouts.json` lists them
            in `left_out`, and no scene will show them.
        progress: called with photos done and all photos.
        learning: called with SKUs learned and all SKUs, where the way has to learn them first.

    Returns:
        The path of `cutouts.json`.

    Raises:
        DataError: the store is damaged, a SKU has no usable cut-out and that is not allowed, no SKU
            has one, an override fits nothing, or the disk refuses.
        ValueError: `workers` or `max_side` is too small, or `quality_cut` not within 0 to 1.
    """
    if workers < 1 or max_side < 32 or not 0 <= quality_cut <= 1:
        raise ValueError(
            "cut-outs: expected workers >= 1, max_side >= 32 and quality_cut 0 to 1, got "
            f"{workers}, {max_side} and {quality_cut}"
        )
    store = store if isinstance(store, Store) else Store.open(store)
    out = Path(out)
    name = segmenter if isinstance(segmenter, str) else type(segmenter).__name__
    segmenter = make_segmenter(segmenter, device) if isinstance(segmenter, str) else segmenter
    ids = {c.name: c.id for c in store.taxonomy.categories}
    sizes_mm = read_sizes(sizes, ids) if sizes is not None else {}
    overrides = Overrides.read(out)
    if not allow_missing:
        _require_exemplars(store)
    jobs = _jobs(store, out, segmenter, overrides, max_side)
    overrides.check({job.file: job.source for job in jobs})
    out.mkdir(parents=True, exist_ok=True)
    if isinstance(segmenter, SetSegmenter):
        jobs = _prepared(jobs, segmenter, out, max_side, learning)
    with Journal(out, f"{VERSION} {max_side} {segmenter!r}") as journal:
        _run(jobs, journal, workers, progress)
        entries = [journal.entries[job.file] for job in jobs]
    pieces = [
        Piece(job.exemplar, job.source, entry, entry.measures)
        for job, entry in zip(jobs, entries, strict=True)
        if entry.measures is not None
    ]
    skipped = [(job, entry) for job, entry in zip(jobs, entries, strict=True) if entry.problem]
    lost = {job.exemplar.category_id: entry.problem for job, entry in reversed(skipped)}
    shown = {job.exemplar.category_id for job in jobs}
    names = {c.id: c.name for c in store.taxonomy.categories if c.id in shown}
    cutouts, weak = assemble(pieces, names, overrides, quality_cut, sizes_mm, lost)
    problems = [{"file": job.source, "why": entry.problem} for job, entry in skipped]
    told = judge_doubts(pieces)[1]
    report = _report(len(jobs), cutouts, problems, told, weak)
    write_json(out / REPORT, report, indent=1)
    pages = write_again([_again(sku, jobs, entries, cutouts) for sku in weak], out)
    missing = [sku for sku in weak if not sku.usable]
    left_out = tuple(sku.category_id for sku in missing) if allow_missing else ()
    write_cutouts(out, CutoutSet(cutouts, out, name, store.root.name, left_out))
    if missing and not (allow_missing and len(missing) < len(names)):
        raise DataError(_refusal(missing, len(names), pages[0]))
    return out / FILE_NAME


def _require_exemplars(store: Store) -> None:
    """Refuse a store in which no photo of a SKU can be used, and say how to go on without it."""
    try:
        require_exemplars(store)
    except DataError as error:
        raise DataError(f"{error}; --allow-missing-skus goes on with the other SKUs") from error


def _refusal(missing: Sequence[Weak], all_skus: int, page: Path) -> str:
    """The line that tells of SKUs without any usable cut-out."""
    first, more = missing[0], len(missing) - 1
    others = f" (and {more} more)" if more else ""
    rest = all_skus - len(missing)
    line = (
        f"SKU {first.name} (category {first.category_id}){others} has no usable cut-out: "
        f"{first.why}; {page} shows what to photograph again; or put a mask by hand into "
        f"{FOLDER}/, or try another --method of rpc-checkout cutouts"
    )
    if not rest:
        return line
    return f"{line}; the others are cut out ({rest}): --allow-missing-skus goes on with them"


def _again(
    sku: Weak, jobs: Sequence[Job], entries: Sequence[Entry], cutouts: Sequence[Cutout]
) -> Again:
    """The photos of a SKU without a sure cut-out."""
    quality = {cutout.file: cutout.quality for cutout in cutouts}
    photos = [
        Doubtful(
            job.exemplar.path,
            job.exemplar.box,
            None if entry.measures is None else safe_join(job.out, job.file),
            quality.get(job.file, 0.0),
        )
        for job, entry in zip(jobs, entries, strict=True)
        if job.exemplar.category_id == sku.category_id
    ]
    return Again(sku.category_id, sku.name, sku.why, sku.usable, tuple(photos))


def _jobs(
    store: Store,
    out: Path,
    segmenter: Segmenter | SetSegmenter,
    overrides: Overrides,
    max_side: int,
) -> list[Job]:
    """The work to do, in the order of the exemplars."""
    skus = FileNames()
    folders = {
        c.id: skus.give(c.name, otherwise=f"category_{c.id}") for c in store.taxonomy.categories
    }
    files = {sku: FileNames() for sku in folders}
    root = store.image_dir("train")
    jobs = []
    for exemplar in store.exemplars():
        source = exemplar.path.relative_to(root).as_posix()
        sku = exemplar.category_id
        # The photo's name, as far as a file may have it; it may show several products of the SKU.
        name = files[sku].give(source.rpartition(".")[0], ".png", otherwise="photo")
        file = f"{folders[sku]}/{name}"
        mask = overrides.mask_of(file)
        stamp = _stamp(source, exemplar, mask)
        jobs.append(Job(exemplar, source, file, out, stamp, mask, segmenter, max_side))
    return jobs


def _prepared(
    jobs: Sequence[Job],
    segmenter: SetSegmenter,
    out: Path,
    max_side: int,
    learning: Progress | None,
) -> list[Job]:
    """The jobs, each with the segmenter that has learned from all photos of its SKU."""
    learned = segmenter.prepare(
        [job.exemplar for job in jobs],
        out,
        max_side,
        lambda exemplar: _stamp(exemplar.path.name, exemplar, None),
        learning,
    )
    mine = [learned[job.exemplar.category_id] for job in jobs]
    return [
        replace(job, segmenter=one, stamp=f"{job.stamp} {one!r}")
        for job, one in zip(jobs, mine, strict=True)
    ]


def _run(jobs: Sequence[Job], journal: Journal, workers: int, progress: Progress | None) -> None:
    """Do the jobs that the journal does not have yet."""
    todo = [job for job in jobs if not _done(job, journal.entries.get(job.file))]
    done = len(jobs) - len(todo)
    if progress is not None:
        progress(done, len(jobs))
    for entry in _results(todo, min(workers, max(1, len(todo)))):
        journal.add(entry)
        done += 1
        if progress is not None:
            progress(done, len(jobs))


def _done(job: Job, entry: Entry | None) -> bool:
    return (
        entry is not None
        and entry.measures is not None
        and entry.stamp == job.stamp
        and (job.out / job.file).is_file()
    )


def _results(jobs: Sequence[Job], workers: int) -> Iterator[Entry]:
    """Entries in the order of the jobs."""
    if workers == 1:
        yield from map(cut_and_write, jobs)
        return
    with process_pool(workers, jobs[0].out, _one_thread) as pool:
        yield from pool.map(cut_and_write, jobs, chunksize=4)


def cut_and_write(job: Job) -> Entry:
    """Cut one exemplar and write its PNG; what is wrong with the photo is told in the entry.

    Raises:
        DataError: the PNG cannot be written.
    """
    by_hand = job.mask is not None
    assert not isinstance(job.segmenter, SetSegmenter), "prepared before"
    try:
        mask = read_hand_mask(job.mask) if job.mask is not None else None
        exemplar = job.exemplar
        rgb = exemplar.read()
        cut = cut_photo(
            rgb, exemplar.box, job.segmenter, mask, job.max_side, box_found=exemplar.box_found
        )
    except ValueError as error:
        text = " ".join(str(error).split())
        where = "" if str(job.exemplar.path) in text else f"{job.exemplar.path}: "
        return Entry(job.file, job.stamp, problem=where + text, by_hand=by_hand)
    write_image(safe_join(job.out, job.file), cut.rgba)
    height, width = cut.rgba.shape[:2]
    return Entry(job.file, job.stamp, cut.measures, size=(width, height), by_hand=by_hand)


def _one_thread() -> None:
    cv2.setNumThreads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is imported, which is later


def _stamp(source: str, exemplar: Exemplar, mask: Path | None) -> str:
    """The inputs of a cut-out, as text."""
    try:
        state = exemplar.path.stat()
        photo = f"{state.st_size} {state.st_mtime_ns}"
    except OSError:
        photo = "missing"
    box = " ".join(f"{value:g}" for value in exemplar.box)
    box += " found" * exemplar.box_found
    return f"{source} {photo} [{box}] {file_stamp(mask) if mask else '-'}"


def _report(
    number: int,
    cutouts: Sequence[Cutout],
    skipped: list[dict[str, str]],
    doubts: Sequence[str],
    weak: Sequence[Weak],
) -> dict[str, Any]:
    reasons = Counter(c.reason for c in cutouts if not c.keep)
    doubted = [
        {"file": c.source, "quality": c.quality, "kept": c.keep, "why": doubt}
        for c, doubt in zip(cutouts, doubts, strict=True)
        if doubt
    ]
    return {
        "exemplars": number,
        "cutouts": len(cutouts),
        "kept": sum(c.keep for c in cutouts),
        "dropped": dict(sorted(reasons.items())),
        "skipped": skipped,
        "doubted": doubted,
        "skus_missing": [asdict(sku) for sku in weak if not sku.usable],
        "skus_doubtful": [asdict(sku) for sku in weak if sku.usable],
    }
