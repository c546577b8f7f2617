from __future__ import annotations

import re
from datetime import datetime
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
from jinja2 import StrictUndefined
from msgspec.structs import replace

from turnout.model.query import Comparison, Query, Result, Row
from turnout.model.site import Principal, Site, SiteId, UserId
from turnout.web.page.drawing import Drawing, draw, filter_words
from turnout.web.page.questions import ask
from turnout.web.page.state import View, read_view
from turnout.web.templating import make_environment

NOW = datetime(2026, 11, 24, 13, 40)
SITE = Site(SiteId(1), "acme.example", "Europe/Berlin", UserId(1))
TOTALS = {
    "visitors": 412_345,
    "visits": 553_001,
    "pageviews": 1_312_000,
    "views_per_visit": 2.37,
    "bounce_rate": 46,
    "visit_duration": 161,
}


def answer(query: Query) -> Result:
    """An answer of the right shape: one total, or rows that fall off."""
    if not query.dimensions:
        return Result(rows=(Row((), tuple(TOTALS[metric] for metric in query.metrics)),))
    if query.dimensions == ("time:hour",):
        labels = tuple(f"2026-11-24 {hour:02}:00:00" for hour in range(24))
        return Result(rows=tuple(Row((label,), (5,)) for label in labels[:10]), time_labels=labels)
    if query.dimensions == ("time:day",):
        labels = tuple(f"2026-11-{day:02}" for day in range(1, 25))
        return Result(rows=(Row((labels[3],), (7,)), Row((labels[8],), (1_993,))), time_labels=labels)
    if query.dimensions == ("time:month",):
        labels = tuple(f"2026-{month:02}-01" for month in range(1, 12))
        return Result(rows=(Row(("2026-11-01",), (16,)),), time_labels=labels)
    names = {"visit:country": ["DE", "FR", "(not set)"]}.get(query.dimensions[0], [f"</b>{n}" for n in range(12)])
    rows = tuple(Row((name,), (1000 // (n + 1),)) for n, name in enumerate(names))
    return Result(rows=rows[: query.limit])


def drawing(view: View) -> Drawing:
    questions = ask(view, NOW.date())
    return draw(view, questions, [answer(query) for query in questions.in_order], NOW, cities=False)


def render(view: View, has_events: bool = True) -> str:
    environment = make_environment(StrictUndefined)
    return environment.get_template("site.html").render(
        principal=Principal(UserId(1), "me@acme.example"),
        csrf_input='<input type="hidden" name="_csrf_token" value="x">',
        site=SITE,
        sites=[SITE],
        page=drawing(view) if has_events else None,
        has_events=has_events,
        script_url="http://localhost:8000/js/script.js",
    )


def test_headline_numbers_choose_the_metric_and_keep_the_rest() -> None:
    view = View(period="7d", filters=(Comparison("is", "visit:country", ("DE",)),))
    visits = drawing(view).headlines[1]
    assert (visits.label, visits.value, visits.full) == ("Visits", "553\u00a0k", "553,001")
    assert read_view(parse_qsl(visits.href[1:])) == replace(view, metric="visits")


def test_a_row_links_to_the_page_filtered_by_it() -> None:
    germany = drawing(View()).cards[2].rows[0]
    assert germany.label == "Germany"
    assert germany.href == "?f=is,visit:country,DE"
    assert (germany.count, germany.share, germany.bar) == ("1,000", "50\u00a0%", "100.0%")


def test_a_row_that_is_a_filter_links_back() -> None:
    germany = drawing(View(filters=(Comparison("is", "visit:country", ("DE",)),))).cards[2].rows[0]
    assert germany.is_filter
    assert germany.href == "?"


def test_a_card_shows_nine_rows_and_says_that_there_are_more() -> None:
    card = drawing(View()).cards[0]
    assert len(card.rows) == 9
    assert card.more is not None
    assert card.more.href == "?all=sources#sources"
    at_length = drawing(View(all="sources")).cards[0]
    assert len(at_length.rows) == 12


def test_buckets_without_rows_are_zero() -> None:
    points = drawing(View()).charts[0].points
    assert [point.value for point in points[2:5]] == ["0", "7", "0"]


def test_hours_still_to_come_are_not_drawn() -> None:
    points = drawing(View(period="today")).charts[0].points
    assert len(points) == 14
    assert points[-1].label == "Tue 24 Nov, 13:00"


def test_a_year_is_drawn_by_months_named_with_their_year() -> None:
    page = drawing(View(period="year"))
    assert page.chart_title == "Visitors by month, 1 Jan – 24 Nov 2026"
    assert [point.label for point in page.charts[0].points][-2:] == ["October 2026", "November 2026"]


def test_cities_are_offered_only_where_they_are_known() -> None:
    assert [tab.label for tab in drawing(View()).cards[2].tabs] == ["Countries"]


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Comparison("is", "visit:country", ("DE", "FR")), "Country is Germany or France"),
        (Comparison("contains_not", "event:page", ("/docs",)), "Page does not contain /docs"),
        (Comparison("is", "event:props:plan", ("pro",)), "plan is pro"),
        (Comparison("is", "visit:os", ("a", "b", "c", "d", "e")), "System is a or b or c or 2 more"),
    ],
)
def test_filters_are_said_in_words(part: Comparison, words: str) -> None:
    assert filter_words(part) == words


class Strict(HTMLParser):
    """Fails on what the pages' content security policy forbids, and on elements that do not close."""

    VOID = {"meta", "link", "input", "col"}

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attributes]
        assert "style" not in names
        assert tag != "style"
        assert tag != "script" or (dict(attributes).get("src") or "").startswith("/static/app.js?v=")
        assert not [name for name in names if name.startswith("on")]
        self.ids += [value or "" for name, value in attributes if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("view", [View(), View(period="today", metric="visit_duration"), View(period="year")])
def test_the_page_has_no_inline_script_and_no_style(view: View) -> None:
    parser = Strict()
    parser.feed(render(view))
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))


def test_values_from_outside_are_escaped() -> None:
    html = render(View())
    assert "&lt;/b&gt;0" in html
    assert "</b>0" not in html


def test_a_site_without_events_shows_the_line_to_install() -> None:
    html = re.sub(r"\s+", " ", render(View(), has_events=False))
    assert (
        "&lt;script defer data-domain=&#34;acme.example&#34; src=&#34;http://localhost:8000/js/script.js&#34;" in html
        or '&lt;script defer data-domain="acme.example" src="http://localhost:8000/js/script.js"&gt;' in html
    )


@pytest.mark.parametrize("name", ["login.html", "first_account.html", "sites.html", "error.html"])
def test_the_other_pages_draw_with_their_least_context(name: str) -> None:
    environment = make_environment()
    parser = Strict()
    parser.feed(
        environment.get_template(name).render(
            principal=None, csrf_input="", email="", token="t", error=None, sites=[], status=404, title="T", detail="D"
        )
    )
    assert parser.open == []
