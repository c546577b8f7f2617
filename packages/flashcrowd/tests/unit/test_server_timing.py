from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.probe.server_timing import parse_server_timing
from seawall import Semaphore, request_timing


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("", {}),
        ("db;dur=12.5", {"db": 0.0125}),
        ("db;dur=12.5, app;dur=40", {"db": 0.0125, "app": 0.04}),
        ('db;desc="one, two; three";dur=5', {"db": 0.005}),
        ('db;dur="5"', {"db": 0.005}),
        ("db;DUR=5;desc=x", {"db": 0.005}),
        ("cache;desc=hit, db;dur=1", {"db": 0.001}),
        ("db;dur=1,db;dur=2", {"db": 0.003}),
        ("lock.page-index;dur=0.3", {"lock.page-index": 0.0003}),
        ("db;dur=soon, api;dur=3", {"api": 0.003}),
    ],
)
def test_seconds_by_name_are_read(header: str, found: dict[str, float]) -> None:
    assert parse_server_timing(header) == pytest.approx(found)


@given(st.text(max_size=80))
def test_nothing_that_a_server_sends_makes_it_fail(header: str) -> None:
    assert all(seconds >= 0 for seconds in parse_server_timing(header).values())


def test_it_reads_what_seawall_writes() -> None:
    with request_timing() as timing:
        with Semaphore("exports", 1):
            pass
        timing.add("semaphore.exports", 0.25)
    assert parse_server_timing(timing.header()) == {"semaphore.exports": 0.25}
