"""The random cancels find what they are there to find: each fault is planted in a process of its own.

Those that show only where threads change places at one particular bytecode are for `interleave/test_mutations.py`.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PATIENCE_S = 240.0

PROGRAM = """
import importlib.util, os, sys
sys.setswitchinterval(0.00001)
spec = importlib.util.spec_from_file_location("stress", {path!r})
stress = importlib.util.module_from_spec(spec)
spec.loader.exec_module(stress)
from seawall import *
from seawall.core.line import Line
configure(level="watched")
{plant}
try:
    stress.{call}
except AssertionError as error:
    print("found:", repr(error))
    sys.stdout.flush()
    os._exit(7)
os._exit(0)
"""

LOCKS, RESOURCES = "test_random_cancels.py", "test_resource_pool_under_cancellation.py"
FIGHT, LEND = "fight_over({!r}, 2000, patience_s=3.0)", "test_no_resource_is_lent_twice_and_no_permit_leaks(500)"

SWALLOWED = "{}._give_up = lambda self, waiter: None"
LAST_FIRST = """
def join(self, waiter, appends=Line.join):
    self.waiters.appendleft(waiter)
    self.settle()
Line.join = join
"""
STAYS = """
def leave(self, waiter):
    waiter.over = True
    waiter.grant = lambda: True  # whoever gave up is given a permit all the same
Line.leave = leave
"""
KEPT = """
from seawall.pools.borrowed import Borrowed
def lend(pool):
    with pool._guard:
        pool._created_total += 1
    return pool._create()
ResourcePool.lend = lend
"""

PLANTS = {
    "a mutex's cancelled waiter swallows its grant": (LOCKS, SWALLOWED.format("Mutex"), FIGHT.format("mutex")),
    "a semaphore's cancelled waiter swallows its grant": (
        LOCKS,
        SWALLOWED.format("Semaphore"),
        FIGHT.format("semaphore"),
    ),
    "a writer that gave up keeps the turnstile": (
        LOCKS,
        "from seawall.locks.read_write import WriteSide\n" + SWALLOWED.format("WriteSide"),
        FIGHT.format("read-write"),
    ),
    "the last to come is the first to go in": (LOCKS, LAST_FIRST, FIGHT.format("mutex")),
    "a waiter that left is given a permit": (LOCKS, STAYS, FIGHT.format("semaphore")),
    "a resource is made though one was lent": (RESOURCES, KEPT, LEND),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_fault_is_found(plant: str) -> None:
    file, code, call = PLANTS[plant]
    program = PROGRAM.format(path=str(HERE / file), plant=code, call=call)
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, env=dict(os.environ)
    )
    assert run.returncode == 7, run.stdout + run.stderr
    assert "found:" in run.stdout
