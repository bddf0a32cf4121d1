"""How photos of one SKU differ in a gallery, made small: an oracle, invariants, edges."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.gallery.comparison import Comparison
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import (
    NewPhoto,
    NewSku,
    add_skus,
    create_gallery,
    set_settings,
)
from rpc.retrieval.gallery.own_scatter import DIRECTIONS, OwnScatter

RECIPE = {"name": "invented"}
DIMENSION = 20
seeds = st.integers(0, 300)


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def shop(seed, skus=10, photos=4, dimension=DIMENSION):
    """Embeddings of `photos` a SKU: the first four directions are sides and light."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(skus, dimension)) * np.r_[0.2 * np.ones(4), np.ones(dimension - 4)]
    labels = np.repeat(np.arange(skus), photos)
    spread = np.r_[3.0 * np.ones(4), 0.5 * np.ones(dimension - 4)]
    rows = unit(centres[labels] + spread * rng.normal(size=(len(labels), dimension)))
    crops = rng.integers(skus, size=80)
    queries = unit(centres[crops] + spread * rng.normal(size=(80, dimension)))
    return rows, labels, queries, crops


def learnt(rows, labels):
    return OwnScatter.of_embeddings(rows, labels, np.arange(len(labels)))


def right(queries, crops, rows, labels):
    near = queries @ rows.T
    best = np.stack([near[:, labels == sku].max(axis=1) for sku in range(labels.max() + 1)], axis=1)
    return (best.argmax(axis=1) == crops).mean()


def test_crops_are_named_better_where_photos_of_a_sku_differ_much():
    gains = []
    for seed in range(8):
        rows, labels, queries, crops = shop(seed)
        scatter = learnt(rows, labels)
        after = right(scatter(queries), crops, scatter(rows), labels)
        gains.append(after - right(queries, crops, rows, labels))
    assert np.mean(gains) > 0.1


@given(seeds)
def test_it_is_whitening_by_the_covariance_within_skus(seed):
    rows, labels, queries, _ = shop(seed)
    within = rows - np.stack([rows[labels == sku].mean(axis=0) for sku in labels])
    covariance = within.T @ within / len(rows)
    level = np.trace(covariance) / DIMENSION
    strength, axes = np.linalg.eigh(covariance / level + np.eye(DIMENSION))
    expected = unit(queries @ (axes / np.sqrt(strength)) @ axes.T)
    np.testing.assert_allclose(learnt(rows, labels)(queries), expected, atol=1e-9)


@given(seeds)
def test_the_order_of_embeddings_and_those_out_of_use_change_nothing(seed):
    rows, labels, queries, _ = shop(seed)
    order = np.random.default_rng(seed).permutation(len(labels))
    more = np.concatenate([rows[order], unit(np.ones((2, DIMENSION)))])
    other = OwnScatter.of_embeddings(
        more, np.append(labels[order], [-1, -1]), np.append(order, [-1, -1])
    )
    np.testing.assert_allclose(other(queries), learnt(rows, labels)(queries), atol=1e-9)


def test_what_lies_behind_the_last_direction_stays():
    rows, labels, _, _ = shop(0, skus=40, dimension=100)
    scatter = learnt(rows, labels)
    assert scatter.axes.shape == (DIRECTIONS, 100)
    assert (np.diff(scatter.kept) >= -1e-12).all()
    assert scatter.kept[0] < 0.5 < scatter.kept[-1] <= 1


def test_one_photo_a_sku_teaches_nothing():
    rows, labels, _, _ = shop(0, skus=20, photos=1)
    assert learnt(rows, labels) is None
    turns = np.repeat(np.arange(10), 4)  # ten photos in four turns each
    assert OwnScatter.of_embeddings(shop(0)[0], turns, turns) is None
    assert OwnScatter.of_embeddings(rows[:0], labels[:0], labels[:0]) is None


