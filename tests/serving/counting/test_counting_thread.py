"""One thread counts, a few trays wait, more are told to come again."""

import threading

import pytest

from rpc.serving.counting.counting_thread import CountingThread
from rpc.serving.errors import ApiError
from tests.serving.coloured_shop import counter, tray


@pytest.fixture
def thread():
    made = CountingThread(counter(), waiting=2)
    yield made
    made.close()


def test_work_is_done_in_turn_on_one_thread(thread):
    order, names = [], set()

    def work(number):
        def step(_):
            order.append(number)
            names.add(threading.current_thread().name)
            return number

        return step

    assert [thread.do(work(number)) for number in range(5)] == list(range(5))
    assert (order, names) == (list(range(5)), {"counting"})


def test_a_full_queue_is_told_at_once_and_patient_work_waits(thread):
    hold, done = threading.Event(), []
    waiting = [
        threading.Thread(target=lambda n=n: done.append(thread.do(lambda _: hold.wait(30) or n)))
        for n in range(3)  # one at work, two wait
    ]
    for one in waiting:
        one.start()
    while thread.waiting < 2:
        pass
    with pytest.raises(ApiError) as caught:
        thread.count(tray("tea"))
    assert (caught.value.status, caught.value.code) == (503, "busy")
    assert caught.value.headers["Retry-After"]
    patient = threading.Thread(target=lambda: done.append(thread.do(lambda _: 9, patient=True)))
    patient.start()
    hold.set()
    for one in [*waiting, patient]:
        one.join(30)
    assert len(done) == 4
    assert len(thread.count(tray("tea")).receipt.items) == 1


def test_an_error_comes_to_who_asked_and_the_thread_goes_on(thread):
    with pytest.raises(ZeroDivisionError):
        thread.do(lambda _: 1 / 0)
    assert thread.alive
    assert thread.do(lambda _: 7) == 7


def test_another_counter_takes_over_between_two_trays(thread):
    thread.replace(counter(("soap",)))
    assert thread.counter.taxonomy.names == ("soap",)
    thread.replace(counter(("tea",)))
    assert thread.do(lambda now: now.taxonomy.names) == ("tea",)
