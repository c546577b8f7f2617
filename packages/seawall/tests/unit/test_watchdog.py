import asyncio
import threading

import pytest

from seawall import (
    LongHold,
    LoopLag,
    LoopStall,
    Misuse,
    Mutex,
    ReadWriteLock,
    Semaphore,
    Watchdog,
    add_observer,
    remove_observer,
)
from seawall.testing import ManualClock


@pytest.fixture
def seen():
    events: list[object] = []
    add_observer(events.append)
    yield events
    remove_observer(events.append)


def waiting_thread(lock, statistics) -> threading.Thread:
    def wait() -> None:
        with lock:
            pass

    thread = threading.Thread(target=wait)
    thread.start()
    pause = threading.Event()
    while not statistics().waiters:
        pause.wait(0.005)
    return thread


def hold_for_long(lock, statistics, watchdog: Watchdog, clock: ManualClock) -> None:
    with lock:
        thread = waiting_thread(lock, statistics)
        watchdog.look()
        clock.advance(0.9)
        watchdog.look()
        clock.advance(0.2)
        watchdog.look()
        clock.advance(0.5)
        watchdog.look()  # told once, until the time has doubled
    thread.join()


def test_who_keeps_others_waiting_for_long_is_told_once_with_its_stack(watched, seen) -> None:
    clock = ManualClock()
    watchdog = Watchdog(hold_s=1.0, clock=clock)
    mutex, slots = Mutex("accounts"), Semaphore("slots", 1)
    hold_for_long(mutex, mutex.statistics, watchdog, clock)
    hold_for_long(slots, slots.statistics, watchdog, clock)
    assert [event.resource for event in seen] == ["accounts", "slots"]
    event = seen[0]
    assert isinstance(event, LongHold)
    assert (event.holder, event.waiters) == ("thread MainThread", 1)
    assert event.held_s == pytest.approx(1.1)
    assert any("in hold_for_long" in line for line in event.stack)


def test_a_reader_that_a_writer_waits_for_is_told(watched, seen) -> None:
    clock, lock = ManualClock(), ReadWriteLock("config")
    watchdog = Watchdog(hold_s=1.0, clock=clock)
    with lock.read:
        thread = waiting_thread(lock.write, lock.statistics)
        watchdog.look()
        clock.advance(2)
        watchdog.look()
    thread.join()
    assert [(event.resource, event.holder) for event in seen] == [("config", "thread MainThread")]


def test_it_is_told_again_when_the_time_has_doubled(watched, seen) -> None:
    clock, mutex = ManualClock(), Mutex("m")
    watchdog = Watchdog(hold_s=1.0, clock=clock)
    with mutex:
        thread = waiting_thread(mutex, mutex.statistics)
        for _ in range(9):
            watchdog.look()
            clock.advance(1)
    thread.join()
    assert [event.held_s for event in seen] == [1.0, 2.0, 4.0, 8.0]


def test_holds_of_many_one_after_the_other_are_not_taken_for_one(watched, seen) -> None:
    clock, mutex = ManualClock(), Mutex("m")
    watchdog = Watchdog(hold_s=1.0, clock=clock)
    for _ in range(3):
        with mutex:
            thread = waiting_thread(mutex, mutex.statistics)
            watchdog.look()
            clock.advance(0.9)
        thread.join()
    watchdog.look()
    assert seen == []


def test_a_stalled_loop_is_told_with_the_frame_that_blocks_it(seen) -> None:
    watchdog = Watchdog(stall_s=0.01)

    def compute_until_seen() -> None:
        while not seen:
            thread = threading.Thread(target=watchdog.look)
            thread.start()
            thread.join()

    async def main() -> None:
        lag = LoopLag("main")
        lag.start()
        await asyncio.sleep(0)
        compute_until_seen()
        lag.stop()

    asyncio.run(main())
    watchdog.look()
    assert len(seen) == 1
    assert isinstance(seen[0], LoopStall)
    assert any("in compute_until_seen" in line for line in seen[0].stack)


def test_it_runs_on_a_thread_of_its_own_until_stopped(watched, seen) -> None:
    mutex = Mutex("m")
    watchdog = Watchdog(every_s=0.001, hold_s=0.0)
    watchdog.start()
    told = threading.Event()

    def note(event) -> None:
        told.set()

    add_observer(note)
    with mutex:
        thread = waiting_thread(mutex, mutex.statistics)
        assert told.wait(20)
    thread.join()
    remove_observer(note)
    with pytest.raises(Misuse):
        watchdog.start()
    watchdog.stop(timeout_s=20)
    watchdog.stop()
    assert watchdog.failures_total == 0


@pytest.mark.parametrize("arguments", [{"every_s": 0}, {"hold_s": -1}, {"stall_s": -1}])
def test_nonsense_is_misuse(arguments) -> None:
    with pytest.raises(Misuse):
        Watchdog(**arguments)
