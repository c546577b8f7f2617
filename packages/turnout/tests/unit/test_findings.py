from __future__ import annotations

import json
import logging

import pytest

from seawall import DeadlockFound, LongHold, LoopStall, OrderInverted, Wait
from seawall.testing import ManualClock
from turnout.jobs.findings import PER_WINDOW, WINDOW_S, FindingsLog
from turnout.logs import configure
from turnout.settings import Settings

STACK = ("store/ledger.py:90 in commit",)
HOLD = LongHold("store.days", "thread derive", 2.5, 3, STACK)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def logs(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level("WARNING", logger="turnout.findings")
    return caplog


def test_each_kind_of_finding_is_one_event_with_its_stacks(clock: ManualClock, logs: pytest.LogCaptureFixture) -> None:
    log = FindingsLog(clock)
    cycle = (Wait("a", "thread one", ("thread two",), STACK), Wait("b", "thread two", ("thread one",), STACK))
    for finding in (
        HOLD,
        LoopStall("main", 0.7, STACK),
        DeadlockFound(cycle, was_raised=True),
        OrderInverted("a", "b", ("thread one", "thread two"), (STACK, STACK)),
    ):
        log.note(finding)
    assert not logs.records, "who finds something may hold locks: it does not write"
    log.write()
    assert [record.data["event"] for record in logs.records] == [
        "long_hold",
        "loop_stall",
        "deadlock",
        "inversion",
    ]
    for record in logs.records:
        assert STACK[0] in record.getMessage()
        assert STACK[0] in json.dumps(record.data)
    assert logs.records[0].getMessage().startswith("long hold: thread derive has held store.days for 2.5 s; 3 wait")


def test_a_flood_is_cut_and_what_was_left_out_is_said(clock: ManualClock, logs: pytest.LogCaptureFixture) -> None:
    log = FindingsLog(clock)
    for _ in range(PER_WINDOW + 7):
        log.note(HOLD)
        log.write()
    log.note(LoopStall("main", 0.7, STACK))
    log.write()
    assert len(logs.records) == PER_WINDOW + 1, "one kind does not silence another"
    clock.advance(WINDOW_S)
    log.note(HOLD)
    log.write()
    assert [record.getMessage().splitlines()[0] for record in logs.records[PER_WINDOW + 1 :]] == [
        "7 more of long_hold were not logged",
        "long hold: thread derive has held store.days for 2.5 s; 3 wait",
    ]


def test_in_json_a_finding_is_one_line_with_its_figures(
    clock: ManualClock, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", [])
    monkeypatch.setattr(root, "level", root.level)
    configure(Settings(log_format="json"))
    log = FindingsLog(clock)
    log.note(HOLD)
    log.write()
    (line,) = capsys.readouterr().err.splitlines()
    written = json.loads(line)
    assert (written["event"], written["resource"], written["held_s"]) == ("long_hold", "store.days", 2.5)
    assert written["stack"] == list(STACK)
