from __future__ import annotations

import asyncio
import csv
import io
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turnout.errors import BadInput
from turnout.model.event import Event
from turnout.model.query import Days, Result, Row
from turnout.model.site import Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.web.page.cards import CARDS, CARDS_BY_ID
from turnout.web.page.csv_file import file_name, report_csv, safe, write_csv
from turnout.web.page.details import (
    PAGE_LIMIT,
    Details,
    before_query,
    details_pairs,
    entries_query,
    everyone_query,
    read_details,
    rows_query,
)
from turnout.web.page.details_drawing import DetailsAnswer, DetailsDrawing, draw_details
from turnout.web.page.questions import ask, span_in
from turnout.web.page.reports import Report, report_of
from turnout.web.page.state import View, write_view

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)


def read(card: str, query: str = "") -> Details:
    return read_details(parse_qsl(query), CARDS_BY_ID[card])


def drawn(runner: QueryRunner, card: str, query: str = "") -> DetailsDrawing:
    details = read(card, query)
    questions = ask(details.view, NOW)
    span = questions.span

    async def answer() -> DetailsAnswer:
        rows = await runner.answer(SITE, rows_query(details, span))
        before = before_query(details, questions.before, rows)
        entries = entries_query(details, span, tuple(row.dimensions[0] for row in rows.rows))
        return DetailsAnswer(
            rows=rows,
            everyone=await runner.answer(SITE, everyone_query(details, span)),
            entries=await runner.answer(SITE, entries) if entries else None,
            before=await runner.answer(SITE, before) if before else None,
        )

    return draw_details(details, asyncio.run(answer()), words="now", before=questions.before, cities=False)


def visits_of(month: list[Event]) -> list[list[Event]]:
    by_visitor: dict[int, list[Event]] = {}
    for event in month:
        by_visitor.setdefault(event.visitor, []).append(event)
    return list(by_visitor.values())


def test_the_sources_are_a_recount_with_all_their_metrics(runner: QueryRunner, month: list[Event]) -> None:
    page = drawn(runner, "sources")
    assert page.visitors.label == "Visitors"
    assert [column.label for column in page.columns] == [
        "Share",
        "Visits",
        "Page views",
        "Bounce rate",
        "Visit time",
    ]
    google = next(row for row in page.rows if row.label == "Google")
    visits = [visit for visit in visits_of(month) if visit[0].source == "Google"]
    views = sum(event.name == "pageview" for visit in visits for event in visit)
    assert google.visitors == google.cells[1] == f"{len(visits):,}"
    assert google.cells[2] == f"{views:,}"
    assert google.cells[3] == f"{100 * sum(len(visit) == 1 for visit in visits) / len(visits):.0f}\u00a0%"
    assert google.href == "?f=is,visit:source,Google"
    assert page.counted == f"1–{len(page.rows)} of {len(page.rows)}"


def test_pages_also_say_what_visits_were_like_that_began_there(runner: QueryRunner, month: list[Event]) -> None:
    page = drawn(runner, "pages", "q=LAUNCH")
    assert [row.label for row in page.rows] == ["/launch"]
    entrances = sum(visit[0].page == "/launch" for visit in visits_of(month))
    assert page.columns[2].label == "Entrances"
    assert page.rows[0].cells[2] == str(entrances)


@pytest.mark.parametrize(
    ("card", "tab", "of"),
    [
        ("pages", "top", lambda event: event.page),
        ("sources", "source", lambda event: event.source or "Direct / None"),
        ("devices", "browser_version", lambda event: f"{event.browser} {event.browser_version}"),
    ],
)
def test_every_row_is_compared(
    card: str, tab: str, of: Callable[[Event], str], runner: QueryRunner, month: list[Event]
) -> None:
    page = drawn(runner, card, f"period=yesterday&compare=previous&{card}={tab}")
    then = [event for event in month if datetime.fromtimestamp(event.at_ms / 1000, UTC).date() == date(2026, 11, 22)]
    before = Counter(value for value, _ in {(of(event), event.visitor) for event in then})
    assert page.compared == "22 Nov 2026"
    assert len(page.rows) > 2
    for row in page.rows:
        assert row.change is not None
        assert row.change.title == f"{row.visitors} in now; {before[row.label]} in 22 Nov 2026"


def test_countries_are_searched_and_said_by_name(runner: QueryRunner) -> None:
    page = drawn(runner, "locations", "q=ger")
    assert [(row.label, row.href) for row in page.rows] == [("Germany", "?f=is,visit:country,DE")]


def test_versions_are_searched_by_both_their_parts(runner: QueryRunner) -> None:
    assert [row.label for row in drawn(runner, "devices", "devices=browser_version&q=fire").rows] == ["Firefox 140"]
    assert len(drawn(runner, "devices", "devices=browser_version&q=14").rows) == 4


