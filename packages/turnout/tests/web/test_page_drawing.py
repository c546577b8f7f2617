from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from html import unescape
from html.parser import HTMLParser
from urllib.parse import parse_qsl

import pytest
from jinja2 import StrictUndefined
from msgspec.structs import replace

from turnout.model.query import Comparison, Query, Result, Row
from turnout.model.site import Principal, Site, SiteId, UserId
from turnout.web.fragments import Fragment, switcher
from turnout.web.page.answers import CardAnswer, ChartAnswer, Missing
from turnout.web.page.change import change_of
from turnout.web.page.drawing import LATE, Answers, Drawing, draw
from turnout.web.page.filter_bar import filter_words
from turnout.web.page.questions import ask
from turnout.web.page.state import View, read_view
from turnout.web.templating import make_environment, single_quoted

NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)
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


FAILED = Missing(is_late=False)


def drawing(view: View, missing: Missing | None = None, *, of: tuple[str, ...] = ()) -> Drawing:
    """The page of a view; with nothing but what is `missing` for the sections `of`."""
    questions = ask(view, NOW)
    chart = [answer(query) for query in questions.chart.in_order]
    cards = {name: [answer(query) for query in question.in_order] for name, question in questions.cards.items()}
    answers = Answers(
        chart=missing
        if missing and "chart" in of
        else ChartAnswer(
            headline=chart[0],
            series=chart[1],
            headline_before=chart[2] if len(chart) > 2 else None,
            series_before=chart[3] if len(chart) > 2 else None,
        ),
        cards={
            name: missing if missing and name in of else CardAnswer(rows=rows[0], before=rows[1] if rows[1:] else None)
            for name, rows in cards.items()
        },
    )
    return draw(view, questions, answers, NOW, cities=False)


def render(view: View, page: Drawing | None = None, **context: object) -> str:
    environment = make_environment(StrictUndefined)
    shown = {"site": SITE, "page_path": context.get("page_path", "/sites/acme.example")}
    fragment = Fragment(page or drawing(view), shown, None, environment)
    has_events = context.get("has_events", True)
    return environment.get_template("site.html").render(
        **{
            "principal": Principal(UserId(1), "me@acme.example"),
            "csrf_input": '<input type="hidden" name="_csrf_token" value="x">',
            "site": SITE,
            "switcher": switcher(SITE, (SITE,), ""),
            "page_path": "/sites/acme.example",
            "embed": False,
            "bar": fragment.bar if has_events else None,
            "controls": fragment.controls,
            "numbers": fragment.main,
            "has_events": True,
            "script_url": "http://localhost:8000/js/script.js",
            **context,
        }
    )


def test_headline_numbers_choose_the_metric_and_keep_the_rest() -> None:
    view = View(period="7d", filters=(Comparison("is", "visit:country", ("DE",)),))
    visits = drawing(view).chart.headlines[1]
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


def test_a_card_shows_nine_rows_and_leads_to_its_details() -> None:
    assert len(drawing(View(period="7d")).cards[0].rows) == 9
    assert 'href="/sites/acme.example/details/sources?period=7d"' in render(View(period="7d"))


def test_buckets_without_rows_are_zero() -> None:
    points = drawing(View()).chart.charts[0].points
    assert [point.value for point in points[2:5]] == ["0", "7", "0"]


def test_hours_still_to_come_are_not_drawn() -> None:
    points = drawing(View(period="today")).chart.charts[0].points
    assert len(points) == 14
    assert points[-1].label == "Tue 24 Nov, 13:00"


def test_a_year_is_drawn_by_months_named_with_their_year() -> None:
    page = drawing(View(period="year"))
    assert (page.chart.title, page.chart.words) == ("Visitors by month", "1 Jan – 24 Nov 2026")
    assert [point.label for point in page.chart.charts[0].points][-2:] == ["October 2026", "November 2026"]


def test_cities_are_offered_only_where_they_are_known() -> None:
    assert [tab.label for tab in drawing(View()).cards[2].tabs] == ["Map", "Countries"]


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


def checked(html: str) -> str:
    parser = Strict()
    parser.feed(html)
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    return html


CHIPS = (Comparison("is", "visit:country", ("DE", "FR")), Comparison("contains_not", "event:props:plan", ("a",)))
EVERY = ("chart", "sources", "pages", "locations", "devices", "events")


@pytest.mark.parametrize(
    "view",
    [
        View(),
        View(period="today", metric="visit_duration"),
        View(period="year", compare="previous"),
        View(filters=CHIPS, compare="year", tabs=(("sources", "campaign"), ("locations", "map"))),
        View(event="Signup", prop="plan"),
    ],
)
def test_the_page_has_no_inline_script_and_no_style(view: View) -> None:
    checked(render(view))


