import threading
import time

import cv2
import numpy as np
import pytest

from rpc.camera import frames_of
from rpc.camera.frames import Frame, in_time, is_live, repeated
from rpc.camera.live import LiveSource, newest_frames
from rpc.data.files import DataError
from rpc.data.images import write_image


def write_video(path, frames=10, rate=5):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), rate, (64, 48))
    for number in range(frames):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    return path


def test_a_video_gives_all_frames_with_its_own_times(tmp_path):
    frames = list(frames_of(write_video(tmp_path / "a.avi")))
    np.testing.assert_allclose([one.time_s for one in frames], np.arange(10) / 5, atol=0.01)
    np.testing.assert_allclose([one.rgb.mean() for one in frames], 20 * np.arange(10), atol=4)


def test_colours_are_red_green_blue(tmp_path):
    writer = cv2.VideoWriter(str(tmp_path / "a.avi"), cv2.VideoWriter_fourcc(*"MJPG"), 5, (64, 48))
    writer.write(np.full((48, 64, 3), (200, 20, 20), np.uint8))  # blue
    writer.release()
    assert next(iter(frames_of(tmp_path / "a.avi"))).rgb.mean(axis=(0, 1)).argmax() == 2


def test_photos_of_a_folder_are_shown_in_their_order_and_as_long_as_told(tmp_path):
    for number in range(3):
        write_image(tmp_path / f"{number}.png", np.full((8, 8, 3), 50 * number, np.uint8))
    assert [one.time_s for one in frames_of(tmp_path)] == [0.0, 0.1, 0.2]
    held = [int(one.rgb[0, 0, 0]) for one in frames_of(tmp_path, hold_s=0.5)]
    median = [50] * 15  # the empty tray
    assert held == [*median, *[0] * 5, *median, *[50] * 5, *median, *[100] * 5]


def test_a_loop_starts_again_and_times_rise_on(tmp_path):
    frames = frames_of(write_video(tmp_path / "a.avi", frames=3), loop=True)
    times = [next(frames).time_s for _ in range(10)]
    assert (np.diff(times) > 0).all()
    assert list(repeated(lambda: iter([]), loop=False)) == []


def test_a_paced_source_waits_and_leaves_out_what_is_late():
    now, slept = [100.0], []

    def sleep(seconds):
        slept.append(seconds)
        now[0] += seconds

    frames = (Frame(number / 10, np.zeros((1, 1, 3), np.uint8)) for number in range(20))
    shown = []
    for frame in in_time(frames, lambda: now[0], sleep):
        shown.append(frame.time_s)
        if frame.time_s == 0.5:
            now[0] += 1.0  # a tray is counted
    assert shown[:6] == [number / 10 for number in range(6)]
    assert 1.3 <= shown[6] <= 1.4
    assert shown[-1] == pytest.approx(1.9)
    assert max(slept) <= 0.11


@pytest.mark.parametrize("source", ["none.mp4", "folder", "text.mp4", "empty.mp4"])
def test_what_shows_nothing_is_one_clear_line(tmp_path, source):
    (tmp_path / "folder").mkdir()
    (tmp_path / "text.mp4").write_text("no video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    with pytest.raises(DataError, match=source):
        next(frames_of(tmp_path / source))


def test_a_video_that_breaks_off_is_told_after_its_frames(tmp_path, monkeypatch):
    path = write_video(tmp_path / "a.avi")
    real = cv2.VideoCapture

    class Promises:  # of the real one: a subclass of OpenCV's own ends in a crash
        def __init__(self, name):
            self._file = real(name)

        def get(self, name):
            return 100.0 if name == cv2.CAP_PROP_FRAME_COUNT else self._file.get(name)

        def __getattr__(self, name):
            return getattr(self._file, name)

    monkeypatch.setattr(cv2, "VideoCapture", Promises)
    frames = frames_of(path)
    assert len([next(frames) for _ in range(10)]) == 10
    with pytest.raises(DataError, match=r"a\.avi: breaks off after 1\.8 s, 10 of 100 frames"):
        next(frames)


def test_live_sources_are_told_from_files():
    assert is_live(0)
    assert is_live("1")
    assert is_live("rtsp://host/a")
    assert not is_live("a.mp4")
    with pytest.raises(DataError, match="ftp://: expected rtsp"):
        frames_of("ftp://host/a.mp4")
    with pytest.raises(ValueError, match="hold_s"):
        frames_of(".", hold_s=-1)


def test_a_password_in_an_address_is_not_shown():
    source = LiveSource("rtsp://till:secret@10.0.0.7:554/one")
    assert source.shown == "rtsp://...@10.0.0.7:554/one"

    class Closed:
        def isOpened(self):
            return False

        def release(self):
            pass

    with pytest.raises(DataError, match="no answer") as error:
        next(newest_frames(source, Closed))
    assert "secret" not in str(error.value)


class Camera:
    """A camera that gives numbered frames when it is told to; some reads fail."""

    opened = 0

    def __init__(self, script):
        type(self).opened += 1
        self.script, self.released = script, False

    def isOpened(self):
        return True

    def read(self):
        return self.script()

    def release(self):
        self.released = True


def test_a_slow_reader_gets_the_newest_frame_and_no_backlog():
    number, lock = [0], threading.Lock()

    def script():
        time.sleep(0.002)
        with lock:
            number[0] += 1
            return True, np.full((2, 2, 3), min(number[0], 255), np.uint8)

    frames = newest_frames(LiveSource("0"), lambda: Camera(script))
    next(frames)
    time.sleep(0.1)
    with lock:
        newest = number[0]
    assert int(next(frames)[1][0, 0, 0]) >= min(newest, 255) - 1
    times = [next(frames)[0] for _ in range(3)]
    assert times == sorted(set(times))
    frames.close()


def test_a_stream_that_breaks_off_is_opened_again_and_given_up_in_the_end():
    reads = iter([True, False, True, False, *[False] * 1000])
    picture = np.zeros((2, 2, 3), np.uint8)
    clock = [0.0]

    def script():
        time.sleep(0.005)
        clock[0] += 1.0
        good = next(reads)
        return good, picture if good else None

    Camera.opened = 0
    source = LiveSource("rtsp://host/a", give_up_s=3.0)
    frames = newest_frames(source, lambda: Camera(script), lambda: clock[0])
    assert len([next(frames), next(frames)]) == 2
    assert Camera.opened >= 2
    with pytest.raises(DataError, match="no picture for 3 s"):
        next(frames)
