import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery
from rpc.retrieval.reranking.k_reciprocal import k_reciprocal_distances
from rpc.retrieval.reranking.query_expansion import expand_queries
from rpc.retrieval.reranking.search_again import METHODS, search_again
from rpc.retrieval.reranking.verification import (
    agreement,
    local_features,
    root_sift,
    verified_scores,
)
from tests.retrieval.gallery.gallery_makers import (
    DIMENSION,
    RECIPE,
    make_gallery,
    new_sku,
    unit_vectors,
)


def printed(seed, height=200, width=260):
    """A box with its own print: patches and letters."""
    rng = np.random.default_rng(seed)
    rgb = cv2.resize(rng.integers(60, 200, (12, 16, 3), dtype=np.uint8), (width, height))
    for _ in range(18):
        place = tuple(int(v) for v in rng.integers(10, [width - 30, height - 10]))
        letters = "".join(chr(65 + int(v)) for v in rng.integers(0, 26, 3))
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        cv2.putText(rgb, letters, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, colour, 2)
    return rgb


def rotated(rgb, degrees, scale=0.8):
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, scale)
    matrix[:, 2] += (40, 60)
    return cv2.warpAffine(rgb, matrix, (width + 80, height + 120), borderValue=(127, 127, 127))


@pytest.mark.parametrize("degrees", [0, 35, 90, 170])
def test_an_injected_rotated_product_agrees_at_its_angle_and_an_unknown_does_not(degrees):
    first = local_features(printed(1))
    seen = agreement(first, local_features(rotated(printed(1), degrees)))
    assert seen.inliers >= 30
    off = (seen.degrees + degrees + 180) % 360 - 180  # OpenCV turns the other way round
    assert abs(off) < 3
    unknown = agreement(first, local_features(rotated(printed(2), degrees)))
    assert unknown.inliers < 10


def test_a_plain_picture_has_no_features_and_agrees_with_nothing():
    plain = local_features(np.full((60, 90, 3), 128, np.uint8))
    assert plain.points.shape == (0, 2)
    assert agreement(plain, local_features(printed(1))).inliers == 0
    assert agreement(local_features(printed(1)), plain).inliers == 0
    tiny = local_features(np.zeros((1, 1, 3), np.uint8))
    assert agreement(tiny, tiny).inliers == 0


def test_root_sift_has_unit_length_and_its_product_is_hellingers():
    raw = np.random.default_rng(0).random((3, 128)).astype(np.float32)
    root = root_sift(raw)
    np.testing.assert_allclose(np.linalg.norm(root, axis=1), 1, rtol=1e-5)
    p, q = raw[0] / raw[0].sum(), raw[1] / raw[1].sum()
    assert root[0] @ root[1] == pytest.approx(np.sqrt(p * q).sum(), rel=1e-5)
    assert np.isfinite(root_sift(np.zeros((1, 128), np.float32))).all()


def test_local_features_raise_scores_and_weight_zero_changes_nothing():
    scores, inliers = np.array([0.5, 0.6]), np.array([20, 0])
    assert verified_scores(scores, inliers, 0.4).tolist() == pytest.approx([0.7, 0.6])
    assert verified_scores(scores, inliers, 0).tolist() == scores.tolist()
    with pytest.raises(ValueError, match="verification"):
        verified_scores(scores, inliers[:1])


def naive_expansion(query, embeddings, neighbours, alpha):
    near = sorted(range(len(embeddings)), key=lambda n: (-(query @ embeddings[n]), n))[:neighbours]
    total = query.copy()
    for n in near:
        if (s := float(query @ embeddings[n])) > 0:
            total = total + s**alpha * embeddings[n]
    return total / np.linalg.norm(total)


