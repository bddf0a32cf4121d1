"""A long job goes on where it stopped, and only with the settings that it began with."""

import pytest

from rpc.data import DataError, read_json

SETTINGS = {"minutes": 12.0, "scenes": 1600, "start": "none"}


@pytest.fixture(scope="module")
def journal():
    from rpc.runs import journal

    return journal


@pytest.fixture
def clock(journal, monkeypatch):
    """A clock that a step turns."""

    class Clock:
        now = 100.0

        def monotonic(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(journal, "time", clock)
    return clock


def test_a_step_that_is_done_is_not_done_again(journal, tmp_path):
    done = []
    for _ in range(2):
        steps = journal.StepJournal(tmp_path, SETTINGS)
        steps.run("scenes", lambda: done.append("scenes"))
        steps.run("train", lambda: done.append("train"))
    assert done == ["scenes", "train"]
    assert set(steps.seconds) == {"scenes", "train"}


def test_other_settings_are_refused_by_name_and_nothing_is_changed(journal, tmp_path):
    journal.StepJournal(tmp_path, SETTINGS).run("scenes", lambda: None)
    before = (tmp_path / journal.NAME).read_bytes()
    other = {"minutes": 3.0, "scenes": 1600, "single": True}
    with pytest.raises(DataError, match=r"other settings \(minutes: .*single: .*start: "):
        journal.StepJournal(tmp_path, other)
    assert (tmp_path / journal.NAME).read_bytes() == before


def test_seconds_add_up_over_an_interruption(journal, tmp_path, clock):
    def stopped():
        clock.now += 7.0
        raise KeyboardInterrupt

    def whole():
        clock.now += 5.0

    with pytest.raises(KeyboardInterrupt):
        journal.StepJournal(tmp_path, SETTINGS).run("train", stopped)
    assert journal.StepJournal(tmp_path, SETTINGS).seconds == {"train": 7.0}
    again = journal.StepJournal(tmp_path, SETTINGS)
    again.run("train", whole)
    again.run("train", lambda: pytest.fail("done twice"))
    assert again.seconds == {"train": 12.0}
    assert read_json(tmp_path / journal.NAME)["settings"] == SETTINGS


def test_a_step_that_fails_is_tried_again(journal, tmp_path):
    def fails():
        raise DataError("no room")

    steps = journal.StepJournal(tmp_path, SETTINGS)
    with pytest.raises(DataError, match="no room"):
        steps.run("scenes", fails)
    done = []
    journal.StepJournal(tmp_path, SETTINGS).run("scenes", lambda: done.append(1))
    assert done == [1]


def test_a_new_job_writes_nothing_before_its_first_step(journal, tmp_path):
    journal.StepJournal(tmp_path / "out", SETTINGS)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["{}", '{"settings": [], "steps": {}}', '{"settings": {}}'])
def test_a_file_that_is_no_journal_is_refused(journal, tmp_path, text):
    (tmp_path / journal.NAME).write_text(text)
    with pytest.raises(DataError, match="not the journal of a job"):
        journal.StepJournal(tmp_path, SETTINGS)
