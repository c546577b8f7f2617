import doctest
import importlib
import importlib.util
import pickle
import pkgutil
import subprocess
import sys

import pytest

import seawall
from seawall import (
    Closed,
    DeadlineExceeded,
    Deadlock,
    LeaseLost,
    LockOrderViolation,
    Misuse,
    Overloaded,
    SeawallError,
    StaleToken,
    Stop,
    StoreUnavailable,
    Wait,
)
from seawall.clock import SYSTEM_CLOCK, Clock
from seawall.testing import ManualClock

NEEDS = {"seawall.dist.postgresql": "psycopg", "seawall.dist.advisory": "psycopg", "seawall.dist.valkey": "valkey"}
"""The modules that need a package which Seawall does not bring, beside those named after theirs."""

MODULES = [m.name for m in pkgutil.walk_packages(seawall.__path__, "seawall.")]


def test_all_is_sorted_and_every_name_is_there_and_documented() -> None:
    assert sorted(seawall.__all__) == seawall.__all__
    assert all(getattr(seawall, name).__doc__ for name in seawall.__all__)


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_run(module: str) -> None:
    names = {name: getattr(seawall, name) for name in seawall.__all__} | {"Stop": Stop}
    needed = NEEDS.get(module) or (module.rpartition(".")[2] if module.startswith("seawall.integrations.") else None)
    if needed and importlib.util.find_spec(needed) is None:
        pytest.skip("its library is not installed")
    loaded = importlib.import_module(module)
    assert doctest.testmod(loaded, extraglobs=names).failed == 0


def test_importing_seawall_brings_nothing_but_the_standard_library() -> None:
    code = "import sys; before = set(sys.modules); import seawall; print(*sorted(set(sys.modules) - before))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60).stdout
    assert {name.split(".")[0] for name in out.split()} - sys.stdlib_module_names == {"seawall"}


@pytest.mark.parametrize(
    "error",
    [
        Overloaded("queue", 1.5),
        DeadlineExceeded("mutex", 0.25),
        Closed("pool"),
        Misuse("no"),
        LockOrderViolation("a", "b"),
        StoreUnavailable("valkey", "no answer"),
        LeaseLost("report", 33, "late"),
        StaleToken("report", 33, 34),
        Deadlock((Wait("m", "thread a", ("thread b",)),)),
    ],
)
def test_errors_carry_their_data_across_processes(error: SeawallError) -> None:
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), vars(copy)) == (type(error), str(error), vars(error))


def test_a_late_wait_is_also_a_timeout_error_and_a_closed_one_a_runtime_error() -> None:
    assert issubclass(DeadlineExceeded, TimeoutError)
    assert issubclass(Closed, RuntimeError)


def test_the_manual_clock_moves_only_when_told() -> None:
    clock: Clock = ManualClock(time_s=100.0)
    assert isinstance(clock, ManualClock)
    clock.advance(2.5)
    assert (clock.time(), clock.monotonic()) == (102.5, 2.5)
    clock.set_time(50.0)
    assert (clock.time(), clock.monotonic()) == (50.0, 2.5)
    with pytest.raises(ValueError, match="by_s"):
        clock.advance(-1)
    assert SYSTEM_CLOCK.monotonic() <= SYSTEM_CLOCK.monotonic()