def test_properties_of_an_event_have_details(runner: QueryRunner, month: list[Event]) -> None:
    page = drawn(runner, "events", "event=Signup&prop=plan&sort=events")
    assert page.title == "Signup: plan"
    assert {row.label: int(row.cells[1]) for row in page.rows} == Counter(
        event.props["plan"] for event in month if event.name == "Signup"
    )


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.id)
def test_every_tab_has_details_sorted_by_every_column(card: object, runner: QueryRunner) -> None:
    for tab in CARDS_BY_ID[card.id].tabs:  # type: ignore[attr-defined]
        for sort in ("name", *tab.metrics):
            for order in ("asc", "desc"):
                page = drawn(runner, card.id, f"{card.id}={tab.id}&sort={sort}&order={order}&q=e")  # type: ignore[attr-defined]
                column = next(one for one in (page.name, page.visitors, *page.columns) if one.sorted)
                assert column.sorted == f"{order}ending"


def test_rows_are_in_the_order_asked_for(runner: QueryRunner) -> None:
    names = [row.label for row in drawn(runner, "pages", "sort=name").rows]
    assert names == sorted(names)
    visitors = [int(row.visitors.replace(",", "")) for row in drawn(runner, "pages", "order=asc").rows]
    assert visitors == sorted(visitors)


def test_a_heading_sorts_and_then_the_other_way() -> None:
    nothing = Result(rows=(), total_rows=0)
    page = draw_details(read("pages", "sort=pageviews"), DetailsAnswer(rows=nothing, everyone=nothing), cities=False)
    assert page.columns[1].href == "?sort=pageviews&order=asc"
    assert page.visitors.href == "?"
    assert page.name.href == "?sort=name"
    assert page.counted == "0 of 0"


def test_pages_of_a_hundred_rows_lead_to_each_other() -> None:
    rows = Result(rows=tuple(Row((f"/{n}",), (1, 1)) for n in range(100)), total_rows=250)
    everyone = Result(rows=(Row((), (250,)),))
    page = draw_details(read("pages", "page=2&q=a"), DetailsAnswer(rows=rows, everyone=everyone), cities=False)
    assert page.counted == "101–200 of 250"
    assert (page.earlier, page.later) == ("?q=a", "?q=a&page=3")
    assert rows_query(read("pages", "page=3"), span_in(View(), NOW)).offset == 200


def test_the_files_of_more_rows_say_that_they_are_cut() -> None:
    rows = Result(rows=(Row(("/",), (1, 1)),), total_rows=10_001)
    page = draw_details(read("pages"), DetailsAnswer(rows=rows, everyone=Result(rows=())), cities=False)
    assert page.csv_note == "the first 10,000 rows"


def test_what_is_searched_and_sorted_survives_its_address() -> None:
    details = read("sources", "period=7d&q=a%2Cb&sort=visits&order=asc&page=4&sources=channel")
    again = write_view(details.view, details_pairs(details, page=details.page))
    assert read("sources", again[1:]) == details


def test_a_column_that_another_tab_has_is_as_if_not_given() -> None:
    assert read("pages", "sort=bounce_rate").sort == "visitors"


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        (f"page={PAGE_LIMIT + 1}", "page"),
        ("page=1e3", "page"),
        ("page=" + "9" * 5000, "page"),
        ("sort=shoe_size", "sort"),
        ("order=up", "order"),
        ("q=" + "x" * 201, "q"),
        ("q=a&q=b", "q"),
    ],
)
def test_bad_details_name_their_parameter(query: str, field: str) -> None:
    with pytest.raises(BadInput) as caught:
        read("pages", query)
    assert caught.value.field == field


def test_a_csv_is_as_rfc_4180_says() -> None:
    written = write_csv(["page", "visitors"], [('/a,"b"', 3), ("/\nü", 1.5)])
    assert written == 'page,visitors\r\n"/a,""b""",3\r\n"/\nü",1.5\r\n'.encode()


@given(st.text())
def test_no_text_begins_a_formula_and_each_can_be_read_back(text: str) -> None:
    assert not safe(text).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert safe(text).removeprefix("'") == text.removeprefix("'") or safe(text) == text
    rows = list(csv.reader(io.StringIO(write_csv(["page"], [[text]]).decode(), newline="")))
    assert rows[1:] == [[safe(text)]] or text == ""


def test_countries_in_a_csv_have_their_names() -> None:
    report = report_of(View(), CARDS_BY_ID["locations"])
    text = report_csv(report, Result(rows=(Row(("DE",), (3, 3, 5, 50, 61)),))).decode()
    assert text.splitlines() == ["country,visitors,visits,pageviews,bounce_rate,visit_duration", "Germany,3,3,5,50,61"]


def test_a_property_s_name_is_guarded_too() -> None:
    report = Report(CARDS_BY_ID["events"].tabs[0], "=x", ("event:props:=x",), ("visitors", "events"))
    assert report_csv(report, Result(rows=())) == b"'=x,visitors,events\r\n"


@pytest.mark.parametrize("name", ['a"; filename="b', "../../etc/passwd", "ü\r\nX: y", "x" * 500])
def test_file_names_are_harmless(name: str) -> None:
    made = file_name("acme.example", name, suffix=".csv")
    assert len(made) <= 124
    assert not set(made) & set('"/\\\r\n ;')


def test_a_span_names_its_days() -> None:
    span = span_in(View(period="7d"), NOW)
    assert isinstance(span.range, Days)