@pytest.mark.parametrize("missing", [LATE, FAILED], ids=["late", "failed"])
@pytest.mark.parametrize("of", [EVERY, ("chart",), ("pages", "devices")])
def test_what_is_missing_says_so_and_the_rest_is_drawn(missing: Missing, of: tuple[str, ...]) -> None:
    view = View(period="7d", metric="visits")
    html = checked(render(view, drawing(view, missing, of=of)))
    words = "Still counting…" if missing.is_late else "This could not be counted."
    assert html.count(words) == len(of)
    for name in of:
        assert f'data-card-url="/sites/acme.example/cards/{name}?period=7d&amp;metric=visits"' in html
        assert f'href="?period=7d&amp;metric=visits#{name}"' in html
    assert html.count("<tbody>") == 6 - len(of)


def test_a_card_without_shares_is_asked_for_again() -> None:
    view = View()
    page = drawing(view, LATE, of=("chart",))
    assert [row.share for row in page.cards[0].rows[:2]] == ["", ""]
    assert not page.cards[0].is_whole
    assert 'data-card-url="/sites/acme.example/cards/sources?"' in render(view, page)


def test_without_anybody_signed_in_nothing_leads_out_of_the_page() -> None:
    html = checked(render(View(), principal=None, switcher=None, page_path="/share/abc", embed=True))
    assert "/sites" not in html
    assert "/login" not in html
    assert "Sign out" not in html
    assert 'href="/share/abc/details/sources?"' in html
    assert 'data-suggest="/share/abc/suggest"' in html
    assert 'data-live="/share/abc/live"' in html


def test_letters_lead_to_periods_sites_and_the_comparison() -> None:
    html = render(View(compare="previous"))
    keys = re.findall(r'data-key="([^"]+)"', html)
    assert sorted(keys) == sorted([*"1DERHWFTNMPYLAXC", "/", "ArrowLeft"])
    assert re.search(r'<a href="\?" data-key="X">No comparison', html)
    assert re.search(r'<a href="\?compare=previous" data-key="X">Previous period', render(View()))


def test_the_chart_carries_its_numbers_for_the_script() -> None:
    html = render(View(period="7d", filters=CHIPS[:1], compare="previous"))
    found = re.search(r"""data-chart='([^']*)' data-zoom="([^"]*)\"""", html)
    assert found is not None
    data = json.loads(unescape(found.group(1)))
    assert len(data["starts"]) == len(data["values"]) == len(data["texts"]) == len(data["valuesBefore"])
    assert data["step"] == "day"
    assert unescape(found.group(2)) == "?compare=previous&f=is,visit:country,DE,FR&from=FROM&to=TO"
    assert "data-zoom" not in render(View(period="today"))


def test_json_in_an_attribute_stays_in_it() -> None:
    assert single_quoted("""{"a": "it's <b> & 'c'"}""") == """{"a": "it&#39;s &lt;b> &amp; &#39;c&#39;"}"""


def test_a_chip_can_be_edited_without_scripts() -> None:
    html = unescape(render(View(period="7d", filters=CHIPS)))
    form = html[html.index('aria-label="Change the filter Country is Germany or France"') :]
    form = form[: form.index("</form>")]
    assert '<input type="hidden" name="add_at" value="0">' in form
    assert '<input type="hidden" name="f" value="is,visit:country,DE,FR">' in form
    assert re.findall(r'name="add_value" aria-label="[^"]*" value="([^"]*)"', form) == ["Germany", "France", ""]
    assert '<option value="is" selected>' in form


def test_changes_are_told_to_the_eye_and_to_the_ear() -> None:
    good = change_of("visitors", 120, 100, "November", "October")
    assert (good.arrow, good.words, good.text, good.tone) == ("▲", "up", "20\u00a0%", "good")
    assert good.title == "120 in November; 100 in October"
    fewer_bounces = change_of("bounce_rate", 40, 42, "", "")
    assert (fewer_bounces.arrow, fewer_bounces.text, fewer_bounces.tone) == ("▼", "2\u00a0pt", "good")
    assert change_of("visit_duration", 30, 60, "", "").tone == "bad"
    assert (change_of("visits", 5, 5, "", "").tone, change_of("visits", 0, 0, "", "").text) == ("even", "0\u00a0%")
    assert change_of("visits", 3, 0, "", "").text == "new"
    assert change_of("visits", 3_000, 2, "", "").text == "×\u00a01,500"


def test_values_from_outside_are_escaped() -> None:
    html = render(View())
    assert "&lt;/b&gt;0" in html
    assert "</b>0" not in html


def test_a_site_without_events_shows_the_line_to_install() -> None:
    html = re.sub(r"\s+", " ", render(View(), page=None, has_events=False))
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
            principal=None,
            csrf_input="",
            email="",
            token="t",
            error=None,
            switcher=None,
            status=404,
            title="T",
            detail="D",
        )
    )
    assert parser.open == []
