"""The arithmetic of `benchmarks.admission`, and its plot; the measuring itself needs two idle cores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.admission.bench import Result
from benchmarks.admission.crowd import Met, Stream, Visit
from benchmarks.admission.plan import Plan, jain, recovery_s
from benchmarks.admission.plot import draw
from benchmarks.admission.service import Database


def visit(
    n: int, *, tenant: int = 1, at_ms: float = 0.0, took: float = 20.0, status: int = 200, late: float = 0.0
) -> Visit:
    return Visit("people", n, "dashboard", tenant, at_ms, late, took, 1, took, status, status == 200, 0)


def test_tenants_that_fare_alike_have_an_index_of_one() -> None:
    assert jain([visit(n, tenant=n % 10) for n in range(100)]) == pytest.approx(1.0)


def test_one_tenant_of_ten_that_gets_everything_has_an_index_of_a_tenth() -> None:
    visits = [visit(n, tenant=n % 10, status=200 if n % 10 == 3 else 503) for n in range(100)]
    assert jain(visits) == pytest.approx(0.1)


def test_recovery_lasts_until_every_second_after_it_is_good() -> None:
    visits = [visit(n, at_ms=n * 20.0, status=503 if n < 100 else 200) for n in range(500)]
    assert recovery_s(visits) == pytest.approx(2.0, abs=0.15)


def test_a_service_that_is_well_at_once_needs_no_time_to_recover() -> None:
    assert recovery_s([visit(n, at_ms=n * 20.0) for n in range(500)]) == 0.0


def test_a_service_that_stays_ill_is_never_said_to_recover() -> None:
    visits = [visit(n, at_ms=n * 20.0, took=1500.0) for n in range(500)]
    assert recovery_s(visits) >= 8.0


def met(visits: Sequence[Visit], dropped: int = 0) -> Met:
    return Met(visits, dropped, len(visits), {"late_p99_ms": 0.0})


def test_a_run_is_void_when_the_generator_was_late_or_did_not_send() -> None:
    on_time, late = (
        [visit(n, at_ms=n * 50.0) for n in range(100)],
        [visit(n, at_ms=n * 50.0, late=11.0) for n in range(100)],
    )
    assert not met(on_time).is_void
    assert met(late).is_void
    assert met(on_time, dropped=5).is_void


def test_the_warm_up_is_left_out_by_the_intended_start() -> None:
    visits = [visit(n, at_ms=5000 + n * 100.0) for n in reversed(range(50))]
    assert [v.n for v in met(visits).of("people", 2.0, 3.0)] == list(range(20, 30))


class Saturating:
    """A bench whose service can do 50 a second: a real one needs minutes and two idle cores."""

    mean_cost_s = 0.05  # too dear by far, as where the machine was busy when it was measured

    def run(self, door: str, rate_per_s: float, seconds: float, **kept: Any) -> Result:
        good_per_s = min(50.0, rate_per_s)
        return Result(door, 0.0, met([]), [], seconds, good_per_s, good_per_s * 0.02, 0.0, 0.0)


def test_the_sweep_goes_on_until_the_service_is_full(capsys: pytest.CaptureFixture[str]) -> None:
    plan = Plan(Saturating(), is_quick=True)  # type: ignore[arg-type]
    plan.sweep()
    assert (plan.peak_per_s, plan.peak_work) == (50.0, 1.0)
    most_asked_per_s = 0.6 / Saturating.mean_cost_s * 1.2 ** (len(plan.results) - 1)
    assert most_asked_per_s > 50.0 / 0.9
    assert "peak" in capsys.readouterr().out


def test_a_stream_has_users_enough_for_all_who_wait_as_long_as_they_will() -> None:
    users = Stream("people", 100.0, 10.0).scenario(retries=0)["maxVUs"]
    assert isinstance(users, int)
    assert users >= 100 * (0.9 * 2 + 0.1 * 8)


def test_each_tenant_has_an_answer_of_its_own(tmp_path: Any) -> None:
    database = Database(tmp_path / "events.sqlite3")
    database.fill(500)
    database.answer()
    cached = database.cached()
    assert len(set(cached.values())) == len(cached) == 100
    assert database.dashboard(7) == cached["7"]


def test_the_plot_has_each_door_and_marks_void_runs() -> None:
    runs = [
        {"part": "load", "door": door, "factor": factor, "work": 0.5, "is_void": door == "bare" and factor == 5.0}
        for door in ("gate", "bare")
        for factor in (1.0, 5.0)
    ]
    root = ElementTree.fromstring(draw({"peak_work": 0.8, "runs": runs}))
    told = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert "nothing, 5 ×: 62 %, void" in told
    assert "Seawall’s gate, 5 ×: 62 %" in told
