import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rpc.data import DataError, Dataset, write_dataset
from rpc.metrics import checkout_metrics
from rpc.metrics.paired import holm, paired_test
from rpc.reporting.comparison.compare import compare_results, unique_names, write_comparison
from rpc.reporting.comparison.comparison_text import p_text
from rpc.reporting.evaluation.report_folder import read_report_folder
from tests.reporting.scored import report_of, spoil, write_folder, write_truth

COUNTS = ("cAcc", "ACD", "mCCD", "mCIoU")


@pytest.fixture
def shop(tmp_path):
    return write_truth(tmp_path / "gt.json")


@pytest.fixture
def scored(shop, tmp_path):
    """Read the folder of a result that misses a share of the items."""

    def make(name, share=0.2, seed=1, **changes):
        counts = spoil(shop, share, seed)
        return read_report_folder(write_folder(tmp_path / name, shop, counts, name, **changes))

    return make


def test_the_differences_are_those_of_the_metrics_and_the_tests_those_of_the_carts(shop, scored):
    found = compare_results([scored("a", 0.3), scored("b", 0.1, 2)], shop, resamples=20)
    assert list(found["levels"]) == ["easy", "medium", "hard", "averaged"]
    (entry,) = found["levels"]["averaged"]
    lists = [spoil(shop, 0.3, 1), spoil(shop, 0.1, 2)]
    a, b = (checkout_metrics(counts, shop.counts()) for counts in lists)
    for name in COUNTS:
        difference = entry["differences"][name]
        assert difference["value"] == pytest.approx(getattr(b, name) - getattr(a, name))
        assert difference["interval"][0] <= difference["value"] <= difference["interval"][1]
    assert entry["differences"]["mAP50"] == {"value": 0.0, "interval": None}
    assert entry["differences"]["mmAP"] is None
    test = paired_test(*lists, shop.counts())
    assert entry["carts"]["only_this_right"] == test.only_b > 0
    assert entry["carts"]["only_baseline_right"] == test.only_a
    assert entry["carts"]["p"] == {"cAcc": test.p_cAcc, "ACD": test.p_ACD}
    assert "p_holm" not in entry["carts"]
    assert found["ground_truth"]["images"] == 12
    assert (found["baseline"], found["mixed"], found["notes"]) == ("a", False, [])


def test_each_level_is_compared_on_its_own_images(shop, scored):
    found = compare_results([scored("a", 0.3), scored("b", 0.1, 2)], shop, resamples=5)
    rows = [row for row, level in enumerate(shop.levels()) if level == "hard"]
    lists = [spoil(shop, share, seed)[rows] for share, seed in ((0.3, 1), (0.1, 2))]
    test = paired_test(*lists, shop.counts()[rows])
    carts = found["levels"]["hard"][0]["carts"]
    assert carts["p"]["ACD"] == test.p_ACD
    names = ("both_right", "only_baseline_right", "only_this_right", "neither_right")
    assert [carts[name] for name in names] == [test.both, test.only_a, test.only_b, test.neither]


def test_several_results_have_their_p_values_adjusted(shop, scored):
    folders = [scored("a", 0.4), scored("b", 0.1, 2), scored("c", 0.05, 3), scored("d", 0.3, 4)]
    entries = compare_results(folders, shop, levels=["averaged"], resamples=5)["levels"]["averaged"]
    assert [entry["name"] for entry in entries] == ["b", "c", "d"]
    for name in ("cAcc", "ACD"):
        raw = [entry["carts"]["p"][name] for entry in entries]
        assert [entry["carts"]["p_holm"][name] for entry in entries] == holm(raw)


def test_a_result_against_itself_shows_no_difference(shop, scored):
    folder = scored("a")
    for entries in compare_results([folder, folder], shop, resamples=10)["levels"].values():
        (entry,) = entries
        assert entry["name"] == "a (a) #2"
        for name in COUNTS:
            assert entry["differences"][name] == {"value": 0, "interval": [0, 0]}
        assert entry["carts"]["p"] == {"cAcc": 1, "ACD": 1}


def test_swapping_two_results_flips_the_signs_and_keeps_the_p_values(shop, scored):
    a, b = scored("a", 0.3), scored("b", 0.1, 2)
    one, other = (compare_results(pair, shop, resamples=20)["levels"] for pair in ([a, b], [b, a]))
    for level in one:
        first, second = one[level][0], other[level][0]
        assert first["carts"]["p"] == second["carts"]["p"]
        assert first["carts"]["only_this_right"] == second["carts"]["only_baseline_right"]
        for name in COUNTS:
            there, back = first["differences"][name], second["differences"][name]
            assert there["value"] == -back["value"]
            assert there["interval"] == pytest.approx([-end for end in back["interval"][::-1]])


