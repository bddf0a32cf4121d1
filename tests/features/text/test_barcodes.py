import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.text.barcodes import BarcodeReader, codes_by_sku
from rpc.structures.gtin import gtin

CODE = "04006381333931"


def pack_with_code(degrees=0, width=200):
    """A grey picture with an EAN-13 in its middle, turned."""
    zxingcpp = pytest.importorskip("zxingcpp")
    code = zxingcpp.create_barcode(CODE[1:], zxingcpp.BarcodeFormat.EAN13)
    bars = np.array(zxingcpp.write_barcode_to_image(code, scale=2))
    bars = cv2.resize(bars, (width, width // 2), interpolation=cv2.INTER_AREA)
    grey = np.full((300, 300), 230, np.uint8)
    top, left = 150 - width // 4, 150 - width // 2
    grey[top : top + len(bars), left : left + width] = bars
    matrix = cv2.getRotationMatrix2D((150, 150), degrees, 1)
    grey = cv2.warpAffine(grey, matrix, (300, 300), flags=cv2.INTER_CUBIC, borderValue=230)
    return np.repeat(grey[:, :, None], 3, axis=2)


@pytest.mark.parametrize("degrees", [0, 25, 45, 90, 155, 180, 270])
def test_a_legible_code_is_read_in_any_direction(degrees):
    picture = pack_with_code(degrees)
    assert BarcodeReader()(picture) == (CODE,)


def test_a_code_too_small_to_read_is_no_code():
    picture = pack_with_code(width=60)
    assert BarcodeReader()(picture) == ()


def test_stripes_are_no_code():
    pytest.importorskip("zxingcpp")
    stripes = np.repeat((np.arange(300) // 3 % 2 * 200).astype(np.uint8)[None], 300, axis=0)
    assert BarcodeReader()(np.repeat(stripes[:, :, None], 3, axis=2)) == ()


def test_the_check_digit_decides():
    # GS1 General Specifications, section 7.9: 6291041500213 is its worked example.
    assert gtin("6291041500213") == "06291041500213"
    assert gtin("036000291452") == gtin("0036000291452") == "00036000291452"
    assert gtin("73513537") == "00000073513537"
    for no_code in (
        "6291041500214",
        "00000000",
        "629104150021",
        "12345",
        "",
        "tea",
        "６２９１０４１５００２１３",
    ):
        assert gtin(no_code) is None


@given(st.integers(1, 10**12 - 1))
def test_one_of_ten_last_digits_is_right(number):
    assert sum(gtin(f"{number:012d}{digit}") is not None for digit in range(10)) == 1


def test_a_code_of_two_skus_tells_neither():
    read = {"tea": [CODE], "mint tea": [CODE, "6291041500213"]}
    assert codes_by_sku(read, {}) == {"06291041500213": "mint tea"}


def test_a_name_that_is_a_code_is_its_code():
    assert codes_by_sku({}, {CODE[1:]: [CODE[1:], "Pens"]}) == {CODE: CODE[1:]}
