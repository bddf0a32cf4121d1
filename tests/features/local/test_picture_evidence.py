import numpy as np
import pytest

from rpc.features.local.picture_evidence import PictureEvidence, PictureSettings
from tests.features.local.packs import lying, pack

RED, BLUE, OTHER, BARE = 0, 1, 2, 3
SHELF = [
    [pack(label=(200, 30, 30))],
    [pack(label=(40, 60, 210))],
    [pack(family=5)],
    [np.full((200, 120, 3), 230, np.uint8)],
]
ALL = [RED, BLUE, OTHER, BARE]


def evidence(shelf=SHELF, **settings):
    photos = [len(one) for one in shelf]
    return PictureEvidence(shelf.__getitem__, photos, PictureSettings(**settings))


@pytest.mark.parametrize("degrees", [0, 70, 180])
@pytest.mark.parametrize("right", [RED, BLUE])
def test_the_labels_colour_tells_look_alikes_apart_in_any_direction_and_light(right, degrees):
    crop = lying(SHELF[right][0], degrees, light=(0.8, 0.75, 0.65))
    found = evidence().evidence(crop, ALL)
    assert found.argmax() == right
    assert found[1 - right] > found[OTHER]  # the print is the family's
    without = evidence(colour_strength=0.0).evidence(crop, ALL)
    gain = (found - without)[[right, 1 - right]]
    assert gain[0] - gain[1] > 0.5  # it was the colour


def test_an_emblem_tells_look_alikes_of_one_colour_apart():
    shelf = [[pack(emblem=1)], [pack(emblem=2)]]
    found = evidence(shelf, colour_strength=0.0).evidence(lying(shelf[1][0]), [0, 1])
    assert found[1] > found[0] + 0.2
    off = evidence(shelf, colour_strength=0.0, print_strength=0.0)
    assert not off.evidence(lying(shelf[1][0]), [0, 1]).any()


def test_skus_with_equal_pictures_cannot_be_told_apart():
    shelf = [SHELF[RED], SHELF[RED], SHELF[OTHER]]
    found = evidence(shelf).evidence(lying(SHELF[RED][0]), [0, 1, 2])
    assert found[0] == pytest.approx(found[1])
    assert found[0] > found[2]


def test_the_order_of_skus_changes_nothing():
    crop = lying(SHELF[BLUE][0])
    straight = evidence().evidence(crop, ALL)
    turned = evidence(SHELF[::-1]).evidence(crop, ALL[::-1])
    np.testing.assert_allclose(straight[:4][::-1], turned[:4])
    np.testing.assert_allclose(straight[4], turned[4])


def test_where_nothing_can_be_laid_there_is_no_evidence():
    plain = np.full((90, 60, 3), 128, np.uint8)
    assert evidence().evidence(plain, ALL).tolist() == [0.0] * 5
    assert evidence().evidence(lying(SHELF[RED][0]), [BARE]).tolist() == [0.0] * 5
    assert evidence([[]] * 4).evidence(lying(SHELF[RED][0]), ALL).tolist() == [0.0] * 5


def test_the_evidence_of_one_photo_is_bounded_and_of_more_photos_less_so():
    crop = lying(SHELF[RED][0])
    gaps = []
    for photos in (1, 8):
        shelf = [one * photos for one in SHELF]
        found = evidence(shelf, print_strength=9.0, colour_strength=9.0).evidence(crop, ALL)
        gaps.append(found[RED] - found[OTHER])
    assert gaps[0] == pytest.approx(np.log(11), abs=0.01)
    assert gaps[1] == pytest.approx(np.log(81), abs=0.01)


def test_pictures_are_prepared_once():
    asked = []

    def pictures_of(label):
        asked.append(label)
        return SHELF[label]

    compare = PictureEvidence(pictures_of, [1] * 4)
    for _ in range(2):
        compare.evidence(lying(SHELF[RED][0]), [RED, BLUE])
    assert asked == [RED, BLUE]


@pytest.mark.parametrize("wrong", [{"share": 1.0}, {"unseen": 0.0}, {"print_strength": -0.1}])
def test_settings_out_of_range_are_refused(wrong):
    with pytest.raises(ValueError, match="pictures"):
        PictureSettings(**wrong)