@settings(max_examples=25)
@given(st.randoms(use_true_random=False))
def test_the_order_of_the_images_changes_nothing(tmp_path_factory, random):
    root = tmp_path_factory.mktemp("orders")
    shop = write_truth(root / "gt.json")
    images = list(shop.images)
    random.shuffle(images)
    write_dataset(root / "mixed.json", Dataset(images, shop.annotations, shop.taxonomy))
    found = []
    for path in (root / "gt.json", root / "mixed.json"):
        dataset = Dataset(
            shop.images if path.stem == "gt" else tuple(images),
            shop.annotations, shop.taxonomy, path=path,
        )  # fmt: skip
        rows = [shop.images.index(image) for image in dataset.images]
        folders = [
            read_report_folder(
                write_folder(
                    root / f"{path.stem}{seed}", dataset, spoil(shop, 0.3, seed)[rows], "m"
                )
            )
            for seed in (1, 2)
        ]
        found.append(compare_results(folders, dataset, resamples=5)["levels"])
    for level, (entry,) in found[0].items():
        (other,) = found[1][level]
        assert entry["carts"] == other["carts"]
        for name in COUNTS:
            one, two = entry["differences"][name], other["differences"][name]
            assert one["value"] == pytest.approx(two["value"], abs=1e-12)
            assert one["interval"] == pytest.approx(two["interval"], abs=1e-12)


