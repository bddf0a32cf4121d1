import numpy as np
import pytest
import torch

from rpc.data.class_sets.class_folders import LabelledPhoto
from rpc.data.images import write_image
from rpc.features.backbones.trainable_backbone import joined_depths
from rpc.features.pooling.second_order import (
    bilinear,
    covariance,
    normalised,
    root_of,
    upper_triangle,
)
from rpc.recognition.systems.bilinear import BilinearCnn
from rpc.recognition.training.loop import accuracy, learn, predict
from rpc.recognition.training.photo_batches import Augmentation, PhotoBatches
from rpc.recognition.training.schedule import LearningSettings

KINDS = ("bilinear", "compact", "isqrt")


def small(pooling, pretrained=False, **changes):
    torch.manual_seed(0)
    return BilinearCnn(2, 64, pooling=pooling, width=16, size=64, pretrained=pretrained, **changes)


@pytest.mark.parametrize("pooling", KINDS)
@pytest.mark.parametrize("count", [0, 1, 3])
def test_batches_of_any_size_get_scores(pooling, count):
    system = small(pooling).eval()
    images = torch.randint(0, 255, (count, 3, 64, 64), dtype=torch.uint8)
    scores = system(images)
    assert scores.shape == (count, 2)
    assert torch.isfinite(scores).all()
    alone = torch.cat([system(image[None]) for image in images]) if count else scores
    assert torch.allclose(alone, scores, atol=1e-4)


@pytest.mark.parametrize(("pooling", "size"), [("bilinear", 256), ("compact", 64), ("isqrt", 136)])
def test_the_vector_has_the_papers_size_and_length(pooling, size):
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    vectors = small(pooling).eval().vectors(images)
    assert vectors.shape == (2, size)
    if pooling != "isqrt":
        assert torch.allclose(vectors.norm(dim=1), torch.ones(2), atol=1e-5)


def test_two_backbones_give_the_product_of_their_channels():
    system = small("bilinear", second="efficientnet_lite0").eval()
    assert len(system._backbones()) == 2
    assert system.vectors(torch.zeros(1, 3, 64, 64)).shape == (1, 256)
    with pytest.raises(ValueError, match="isqrt pools one backbone"):
        small("isqrt", second="efficientnet_lite0")


@pytest.mark.parametrize("pooling", KINDS)
def test_maps_of_two_depths_are_pooled_on_the_cells_of_the_finer(pooling):
    system = small(pooling, stages=(-2, -1)).eval()
    backbone, reduce = system._backbones()[0], system.reductions[0]
    images = torch.randint(0, 255, (2, 3, 64, 64), dtype=torch.uint8)
    fine, coarse = backbone(images)
    assert fine.shape[2] == 2 * coarse.shape[2]
    maps = reduce(joined_depths((fine, coarse)))
    assert maps.shape == (2, 16, *fine.shape[2:])
    expected = {
        "bilinear": lambda: normalised(bilinear(maps, maps).flatten(1)),
        "compact": lambda: normalised(system.sketch(maps, maps)),
        "isqrt": lambda: upper_triangle(root_of(covariance(maps), 5)),
    }[pooling]()
    assert torch.allclose(system.vectors(images), expected, atol=1e-5)
    assert system(images[:0]).shape == (0, 2)


@pytest.mark.parametrize("pooling", KINDS)
def test_first_the_layer_learns_then_everything(pooling):
    layer, everything = small(pooling).phases()
    assert len(layer.groups) == 1
    assert len(everything.groups) == 2
    assert everything.groups[1].lr_mult < 1
    assert layer.share + everything.share == 1


@pytest.fixture(scope="module")
def textures(tmp_path_factory):
    """Two classes of one mean colour: stripes whose red and blue go together, or against it."""
    folder = tmp_path_factory.mktemp("textures")
    rng = np.random.default_rng(0)
    made = []
    for n in range(48):
        wave = np.sin(np.arange(64) / 2 + rng.uniform(0, 6))[None].repeat(64, 0)
        blue = wave if n % 2 else -wave
        rgb = np.stack([127 + 90 * wave, np.full((64, 64), 127.0), 127 + 90 * blue], axis=2)
        rgb = (rgb + rng.normal(0, 6, rgb.shape)).clip(0, 255).astype(np.uint8)
        made.append(LabelledPhoto(write_image(folder / f"{n}.png", rgb), n % 2))
    return made


@pytest.mark.parametrize("pooling", KINDS)
def test_textures_that_differ_in_covariance_alone_are_learned(textures, tmp_path, pooling):
    system = small(pooling, pretrained=True)
    train = PhotoBatches(textures[:32], 64, Augmentation(least_area=0.8))
    learn(system, train, LearningSettings(iterations=24, batch_size=16, lr=5e-3), tmp_path)
    batch = next(iter(PhotoBatches(textures[32:], 64).plain()))
    assert accuracy(predict(system, list(batch.images)), batch.labels) > 0.9
