from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.data.levels import LEVEL_RULES, LEVELS, LevelRule
from synth.compose.config import SceneConfig
from synth.compose.layout import draw_counts, draw_layout


@given(st.integers(0, 10**9), st.sampled_from(LEVELS), st.integers(1, 30))
def test_counts_keep_to_the_rule_or_to_the_store(seed: int, level: str, store: int) -> None:
    rule = LEVEL_RULES[level]
    num_skus, num_items = draw_counts(np.random.default_rng(seed), rule, store)
    assert min(rule.skus[0], store) <= num_skus <= min(rule.skus[1], store)
    assert max(rule.items[0], num_skus) <= num_items <= rule.items[1]


def test_there_are_never_more_skus_than_items() -> None:
    num_skus, num_items = draw_counts(np.random.default_rng(0), LevelRule((5, 9), (1, 3)), 20)
    assert num_skus <= num_items <= 3


def test_skus_are_drawn_evenly_and_the_mix_is_followed(library) -> None:
    config = SceneConfig(level_mix=(1, 0, 3))
    drawn = [draw_layout(np.random.default_rng([0, i]), library, config) for i in range(600)]
    levels = Counter(layout.level for layout in drawn)
    assert levels["medium"] == 0
    assert levels["hard"] / levels["easy"] == pytest.approx(3, rel=0.3)
    skus = Counter(c.category_id for layout in drawn for c in layout.cutouts)
    assert set(skus) == {1, 2, 3, 5, 8}
    assert max(skus.values()) / min(skus.values()) < 1.15


@pytest.mark.parametrize(
    "wrong",
    [
        {"width": 0},
        {"min_visible": 0.0},
        {"min_visible": float("nan")},
        {"level_mix": (0, 0, 0)},
        {"level_mix": (1, 1)},
        {"scene_scale": (1.2, 0.8)},
        {"jpeg_quality": 0},
        {"overlap": 1.5},
    ],
)
def test_a_setting_out_of_range_is_named(wrong: dict) -> None:
    with pytest.raises(DataError, match=next(iter(wrong))):
        SceneConfig(**wrong)
