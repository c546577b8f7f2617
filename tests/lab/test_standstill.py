"""Deadlocks of locks are read from the stacks of all threads."""

from __future__ import annotations

from lab.launch_day.standstill import cycle_in

SOURCE = """\
def look():
    with settings_lock:
        load()
        with permissions_lock:
            pass

def refresh():
    with permissions_lock:
        with settings_lock:
            pass
"""


def stacks(*threads: tuple[str, int, str]) -> str:
    """What `faulthandler` writes of threads whose innermost frame is (file, line, function)."""
    return "\n\n".join(
        f'Thread 0x0000{n} (most recent call first):\n  File "{file}", line {line} in {function}\n  File "x", line 1 in run'
        for n, (file, line, function) in enumerate(threads)
    )


def test_a_ring_of_two_locks_is_found() -> None:
    dump = stacks(("s.py", 4, "look"), ("s.py", 9, "refresh"))
    assert set(cycle_in(dump, SOURCE, "s.py")) == {"settings_lock", "permissions_lock"}


def test_waiting_for_a_lock_that_somebody_works_with_is_no_ring() -> None:
    assert cycle_in(stacks(("s.py", 3, "look"), ("s.py", 9, "refresh")), SOURCE, "s.py") == ()
    assert cycle_in(stacks(("driver.py", 3, "load"), ("s.py", 9, "refresh")), SOURCE, "s.py") == ()


def test_waiting_for_one_lock_in_line_is_no_ring() -> None:
    assert cycle_in(stacks(("s.py", 2, "look"), ("s.py", 8, "refresh"), ("s.py", 4, "look")), SOURCE, "s.py") == ()
