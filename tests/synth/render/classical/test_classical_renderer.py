"""A classical renderer finds an injected camera, and brings held-out scenes closer to it."""

import cv2
import numpy as np
import pytest
import torch

from rpc.data.files import DataError
from synth.render.apply.renderer import read_renderer, write_renderer
from synth.render.classical.camera_statistics import measure_camera
from synth.render.classical.classical_renderer import ClassicalRenderer, from_state
from synth.render.classical.look import Look
from synth.render.gate.image_gate import judge
from tests.synth.render.drawn_trays import tray

GAINS = np.array([0.85, 0.75, 0.62])  # dim and warm
BLUR, NOISE, VIGNETTE = 1.0, 3.0, -0.3


def camera(rgb, seed):
    """A known camera, a little different for each photo."""
    rng = np.random.default_rng([9, seed])
    soft = cv2.GaussianBlur(rgb, (0, 0), BLUR).astype(float)
    y, x = np.mgrid[-1 : 1 : rgb.shape[0] * 1j, -1 : 1 : rgb.shape[1] * 1j]
    light = np.exp(VIGNETTE * (x * x + y * y) / 2)[..., None]
    out = soft * GAINS * rng.normal(1, 0.02) * light + rng.normal(0, NOISE, rgb.shape)
    return out.round().clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def fitted():
    """Fitted on trays 0 to 7 and photos of other trays; 30 and above are held out."""
    scenes = [tray(seed, 5)[0] for seed in range(6)]
    photos = [camera(tray(seed, 5)[0], seed) for seed in range(10, 16)]
    return ClassicalRenderer.fit(scenes, photos)


def statistics(images):
    rows = [measure_camera(image)[0] for image in images]
    return {
        "board": np.median([row.board.colour for row in rows], axis=0),
        "vignette": np.median([row.board.light[2] for row in rows]),
        "items": np.median([row.items.colour for row in rows], axis=0),
        "blur": np.median([row.blur for row in rows]),
        "noise": np.median([np.sqrt(row.grain.variance(130.0)) for row in rows]),
    }


@pytest.fixture(scope="module")
def held_out(fitted):
    """Statistics of held-out scenes, of what the camera makes of them, and of the renderer's."""
    scenes = [tray(seed, 5)[0] for seed in range(30, 36)]
    truth = [camera(scene, 100 + seed) for seed, scene in enumerate(scenes)]
    rendered = [
        fitted.render(scene, np.random.default_rng([1, seed])) for seed, scene in enumerate(scenes)
    ]
    return [statistics(images) for images in (scenes, truth, rendered)]


@pytest.mark.parametrize(
    ("name", "tolerance"),
    [("board", 0.05), ("vignette", 0.06), ("items", 0.12), ("blur", 0.25), ("noise", 0.8)],
)
def test_held_out_scenes_come_to_the_cameras_statistics(held_out, name, tolerance):
    before, truth, after = (np.asarray(found[name]) for found in held_out)
    assert np.abs(after - truth).max() < tolerance
    assert np.abs(after - truth).max() < 0.5 * np.abs(before - truth).max()


def test_the_known_white_balance_is_what_products_get(fitted):
    rgb, masks, _ = tray(40, 6)
    out = fitted.render(rgb, np.random.default_rng(3))
    inner = cv2.erode(np.any(masks, axis=0).astype(np.uint8), np.ones((9, 9))) > 0
    gain = np.log(out[inner].mean(axis=0) / rgb[inner].mean(axis=0))
    want = np.log(GAINS)
    assert gain - gain.mean() == pytest.approx(want - want.mean(), abs=0.06)


def test_scenes_of_many_cameras_come_out_as_one(fitted):
    rng = np.random.default_rng(5)
    scenes = [
        (tray(50 + n, 5)[0] * rng.uniform(0.6, 1.2, 3)).clip(0, 255).astype(np.uint8)
        for n in range(6)
    ]
    before = [measure_camera(scene)[0].board.colour for scene in scenes]
    after = [
        measure_camera(fitted.render(scene, np.random.default_rng(n)))[0].board.colour
        for n, scene in enumerate(scenes)
    ]
    assert np.std(after, axis=0).max() < 0.3 * np.std(before, axis=0).max()


def test_the_renderer_passes_the_gate(fitted):
    for seed in (60, 61, 62):
        rgb, masks, _ = tray(seed, 6)
        assert judge(rgb, fitted.render(rgb, np.random.default_rng(seed)), masks).faulty == []


