"""Results that name images and SKUs otherwise than by plain ids."""

from __future__ import annotations

import json

import pytest

from rpc.data import Annotation, Category, DataError, Dataset, ImageInfo, Taxonomy
from rpc.reporting import evaluate
from rpc.reporting.evaluation.counts import counts_of_entries
from rpc.reporting.evaluation.results import read_results, results_of_entries

SKUS = Taxonomy([Category(1, "tea"), Category(5, "caf\u00e9")])


def dataset_of(*names, ids=None, **more):
    ids = ids or range(10, 10 + len(names))
    images = [ImageInfo(n, name, 64, 48, "easy") for n, name in zip(ids, names, strict=True)]
    items = [
        Annotation(row, image.id, 1 + 4 * (row % 2), (1, 1, 9, 9), 64)
        for row, image in enumerate(images, start=1)
    ]
    return Dataset(tuple(images), tuple(items), SKUS, **more)


def entry(image_id, category_id=1):
    return {"image_id": image_id, "category_id": category_id, "bbox": [1, 1, 8, 8], "score": 0.9}


TRAYS = dataset_of("a/t1.jpg", "b/t1.jpg", "b/t2.7.jpg", "3.jpg", "cafe\u0301.jpg")


@pytest.mark.parametrize(
    ("raw", "row"),
    [
        (11, 1),
        (11.0, 1),
        ("11", 1),
        ("a/t1.jpg", 0),
        ("b\\t1.jpg", 1),
        ("t2.7.jpg", 2),
        ("t2.7", 2),
        ("C:\\x\\t2.7.png", 2),
        ("3", 3),
        ("caf\u00e9", 4),
    ],
)
def test_an_image_is_understood_by_what_means_it_alone(raw, row):
    results = results_of_entries([entry(raw)], TRAYS)
    assert results.rows.tolist() == [row]
    assert len(results.notes) == (type(raw) is not int)
    assert counts_of_entries([{"image_id": raw, "counts": []}], TRAYS).absent == len(TRAYS) - 1


@pytest.mark.parametrize("raw", ["t1.jpg", "t1", "x", "", 3, 1.5, True, None, [10]])
def test_an_image_that_several_or_none_may_be_is_refused(raw):
    with pytest.raises(DataError, match=r"entry 0: image_id .* is none of the 5 images"):
        results_of_entries([entry(raw)], TRAYS)


def test_a_text_that_is_one_images_id_and_anothers_file_is_refused():
    two = dataset_of("2.jpg", "1.jpg", ids=[1, 2])
    with pytest.raises(DataError, match="image_id '1' is none"):
        results_of_entries([entry("1")], two)
    assert results_of_entries([entry("1.jpg")], two).rows.tolist() == [1]


@pytest.mark.parametrize(
    ("raw", "label"), [(5, 1), (5.0, 1), ("5", 1), ("tea", 0), ("cafe\u0301", 1)]
)
def test_a_sku_is_understood_by_its_id_or_name(raw, label):
    assert results_of_entries([entry(10, raw)], TRAYS).labels.tolist() == [label]
    cart = {"image_id": 10, "counts": [{"category_id": raw, "count": 2}]}
    assert counts_of_entries([cart], TRAYS).counts[0, label] == 2
    with pytest.raises(DataError, match="category_id 'te' is none of the 2 SKUs"):
        results_of_entries([entry(10, "te")], TRAYS)


def test_text_ids_of_the_truth_are_those_of_the_results():
    trays = dataset_of("a.jpg", "b.jpg", ids=[1, 2], image_names={"x-1": 2, "x-0": 1})
    assert results_of_entries([entry("x-1"), entry("x-0")], trays).rows.tolist() == [1, 0]


def test_numbers_of_file_names_are_tried_for_the_file_as_a_whole(tmp_path):
    trays = dataset_of("000139.jpg", "000002.jpg", "000003.jpg", ids=[1, 2, 3])
    path = tmp_path / "res.json"
    path.write_text(json.dumps([entry(139), entry(2), entry(3)]))
    results = read_results(path, trays)
    assert results.rows.tolist() == [0, 1, 2]
    assert results.notes == (
        "res.json: 3 entries name their image by the number in its file name, such as 139: image "
        "1.",
    )
    assert read_results_of(tmp_path, [entry(1), entry(2)], trays).rows.tolist() == [0, 1]
    with pytest.raises(DataError, match="entry 1: image_id 140 is none"):
        read_results_of(tmp_path, [entry(1), entry(140)], trays)


def read_results_of(folder, entries, dataset):
    path = folder / "other.json"
    path.write_text(json.dumps(entries))
    return read_results(path, dataset)


def test_scores_are_the_same_by_ids_and_by_names_and_the_report_tells():
    by_id = [
        entry(image.id, a.category_id)
        for image in TRAYS.images
        for a in TRAYS.annotations_of(image.id)
    ]
    by_name = [one | {"image_id": TRAYS.image(one["image_id"]).file_name} for one in by_id]
    plain, named = (evaluate(TRAYS, one, threshold=0.5) for one in (by_id, by_name))
    assert plain.report["levels"] == named.report["levels"]
    assert plain.averaged["cAcc"] == plain.averaged["mAP50"] == 1
    told = "results: 5 entries name their image by its file name, such as 'a/t1.jpg': image 10."
    assert told in named.report["notes"]
    assert not any("name their image" in note for note in plain.report["notes"])


def test_numbers_for_the_texts_of_the_truth_are_told():
    trays = dataset_of("a.jpg", "b.jpg", ids=[1, 2], image_names={"x-0": 1, "x-1": 2})
    (note,) = results_of_entries([entry(1)], trays).notes
    assert "the numbers of the results are read in the order of these texts: 1 is 'x-0'" in note


def test_a_truth_without_sizes_is_scored(tmp_path):
    coco = TRAYS.to_coco()
    for image in coco["images"]:
        del image["width"], image["height"]
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(coco))
    scored = evaluate(path, [entry(10)], threshold=0.5)
    assert scored.dataset.images[0].width == 9
    assert any(
        "are not known, and boxes not held against them" in n for n in scored.report["notes"]
    )