@given(seed=st.integers(0, 300), neighbours=st.integers(0, 12), alpha=st.sampled_from([0, 1, 3]))
def test_query_expansion_is_a_naive_loop(seed, neighbours, alpha):
    rng = np.random.default_rng(seed)
    queries, embeddings = (
        unit_vectors(rng, 3, 8).astype(float),
        unit_vectors(rng, 9, 8).astype(float),
    )
    found = expand_queries(queries, embeddings, neighbours, alpha)
    wanted = [naive_expansion(query, embeddings, neighbours, alpha) for query in queries]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def naive_reciprocal(vectors, count, k1, k2, own):
    """The paper's formulas with Python sets."""
    total = len(vectors)
    d = [[max(2 - 2 * float(a @ b), 0) for b in vectors] for a in vectors]
    for i in range(total):
        d[i][i] = 0.0
    d = [[v / max(row) for v in row] for row in d]
    rank = [sorted(range(total), key=lambda j: (j != i, d[i][j], j)) for i in range(total)]

    def mutual(i, k):
        return {j for j in rank[i][: k + 1] if i in rank[j][: k + 1]}

    encoded = []
    for i in range(total):
        members = mutual(i, k1)
        wide = set(members)
        for j in members:
            half = mutual(j, round(k1 / 2))
            if len(half & members) > 2 / 3 * len(half):
                wide |= half
        weights = [np.exp(-d[i][j]) if j in wide else 0.0 for j in range(total)]
        encoded.append(np.array(weights) / sum(weights))
    if k2 > 1:
        encoded = [np.mean([encoded[j] for j in rank[i][:k2]], axis=0) for i in range(total)]
    result = np.zeros((count, total - count))
    for i in range(count):
        for j in range(count, total):
            low = sum(min(a, b) for a, b in zip(encoded[i], encoded[j], strict=True))
            high = sum(max(a, b) for a, b in zip(encoded[i], encoded[j], strict=True))
            result[i, j - count] = (1 - own) * (1 - low / high) + own * d[i][j]
    return result


@pytest.mark.parametrize(("k1", "k2", "own"), [(5, 3, 0.3), (4, 1, 0.0), (20, 6, 0.3), (3, 2, 1.0)])
def test_k_reciprocal_is_a_naive_loop(k1, k2, own):
    rng = np.random.default_rng(k1)
    queries, embeddings = (
        unit_vectors(rng, 3, 6).astype(float),
        unit_vectors(rng, 11, 6).astype(float),
    )
    found = k_reciprocal_distances(queries, embeddings, k1, k2, own)
    wanted = naive_reciprocal(np.concatenate([queries, embeddings]), 3, k1, k2, own)
    np.testing.assert_allclose(found, wanted, atol=1e-9)


def test_k_reciprocal_with_all_weight_on_the_distance_keeps_its_order():
    rng = np.random.default_rng(4)
    queries, embeddings = unit_vectors(rng, 2, 6), unit_vectors(rng, 9, 6)
    found = k_reciprocal_distances(queries, embeddings, own=1.0)
    assert np.array_equal(found.argsort(axis=1), (-(queries @ embeddings.T)).argsort(axis=1))


def test_an_empty_set_and_wrong_shapes():
    assert k_reciprocal_distances(np.zeros((0, 4)), np.ones((3, 4)) / 2).shape == (0, 3)
    assert k_reciprocal_distances(np.ones((2, 4)) / 2, np.zeros((0, 4))).shape == (2, 0)
    for wrong in (
        lambda: k_reciprocal_distances(np.ones((1, 4)), np.ones((1, 5))),
        lambda: k_reciprocal_distances(np.ones((1, 4)), np.ones((1, 4)), own=2),
        lambda: expand_queries(np.ones((1, 4)), np.ones((1, 5))),
        lambda: expand_queries(np.ones((1, 4)), np.ones((1, 4)), -1),
    ):
        with pytest.raises(ValueError, match="expected"):
            wrong()


@pytest.mark.parametrize("method", METHODS)
def test_every_second_look_finds_an_exemplar_itself_first(tmp_path, method):
    make_gallery(tmp_path, [f"sku {n}" for n in range(6)])
    gallery = Gallery.open(tmp_path, RECIPE)
    queries = np.concatenate([new_sku(f"sku {n}", n).photos[0].embeddings[:1] for n in range(6)])
    plain = np.zeros((9, 9, 3), np.uint8)
    found = search_again(gallery, queries, [plain] * 6, method, count=2)
    assert [hits[0].sku.name for hits in found] == [f"sku {n}" for n in range(6)]
    assert all(len(hits) == 2 for hits in found)


def test_verification_tells_two_skus_apart_whose_descriptors_are_the_same(tmp_path):
    create_gallery(tmp_path, RECIPE, DIMENSION)
    row = unit_vectors(np.random.default_rng(0), 1, DIMENSION)
    for name, seed in (("a", 2), ("b", 1)):
        add_skus(tmp_path, RECIPE, [NewSku(name, [NewPhoto(row, name, printed(seed))])])
    gallery = Gallery.open(tmp_path, RECIPE)
    query = rotated(printed(1), 60)
    assert search_again(gallery, row, [query], "none")[0][0].sku.name == "a"
    assert search_again(gallery, row, [query], "verify")[0][0].sku.name == "b"


def test_an_unknown_second_look_is_refused(tmp_path):
    gallery = Gallery.open(make_gallery(tmp_path), RECIPE)
    with pytest.raises(ValueError, match="one of none"):
        search_again(gallery, np.ones((1, DIMENSION)), [], "magic")
