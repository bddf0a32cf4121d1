import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.data.video import VideoFrames, spread


def write_video(path, frames=12, size=(64, 48)):
    """A grey video that gets brighter by 20 a frame."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, size)
    for number in range(frames):
        writer.write(np.full((size[1], size[0], 3), 20 * number, np.uint8))
    writer.release()
    return path


def test_frames_are_spread_evenly_and_can_be_read_twice(tmp_path):
    frames = VideoFrames.open(write_video(tmp_path / "a.avi"), most=4)
    assert frames.numbers == (0, 4, 7, 11)
    assert frames.rate == 10
    for _ in range(2):
        values = [frame.mean() for frame in frames]
        np.testing.assert_allclose(values, [0, 80, 140, 220], atol=4)


def test_a_short_video_gives_all_its_frames(tmp_path):
    frames = VideoFrames.open(write_video(tmp_path / "a.avi", frames=3), most=60)
    assert len(frames) == len(list(frames)) == 3
    assert next(iter(frames)).shape == (48, 64, 3)


def test_what_is_no_video_is_one_clear_line(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        VideoFrames.open(tmp_path / "none.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(DataError, match=r"text\.mp4: not a video"):
        VideoFrames.open(tmp_path / "text.mp4")


@given(count=st.integers(1, 500), most=st.integers(1, 80))
def test_chosen_numbers_rise_and_reach_both_ends(count, most):
    numbers = spread(count, most)
    assert len(numbers) == min(count, most)
    assert numbers == sorted(set(numbers))
    if most > 1:
        assert (numbers[0], numbers[-1]) == (0, count - 1)
