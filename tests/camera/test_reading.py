import numpy as np
import pytest

from rpc.camera import Frame, TrayState, TrayWatcher, read_steps, read_trays
from rpc.camera.reading import frames_to_join
from rpc.checkout.receipt import make_receipt
from rpc.checkout.seen import named
from rpc.counting import CountingRule
from rpc.data.taxonomy import Category, Taxonomy
from tests.camera.test_watcher import RATE, TRAY, VISIT, empty, moving_hand, noisy, with_items

RULE = CountingRule(threshold=0.5, counts_by="item_score")
TAXONOMY = Taxonomy([Category(1, "tea"), Category(2, "soap")])


class FindsColours:
    """Counts red things as tea; keeps what it was shown."""

    def __init__(self):
        self.shown = []

    def look(self, photos):
        self.shown += photos
        return [self._one(photo.astype(int)) for photo in photos]

    def _one(self, photo):
        red = photo[..., 0] - photo[..., 2] > 100
        rows, columns = np.nonzero(red)
        if red.mean() < 0.005:
            return named(np.zeros((0, 4)), np.zeros(0), np.zeros((0, 3)))
        box = np.array([[columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]], float)
        return named(box, np.array([0.9]), np.array([[0.8, 0.1, 0.1]]))

    def receipt_of(self, seen, photo):
        return make_receipt(seen, RULE, TAXONOMY, photo)


def test_a_visit_is_one_reading_of_joined_frames_without_hands():
    counter = FindsColours()
    trays = list(read_trays(noisy(VISIT), counter))
    assert [(tray.visit, tray.again, tray.frames) for tray in trays] == [(1, False, 3)]
    (tray,) = trays
    assert tray.receipt.counts == {"tea": 1}
    assert tray.start_s == pytest.approx(1.7)
    assert 0.6 <= tray.read_s - tray.start_s <= 0.75
    assert np.abs(tray.rgb.astype(int) - TRAY).mean() < 4
    for photo in counter.shown[-3:]:  # before them, the empty tray was looked at
        assert np.abs(photo.astype(int) - TRAY).mean() < 4


def test_the_steps_tell_every_frame_and_the_list_with_the_state_read():
    steps = list(read_steps(noisy(VISIT), FindsColours()))
    assert [step.frame.time_s for step in steps] == [number / RATE for number in range(len(VISIT))]
    read = [step for step in steps if step.tray is not None]
    assert [step.watch.state for step in read] == [TrayState.READ]
    assert steps[8].watch.state is TrayState.EMPTY  # learnt from the counter


def test_a_tray_that_somebody_changes_is_read_again_under_its_number():
    more = with_items((60, 40), (100, 70), (20, 85))
    pictures = [empty()] * 10 + moving_hand(TRAY) + [TRAY] * 10 + moving_hand(more) + [more] * 10
    trays = list(read_trays(noisy(pictures), FindsColours()))
    assert [(tray.visit, tray.again) for tray in trays] == [(1, False), (1, True)]


def test_the_next_customer_has_the_next_number_even_where_the_tray_looks_otherwise_when_empty():
    worn = empty()
    worn[60:120, 180:260] = 120  # a stain that is there from then on
    pictures = VISIT[:32] + moving_hand(worn) + [worn] * 25 + VISIT[12:32]
    steps = list(read_steps(noisy(pictures), FindsColours(), TrayWatcher()))
    assert [step.tray.visit for step in steps if step.tray] == [1, 2]
    assert TrayState.LEFT in {step.watch.state for step in steps}


def test_frames_at_the_ends_of_stillness_are_not_joined():
    assert frames_to_join(8, 3) == [1, 3, 6]
    assert frames_to_join(8, 1) == [6]
    assert [frames_to_join(count, 3) for count in (1, 2, 3, 4)] == [[0], [1], [1], [1, 2]]


def test_no_frame_to_join_is_refused_and_a_source_without_frames_reads_nothing():
    with pytest.raises(ValueError, match="1 frame or more"):
        next(read_trays([Frame(0.0, empty())], FindsColours(), joined=0))
    assert list(read_steps([], FindsColours())) == []
