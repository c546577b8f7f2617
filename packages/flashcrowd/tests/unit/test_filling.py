"""What is filling up is what is waited for most, then the process, then what is nearly full."""

from __future__ import annotations

from flashcrowd.report.filling import cores_in_use, filling
from flashcrowd.samples import Process, Reading, Resource


def test_what_people_wait_for_goes_before_what_is_full() -> None:
    full = Resource("sync", "thread pool", 40, 40, 0)
    waited = Resource("accounts", "lock", 1, 1, 12)
    assert filling([Reading(1.0, (full, waited))]) == "lock accounts: 1 of 1 in use, 12 waiting"


def test_a_process_that_uses_its_cores_up_is_told_from_two_readings() -> None:
    before = Reading(1.0, process=Process(cpu_s_total=10.0, cores=2))
    after = Reading(2.0, process=Process(cpu_s_total=11.9, cores=2))
    assert filling([before, after]) == "processor: 1.9 of 2 cores in use"
    assert filling([after]) == ""


def test_readings_that_came_together_say_nothing_of_the_time_between() -> None:
    at = [(1.0, 10.0), (1.5, 10.5), (1.501, 11.0), (2.0, 11.0)]
    readings = [Reading(at_s, process=Process(cpu_s_total=cpu_s, cores=2)) for at_s, cpu_s in at]
    assert [*cores_in_use(readings)] == [(1.5, 1.0), (2.0, 1.0)]


def test_a_loop_that_is_late_is_told() -> None:
    assert filling([Reading(1.0, process=Process(loop_lag_s=0.25))]) == "event loop: 250 ms late"


def test_what_is_nearly_full_is_told_and_what_is_half_empty_is_not() -> None:
    assert filling([Reading(1.0, (Resource("db", "connection pool", 10, 9),))]) == "connection pool db: 9 of 10 in use"
    assert filling([Reading(1.0, (Resource("db", "connection pool", 10, 5),))]) == ""
    assert filling([]) == ""
