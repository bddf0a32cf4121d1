import numpy as np
import pytest

from rpc.features.encodings.root_sift import dense_root_sift
from rpc.retrieval.descriptors.handcrafted import fit_hand_crafted, two_stage_similarity


def _stripes(angle, seed):
    """Stripes at an angle, in random phase and brightness, with noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:64, :64]
    wave = np.sin((x * np.cos(angle) + y * np.sin(angle)) / 2.5 + rng.uniform(0, 6))
    grey = rng.uniform(90, 150) + 60 * wave + rng.normal(0, 12, wave.shape)
    return np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)


@pytest.fixture(scope="module")
def textures():
    angles = np.repeat(np.arange(4) * np.pi / 4, 3)
    local = [dense_root_sift(_stripes(angle, i)) for i, angle in enumerate(angles)]
    # Fitted on stripes at angles between: a mixture that explained the four textures fully would
    # have no gradient for them, and the gradient is what a Fisher vector tells.
    between = [dense_root_sift(_stripes((i + 0.5) * np.pi / 8, 50 + i)) for i in range(8)]
    hand = fit_hand_crafted(np.concatenate(between), 0, dimension=16, gaussians=2, words=24)
    vectors = [np.stack([f(one) for one in local]) for f in (hand.fine, hand.coarse)]
    return hand, vectors[0], vectors[1], np.repeat(np.arange(4), 3)


def test_four_rotated_textures_are_told_apart(textures):
    _, fine, coarse, labels = textures
    for vectors in (fine, coarse):
        similarity = vectors @ vectors.T - 9 * np.eye(12)
        assert (labels[similarity.argmax(axis=1)] == labels).all()


def test_two_stages_put_the_query_s_group_first(textures):
    _, fine, coarse, labels = textures
    queries, gallery = np.arange(0, 12, 3), np.setdiff1d(np.arange(12), np.arange(0, 12, 3))
    similarity = two_stage_similarity(
        (fine[queries], fine[gallery]), (coarse[queries], coarse[gallery]),
        groups=4, probes=1, seed=0,
    )  # fmt: skip
    assert (labels[gallery][similarity.argmax(axis=1)] == labels[queries]).all()
    assert ((similarity > 1).sum(axis=1) == 2).all()


def test_with_all_groups_probed_it_is_the_fine_ranking(textures):
    _, fine, coarse, _ = textures
    similarity = two_stage_similarity((fine, fine), (coarse, coarse), groups=3, probes=3, seed=0)
    np.testing.assert_allclose(similarity, fine @ fine.T + 2, atol=1e-6)


def test_a_photo_without_a_descriptor_has_zero_vectors(textures):
    hand = textures[0]
    none = np.zeros((0, 128), np.float32)
    assert not hand.fine(none).any()
    assert not hand.coarse(none).any()


def test_bad_shapes_are_told(textures):
    _, fine, coarse, _ = textures
    with pytest.raises(ValueError, match="as many coarse vectors"):
        two_stage_similarity((fine, fine[:4]), (coarse, coarse), groups=2, seed=0)
    with pytest.raises(ValueError, match="12 descriptors cannot be fitted with 13"):
        two_stage_similarity((fine, fine), (coarse, coarse), groups=13, seed=0)
