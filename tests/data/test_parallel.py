import threading

import pytest

from rpc.data.parallel import map_in_threads


def test_results_keep_their_order_and_progress_counts_up():
    seen = []
    results = map_in_threads(lambda n: n * n, range(50), lambda *step: seen.append(step))
    assert list(results) == [n * n for n in range(50)]
    assert seen == [(n, 50) for n in range(1, 51)]


def test_nothing_gives_nothing():
    assert list(map_in_threads(str, [])) == []


def test_an_error_stops_what_has_not_begun():
    begun = []
    gate = threading.Event()

    def work(number):
        begun.append(number)
        if number == 0:
            raise ValueError("broken")
        gate.wait(0.02)
        return number

    with pytest.raises(ValueError, match="broken"):
        list(map_in_threads(work, range(1000)))
    assert len(begun) < 1000
