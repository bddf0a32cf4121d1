import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.features.text.sku_words import SkuWords
from rpc.features.text.word_evidence import EvidenceSettings, WordEvidence, with_evidence
from rpc.structures.readings import Reading

FAMILY = ("Fizzo Cherry", "Fizzo Orange", "Fizzo Lemon", "Bavella Tea")
TEXT = st.text("abcdehiorz 奥利", min_size=1, max_size=12)


def words(*texts, photos=8, sure=1.0):
    return SkuWords(tuple(Reading(text, sure) for text in texts), photos)


def store(photos=8):
    return WordEvidence([words(name, photos=photos) for name in FAMILY])


def read(*texts, sure=1.0):
    return [Reading(text, sure) for text in texts]


def test_the_flavours_word_tells_within_the_family():
    evidence = store().evidence(read("CHERRY"))
    assert evidence.argmax() == 0
    assert evidence[0] - evidence[1] > 2
    np.testing.assert_allclose(evidence[1:3], evidence[1])


def test_the_brand_of_a_family_tells_nothing_within_it_but_tells_the_family():
    evidence = store().evidence(read("FIZZO"))
    np.testing.assert_allclose(evidence[:3], evidence[0])
    assert evidence[0] > evidence[3]


def test_a_misread_letter_still_tells():
    evidence = store().evidence(read("0RAN6E"))
    assert evidence.argmax() == 1


def test_an_unsure_reading_tells_less():
    sure, unsure = (store().evidence(read("LEMON", sure=c)) for c in (0.9, 0.2))
    assert sure[2] - sure[0] > unsure[2] - unsure[0] > 0


@pytest.mark.parametrize("texts", [(), ("xxqq",), ("?!",)])
def test_nothing_read_and_nothing_known_are_no_evidence(texts):
    assert not store().evidence(read(*texts)).any()


def test_a_word_on_no_pack_takes_nothing_from_anyone():
    both = store().evidence(read("cherry", "qwxqz"))
    np.testing.assert_array_equal(both, store().evidence(read("cherry")))


def test_few_photos_bound_what_words_can_say():
    # By hand for n = 1, q = 0.1 and a large x: (c + (1 - c) q) / ((1 - c) q) = 0.55 / 0.05.
    long = "cherry flavoured sparkling drink with vitamins and natural aroma"
    one = WordEvidence([words(long, photos=1), words("tea", photos=1), words("soap", photos=1)])
    evidence = one.evidence(read(long))
    assert evidence[0] - evidence[1] == pytest.approx(np.log(0.55 / 0.05), abs=1e-6)
    many = WordEvidence([words(long, photos=24), words("tea", photos=24)]).evidence(read(long))
    assert many[0] - many[1] > evidence[0] - evidence[1] + 2


def test_a_sku_whose_photos_were_never_read_is_as_likely_as_an_unknown_product():
    evidence = WordEvidence([words("cherry"), SkuWords(), words("tea")]).evidence(read("cherry"))
    assert evidence[1] == evidence[3]
    assert evidence[2] < evidence[1] < evidence[0]


@given(st.lists(st.lists(TEXT, max_size=3), min_size=1, max_size=5), st.lists(TEXT, max_size=4))
def test_the_order_of_skus_only_orders_the_evidence(skus, texts):
    made = [words(*some) for some in skus]
    there = WordEvidence(made).evidence(read(*texts))
    back = WordEvidence(made[::-1]).evidence(read(*texts))
    np.testing.assert_allclose(there[:-1], back[:-1][::-1], atol=1e-9)
    assert there[-1] == pytest.approx(back[-1])
    assert np.isfinite(there).all()


def test_evidence_multiplies_probabilities():
    before = np.array([[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    evidence = np.log([[1.0, 4.0, 1.0], [1.0, 1.0, 1.0]])
    after = with_evidence(before, evidence)
    np.testing.assert_allclose(after[0], np.array([0.5, 1.2, 0.2]) / 1.9)
    np.testing.assert_array_equal(after[1], before[1])  # no evidence, no change


def test_evidence_for_the_impossible_leaves_it_impossible():
    before = np.array([[1.0, 0.0, 0.0]])
    np.testing.assert_array_equal(with_evidence(before, np.array([[-800.0, 0.0, 0.0]])), before)
    assert with_evidence(np.zeros((0, 3)), np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("wrong", [{"strength": 0}, {"share": 1}, {"unseen": 0}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="expected"):
        EvidenceSettings(**wrong)


def test_words_without_a_photo_are_refused():
    with pytest.raises(ValueError, match="number of photos"):
        SkuWords((Reading("tea"),), 0)
