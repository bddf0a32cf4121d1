"""A learned renderer keeps size and place, is repeatable, and hides the seams of its pieces."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from rpc.data import DataError
from synth.render.apply.learned import LearnedRenderer, from_state
from synth.render.apply.renderer import read_renderer, write_renderer
from synth.render.apply.tiles import in_tiles
from synth.render.training.networks import Generator, draw_weights
from synth.render.training.settings import GeneratorSettings, TilingSettings

RNG = np.random.default_rng(0)


def generator(spread=0.02, **settings):
    network = Generator(GeneratorSettings(**{"width": 4, "blocks": 1, **settings}))
    draw_weights(network, torch.Generator().manual_seed(0), spread)
    return network.eval()


def scene(height=60, width=80, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3)).astype(np.uint8)


@given(
    height=st.integers(1, 70),
    width=st.integers(1, 70),
    scale=st.sampled_from((1.0, 0.5, 0.3)),
    tile=st.sampled_from((0, 16)),
)
def test_a_rendered_scene_has_the_size_and_type_of_the_scene(height, width, scale, tile):
    renderer = LearnedRenderer(generator(), scale, TilingSettings(tile=tile, overlap=4))
    out = renderer.render(scene(height, width), RNG)
    assert out.shape == (height, width, 3)
    assert out.dtype == np.uint8


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_rendering_twice_gives_the_same_bytes_whatever_is_drawn(scale):
    renderer = LearnedRenderer(generator(), scale)
    first = renderer.render(scene(), np.random.default_rng(1))
    assert np.array_equal(first, renderer.render(scene(), np.random.default_rng(2)))


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("tile", [0, 32])
def test_a_generator_that_changes_nothing_gives_the_scene_back(scale, tile):
    unchanging = generator(output="residual")
    renderer = LearnedRenderer(unchanging, scale, TilingSettings(tile=tile, overlap=8))
    assert np.array_equal(renderer.render(scene(), RNG), scene())


def test_below_full_scale_fine_detail_is_the_scenes_own():
    # The change is smooth: what differs between neighbours is what differed before.
    stripes = np.zeros((64, 64, 3), np.uint8) + 100
    stripes[:, ::2] += 40
    out = LearnedRenderer(generator(0.1), 0.25).render(stripes, RNG).astype(int)
    assert np.abs(out - stripes).max() > 3
    before, after = (np.abs(np.diff(rgb.astype(int), axis=1)) for rgb in (stripes, out))
    assert np.median(after) == pytest.approx(np.median(before), abs=2)


def test_a_piece_that_takes_the_whole_picture_is_the_whole_picture_bit_by_bit():
    rgb = torch.rand(1, 3, 50, 61) * 2 - 1
    network = generator()
    with torch.inference_mode():
        assert torch.equal(in_tiles(network, rgb, 61, 16), network(rgb))
    whole = LearnedRenderer(network).render(scene(), RNG)
    piece = LearnedRenderer(network, 1.0, TilingSettings(tile=80, overlap=16)).render(scene(), RNG)
    assert np.array_equal(whole, piece)


@given(
    height=st.integers(10, 90),
    width=st.integers(10, 90),
    tile=st.integers(16, 40),
    overlap=st.integers(0, 8),
)
def test_pieces_of_what_works_pixel_by_pixel_make_the_whole(height, width, tile, overlap):
    rgb = torch.rand(1, 3, height, width)
    assert torch.allclose(in_tiles(lambda x: 2 * x + 1, rgb, tile, overlap), 2 * rgb + 1, atol=1e-5)


def test_no_piece_is_larger_than_asked_for():
    shapes = []

    def translate(rgb):
        shapes.append(rgb.shape[-2:])
        return rgb

    in_tiles(translate, torch.zeros(1, 3, 100, 130), 48, 12)
    assert max(max(shape) for shape in shapes) == 48
    assert len(shapes) == 3 * 4


def test_with_instance_normalisation_pieces_differ_from_the_whole():
    # Each piece is normalised by its own statistics; without the norms they hardly differ.
    half_dark = torch.cat((torch.full((1, 3, 64, 64), -0.8), torch.rand(1, 3, 64, 64)), dim=3)
    network = generator(0.1)
    with torch.inference_mode():
        whole, tiled = network(half_dark), in_tiles(network, half_dark, 64, 16)
    assert (whole - tiled).abs().max() > 0.05


def test_seams_are_smooth_where_pieces_disagree():
    # The worst disagreement: every piece has another constant value.
    values = iter([0.0, 1.0, 0.2, 0.9])
    tiled = in_tiles(
        lambda rgb: torch.full_like(rgb, next(values)), torch.zeros(1, 3, 40, 148), 40, 4
    )
    steps = tiled[0, 0, 20].diff().abs()
    assert steps.max() <= 1 / 5 + 1e-6  # 4 shared px: five small steps instead of one
    assert tiled.unique().numel() > 4


def test_a_picture_above_the_limit_is_taken_in_pieces():
    sizes = []

    class Noting(Generator):
        def forward(self, rgb):
            sizes.append(rgb.shape[-2] * rgb.shape[-1])
            return super().forward(rgb)

    network = Noting(GeneratorSettings(width=2, blocks=1)).eval()
    limit = TilingSettings(overlap=4, max_pixels=1000)
    LearnedRenderer(network, 1.0, limit).render(scene(), RNG)
    assert len(sizes) > 1
    assert max(sizes) <= 1000
    sizes.clear()
    LearnedRenderer(network, 0.25, limit).render(scene(), RNG)
    assert sizes == [15 * 20]


def test_a_renderer_from_its_file_renders_the_same(tmp_path):
    renderer = LearnedRenderer(generator(upsampling="resize"), 0.5, TilingSettings(overlap=8))
    path = write_renderer(
        tmp_path / "r.pth", "learned", renderer.to_state(), {"supervision": "E", "split": "val"}
    )
    found = read_renderer(path)
    assert found.kind == "learned"
    assert found.origin == {"supervision": "E", "split": "val"}
    assert np.array_equal(found.renderer.render(scene(), RNG), renderer.render(scene(), RNG))


@pytest.mark.parametrize(
    "damage",
    [
        {"generator": {}},
        {"settings": {"width": 8, "blocks": 1}},
        {"settings": {"widht": 4}},
        {"scale": 0.0},
        {"scale": None},
        {"tiling": {"tile": -1}},
    ],
)
def test_a_damaged_state_is_one_line(damage, tmp_path):
    state = {**LearnedRenderer(generator()).to_state(), **damage}
    path = write_renderer(tmp_path / "r.pth", "learned", state, {})
    with pytest.raises(DataError, match=r"r.pth: a damaged renderer"):
        read_renderer(path)


def test_a_state_without_a_part_is_refused():
    state = LearnedRenderer(generator()).to_state()
    del state["scale"]
    with pytest.raises(KeyError):
        from_state(state)


def test_instance_norms_of_a_generator_hold_no_running_statistics():
    # They would make the result depend on what was rendered before.
    norms = [m for m in generator().modules() if isinstance(m, nn.InstanceNorm2d)]
    assert norms
    assert not any(norm.track_running_stats for norm in norms)