def test_it_comes_back_from_json_in_half_precision():
    rows, labels, queries, _ = shop(2)
    scatter = learnt(rows, labels)
    read = OwnScatter.from_dict(json.loads(json.dumps(scatter.to_dict())), DIMENSION)
    np.testing.assert_allclose(read(queries), scatter(queries), atol=3e-3)
    assert not scatter(np.zeros((2, DIMENSION))).any()
    with pytest.raises(ValueError, match=r"expected \(N, 20\)"):
        scatter(np.ones((1, 3)))


@pytest.mark.parametrize(
    "change",
    [
        {"axes": "AAAA"},
        {"axes": "not base64!"},
        {"axes": [1.0]},
        {"axes": "AAA="},
        {"kept": ""},
        {"kept": None},
    ],
)
def test_a_damaged_one_is_refused(change):
    good = learnt(*shop(0)[:2]).to_dict()
    with pytest.raises(ValueError, match="scatter: expected"):
        OwnScatter.from_dict(good | change, DIMENSION)
    with pytest.raises(ValueError, match="scatter: the field"):
        OwnScatter.from_dict({k: v for k, v in good.items() if k not in change}, DIMENSION)


def test_shares_and_directions_are_checked():
    for axes, kept in ((np.eye(3), [0, 1, 1]), (np.eye(3), [2, 1, 1]), (2 * np.eye(3), [1, 1, 1])):
        with pytest.raises(ValueError, match="scatter: expected"):
            OwnScatter(axes, np.array(kept, float))
    with pytest.raises(ValueError, match="k shares"):
        OwnScatter(np.eye(3), np.ones(2))


def made(folder, seed=0):
    rows, labels, queries, crops = shop(seed)
    create_gallery(folder, RECIPE, DIMENSION)
    skus = [
        NewSku(f"sku_{sku:02d}", [NewPhoto(row[None]) for row in rows[labels == sku]])
        for sku in range(10)
    ]
    add_skus(folder, RECIPE, skus)
    return queries, crops


def test_a_tuned_gallery_compares_as_it_was_tuned_and_new_skus_change_no_other_score(tmp_path):
    queries, _ = made(tmp_path)
    gallery = Gallery.open(tmp_path)
    plain = Comparison.of_settings(gallery)
    assert plain.gallery is gallery
    assert np.array_equal(plain.similarities(queries), gallery.similarities(queries))
    comparison = Comparison.learnt(gallery, queries)
    set_settings(tmp_path, comparison.to_settings())
    read = Comparison.of_settings(Gallery.open(tmp_path))
    before = read.similarities(queries)
    np.testing.assert_allclose(before, comparison.similarities(queries), atol=5e-3)
    scatter, mapped = comparison.scatter, comparison.queries(queries)
    exemplars = scatter(np.asarray(gallery.embeddings, float))
    np.testing.assert_allclose(
        comparison.similarities(queries).max(axis=1), (mapped @ exemplars.T).max(axis=1), atol=1e-2
    )
    add_skus(tmp_path, RECIPE, [NewSku("zebra", [NewPhoto(queries[:2])])])
    after = Comparison.of_settings(Gallery.open(tmp_path)).similarities(queries)
    assert np.array_equal(after[:, :10], before)
    hits = read.gallery.search(read.queries(queries[:5]), 1)
    assert [hit[0].sku.name for hit in hits] == [f"sku_{n:02d}" for n in before[:5].argmax(axis=1)]


def test_a_crop_without_a_descriptor_is_unlike_everything(tmp_path):
    queries, _ = made(tmp_path)
    rows = np.array(queries[:40])
    rows[3], rows[5] = 0, np.nan
    comparison = Comparison.learnt(Gallery.open(tmp_path), rows)
    assert comparison.camera.crops == 38
    table = comparison.similarities(rows)
    assert (table[[3, 5]] == -1).all()
    assert (table[[0, 1, 2, 4]].max(axis=1) > 0).all()
