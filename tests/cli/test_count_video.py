"""`rpc-checkout count` of a video; the counter is a small one that knows red things."""

import json

import cv2
import numpy as np
import pytest

from rpc.cli import count
from rpc.data.files import DataError
from rpc.reporting import is_counts_list
from tests.camera.test_reading import FindsColours
from tests.camera.test_watcher import RATE, TRAY, VISIT, empty, moving_hand, noisy, with_items


@pytest.fixture(autouse=True)
def _small_counter(monkeypatch):
    monkeypatch.setattr(count, "_counter", lambda args: FindsColours())


def write_video(path, pictures):
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), RATE, (320, 240))
    for frame in noisy(pictures):
        writer.write(np.ascontiguousarray(frame.rgb[..., ::-1]))
    writer.release()
    return path


def test_a_video_gives_lists_with_times_pictures_and_counts(tmp_path, capsys):
    more = with_items((60, 40), (100, 70), (20, 85))
    changed = [*VISIT[:32], *moving_hand(more), *[more] * 12, *moving_hand(empty()), *[empty()] * 9]
    video, out = write_video(tmp_path / "till.avi", VISIT + changed[12:]), tmp_path / "out"
    assert count.main([str(video), "--out", str(out)]) == 0
    lines = [json.loads(line) for line in (out / "trays.jsonl").read_text().splitlines()]
    assert [(one["visit"], one["again"]) for one in lines] == [(1, False), (2, False), (2, True)]
    assert lines[0]["start_s"] == pytest.approx(1.7, abs=0.11)
    assert lines[0]["read_s"] == pytest.approx(2.4, abs=0.21)
    assert lines[0]["at"] is None
    for line in lines:
        assert line["counts"] == {"tea": 1}
        assert (out / line["picture"]).is_file()
        assert json.loads((out / line["list"]).read_text())["visit"] == line["visit"]
    counts = json.loads((out / "counts.json").read_text())
    assert is_counts_list(counts)
    assert [one["file_name"] for one in counts] == [
        "till_0001_counted.jpg",
        "till_0003_counted.jpg",
    ]
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("0:02.")
    assert "2 trays in 3 readings, 2 items" in told[-3]


def test_a_video_without_a_still_tray_is_one_line(tmp_path):
    video = write_video(tmp_path / "hands.avi", [empty()] * 5 + moving_hand(TRAY) * 3)
    with pytest.raises(DataError, match=r"hands\.avi: shows no still tray"):
        count.main([str(video), "--out", str(tmp_path / "out")])


def test_what_was_read_before_somebody_stops_is_kept(tmp_path, monkeypatch, capsys):
    class Stops(FindsColours):
        def look(self, photos):
            if len(self.shown) > 5:
                raise KeyboardInterrupt
            return super().look(photos)

    monkeypatch.setattr(count, "_counter", lambda args: Stops())
    video, out = write_video(tmp_path / "till.avi", VISIT * 2), tmp_path / "out"
    assert count.main([str(video), "--out", str(out)]) == 130
    assert len((out / "trays.jsonl").read_text().splitlines()) == 1
    assert len(json.loads((out / "counts.json").read_text())) == 1
    told = capsys.readouterr()
    assert "1 trays in 1 readings" in told.out
    assert "what was read is kept" in told.err


def test_only_a_region_is_watched_and_photos_have_none(tmp_path):
    beside = [picture.copy() for picture in VISIT]
    for number, picture in enumerate(beside):
        picture[:, 300:] = 255 * (number % 2)  # somebody moves beside the tray
    video, out = write_video(tmp_path / "till.avi", beside), tmp_path / "out"
    with pytest.raises(DataError, match="no still tray"):
        count.main([str(video), "--out", str(out)])
    assert count.main([str(video), "--out", str(out), "--region", "0", "0", "0.9", "1"]) == 0
    photo = tmp_path / "photo.png"
    cv2.imwrite(str(photo), TRAY)
    with pytest.raises(DataError, match="--region: expected a video"):
        count.main([str(photo), "--region", "0", "0", "1", "1"])


@pytest.mark.parametrize("source", ["ftp://host/a", "99"])
def test_a_source_that_is_none_is_told_before_a_model_is_loaded(tmp_path, monkeypatch, source):
    monkeypatch.setattr(count, "_counter", lambda args: pytest.fail("a model was loaded"))
    with pytest.raises(DataError):
        count.main([source, "--out", str(tmp_path / "out")])
    assert not (tmp_path / "out").exists()
