import numpy as np
import pytest

from rpc.retrieval.descriptors.extraction import PART, Described, describe_all


def _describer(seen):
    def describe(path):
        seen.append(path.name)
        number = float(path.name)
        return Described({"a": np.array([number, 1]), "b": np.array([-number])}, {"a": 0.5})

    return describe


def _photos(tmp_path, count):
    return [tmp_path / str(number) for number in range(count)]


def test_vectors_come_in_the_order_of_the_photos(tmp_path):
    told = []
    photos = _photos(tmp_path, PART + 3)
    found = describe_all(photos, _describer([]), tmp_path / "d", lambda *at: told.append(at))
    np.testing.assert_array_equal(found.vectors["a"][:, 0], np.arange(PART + 3))
    assert found.vectors["b"].shape == (PART + 3, 1)
    assert found.seconds == {"a": (PART + 3) / 2}
    assert told[-1] == (PART + 3, PART + 3)


def test_after_a_stop_only_the_unfinished_part_is_done_again(tmp_path):
    photos, seen = _photos(tmp_path, 2 * PART + 5), []
    describe = _describer(seen)

    def stops(path):
        if path.name == str(PART + 7):
            raise KeyboardInterrupt
        return describe(path)

    with pytest.raises(KeyboardInterrupt):
        describe_all(photos, stops, tmp_path / "d")
    seen.clear()
    again = describe_all(photos, describe, tmp_path / "d")
    assert seen[0] == str(PART)
    assert again.vectors["a"][:, 0].tolist() == list(range(2 * PART + 5))
    assert again.seconds["a"] == len(photos) / 2


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 cut short", b"something else"])
def test_a_damaged_part_is_made_again(tmp_path, damage):
    photos, seen = _photos(tmp_path, 3), []
    first = describe_all(photos, _describer(seen), tmp_path / "d")
    (tmp_path / "d" / "part_000000.npz").write_bytes(damage)
    second = describe_all(photos, _describer(seen), tmp_path / "d")
    np.testing.assert_array_equal(first.vectors["a"], second.vectors["a"])
    assert len(seen) == 6


def test_a_part_of_another_number_of_photos_is_made_again(tmp_path):
    describe_all(_photos(tmp_path, 3), _describer([]), tmp_path / "d")
    found = describe_all(_photos(tmp_path, 4), _describer([]), tmp_path / "d")
    assert len(found.vectors["b"]) == 4


def test_no_photo_is_refused(tmp_path):
    with pytest.raises(ValueError, match="no photo"):
        describe_all([], _describer([]), tmp_path)
