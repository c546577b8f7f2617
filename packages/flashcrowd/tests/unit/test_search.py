"""The search for the limit, against a service that is one formula: it answers `CAPACITY_PER_S` and lets the rest wait."""

from __future__ import annotations

import asyncio
import importlib.util
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import pytest

from flashcrowd.engine.run import Finished
from flashcrowd.engine.search import AGAIN_IF_VOID, LONGEST_RECOVERY_S, Found, Search
from flashcrowd.result import Latency, RunResult
from flashcrowd.verdict.knee import KneeSearch

CAPACITY_PER_S = 130.0
REQUESTS_A_USER = 3


@pytest.fixture(scope="module")
def made_results() -> ModuleType:
    path = Path(__file__).parents[1] / "made_results.py"
    spec = importlib.util.spec_from_file_location("flashcrowd_tests_made_results", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Service:
    """Answers by formula, and keeps what was sent to it."""

    def __init__(self, made: RunResult) -> None:
        self._made = made
        self.sent: list[tuple[float, float]] = []
        self.void_above_per_s = float("inf")
        self.void_times = 10**9
        self.never_recovers = False
        self._ill = False
        self.search: Search | None = None
        self.stop_at = 10**9

    async def send(self, users_per_s: float, seconds: float) -> Finished:
        """One run."""
        self.sent.append((users_per_s, seconds))
        offered = users_per_s * REQUESTS_A_USER
        too_much = offered > CAPACITY_PER_S or (self.never_recovers and self._ill)
        self._ill = self._ill or too_much
        p95 = 5_000.0 if too_much else 20.0
        void = users_per_s > self.void_above_per_s and self.void_times > 0
        if void:
            self.void_times -= 1
        if len(self.sent) >= self.stop_at and self.search is not None:
            self.search.stop()
        goodput = min(offered, CAPACITY_PER_S)
        result = replace(
            self._made, duration_s=seconds, offered_per_s=offered, goodput_per_s=goodput, void=void,
            void_reason="late" if void else "", latency_ms=Latency(100, 10.0, p95, p95, p95), readings=(),
        )  # fmt: skip
        return Finished(result, (), 1)


def searched(service: Service, from_per_s: float = 5.0) -> Found:
    service.search = Search(
        service.send,
        lambda run: run.latency_ms.p95 <= 100,
        "p95<=100ms",
        knee=KneeSearch(start_per_s=from_per_s, max_per_s=10_000),
        from_per_s=from_per_s,
        level_s=10.0,
    )
    return asyncio.run(service.search.run())


def test_the_limit_is_found_in_requests_though_users_are_sent(made_results) -> None:
    found = searched(Service(made_results.run()))
    assert found.void_reason == ""
    assert found.unwell_after_per_s is None
    assert found.result.holds_per_s is not None
    assert CAPACITY_PER_S / 1.1 <= found.result.holds_per_s <= CAPACITY_PER_S
    assert found.result.peak_per_s == CAPACITY_PER_S


def test_a_start_above_the_limit_goes_down(made_results) -> None:
    found = searched(Service(made_results.run()), from_per_s=500.0)
    assert found.result.holds_per_s is not None
    assert CAPACITY_PER_S / 1.15 <= found.result.holds_per_s <= CAPACITY_PER_S


def test_recovery_is_watched_after_a_load_that_was_too_much(made_results) -> None:
    service = Service(made_results.run())
    found = searched(service)
    broke = [n for n, (rate, seconds) in enumerate(service.sent) if seconds == 10 and rate * 3 > CAPACITY_PER_S]
    assert broke
    assert all(service.sent[n + 1] == (5.0, 1.0) for n in broke if n + 1 < len(service.sent))
    assert all(run.duration_s == 10 for run in found.result.runs)


def test_a_target_that_does_not_recover_ends_the_search(made_results) -> None:
    service = Service(made_results.run())
    service.never_recovers = True
    found = searched(service)
    assert found.unwell_after_per_s == 80.0
    assert found.result.holds_per_s == 120.0
    assert [seconds for _, seconds in service.sent].count(1.0) == LONGEST_RECOVERY_S


def test_a_void_run_is_tried_again_and_then_ends_the_search(made_results) -> None:
    service = Service(made_results.run())
    service.void_above_per_s = 15.0
    found = searched(service)
    assert found.void_reason == "late"
    assert [rate for rate, _ in service.sent] == [5.0, 10.0] + [20.0] * (1 + AGAIN_IF_VOID)
    assert found.result.holds_per_s == 30.0
    assert found.result.peak_per_s == 30.0


def test_a_run_that_was_void_once_is_no_obstacle(made_results) -> None:
    service = Service(made_results.run())
    service.void_above_per_s, service.void_times = 15.0, 1
    assert searched(service).void_reason == ""


def test_a_search_that_is_stopped_reports_what_it_has(made_results) -> None:
    service = Service(made_results.run())
    service.stop_at = 2
    found = searched(service)
    assert len(service.sent) == 2
    assert found.result.holds_per_s == 15.0
    assert len(found.result.runs) == 2
