"""A folder with a run in it: the same settings go on, others are named with both values."""

from pathlib import Path

import pytest

from rpc.data.files import DataError
from rpc.runs.run_folder import require_same_settings

FOLDER = Path("out")
SETTINGS = {"seed": 0, "side": (512, 512), "training": {"lr": 0.1, "steps": [(1, 2)]}}


def test_the_same_settings_go_on_also_when_read_back_from_json():
    read = {"training": {"steps": [[1, 2]], "lr": 0.1}, "side": [512, 512], "seed": 0}
    require_same_settings(FOLDER, read, SETTINGS)
    require_same_settings(FOLDER, SETTINGS, read)


def test_what_changed_is_named_with_both_values():
    with pytest.raises(DataError) as error:
        require_same_settings(FOLDER, SETTINGS, {**SETTINGS, "seed": 5})
    assert str(error.value) == (
        "out: made with other settings (seed: 0 then, 5 now); choose another folder or delete "
        "this one"
    )


def test_a_nested_setting_has_a_dotted_name_and_long_values_are_shortened():
    now = {**SETTINGS, "training": {"lr": "x" * 200, "steps": [[1, 2]]}}
    with pytest.raises(DataError, match=r"\(training\.lr: 0\.1 then, 'x{56}\.\.\. now\)"):
        require_same_settings(FOLDER, SETTINGS, now)


def test_all_that_changed_is_named():
    now = dict.fromkeys("abcde", 1)
    with pytest.raises(DataError, match=r"c: None then, 1 now; also d, e\)"):
        require_same_settings(FOLDER, {}, now)


def test_a_setting_that_is_gone_counts_as_changed_unless_it_is_free():
    now = {name: value for name, value in SETTINGS.items() if name != "training"}
    with pytest.raises(DataError, match=r"\(training: \{'lr': 0\.1, .* then, None now"):
        require_same_settings(FOLDER, SETTINGS, now)
    require_same_settings(FOLDER, SETTINGS, now, free={"training"})
