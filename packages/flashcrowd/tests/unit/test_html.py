"""The page of a result: all of it there, nothing from elsewhere, and whatever a target calls its things can't run."""

from __future__ import annotations

import re
from dataclasses import replace
from html.parser import HTMLParser

import pytest
from made_results import POOL, limit, run

from flashcrowd.report.curves import law
from flashcrowd.report.html import drawn
from flashcrowd.report.thresholds import parse
from flashcrowd.report.timeline import MOST_COLUMNS, columns, shown_resources, unbroken
from flashcrowd.result import LimitResult, RunResult
from flashcrowd.samples import Reading, Resource

EVIL = '"><script>alert(1)</script><img src=x>'
VOID_ELEMENTS = {"meta", "br", "img", "input", "link", "hr"}


class Balance(HTMLParser):
    """Fails where a tag closes what is not open."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        if tag not in VOID_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def checked(page: str) -> set[str]:
    """The tags of a page whose tags are balanced."""
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    return parser.seen


RESULTS = {
    "run": run(260),
    "quiet": replace(run(60, verdict=None), readings=()),
    "nothing": replace(run(verdict=None), seconds=(), steps=(), readings=(), requests=0, good=0),
    "void": run(void_reason="late"),
    "closed": replace(run(), offered_per_s=None, arrivals="closed, 300 users for 30 s"),
    "limit": limit(),
    "unfitted": replace(limit(verdict=None), contention=None, coherency=None, alone_per_s=None, holds_per_s=None),
    "no loads": replace(limit(verdict=None), runs=(), under_way=(), done_per_s=(), holds_per_s=None),
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_every_result_has_a_page_whose_tags_are_balanced_and_that_asks_for_nothing_else(
    result: RunResult | LimitResult,
) -> None:
    page = drawn(result)
    seen = checked(page)
    assert seen.isdisjoint({"script", "link", "img", "iframe", "object"})
    assert re.findall(r"(?:src|href)=|url\(|@import", page) == []


def test_the_verdict_is_the_heading_and_its_resource_stands_out() -> None:
    heading = re.search("<h1>(.*?)</h1>", drawn(run(260)))
    assert heading is not None
    assert heading[1] == "The connection pool <em>db</em> is the bottleneck."


def test_a_void_run_says_so_before_its_heading_and_names_nobody() -> None:
    page = drawn(run(260, void_reason="sending was 24 ms late"))
    band, heading = (
        page.index('<div class="void"'),
        page.index("<h1>Nothing can be said of http://127.0.0.1:8000.</h1>"),
    )
    assert band < heading
    assert "Sending was 24 ms late." in page
    assert "is the bottleneck" not in page
    assert '<div class="void"' not in drawn(run(260))


def test_a_search_with_a_void_load_says_so() -> None:
    runs = (*limit().runs[:-1], replace(limit().runs[-1], void=True, void_reason="late"))
    assert "Late, at 1 of 6 loads." in drawn(replace(limit(), runs=runs))


def test_whatever_is_named_by_others_can_not_run() -> None:
    evil = replace(
        run(260, verdict=replace(POOL, resource=EVIL, evidence=(EVIL,))),
        target=EVIL,
        users=EVIL,
        machine=EVIL,
        reasons={EVIL: 3},
        steps=(replace(run().steps[0], name=EVIL),),
        readings=(Reading(1.0, (Resource(EVIL, "lock", 1, 1, 3),)), Reading(2.0, (Resource(EVIL, "lock", 1, 1, 3),))),
    )
    for result in (
        evil,
        replace(evil, void=True, void_reason=EVIL),
        replace(limit(), runs=(evil,), verdict=evil.verdict),
    ):
        page = drawn(result)
        assert checked(page).isdisjoint({"script", "img"})
        assert "default-src 'none'" in page


def test_conditions_are_on_the_page_with_what_became_of_them() -> None:
    page = drawn(run(260), fail_if=[parse("p95>1ms"), parse("errors>90%")])
    assert re.search(r"<b>failed</b> p95&gt;1ms: p95 was ", page)
    assert re.search(r"<b>passed</b> errors&gt;90%: errors was ", page)


def test_the_resource_of_the_verdict_is_the_first_under_the_time_line() -> None:
    assert shown_resources(run(260))[0] == ("db", "connection pool")
    assert ("accounts", "lock") not in shown_resources(run(260))  # nobody waited, and it was idle
    other = replace(POOL, resource="accounts", kind="lock")
    assert shown_resources(run(260, verdict=other))[0] == ("accounts", "lock")


def test_a_long_run_is_drawn_in_few_columns_that_lose_no_request() -> None:
    result = run(120, duration_s=1000)
    told = columns(result.seconds)
    assert len(told) <= MOST_COLUMNS
    assert sum(column.per_s["good"] * (column.end_s - column.start_s) for column in told) == pytest.approx(result.good)
    assert told[-1].end_s == 1000
    assert "Each point is 5 s" in drawn(result)


def test_where_the_target_did_not_answer_nothing_is_drawn_in_between() -> None:
    seen = [(0.5 * n, n) for n in (0, 1, 2, 3, 40, 41, 42)]
    assert [[value for _, value in part] for part in unbroken(seen)] == [[0, 1, 2, 3], [40, 41, 42]]
    assert unbroken([(1.0, 1)]) == [[(1.0, 1)]]
    assert unbroken([]) == []


def test_the_law_is_what_was_fitted_and_is_left_out_where_nothing_was() -> None:
    result = replace(limit(), alone_per_s=100.0, contention=0.1, coherency=0.0)
    assert law(result, 1) == pytest.approx(100)
    assert law(result, 11) == pytest.approx(550)
    assert "Universal Scalability Law" in drawn(result)
    assert law(replace(result, contention=None), 1) is None
    assert "Universal Scalability Law" not in drawn(replace(result, under_way=()))


def test_tables_hold_every_second_every_request_and_every_load() -> None:
    result = run(260, duration_s=20)
    assert drawn(result).count('<th scope="row">') == 20 + len(result.steps) + 3 + len(result.reasons)
    assert drawn(limit()).count('<th scope="row">') == len(limit().runs)