def test_look_alikes_that_differ_by_colour_still_do(fitted):
    rgb, masks, _ = tray(41, 2)
    rgb[masks[0]], rgb[masks[1]] = (180, 90, 40), (150, 60, 40)
    out = fitted.render(rgb, np.random.default_rng(0))
    inner = [cv2.erode(mask.astype(np.uint8), np.ones((9, 9))) > 0 for mask in masks]
    apart = np.abs(out[inner[0]].mean(axis=0) - out[inner[1]].mean(axis=0))
    assert apart.max() > 0.5 * 30 * GAINS.min()


def test_the_same_chance_gives_the_same_image_and_another_another(fitted):
    rgb = tray(42, 4)[0]
    one, same, other = (fitted.render(rgb, np.random.default_rng(n)) for n in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_a_renderer_comes_back_from_its_file(fitted, tmp_path):
    path = write_renderer(tmp_path / "r.pth", "classical", fitted.to_state(), {"split": "val"})
    back = read_renderer(path)
    rgb = tray(43, 4)[0]
    assert back.origin == {"split": "val"}
    assert np.array_equal(
        back.renderer.render(rgb, np.random.default_rng(0)),
        fitted.render(rgb, np.random.default_rng(0)),
    )


def test_a_damaged_state_is_refused_in_one_line(fitted, tmp_path):
    state = fitted.to_state() | {"photos": torch.zeros(3, 5)}
    path = write_renderer(tmp_path / "r.pth", "classical", state, {})
    with pytest.raises(DataError, match=r"r\.pth: a damaged renderer: photos: expected"):
        read_renderer(path)
    with pytest.raises(KeyError):
        from_state({})


def test_photos_without_compression_ask_for_none_and_blocky_ones_for_some():
    def jpeg(rgb, quality):
        data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1].copy()

    scenes = [tray(seed, 5)[0] for seed in range(3)]
    photos = [cv2.GaussianBlur(tray(seed, 5)[0], (0, 0), 0.8) for seed in range(10, 13)]
    blocky = ClassicalRenderer.fit(scenes, [jpeg(photo, 40) for photo in photos])
    assert ClassicalRenderer.fit(scenes, photos).quality is None
    assert blocky.quality is not None
    assert blocky.quality == pytest.approx(40, abs=20)


def test_images_that_tell_nothing_are_rendered_all_the_same(fitted):
    for value in (0, 128, 255):
        plain = np.full((40, 50, 3), value, np.uint8)
        assert fitted.render(plain, np.random.default_rng(0)).shape == plain.shape
    empty = ClassicalRenderer.fit([plain], [plain])
    assert empty.render(tray(0, 3)[0], np.random.default_rng(0)).shape == (320, 320, 3)


def test_a_change_of_look_is_bounded():
    much = Look((5.0, -5.0, 5.0), 9.0, 9.0).then(Look((5.0, -5.0, 5.0), 9.0, 9.0))
    assert max(abs(value) for value in much.shift) <= 0.5
    assert much.contrast <= 1.5
    assert much.saturation <= 1.5
    assert Look.from_dict(much.to_dict()) == much


def test_a_fit_without_photos_or_scenes_is_refused():
    with pytest.raises(DataError, match="expected scenes and photos"):
        ClassicalRenderer.fit([tray(0, 2)[0]], [])


def test_photos_on_many_boards_leave_the_board_as_it_is():
    boards = [(60, 40, 30), (200, 190, 170), (90, 130, 60), (180, 120, 60), (230, 230, 235)]
    photos = [tray(seed, 4, board)[0] for seed, board in enumerate(boards)]
    rows = np.stack([measure_camera(photo)[0].to_row() for photo in photos])
    many, one = ClassicalRenderer(rows), ClassicalRenderer(rows[:1])
    assert (many.one_board, one.one_board) == (False, True)
    rgb, masks, _ = tray(44, 5)
    board = ~cv2.dilate(np.any(masks, axis=0).astype(np.uint8), np.ones((9, 9))).astype(bool)
    items = cv2.erode(np.any(masks, axis=0).astype(np.uint8), np.ones((9, 9))).astype(bool)
    rng = np.random.default_rng(1)

    def gain(renderer, where):
        out = renderer.render(rgb, rng)
        return np.log(out[where].mean(axis=0) / rgb[where].mean(axis=0))

    assert gain(many, board) == pytest.approx(gain(many, items), abs=0.6)  # the same camera
    assert np.ptp(gain(many, board)) < 0.15  # no other colour
    assert np.exp(gain(one, board)) * rgb[board].mean(axis=0) == pytest.approx(boards[0], abs=6)
