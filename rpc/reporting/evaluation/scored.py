"""How results become shopping lists that are scored: by a rule, a threshold or a protocol."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

from rpc.counting import CountingRule, CountsBy, CurvePoint, RuleGrid, choose_rule
from rpc.data import DataError, Dataset, read_dataset
from rpc.data.coco_checks import SizeOf
from rpc.data.json_lists import first_entry
from rpc.metrics.rpctool import RpctoolMetrics, rpctool_metrics
from rpc.reporting.evaluation.counts import counts_of_entries, is_counts_list, read_counts
from rpc.reporting.evaluation.reading import Reading, read_boxes, read_carts
from rpc.reporting.evaluation.results import Results, read_results, results_of_entries
from rpc.reporting.provenance import sha256

Protocol = Literal["honest", "rpctool"]
PROTOCOLS: Final[tuple[Protocol, ...]] = ("honest", "rpctool")
Truth = str | Path | Dataset
Entries = Sequence[Mapping[str, Any]]
Source = str | Path | Entries  # a results file, or its entries


@dataclass(frozen=True, eq=False)
class CountBy:
    """How boxes become shopping lists; all left out: the results are lists already.

    Attributes:
        rule: the whole rule, as a model carries it.
        threshold: the score from which a box counts.
        validation: truth and results of other images, to choose the threshold on.
        suppress: whether duplicate boxes are dropped; with `validation`, how is chosen there too.
        protocol: `honest`, or `rpctool`: the older tool chooses a threshold of its own.
        by_score: whether boxes are counted by their scores also where they have item scores.

    Raises:
        DataError: the protocol is unknown, or more is given than one way to count.
    """

    rule: CountingRule | None = None
    threshold: float | None = None
    validation: tuple[Truth, Source] | None = None
    suppress: bool = False
    protocol: Protocol = "honest"
    by_score: bool = False

    def __post_init__(self) -> None:
        if self.protocol not in PROTOCOLS:
            raise DataError(
                f"protocol: expected one of {', '.join(PROTOCOLS)}, got {self.protocol!r:.40}"
            )
        ways = [
            name for name in ("rule", "threshold", "validation") if getattr(self, name) is not None
        ]
        if len(ways) > 1:
            raise DataError(f"{' and '.join(ways)} exclude each other: give one of them")
        if self.suppress and self.rule is not None:
            raise DataError("rule and suppress exclude each other: a rule says what it suppresses")
        if self.by_score and self.rule is not None:
            raise DataError("rule and by_score exclude each other: a rule says what it counts by")
        if self.protocol == "rpctool" and (ways or self.suppress):
            raise DataError(
                "protocol rpctool chooses its own threshold on the scored images and counts boxes "
                "as they are: leave rule, threshold, validation and suppress out"
            )

    @property
    def says_how(self) -> bool:
        """Whether it can turn boxes into lists."""
        given = (self.rule, self.threshold, self.validation)
        return self.protocol == "rpctool" or any(one is not None for one in given)


class Scored(NamedTuple):
    """How the scored images were read, and how that was decided."""

    reading: Reading
    chosen_on: str
    curve: Sequence[CurvePoint] = ()
    official: dict[str, RpctoolMetrics] | None = None


def read_scored(
    results: Source,
    dataset: Dataset,
    by: CountBy,
    say: Callable[[str], None] = lambda _: None,
) -> Scored:
    """Read results as shopping lists of the images of a data set.

    Args:
        results: a file, or the entries of one: COCO results, or counts per image.
        dataset: the N images that are scored.
        by: how boxes are counted.
        say: is told what is done, where it takes long.

    Raises:
        DataError: the results are damaged or of other images; boxes without a way to count them, or
            counts with one; the validation images are the scored ones or have other SKUs; the
            protocol rpctool has no figures for these results.
    """
    if holds_counts(results):
        return _as_counts(results, dataset, by)
    if not by.says_how:
        raise DataError(
            f"{_name(results)}: no threshold: give a threshold, a rule, or validation images to "
            "choose one on (never the images that are scored)"
        )
    if by.protocol == "rpctool":
        return _as_rpctool(_read_results(results, dataset))
    read = _read_results(results, dataset)
    say("choosing the threshold on validation")
    rule, chosen_on, curve = _choose(by, read)
    say("counting")
    return Scored(read_boxes(read, rule), chosen_on, curve)


def read_truth(truth: Truth, size_of: SizeOf | None = None) -> Dataset:
    """The images that are scored, with their true items; scores need no size of an image.

    Args:
        truth: an instances JSON or a data set.
        size_of: the size of a photo by its file name, for entries without one, where it is known.

    Raises:
        DataError: the file is missing or damaged, or it is neither a file nor a data set.
    """
    if isinstance(truth, Dataset):
        return truth
    if not isinstance(truth, str | Path):
        raise DataError(
            "truth: expected the path of an instances JSON or a data set, such as a store's "
            f".split('test'); got {type(truth).__name__}"
        )
    return read_dataset(truth, size_of=size_of or (lambda _: None))


def holds_counts(results: Source) -> bool:
    """Whether results are counts per image rather than boxes; the beginning tells.

    Raises:
        DataError: the file is missing or not readable, or it is neither a file nor a list.
    """
    if isinstance(results, str | Path):
        return is_counts_list([first_entry(results)])
    if not isinstance(results, list | tuple):
        raise DataError(
            "results: expected a path, or a list of COCO results or of counts per image; got "
            f"{type(results).__name__}"
        )
    return is_counts_list(list(results[:1]))


def _as_counts(results: Source, dataset: Dataset, by: CountBy) -> Scored:
    if by.protocol == "rpctool":
        raise DataError(
            f"{_name(results)}: holds counts per image; protocol rpctool chooses its threshold by "
            "the scores of boxes: give a COCO results list"
        )
    if by.says_how or by.suppress:
        raise DataError(
            f"{_name(results)}: holds counts per image, which need no threshold: leave rule, "
            "threshold, validation and suppress out"
        )
    carts = (
        read_counts(results, dataset)
        if isinstance(results, str | Path)
        else counts_of_entries(list(results), dataset)
    )
    return Scored(read_carts(carts), "a file of shopping lists")


def _as_rpctool(results: Results) -> Scored:
    """The official figures; the other tables count with the threshold of all images."""
    dataset = results.dataset
    if len(dataset) == 0:
        raise DataError(f"{dataset.path}: has no images: there is nothing to score")
    official = rpctool_metrics(
        results.scores, results.labels, results.rows, dataset.counts(), dataset.levels()
    )
    if problem := official["averaged"].problem:
        raise DataError(f"protocol rpctool has no figures for these results: {problem}")
    rule = CountingRule.plain(official["averaged"].threshold)
    where = "the scored images themselves, by rpctool, for each level again"
    return Scored(read_boxes(results, rule), where, official=official)


def _choose(by: CountBy, results: Results) -> tuple[CountingRule, str, Sequence[CurvePoint]]:
    """The rule, what it was chosen on, and what other thresholds gave there."""
    if by.rule is not None:
        return by.rule, "given", ()
    dataset = results.dataset
    by_score = by.by_score or results.item_scores is None
    counts_by: CountsBy = "score" if by_score else "item_score"
    base = (
        CountingRule(counts_by=counts_by)
        if by.suppress
        else CountingRule.plain(0.5, counts_by=counts_by)
    )
    if by.threshold is not None:
        return CountingRule.from_dict({**base.to_dict(), "threshold": by.threshold}), "given", ()
    assert by.validation is not None
    truth, val_results = by.validation
    validation = read_truth(truth)
    name = validation.path or "validation"
    if _same_images(validation, dataset):
        raise DataError(
            f"{name}: is the file that is scored; a threshold chosen there would flatter the "
            "results: give the validation split's file"
        )
    if unlike := dataset.taxonomy.difference(validation.taxonomy):
        raise DataError(f"{name}: its SKUs are not those of {dataset.path or 'truth'}: {unlike}")
    val_read = _read_results(val_results, validation)
    mixed = (val_read.item_scores is None) != (results.item_scores is None)
    if mixed and not by.by_score and len(results) and len(val_read):
        raise DataError(
            f"{_name(val_results)}: either this file or the scored one has item_score in its "
            "entries, the other has not: a threshold on the one means nothing on the other; give "
            "results of one model, written by one version"
        )
    choice = choose_rule(
        val_read.detections,
        validation.counts(),
        base=base,
        grid=RuleGrid() if by.suppress else RuleGrid.threshold_only(),
    )
    return choice.rule, Path(name).name, choice.curve


def _same_images(one: Dataset, other: Dataset) -> bool:
    if one is other:
        return True
    if one.path is None or other.path is None:
        return one == other
    return sha256(one.path) == sha256(other.path)


def _read_results(results: Source, dataset: Dataset) -> Results:
    if isinstance(results, str | Path):
        return read_results(results, dataset)
    return results_of_entries(results, dataset)


def _name(results: Source) -> str:
    return str(results) if isinstance(results, str | Path) else "results"
