from __future__ import annotations

import pytest
from jinja2 import StrictUndefined

from seawall.console.wait_tree import wait_tree
from seawall.core.gate_statistics import GateStatistics, Refused, WorkloadStatistics
from seawall.core.statistics import (
    Found,
    LockStatistics,
    LoopStatistics,
    PoolStatistics,
    Snapshot,
    WorkerStatistics,
)
from seawall.core.waiting import Waiting
from seawall.errors import Wait
from turnout.web.ops_history import STEPS, LastHour, OpsHistory, refusals
from turnout.web.page.ops_table import Figures, draw_ops, read
from turnout.web.templating import make_environment

NOTHING = LastHour({}, {}, {})
LEVEL = Figures(journal_depth=0, journal_age_s=0.0, days_waiting=0)


def pool(name: str, *, busy: int = 0, queued: int = 0, age_s: float = 0.0) -> PoolStatistics:
    return PoolStatistics(name, 2, 2, busy, queued, 100, age_s, 0, 0, 0)


def test_nothing_limits_while_nobody_waits() -> None:
    snapshot = Snapshot(pools=(pool("queries", busy=2), pool("hashes")), loops=(LoopStatistics("main", 0.001, 0.01),))
    table = draw_ops(read(snapshot, LEVEL), NOTHING, {})
    assert (table.verdict.title, table.verdict.is_calm) == ("Nothing limits now", True)
    assert [(row.name, row.state) for row in table.rows] == [
        ("queries", "busy"),
        ("hashes", "calm"),
        ("events", "calm"),
        ("main", "calm"),
    ]


def test_what_somebody_has_waited_longest_for_limits() -> None:
    lock = LockStatistics("accounts.write", ("thread accounts-1",), (Waiting("thread accounts-2", 0.5),), 3, 0.7)
    snapshot = Snapshot(locks=(lock,), pools=(pool("hashes", busy=2, queued=40, age_s=3.9), pool("queries")))
    table = draw_ops(read(snapshot, LEVEL), NOTHING, {})
    assert table.verdict.title == "The pool hashes limits now"
    assert "3.9 s" in table.verdict.reason
    assert not table.verdict.is_calm
    assert {row.name: row.state for row in table.rows}["accounts.write"] == "crowded"


def test_what_fails_comes_first() -> None:
    worker = WorkerStatistics("writer", False, 3, "StoreUnavailable: disk full")
    snapshot = Snapshot(workers=(worker,), pools=(pool("hashes", busy=2, queued=40, age_s=3.9),))
    table = draw_ops(read(snapshot, LEVEL), NOTHING, {})
    assert table.verdict.title == "The worker writer fails"
    assert table.verdict.reason == "StoreUnavailable: disk full"


@pytest.mark.parametrize(("age_s", "verdict"), [(4.0, "Nothing limits now"), (9.0, "The journal events limits now")])
def test_a_journal_that_is_behind_limits(age_s: float, verdict: str) -> None:
    figures = Figures(journal_depth=5_000, journal_age_s=age_s, days_waiting=0)
    assert draw_ops(read(Snapshot(), figures), NOTHING, {}).verdict.title == verdict


def test_the_last_hour_is_remembered_and_no_more() -> None:
    busy = [0]
    history = OpsHistory(lambda: Snapshot(pools=(pool("queries", busy=busy[0]),)), lambda found: read(found, LEVEL))
    for at in range(STEPS + 5):
        busy[0] = at
        history.take()
    loads = history.last_hour().loads["pool", "queries"]
    assert (len(loads), loads[0], loads[-1]) == (STEPS, 5, STEPS + 4)


def gate(**refused: int) -> GateStatistics:
    told = tuple(Refused(reason, total) for reason, total in refused.items())
    work = WorkloadStatistics("dashboard", "interactive", 0.5, 0, 0, 0, 0, 0, 0, 0, 0, told)
    return GateStatistics("pages", 8, 0, False, False, (), (work,))


def test_refusals_are_remembered_by_reason_as_they_come_and_told_since_the_start() -> None:
    now = [gate(wait=7)]
    history = OpsHistory(lambda: Snapshot(gates=(now[0],)), lambda found: read(found, LEVEL))
    history.take()
    now[0] = gate(wait=10, full=2)
    history.take()
    history.take()
    refused = history.last_hour().refused
    assert {key: list(trail) for key, trail in refused.items()} == {
        ("pages: dashboard", "wait"): [7, 3, 0],
        ("pages: dashboard", "full"): [2, 0],
    }
    rows = draw_ops([], history.last_hour(), refusals(Snapshot(gates=(now[0],)))).refused
    assert [(row.name, row.what, row.total) for row in rows] == [
        ("pages: dashboard", "full", "2 in the last hour, 2 since the start"),
        ("pages: dashboard", "wait", "10 in the last hour, 10 since the start"),
    ]
    assert rows[1].line.count("L") == STEPS - 1


def test_what_limited_is_remembered_with_for_how_long_and_forgotten_after_an_hour() -> None:
    age_s = [3.9]
    history = OpsHistory(
        lambda: Snapshot(pools=(pool("hashes", busy=2, queued=4, age_s=age_s[0]),)), lambda found: read(found, LEVEL)
    )
    for _ in range(4):
        history.take()
    age_s[0] = 0.0
    history.take()
    (row,) = draw_ops([], history.last_hour(), {}).limited
    assert (row.what, row.name, row.total) == ("pool", "hashes", "for 60.0 s")
    for _ in range(STEPS):
        history.take()
    assert history.last_hour().limited == {}


def test_days_that_wait_are_told_with_the_worker_that_sums_them_up() -> None:
    figures = Figures(journal_depth=0, journal_age_s=0.0, days_waiting=3)
    workers = (WorkerStatistics("derive", True, 0, None), WorkerStatistics("mail", True, 0, None))
    rows = draw_ops(read(Snapshot(workers=workers), figures), NOTHING, {}).rows
    assert {row.name: row.detail for row in rows} == {"events": "level", "derive": "3 days wait", "mail": ""}


def test_the_page_tells_who_waits_for_what_links_to_stacks_and_shows_those_of_findings() -> None:
    waits = (
        Wait("accounts.write", "thread accounts-2", ("thread accounts-1",)),
        Wait("store.days", "thread writer", ("thread accounts-2",)),
    )
    found = Found(1_795_000_000.5, "long hold", "thread <b> holds", (("thread <b>", ("database.py:49 in write",)),))
    html = (
        make_environment(StrictUndefined)
        .get_template("ops.html")
        .render(
            principal=None,
            table=draw_ops(read(Snapshot(), LEVEL), NOTHING, {("pages: <b>", "wait"): 3}),
            box=(1, 1),
            trees=wait_tree(Snapshot(waits=waits)),
            found=[found],
            level="watched",
        )
    )
    root = html.index('<b>accounts.write</b> <span class="soft">held by</span> <a class="link" href="/ops/stacks?who=')
    assert (
        root < html.index(">thread accounts-2</a>") < html.index("<b>store.days</b>") < html.index(">thread writer</a>")
    )
    assert "pages: &lt;b&gt;" in html
    assert "0 in the last hour, 3 since the start" in html
    assert "thread &lt;b&gt; stands at\n  database.py:49 in write" in html
