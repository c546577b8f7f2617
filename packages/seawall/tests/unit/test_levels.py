import asyncio
import subprocess
import sys
from typing import get_args

import pytest

from seawall import Deadlock, Misuse, Mutex, Semaphore, configure, lock_order
from seawall.locks.order import HELD, HELD_BY_TASKS
from seawall.observe.settings import Level

LEVELS = get_args(Level)


@pytest.mark.parametrize("level", LEVELS)
def test_every_level_has_every_verb(level) -> None:
    configure(level=level)
    for lock in (Mutex("m"), Semaphore("s", 1)):
        with lock:
            assert lock.locked()
            assert not lock.try_acquire()
        lock.acquire(timeout_s=1)
        lock.release()
        assert lock.try_acquire()
        lock.release()

        async def in_task(lock: Mutex | Semaphore = lock) -> None:
            async with lock:
                assert lock.locked()
            await lock.acquire_async(timeout_s=1)
            lock.release()

        asyncio.run(in_task())
        assert not lock.locked()
    assert HELD == HELD_BY_TASKS == {}


@pytest.mark.parametrize("level", LEVELS)
def test_entering_again_is_a_deadlock_at_every_level(level) -> None:
    configure(level=level)
    mutex = Mutex("m")
    with mutex, pytest.raises(Deadlock), mutex:
        pass
    assert not mutex.locked()


@pytest.mark.parametrize("before", LEVELS)
@pytest.mark.parametrize("after", LEVELS)
def test_the_level_may_change_while_locks_are_held(before, after) -> None:
    configure(level=before)
    mutex, semaphore = Mutex("m"), Semaphore("s", 1)
    with mutex, semaphore:
        configure(level=after)
    with mutex, semaphore:
        configure(level=before)
    with semaphore:
        pass
    assert not mutex.locked()
    assert not semaphore.locked()
    configure(level="ordered")
    with Mutex("other"):
        pass
    assert ("m", "other") not in [(edge.first, edge.second) for edge in lock_order()]


def test_only_timed_counts_how_long_locks_are_held() -> None:
    mutex, semaphore = Mutex("m"), Semaphore("s", 1)
    for level in LEVELS:
        configure(level=level)
        with mutex, semaphore:
            pass
    assert mutex.statistics().holds.total == 1
    assert semaphore.statistics().holds.total == 1


def test_a_level_or_policy_of_another_name_is_misuse() -> None:
    with pytest.raises(Misuse, match="watched"):
        configure(level="paranoid")  # type: ignore[arg-type]
    with pytest.raises(Misuse, match="report"):
        configure(on_deadlock="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize(("value", "expected"), [("ordered", "ordered"), ("", "watched"), ("loud", "Misuse")])
def test_the_environment_sets_the_level_to_begin_with(value: str, expected: str) -> None:
    code = "from seawall.observe.settings import SETTINGS; print(SETTINGS.level)"
    run = subprocess.run(
        [sys.executable, "-c", code], env={"SEAWALL_LEVEL": value}, capture_output=True, text=True, timeout=60
    )
    assert expected in run.stdout + run.stderr


def test_a_subclass_made_elsewhere_stays_what_it_is() -> None:
    class Special(Mutex):
        pass

    configure(level="ordered")
    mutex = Special("m")
    configure(level="timed")
    with mutex:
        assert type(mutex) is Special
