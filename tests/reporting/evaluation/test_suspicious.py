"""Mistakes put into drawn results are told, and right results raise no alarm."""

from dataclasses import replace

import numpy as np
import pytest

from rpc.data import read_dataset, write_dataset
from rpc.data.suspicious_items import suspicious_items
from rpc.reporting.evaluation.results import Results
from tests.reporting.evaluation.drawn_results import (
    FORMS,
    POOR,
    Detector,
    detect,
    in_another_form,
    random_boxes,
    told,
    told_of_counts,
    trays,
)

SHAPES = {
    "usual": {},
    "small": {"images": 8, "skus": 4, "most": 5},
    "many SKUs": {"images": 80, "skus": 200, "most": 18},
    "sizes differ": {"sizes": ((1280, 960), (960, 1280), (640, 480), (2000, 1500))},
    "sparse ids": {"gap": 3, "first": 5},
}
FACTS = {"every_box_above_the_threshold"}  # true by its own numbers, of good results too


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("siblings", [False, True], ids=["any SKU", "look-alikes"])
def test_right_results_raise_no_alarm_however_poor_they_are(shape, siblings):
    alarms, dataset = [], trays(siblings, **SHAPES[shape])
    for seed, (name, detector) in enumerate(POOR.items()):
        found = told(detect(dataset, seed, detector, siblings))
        alarms += [(name, str(one)) for kind, one in found.items() if kind not in FACTS]
    assert alarms == []


@pytest.mark.parametrize("shape", SHAPES)
def test_of_random_boxes_only_the_truth_is_told(shape):
    found = told(random_boxes(trays(4, **SHAPES[shape]), 4))
    assert set(found) - FACTS <= {"boxes_on_no_item"}


@pytest.mark.parametrize("form", FORMS)
def test_the_form_that_fits_is_named(form):
    convert, said = FORMS[form]
    hits = []
    for seed, (shape, detector, share) in enumerate(
        [("usual", "good", 1.0), ("small", "perfect boxes", 1.0), ("sizes differ", "good", 0.7)]
    ):
        results = detect(trays(seed, **SHAPES[shape]), seed, POOR[detector])
        found = told(in_another_form(results, convert, share, seed))
        one = found.get("boxes_in_another_form")
        hits.append(one is not None and said in one.what)
    assert all(hits)


def test_a_suspicion_changes_no_figure():
    results = in_another_form(detect(trays(0), 0), FORMS["half"][0])
    before = results.boxes.copy()
    told(results)
    assert np.array_equal(results.boxes, before)


def test_the_counts_of_a_form_are_those_of_a_loop():
    dataset = trays(1, images=20)
    one = told(in_another_form(detect(dataset, 1, POOR["perfect boxes"]), FORMS["double"][0]))
    found = one["boxes_in_another_form"]
    assert (found.count, found.of) == (len(dataset.annotations), len(dataset.annotations))


def relabelled(results, meant, share=1.0):
    some = np.random.default_rng(0).random(len(results)) < share
    labels = np.where(some, np.asarray(meant)[results.labels], results.labels)
    there = labels >= 0  # an id that no SKU has is refused on reading
    return Results(
        results.rows[there], labels[there], results.boxes[there], results.scores[there],
        results.dataset,
    )  # fmt: skip


@pytest.mark.parametrize("share", [1.0, 0.7])
@pytest.mark.parametrize("shift", [1, -1, 3])
def test_by_how_much_ids_are_shifted_is_told(shift, share):
    results = detect(trays(2), 2)
    meant = [k - shift if 0 <= k - shift < 12 else -1 for k in range(12)]
    found = told(relabelled(results, meant, share))["category_ids_mistaken"]
    assert f"category ids that are {abs(shift)} too {'low' if shift > 0 else 'high'}" in found.what


def test_places_in_a_list_by_name_are_recognised():
    dataset = trays(3)
    by_name = np.argsort(np.argsort(dataset.taxonomy.names))
    found = told(relabelled(detect(dataset, 3), by_name))["category_ids_mistaken"]
    assert "places in the list of SKUs by name" in found.what


