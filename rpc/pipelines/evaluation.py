"""A results file scored on automatic checkout: OUT/report.json, its pages and the worst carts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from rpc.data.file_group import file_group
from rpc.data.files import DataError
from rpc.data.images import image_size
from rpc.data.photo_names import PhotoFolder
from rpc.data.store import SPLITS, Store
from rpc.metrics.bootstrap import RESAMPLES
from rpc.reporting import Evaluation, evaluate, write_worst_carts
from rpc.reporting.evaluation.scored import holds_counts, read_truth
from rpc.reporting.evaluation.worst_carts import MOST
from rpc.reporting.provenance import Watched
from rpc.reporting.supervision import Supervision
from rpc.runs.folder_lock import writes_into

NO_THRESHOLD: Final = (
    "no threshold: give --threshold T, or --val-gt and --val-results to choose one on validation "
    "images (never on the images that are scored)"
)


@dataclass(frozen=True)
class EvaluationRequest:
    """Results to be scored.

    Attributes:
        gt: file of the true items.
        results: COCO results list, or a list of counts per image.
        out: folder of the report and its pages.
        threshold: score from which a box counts.
        val_gt: validation images to choose it on.
        val_results: results of these images.
        suppress: drop duplicate boxes before counting.
        by_score: count by the scores also where the results have item scores.
        protocol: "honest": every image counts; "rpctool": the older tool's figures.
        levels: rows of the table; None for the usual ones.
        method: name for the table.
        supervision: letter of `rpc.reporting.SUPERVISION_TEXT`.
        bootstrap: resamples for the intervals; 0 for none.
        map: score mAP, too.
        images: photos of `gt`, to draw the wrong carts; None looks in the store of `gt`.
        worst_carts: carts drawn; 0 for none.

    Raises:
        DataError: a number is below 0, or the options do not say how to count.
    """

    gt: Path
    results: Path
    out: Path
    threshold: float | None = None
    val_gt: Path | None = None
    val_results: Path | None = None
    suppress: bool = False
    by_score: bool = False
    protocol: Literal["honest", "rpctool"] = "honest"
    levels: Sequence[str] | None = None
    method: str = ""
    supervision: Supervision = "E"
    bootstrap: int = RESAMPLES
    map: bool = True
    images: Path | None = None
    worst_carts: int = MOST

    def __post_init__(self) -> None:
        _check(self)

    @property
    def validation(self) -> tuple[Path, Path] | None:
        """The files that a threshold is chosen on."""
        if self.val_gt is None or self.val_results is None:
            return None
        return self.val_gt, self.val_results


@writes_into(lambda request, *_, **__: request.out)
def evaluate_results(
    request: EvaluationRequest,
    argv: Sequence[str] | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Path:
    """Score, draw the worst carts, write all files; the path of report.json.

    Args:
        request: what is scored.
        argv: the command line, for the report's manifest.
        say: takes a word on what is being done.

    Raises:
        DataError: a file is missing or damaged, or the files do not fit one another.
    """
    watched = Watched([request.gt, request.results, *(request.validation or ())])
    dataset = read_truth(request.gt, _size_of(_photo_folder(request)))
    _check_results(request)
    scored = evaluate(
        dataset,
        request.results,
        threshold=request.threshold,
        validation=request.validation,
        suppress=request.suppress,
        by_score=request.by_score,
        protocol=request.protocol,
        bootstrap=request.bootstrap,
        levels=request.levels,
        with_map=request.map,
        method=request.method,
        supervision=request.supervision,
        argv=argv,
        say=say,
    )
    watched.require_unchanged()
    say("writing")
    with file_group(request.out):
        return _with_worst_carts(request, scored).write(request.out)


def _with_worst_carts(request: EvaluationRequest, scored: Evaluation) -> Evaluation:
    """The same with the worst carts drawn, where there are boxes and photos."""
    photos = _photo_folder(request)
    if photos is None or not request.worst_carts or scored.reading.boxes is None:
        return scored
    worst = write_worst_carts(
        request.out,
        scored.dataset,
        scored.reading,
        lambda image: photos.path(image.file_name),
        most=request.worst_carts,
    )
    return replace(scored, report=scored.report | {"worst_carts": worst})


def _photo_folder(request: EvaluationRequest) -> PhotoFolder | None:
    """Where the photos are: as the option says, else in the store that the truth belongs to."""
    folder = request.images
    if folder is None:
        name = request.gt.stem.removeprefix("instances_")
        split = next((one for one in SPLITS if name in (one, f"{one}2019")), None)
        folder = Store(request.gt.parent).image_dir(split) if split else None
    if folder is None or not folder.is_dir():
        return None
    return PhotoFolder(folder)


def _size_of(photos: PhotoFolder | None) -> Callable[[str], tuple[int, int] | None]:
    """The size of a photo by its file name, where it is there: scores need none."""

    def size(name: str) -> tuple[int, int] | None:
        try:
            return image_size(photos.path(name)) if photos is not None else None
        except DataError:
            return None

    return size


def _check(request: EvaluationRequest) -> None:
    """Refuse options that make no sense, before anything long is read."""
    if request.bootstrap < 0 or request.worst_carts < 0:
        raise DataError("--bootstrap and --worst-carts: expected 0 (off) or more")
    if request.images is not None and not request.images.is_dir():
        raise DataError(f"{request.images}: no such folder; --images names the photos of --gt")
    pair = (request.val_gt, request.val_results)
    if (pair[0] is None) != (pair[1] is None):
        raise DataError("--val-gt and --val-results belong together: give both or neither")
    _check_counting(request)


def _check_counting(request: EvaluationRequest) -> None:
    """Refuse options that do not say how to count, in the options' own names."""
    rpctool = request.protocol == "rpctool"
    given = request.threshold is not None or request.val_gt is not None
    if rpctool and (given or request.suppress):
        raise DataError(
            "--protocol rpctool chooses its own threshold on the scored images and counts boxes as "
            "they are: leave --threshold, --val-gt, --val-results and --suppress out"
        )
    if request.threshold is not None and request.val_gt is not None:
        raise DataError("--threshold and --val-gt exclude each other: give one of them")
    if not (given or rpctool or holds_counts(request.results)):
        raise DataError(NO_THRESHOLD)


def _check_results(request: EvaluationRequest) -> None:
    """Refuse options for boxes where the results are counts, in the options' own names."""
    if not holds_counts(request.results):
        return
    if request.threshold is not None or request.val_gt is not None or request.suppress:
        raise DataError(
            f"{request.results}: holds counts per image, which need no threshold: leave "
            "--threshold, --val-gt, --val-results and --suppress out"
        )
    if request.protocol == "rpctool":
        raise DataError(
            f"{request.results}: holds counts per image; --protocol rpctool chooses its threshold "
            "by the scores of boxes: give a COCO results list"
        )
