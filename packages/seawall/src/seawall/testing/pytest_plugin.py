"""Fails a test that leaves something behind. Use: `pytest_plugins = ["seawall.testing.pytest_plugin"]`, or `-p` with it.

After each test (and its fixtures) every check of `CHECKS` is asked what is wrong now that was not before: a thread that
still runs, a mutex that is still held or a semaphore that lacks permits. More checks can be added there: each is called
before the test and returns a function to call after it, which returns what to complain of.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from seawall.clock import SYSTEM_CLOCK
from seawall.observe.registry import snapshot
from seawall.runtime.park import Parker

Check = Callable[[], Callable[[], Sequence[str]]]

OF_THE_PROCESS = ("seawall-pacer", "seawall-sweeper", "seawall-watchdog")
"""Seawall's own threads, which serve every pool and lock and end by themselves."""

GRACE_S = 2.0
"""A thread that was told to end may need a moment, more on a busy machine."""

_KEY = pytest.StashKey[list[Callable[[], Sequence[str]]]]()


def threads() -> Callable[[], Sequence[str]]:
    """Complains of threads that run on."""
    before = set(threading.enumerate())

    def leaked() -> list[str]:
        return [
            f"leaked thread {thread.name}"
            for thread in threading.enumerate()
            if thread not in before and not thread.name.startswith(OF_THE_PROCESS)
        ]

    return lambda: _after_grace(leaked)


def permits() -> Callable[[], Sequence[str]]:
    """Complains of mutexes that are held and of semaphores that lack permits."""
    before = set(_taken())
    return lambda: _after_grace(lambda: [f"leaked permit of {name}" for name in _taken() if name not in before])


CHECKS: list[Check] = [threads, permits]
"""What is looked at. Append to it in a conftest.py."""


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None, Any, Any]:
    """Notes how things stand before the test's fixtures are made."""
    item.stash[_KEY] = [check() for check in CHECKS]
    return (yield)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, Any, Any]:
    """Complains after its fixtures are gone."""
    outcome = yield
    found = [complaint for look in item.stash.get(_KEY, []) for complaint in look()]
    if found:
        pytest.fail("; ".join(found), pytrace=False)
    return outcome


def _taken() -> list[str]:
    taken = snapshot()
    return [f"mutex {lock.name}" for lock in taken.locks if lock.holders] + [
        f"semaphore {semaphore.name}" for semaphore in taken.semaphores if semaphore.free < semaphore.permits
    ]


def _after_grace(look: Callable[[], list[str]]) -> list[str]:
    found = look()
    until_s = SYSTEM_CLOCK.monotonic() + GRACE_S
    if found:
        gc.collect()  # what is only waiting to be collected is not leaked
    pause = Parker()
    while (found := look()) and SYSTEM_CLOCK.monotonic() < until_s:
        pause.park(0.01)
    return found
