"""Each rule of `core.sizing` by itself, and what must hold whatever the figures."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from seawall.core.sizing import Bounds, Lateness, Look, Machine, decide, late_from_s

BOUNDS = Bounds(eager=2, max_threads=8)
QUIET = Machine(lateness_s=0.0002, late_from_s=0.004, cpu_share=0.2)
WAITING = Look(allowed=3, threads=3, blocked=0, queued=5, oldest_s=0.02, taken=1, still_s=0.0)


def test_work_that_waits_while_the_gil_is_free_gets_one_more_thread() -> None:
    assert decide(WAITING, BOUNDS, QUIET).allowed == 4
    assert decide(replace(WAITING, taken=0), BOUNDS, QUIET).reason == "nothing left the queue"
    assert decide(replace(WAITING, blocked=1), BOUNDS, QUIET).reason == "a worker is blocked"


def test_nothing_grows_while_nothing_waits_or_the_queue_moves_or_a_thread_is_on_its_way() -> None:
    for look in (replace(WAITING, queued=0), replace(WAITING, oldest_s=0.001), replace(WAITING, threads=2)):
        assert decide(look, BOUNDS, QUIET).allowed == 3


def test_a_late_probe_vetoes_growth_and_full_cores_do_too() -> None:
    late = replace(QUIET, lateness_s=0.005)
    assert decide(WAITING, BOUNDS, late).allowed == 3
    assert decide(WAITING, BOUNDS, late).reason.startswith("veto")
    assert decide(WAITING, BOUNDS, replace(QUIET, cpu_share=0.99)).reason == "veto: every core is busy"


def test_where_most_threads_wait_in_a_lock_and_the_queue_moves_one_more_would_only_join_them() -> None:
    crowd = replace(WAITING, blocked=2)
    assert decide(crowd, BOUNDS, QUIET).reason.startswith("veto: most threads wait in a lock")
    assert decide(replace(crowd, taken=0), BOUNDS, QUIET).allowed == 4


def test_a_queue_that_stands_still_for_long_overrules_the_veto() -> None:
    stuck = replace(WAITING, taken=0, still_s=1.5)
    assert decide(stuck, BOUNDS, replace(QUIET, lateness_s=0.005)).allowed == 4


def test_threads_that_crowd_the_gil_are_let_go_down_to_the_eager_ones() -> None:
    crowded = replace(QUIET, lateness_s=0.03)
    assert decide(WAITING, BOUNDS, crowded).allowed == 2
    assert decide(replace(WAITING, allowed=2, threads=2), BOUNDS, crowded).allowed == 2


def test_one_odd_wake_up_does_not_count() -> None:
    lateness = Lateness()
    assert [lateness.add(late) for late in (0.1, 0.1, 9.0, 0.1)] == [0.1, 0.1, 0.1, 0.1]


def test_what_counts_as_late_follows_the_switch_interval() -> None:
    assert late_from_s(0.005) == 0.004
    assert late_from_s(0.0005) == 0.0006


looks = st.builds(
    Look,
    allowed=st.integers(2, 8),
    threads=st.integers(0, 8),
    blocked=st.integers(0, 8),
    queued=st.integers(0, 100),
    oldest_s=st.floats(0, 10),
    taken=st.integers(0, 100),
    still_s=st.floats(0, 10),
)
machines = st.builds(Machine, lateness_s=st.floats(0, 1), late_from_s=st.just(0.004), cpu_share=st.floats(0, 2))


@given(look=looks, machine=machines)
def test_a_decision_is_at_most_one_step_and_stays_within_bounds(look: Look, machine: Machine) -> None:
    allowed = decide(look, BOUNDS, machine).allowed
    assert abs(allowed - look.allowed) <= 1
    assert BOUNDS.eager <= allowed <= BOUNDS.max_threads
    if machine.is_late and look.still_s < 1:
        assert allowed <= look.allowed