def test_places_from_0_among_sparse_ids_are_recognised():
    dataset = trays(3, gap=2, first=0)  # ids 0, 2, 4, ...: only even places are ids
    places = [k // 2 if k % 2 == 0 else -1 for k in range(12)]  # the label whose id is the place
    found = told(relabelled(detect(dataset, 3), places))["category_ids_mistaken"]
    assert "places in the list of SKUs by id, counted from 0" in found.what


@pytest.mark.parametrize("share", [1.0, 0.75])
def test_any_other_order_is_told_with_its_skus(share):
    meant = np.random.default_rng(11).permutation(12)
    found = told(relabelled(detect(trays(5, images=60), 5), meant, share))["category_ids_mistaken"]
    assert "SKUs in another order" in found.what
    assert "lies on" in found.what


def test_names_of_another_file_are_recognised(tmp_path):
    dataset = trays(6)
    order = np.random.default_rng(1).permutation(12)
    skus = dataset.taxonomy.categories
    other = [replace(skus[k], name=skus[order[k]].name) for k in range(12)]
    taxonomy = type(dataset.taxonomy)(other)
    write_dataset(tmp_path / "instances_test.json", dataset)
    write_dataset(tmp_path / "instances_train.json", replace(dataset, taxonomy=taxonomy))
    results = detect(read_dataset(tmp_path / "instances_test.json"), 6)
    found = told(relabelled(results, np.argsort(order)))["category_ids_mistaken"]
    assert "category ids of instances_train.json" in found.what


def moved(results, target):
    """The boxes of image i at image target[i]; none where it is -1."""
    rows = np.asarray(target)[results.rows]
    there = rows >= 0
    return Results(
        rows[there], results.labels[there], results.boxes[there], results.scores[there],
        results.dataset,
    )  # fmt: skip


@pytest.mark.parametrize("shift", [1, -1, 2])
def test_by_how_much_image_ids_are_shifted_is_told(shift):
    target = [n - shift if 0 <= n - shift < 40 else -1 for n in range(40)]
    found = told(moved(detect(trays(7), 7), target))["image_ids_mistaken"]
    assert f"image ids that are {abs(shift)} too {'low' if shift > 0 else 'high'}" in found.what


@pytest.mark.parametrize(("step", "said"), [(1, "too late"), (-1, "too early")])
def test_images_and_skus_one_place_off_among_sparse_ids_are_recognised(step, said):
    dataset = trays(7, gap=7)
    infos = tuple(replace(i, id=i.id**2) for i in dataset.images)
    items = tuple(replace(a, image_id=a.image_id**2) for a in dataset.annotations)
    dataset = replace(dataset, images=infos, annotations=items)
    results = detect(dataset, 7)
    target = [n + step if 0 <= n + step < 40 else -1 for n in range(40)]
    assert said in told(moved(results, target))["image_ids_mistaken"].what
    skus = [k + step if 0 <= k + step < 12 else -1 for k in range(12)]
    found = told(relabelled(results, skus))["category_ids_mistaken"]
    assert "category ids that are 7 too" in found.what  # as plainly said


def test_images_in_the_order_of_their_file_names_are_recognised():
    dataset = trays(7)
    place = np.argsort(np.argsort([image.file_name for image in dataset.images]))
    found = told(moved(detect(dataset, 7), place))["image_ids_mistaken"]
    assert "places in the list of images by name" in found.what


def test_results_of_another_split_are_told(tmp_path):
    write_dataset(tmp_path / "instances_test.json", trays(1))
    write_dataset(tmp_path / "instances_val.json", trays(2))
    test, val = (read_dataset(tmp_path / f"instances_{name}.json") for name in ("test", "val"))
    found = told(replace(detect(val, 2), dataset=test))["results_of_another_split"]
    assert "instances_val.json" in found.what


def joined(*parts):
    columns = ("rows", "labels", "boxes", "scores")
    made = {name: np.concatenate([getattr(part, name) for part in parts]) for name in columns}
    return Results(**made, dataset=parts[0].dataset)


def test_boxes_written_twice_and_boxes_on_one_place_are_told():
    results = detect(trays(3), 3)
    again = told(joined(results, results))["boxes_listed_twice"]
    assert (again.count, again.of) == (len(results), 2 * len(results))
    near = replace(results, boxes=results.boxes + 1.5, scores=results.scores * 0.99)
    assert set(told(joined(results, near))) == {"boxes_on_one_place"}


def some_of(results, keep):
    return Results(
        results.rows[keep], results.labels[keep], results.boxes[keep], results.scores[keep],
        results.dataset,
    )  # fmt: skip


def test_images_that_results_leave_out_are_told():
    results = detect(trays(3), 3)
    found = told(some_of(results, results.rows < 25))["images_without_boxes"]
    assert (found.count, found.of) == (15, 40)
    assert "at the end of the list" in found.what
    assert "images_without_boxes" in told(some_of(results, results.rows % 3 > 0))


def test_a_limit_of_boxes_an_image_is_told():
    dataset = trays(3, most=25)
    results = detect(dataset, 3, POOR["perfect boxes"])
    places = np.zeros(len(results), int)
    for row in range(len(dataset)):
        places[results.rows == row] = np.arange((results.rows == row).sum())
    assert "just 10" in told(some_of(results, places < 10))["boxes_cut_off"].what


@pytest.mark.parametrize(
    ("scores", "kind"),
    [
        (lambda s: np.full(len(s), 0.9), "scores_all_equal"),
        (lambda s: s * 0.4, "no_box_above_the_threshold"),
        (lambda s: 0.6 + 0.3 * s, "every_box_above_the_threshold"),
    ],
)
def test_scores_that_say_nothing_are_told(scores, kind):
    results = detect(trays(8), 8)
    results = replace(results, scores=scores(results.scores))
    one = told(results)[kind]
    assert f"{len(results)}" in one.what


def test_the_truth_as_results_is_noted_and_nothing_else():
    dataset = trays(8)
    results = detect(dataset, 8, Detector(1, 1, 0, 0))
    results = replace(results, scores=np.ones(len(results)))
    assert set(told(results)) == {"results_are_the_truth"}


def test_one_sku_everywhere_and_no_box_at_all_are_told():
    results = detect(trays(8), 8)
    found = told(replace(results, labels=np.zeros_like(results.labels)))["one_sku_everywhere"]
    assert "'sku " in found.what
    assert set(told(some_of(results, results.rows < 0))) == {"no_boxes"}


def test_lists_with_shifted_ids_in_any_order_or_of_other_images_are_told():
    dataset = trays(9)
    counts = dataset.counts()
    assert told_of_counts(dataset, counts) == {}
    noisy = np.maximum(counts - (np.random.default_rng(0).random(counts.shape) < 0.2), 0)
    assert told_of_counts(dataset, noisy) == {}
    found = told_of_counts(dataset, np.roll(noisy, 1, axis=1))["category_ids_mistaken"]
    assert "1 too high" in found.what
    order = np.random.default_rng(3).permutation(12)
    found = told_of_counts(dataset, noisy[:, order])["category_ids_mistaken"]
    assert "another order" in found.what
    found = told_of_counts(dataset, np.roll(noisy, -1, axis=0))["image_ids_mistaken"]
    assert "1 too low" in found.what
    drawn = np.random.default_rng(1).permutation(counts.ravel()).reshape(counts.shape)
    assert told_of_counts(dataset, drawn) == {}


def test_one_list_for_all_images_is_told():
    dataset = trays(9)
    same = np.tile(dataset.counts()[0], (len(dataset), 1))
    assert "40 of 40 images" in told_of_counts(dataset, same)["one_list_for_all"].what


def test_suspicious_items_of_a_truth():
    dataset = trays(2)
    assert suspicious_items(dataset) == []
    items = dataset.annotations
    twice = (*items, replace(items[3], id=9999))
    whole = replace(items[5], bbox=(0.0, 0.0, 1279.0, 959.0))
    from_0 = tuple(replace(item, id=item.id - 1) for item in items)
    kinds = {
        "items_listed_twice": twice,
        "items_of_the_whole_photo": (*items[:5], whole, *items[6:]),
        "annotation_id_0": from_0,
        "skus_never_seen": [item for item in items if item.category_id < 4],
    }
    for kind, changed in kinds.items():
        found = suspicious_items(replace(dataset, annotations=tuple(changed)))
        assert [one.kind for one in found] == [kind]
        assert found[0].count == (9 if kind == "skus_never_seen" else 1)


def test_an_annotation_id_of_any_length_is_looked_at():
    dataset = trays(False)
    first, *others = dataset.annotations
    for number, said in ((10**400, False), (0, True)):
        odd = replace(dataset, annotations=(replace(first, id=number), *others))
        assert ("annotation_id_0" in {one.kind for one in suspicious_items(odd)}) == said
