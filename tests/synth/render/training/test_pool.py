"""The pool of old translations: half of what it shows is old, and it forgets nothing silently."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from synth.render.training.pool import ImagePool

CPU = torch.device("cpu")


def numbered(*values):
    return torch.tensor(values, dtype=torch.float32).view(-1, 1, 1, 1)


def feed(pool, rounds, chance):
    """Show the pool 0, 1, 2, ...; what it showed in turn."""
    shown = []
    for number in range(rounds):
        picture, pool = pool.swap(numbered(number), chance)
        shown.append(int(picture.item()))
    return shown, pool


def test_while_there_is_room_every_picture_is_shown_and_kept():
    shown, pool = feed(ImagePool(5), 5, np.random.default_rng(0))
    assert shown == [0, 1, 2, 3, 4]
    assert [int(p.item()) for p in pool.images] == shown


def test_a_full_pool_shows_old_pictures_half_of_the_time():
    shown, _ = feed(ImagePool(10), 4000, np.random.default_rng(0))
    old = np.mean([value != number for number, value in enumerate(shown)][10:])
    assert old == pytest.approx(0.5, abs=0.03)


@given(size=st.integers(0, 6), rounds=st.integers(0, 30), seed=st.integers(0, 99))
def test_a_picture_is_shown_or_in_memory_and_never_lost(size, rounds, seed):
    shown, pool = feed(ImagePool(size), rounds, np.random.default_rng(seed))
    kept = [int(p.item()) for p in pool.images]
    assert len(kept) == min(size, rounds)
    # Pictures that filled the room were shown as well as kept: they may come out a second time.
    assert set(shown) | set(kept) == set(range(rounds))


def test_a_pool_of_none_shows_what_it_is_given():
    fresh = torch.rand(3, 3, 4, 4)
    shown, pool = ImagePool(0).swap(fresh, np.random.default_rng(0))
    assert shown is fresh
    assert pool.images == ()


def test_a_pool_from_its_state_goes_on_as_the_first_would():
    _, pool = feed(ImagePool(4), 9, np.random.default_rng(0))
    again = ImagePool.from_state(4, pool.to_state(), CPU)
    first, second = (feed(p, 20, np.random.default_rng(1)) for p in (pool, again))
    assert first[0] == second[0]
    assert torch.equal(first[1].to_state(), second[1].to_state())


def test_swapping_leaves_the_pool_that_was_as_it_was():
    _, pool = feed(ImagePool(4), 4, np.random.default_rng(0))
    before = pool.to_state().clone()
    feed(pool, 20, np.random.default_rng(1))
    assert torch.equal(pool.to_state(), before)


def test_an_empty_pool_has_an_empty_state():
    assert ImagePool(3).to_state() is None
    assert ImagePool.from_state(3, None, CPU) == ImagePool(3)
