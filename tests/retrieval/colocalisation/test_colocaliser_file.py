import numpy as np
import pytest

from rpc.data.files import DataError
from rpc.retrieval.colocalisation.colocalise import Colocaliser
from rpc.retrieval.colocalisation.colocaliser_file import read_colocaliser, write_colocaliser
from tests.retrieval.injected import injected_set


@pytest.fixture
def learned():
    maps, _ = injected_set(4)
    return Colocaliser.fit([[m, 2 * m] for m in maps])


def test_what_is_written_is_read_back_equal(learned, tmp_path):
    back, digest = read_colocaliser(write_colocaliser(tmp_path / "a" / "1.npz", learned, "abc"))
    assert digest == "abc"
    for one, other in zip(back.axes, learned.axes, strict=True):
        np.testing.assert_array_equal(one.mean, other.mean)
        np.testing.assert_array_equal(one.axis, other.axis)
        assert (one.variance, one.share) == (other.variance, other.share)
        assert (one.skewness, one.border_gap) == (other.skewness, other.border_gap)
        assert one.rule == other.rule == "skewness and border gap"


def test_a_file_that_names_no_rule_is_of_skewness_with_a_gap_in_units_of_the_map(learned, tmp_path):
    path = write_colocaliser(tmp_path / "1.npz", learned)
    content = {k: v for k, v in dict(np.load(path)).items() if not k.startswith("rule")}
    content["numbers_0"] = np.array([4.0, 0.5, 1.5, -3.0])
    np.savez(path, **content)
    axis = read_colocaliser(path)[0].axes[0]
    assert (axis.rule, axis.skewness, axis.border_gap) == ("skewness", 1.5, -1.5)
    assert axis.signs_disagree


@pytest.mark.parametrize("rule", [np.array("a coin"), np.array(3), np.array(["skewness"] * 2)])
def test_a_rule_that_is_none_is_refused(learned, tmp_path, rule):
    path = write_colocaliser(tmp_path / "1.npz", learned)
    np.savez(path, **{**dict(np.load(path)), "rule_1": rule})
    with pytest.raises(DataError, match="which is no rule"):
        read_colocaliser(path)


def test_every_kind_of_damage_is_one_clear_line(learned, tmp_path):
    path = write_colocaliser(tmp_path / "1.npz", learned)
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"1\.npz: damaged"):
            read_colocaliser(path)
    np.save(tmp_path / "lone.npy", np.ones(3))
    with pytest.raises(DataError, match="damaged"):
        read_colocaliser(tmp_path / "lone.npy")
    with pytest.raises(DataError, match="no such file"):
        read_colocaliser(tmp_path / "none.npz")


def test_a_pickle_is_not_executed(tmp_path):
    path = tmp_path / "1.npz"
    np.savez(path, version=np.array([{"a": 1}], dtype=object))
    with pytest.raises(DataError, match="damaged"):
        read_colocaliser(path)


def test_axes_that_are_not_finite_and_other_versions_are_refused(learned, tmp_path):
    path = write_colocaliser(tmp_path / "1.npz", learned)
    content = dict(np.load(path))
    np.savez(path, **{**content, "axis_1": content["axis_1"] * np.nan})
    with pytest.raises(DataError, match="finite numbers"):
        read_colocaliser(path)
    np.savez(path, **{**content, "version": np.array(2)})
    with pytest.raises(DataError, match="version 2, expected 1"):
        read_colocaliser(path)
