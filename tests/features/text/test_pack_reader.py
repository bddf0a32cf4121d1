import socket

import cv2
import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.features.text import pack_reader
from rpc.features.text.grams import words_of
from rpc.features.text.pack_reader import WordReader, laid_flat, reading_ways


@pytest.fixture(scope="module")
def reader():
    pytest.importorskip("rapidocr")
    refused = pytest.MonkeyPatch()

    def refuse(*_, **__):
        raise AssertionError("the reader asked for the network")

    refused.setattr(socket.socket, "connect", refuse)
    refused.setattr(socket, "getaddrinfo", refuse)
    yield WordReader()
    refused.undo()


def label(text, degrees=0.0):
    """A light picture with a dark line of text across its middle, turned about it."""
    picture = np.full((360, 360, 3), 235, np.uint8)
    size, base = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, 1.6, 4)
    at = (180 - size[0] // 2, 180 + size[1] // 2 - base // 2)
    cv2.putText(picture, text, at, cv2.FONT_HERSHEY_SIMPLEX, 1.6, (20, 30, 60), 4, cv2.LINE_AA)
    matrix = cv2.getRotationMatrix2D((180, 180), degrees, 1)
    return cv2.warpAffine(picture, matrix, (360, 360), borderValue=(235, 235, 235))


@pytest.mark.parametrize("degrees", [0, 90, 180, 270, 30, 135])
def test_text_is_read_in_whatever_direction_it_lies(reader, degrees):
    found = reader(label("CARAMEL", degrees))
    assert "caramel" in {word for one in found for word in words_of(one.text)}


def test_an_empty_or_tiny_picture_has_no_text(reader):
    assert reader(np.full((80, 60, 3), 120, np.uint8)) == ()
    assert reader(np.zeros((2, 50, 3), np.uint8)) == ()


def test_nothing_is_said_on_the_screen(reader, capfd):
    reader(label("LEMON"))
    reader(np.full((40, 40, 3), 120, np.uint8))
    assert capfd.readouterr() == ("", "")


def test_another_release_is_told(monkeypatch):
    pytest.importorskip("rapidocr")
    monkeypatch.setattr(pack_reader, "NETWORKS", {"Det": "renamed.onnx"})
    with pytest.raises(DataError, match=r"lacks the network renamed\.onnx"):
        WordReader()


def test_settings_out_of_range_are_refused():
    with pytest.raises(ValueError, match="1 thread"):
        WordReader(threads=0)


def test_laid_flat_turns_a_quadrilateral_upright():
    picture = np.zeros((60, 80, 3), np.uint8)
    picture[20:40, 30:70] = 200
    flat = laid_flat(picture, np.array([[30, 20], [70, 20], [70, 40], [30, 40]], np.float32))
    assert flat.shape == (20, 40, 3)
    assert flat[2:-2, 2:-2].min() == 200


@pytest.mark.parametrize(("shape", "ways"), [((10, 40), 2), ((40, 10), 2), ((30, 40), 4)])
def test_a_piece_is_read_along_its_length(shape, ways):
    views = reading_ways(np.zeros((*shape, 3), np.uint8))
    assert len(views) == ways
    if ways == 2:
        assert all(view.shape[1] > view.shape[0] for view in views)
