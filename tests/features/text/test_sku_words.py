import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.text import installed
from rpc.features.text.sku_words import (
    SkuWords,
    sku_words_from_json,
    sku_words_to_json,
    words_of_texts,
)
from rpc.structures.readings import PackText, Reading

CODE = "04006381333931"
READING = st.builds(Reading, st.text(min_size=1, max_size=9), st.sampled_from([0, 0.25, 0.5, 1]))
TEXTS = st.lists(st.builds(PackText, st.lists(READING, max_size=3).map(tuple)), max_size=4)


def test_a_text_on_several_photos_is_kept_once_as_it_was_read_best():
    photos = [
        PackText((Reading("mint", 0.6),), (CODE,)),
        PackText((Reading("mint", 0.9), Reading("tea", 0.7)), (CODE,)),
        PackText(),
    ]
    words = words_of_texts(photos)
    assert words == SkuWords((Reading("mint", 0.9), Reading("tea", 0.7)), 3, (CODE,))


@given(TEXTS)
def test_the_order_of_photos_does_not_matter(texts):
    assert words_of_texts(texts) == words_of_texts(texts[::-1])


@given(st.lists(TEXTS, max_size=3))
def test_words_come_back_through_a_file(skus):
    words = [words_of_texts(texts) for texts in skus]
    values = json.loads(json.dumps(sku_words_to_json(words)))
    assert sku_words_from_json(values, len(words)) == tuple(words)


def test_another_number_of_skus_is_refused():
    with pytest.raises(ValueError, match="each of 3 SKUs, got 0 entries"):
        sku_words_from_json([], 3)


def test_a_missing_reader_is_a_line_with_the_command_that_installs_it(monkeypatch):
    monkeypatch.setattr(installed, "find_spec", lambda name: None)
    line = installed.missing_reader()
    assert "no rapidocr" in line
    assert line.endswith("pip install 'rpc-checkout[words]'")
    monkeypatch.setattr(installed, "find_spec", lambda name: name)
    assert installed.missing_reader() == ""