# --- what may be compared -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"supervision": "V"}, "supervision: a has 'E', b has 'V': their figures are not"),
        ({"protocol": "rpctool"}, "protocol: a has 'honest', b has 'rpctool'"),
    ],
)
def test_results_of_two_kinds_are_refused_unless_mixed(shop, scored, tmp_path, changes, message):
    folders = [scored("a"), scored("b", 0.1, **changes)]
    with pytest.raises(DataError, match=message):
        compare_results(folders, shop)
    found = compare_results(folders, shop, mix=True, resamples=5)
    assert found["mixed"]
    write_comparison(tmp_path / "out", found, folders)
    page = (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8")
    assert "not comparable as they stand" in page
    assert "| level | result | protocol | supervision |" in page
    assert "are not comparable" in (tmp_path / "out" / "table.md").read_text(encoding="utf-8")


def test_figures_of_the_official_tool_have_differences_but_no_tests(shop, scored, tmp_path):
    folders = [scored("a"), scored("b", 0.1, protocol="rpctool"), scored("c", 0.1, 5)]
    (tmp_path / "b" / "counts.json").unlink()
    found = compare_results(folders, shop, mix=True, resamples=5)
    official, honest = found["levels"]["averaged"]
    assert official["carts"] is None
    assert official["differences"]["cAcc"]["interval"] is None
    assert honest["carts"]["p"]["cAcc"] <= 1
    assert "p_holm" not in honest["carts"]
    assert "b was scored by the protocol rpctool" in found["notes"][0]
    write_comparison(tmp_path / "out", found, folders)
    both = [scored(name, protocol="rpctool") for name in ("d", "e")]
    assert compare_results(both, shop)["levels"]["averaged"][0]["carts"] is None


def test_another_ground_truth_is_always_refused(shop, scored, tmp_path):
    other = write_truth(tmp_path / "other.json", seed=5)
    stranger = read_report_folder(write_folder(tmp_path / "s", other, spoil(other, 0.1, 1), "s"))
    for mix in (False, True):
        with pytest.raises(
            DataError, match=r"s: was scored on another ground truth than .*gt\.json"
        ):
            compare_results([scored("a"), stranger], shop, mix=mix)


def test_counts_of_another_run_are_refused(shop, scored, tmp_path):
    folders = [scored("a"), scored("b", 0.1)]
    write_folder(tmp_path / "c", shop, spoil(shop, 0.9, 7))
    (tmp_path / "c" / "counts.json").replace(tmp_path / "b" / "counts.json")
    with pytest.raises(DataError, match=r"b.counts.json: gives cAcc .* are not of one run"):
        compare_results(folders, shop)
    (tmp_path / "b" / "counts.json").unlink()
    with pytest.raises(
        DataError, match=r"counts.json: no such file; run rpc-checkout evaluate again"
    ):
        compare_results(folders, shop)


def test_levels_must_be_in_all_results(shop, scored):
    whole = scored("a")
    counts = spoil(shop, 0.2, 1)
    rows = report_of(shop, counts)["levels"]
    part = scored("b", levels={name: rows[name] for name in ("easy", "averaged")})
    assert list(compare_results([whole, part], shop, resamples=5)["levels"]) == ["easy", "averaged"]
    with pytest.raises(DataError, match="levels: b has no row 'hard'; leave it out"):
        compare_results([whole, part], shop, levels=["hard"])
    with pytest.raises(DataError, match="got 'heavy'"):
        compare_results([whole, part], shop, levels=["heavy"])
    other = scored("c", levels={"hard": rows["hard"]})
    with pytest.raises(DataError, match="no row in common"):
        compare_results([part, other], shop)
    with pytest.raises(DataError, match="expected two results or more, got 1"):
        compare_results([whole], shop)


def test_names_are_told_apart_by_their_folders(shop, tmp_path):
    counts = spoil(shop, 0.2, 1)
    places = {"run1": "Syn", "run2": "Syn", "other/run2": "Syn", "plain": ""}
    folders = [
        read_report_folder(write_folder(tmp_path / place, shop, counts, method))
        for place, method in places.items()
    ]
    assert unique_names(folders) == ["Syn (run1)", "Syn (run2) #1", "Syn (run2) #2", "plain"]


def test_trays_that_pass_stand_beside_each_other_where_a_result_asks_at_all(shop, scored, tmp_path):
    rows = {
        level: {"images": 12, "passed": 6, "right": 5}
        for level in ("easy", "medium", "hard", "averaged")
    }
    folders = [scored("a", 0.4), scored("b", 0.05, 2, doubt={"levels": rows})]
    found = compare_results(folders, shop, resamples=5)
    assert [one["passing"] is None for one in found["results"]] == [True, False]
    write_comparison(tmp_path / "out", found, folders)
    page = (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8")
    assert "| averaged | b | 50.0 | 21.1 to 78.9 | 6 | 5 | 83.3 | 35.9 to 99.6 |" in page
    odd = scored("c", 0.05, 2, doubt={"levels": {**rows, "averaged": {"images": "many"}}})
    found = compare_results([folders[0], odd], shop, resamples=5)
    assert found["results"][1]["passing"] is None
    write_comparison(tmp_path / "out", found, [folders[0], odd])
    page = (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8")
    assert "pass with no question" not in page


# --- the files ------------------------------------------------------------------------------------


def test_the_files_hold_the_comparison(shop, scored, tmp_path):
    folders = [scored("a", 0.4), scored("b|<", 0.05, 2), scored("c", 0.4, 3)]
    found = compare_results(folders, shop, resamples=20)
    path = write_comparison(tmp_path / "out", found, folders)
    assert json.loads(path.read_text(encoding="utf-8")) == found
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "comparison.json", "comparison.md", "table.csv", "table.md", "table.tex",
    ]  # fmt: skip
    page = (path.parent / "comparison.md").read_text(encoding="utf-8")
    assert page.startswith("# Comparison with a\n")
    assert "Ground truth: gt.json, 12 images." in page
    assert "b\\|&lt;" in page
    assert "one run of each method" in page
    assert "Holm" in page
    entry = found["levels"]["averaged"][0]
    low, high = entry["differences"]["cAcc"]["interval"]
    value = entry["differences"]["cAcc"]["value"]
    assert f"{100 * value:+.1f} ({100 * low:+.1f} to {100 * high:+.1f})" in page
    rows = [line for line in page.splitlines() if line.startswith("| ")]
    assert all(line.endswith(" |") for line in rows)
    assert str(tmp_path) not in page + path.read_text(encoding="utf-8")


def test_two_results_are_not_adjusted_for_being_several(shop, scored, tmp_path):
    folders = [scored("a", 0.4), scored("b", 0.05, 2)]
    write_comparison(tmp_path / "out", compare_results(folders, shop, resamples=5), folders)
    assert "Holm" not in (tmp_path / "out" / "comparison.md").read_text(encoding="utf-8")


def test_p_values_are_printed_with_four_decimals():
    assert [p_text(p) for p in (1.0, 0.03125, 1e-4, 9e-5, None)] == [
        "1.0000", "0.0312", "0.0001", "< 0.0001", "-",
    ]  # fmt: skip
    assert np.isclose(float(p_text(0.05)), 0.05)
