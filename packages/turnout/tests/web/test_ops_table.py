from __future__ import annotations

import pytest

from seawall.core.statistics import (
    LockStatistics,
    LoopStatistics,
    PoolStatistics,
    Snapshot,
    WorkerStatistics,
)
from seawall.core.waiting import Waiting
from seawall.errors import Wait
from turnout.web.ops_history import STEPS, OpsHistory
from turnout.web.page.ops_table import Figures, draw_ops, read
from turnout.web.templating import make_environment

LEVEL = Figures(journal_depth=0, journal_age_s=0.0, days_waiting=0)


def pool(name: str, *, busy: int = 0, queued: int = 0, age_s: float = 0.0) -> PoolStatistics:
    return PoolStatistics(name, 2, 2, busy, queued, 100, age_s, 0, 0, 0)


def test_nothing_limits_while_nobody_waits() -> None:
    snapshot = Snapshot(pools=(pool("queries", busy=2), pool("hashes")), loops=(LoopStatistics("main", 0.001, 0.01),))
    table = draw_ops(read(snapshot, LEVEL), {})
    assert (table.verdict, table.is_calm) == ("Nothing limits now", True)
    assert [(row.name, row.state) for row in table.rows] == [
        ("queries", "busy"),
        ("hashes", "calm"),
        ("events", "calm"),
        ("main", "calm"),
    ]


def test_what_somebody_has_waited_longest_for_limits() -> None:
    lock = LockStatistics("accounts.write", ("thread accounts-1",), (Waiting("thread accounts-2", 0.5),), 3, 0.7)
    snapshot = Snapshot(locks=(lock,), pools=(pool("hashes", busy=2, queued=40, age_s=3.9), pool("queries")))
    table = draw_ops(read(snapshot, LEVEL), {})
    assert table.verdict == "The pool hashes limits now"
    assert "3.9 s" in table.reason
    assert not table.is_calm
    assert {row.name: row.state for row in table.rows}["accounts.write"] == "crowded"


def test_what_fails_comes_first() -> None:
    worker = WorkerStatistics("writer", False, 3, "StoreUnavailable: disk full")
    snapshot = Snapshot(workers=(worker,), pools=(pool("hashes", busy=2, queued=40, age_s=3.9),))
    table = draw_ops(read(snapshot, LEVEL), {})
    assert table.verdict == "The worker writer fails"
    assert table.reason == "StoreUnavailable: disk full"


@pytest.mark.parametrize(("age_s", "verdict"), [(4.0, "Nothing limits now"), (9.0, "The journal events limits now")])
def test_a_journal_that_is_behind_limits(age_s: float, verdict: str) -> None:
    figures = Figures(journal_depth=5_000, journal_age_s=age_s, days_waiting=0)
    assert draw_ops(read(Snapshot(), figures), {}).verdict == verdict


def test_the_last_hour_is_remembered_and_no_more() -> None:
    busy = [0]
    history = OpsHistory(lambda: read(Snapshot(pools=(pool("queries", busy=busy[0]),)), LEVEL))
    for at in range(STEPS + 5):
        busy[0] = at
        history.take()
    loads = history.loads()["pool", "queries"]
    assert (len(loads), loads[0], loads[-1]) == (STEPS, 5, STEPS + 4)


def test_the_page_tells_who_waits_for_what_and_where_each_stands() -> None:
    wait = Wait(
        "accounts.write", "thread accounts-2", ("thread accounts-1",), ("database.py:49 write",), (("people.py:1 x",),)
    )
    html = (
        make_environment()
        .get_template("ops.html")
        .render(
            principal=None,
            table=draw_ops(read(Snapshot(), LEVEL), {}),
            box=(1, 1),
            waits=[wait],
            deadlocks=[(wait, wait)],
        )
    )
    assert html.count("<b>thread accounts-2</b> waits for <b>accounts.write</b>, held by thread accounts-1") == 3
    assert html.count("database.py:49 write") == html.count("people.py:1 x") == 3
