from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import SiteOnServer
    from playwright.sync_api import Browser, Page, Route

pytestmark = pytest.mark.browser

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
STUB = "window.plausible = window.plausible || function () { (plausible.q = plausible.q || []).push(arguments) };"
PAGE = """<!doctype html><title>A page of the site</title>
<script>{stub} plausible("Early", {{props: {{from: "stub"}}}});</script>
<script defer data-domain="{domain}" {attributes} src="{server}/js/script.js"></script>"""


class Pages:
    """A site on an origin of its own, every path of which is a page with the tracker."""

    def __init__(self, site: SiteOnServer) -> None:
        self.attributes = "data-allow-local data-allow-automated"
        pages = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                html = PAGE.format(
                    stub=STUB, domain=site.domain, attributes=pages.attributes, server=site.server.address
                ).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/html")
                self.send_header("Content-Length", str(len(html)))
                self.end_headers()
                self.wfile.write(html)

            def log_message(self, *_: object) -> None:
                """Stays silent: requests are not the test's output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def pages(site: SiteOnServer) -> Iterator[Pages]:
    pages = Pages(site)
    thread = threading.Thread(target=pages.server.serve_forever)
    thread.start()
    yield pages
    pages.server.shutdown()
    thread.join()
    pages.server.server_close()


@pytest.fixture
def tab(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(user_agent=AGENT)
    yield context.new_page()
    context.close()


def acts(page: Page, action: str) -> None:
    """Runs a script in the page and waits until the event it makes is answered."""
    with page.expect_response("**/api/event") as answered:
        page.evaluate(action)
    assert answered.value.status == 202


def test_a_visit_with_routes_and_events_is_recorded_right(pages: Pages, tab: Page, site: SiteOnServer) -> None:
    statuses: list[int] = []
    tab.on("response", lambda answer: statuses.append(answer.status) if "/api/event" in answer.url else None)
    with tab.expect_response(lambda answer: "/api/event" in answer.url and "Early" in (answer.request.post_data or "")):
        tab.goto(f"{pages.address}/start?utm_source=letter")
    acts(tab, "history.pushState({}, '', '/pricing')")
    tab.evaluate("history.replaceState({scroll: 1}, '', '/pricing?tab=2')")
    acts(tab, "turnout('Signup', {props: {plan: 'pro'}, revenue: {amount: 12.5, currency: 'EUR'}})")
    acts(tab, "history.back()")
    status = tab.evaluate("new Promise(done => turnout('Read', {interactive: false, callback: done}))")
    assert status == {"status": 202}
    site.wait_for_events(6)

    assert statuses == [202] * 6
    assert tab.context.cookies() == []
    assert tab.evaluate("localStorage.length + sessionStorage.length") == 0
    metrics = ["visitors", "visits", "pageviews", "events"]
    assert site.query(metrics=metrics)[0]["metrics"] == [1, 1, 3, 6]
    pageviews = site.query(metrics=["pageviews"], dimensions=["event:page"])
    assert {row["dimensions"][0]: row["metrics"][0] for row in pageviews} == {"/start": 2, "/pricing": 1}
    names = site.query(metrics=["events"], dimensions=["event:name"], filters=[["is_not", "event:name", ["pageview"]]])
    assert {row["dimensions"][0] for row in names} == {"Early", "Signup", "Read"}
    stub = site.query(metrics=["events"], dimensions=["event:props:from"], filters=[["is", "event:name", ["Early"]]])
    assert stub == [{"dimensions": ["stub"], "metrics": [1]}]
    assert site.query(metrics=["visits"], dimensions=["visit:entry_page", "visit:utm_source"]) == [
        {"dimensions": ["/start", "letter"], "metrics": [1]}
    ]


def test_a_page_that_is_only_prerendered_sends_nothing_until_it_is_looked_at(
    pages: Pages, tab: Page, site: SiteOnServer
) -> None:
    sent: list[str] = []
    tab.on("request", lambda request: sent.append(request.url) if "/api/event" in request.url else None)
    tab.add_init_script("""
        window.isAhead = true;
        Object.defineProperty(document, "prerendering", {get: () => window.isAhead});
        Object.defineProperty(document, "visibilityState", {get: () => window.isAhead ? "hidden" : "visible"});
    """)
    tab.goto(f"{pages.address}/start")
    tab.evaluate("turnout('Signup')")
    assert sent == []
    tab.evaluate("""
        window.isAhead = false;
        document.dispatchEvent(new Event("prerenderingchange"));
        document.dispatchEvent(new Event("visibilitychange"));
    """)
    site.wait_for_events(3)
    names = site.query(metrics=["events"], dimensions=["event:name"])
    assert {row["dimensions"][0]: row["metrics"][0] for row in names} == {"pageview": 1, "Early": 1, "Signup": 1}


def test_a_refused_event_is_sent_once_more(pages: Pages, tab: Page, site: SiteOnServer) -> None:
    refused: list[str] = []

    def refuse_the_first(route: Route) -> None:
        body = route.request.post_data or ""
        if "pageview" in body and not refused:
            refused.append(body)
            route.fulfill(status=503, headers={"Access-Control-Allow-Origin": "*"})
        else:
            route.continue_()

    tab.route("**/api/event", refuse_the_first)
    tab.clock.install()
    with tab.expect_response(lambda answer: answer.status == 503):
        tab.goto(f"{pages.address}/start")
    with tab.expect_response(lambda answer: answer.status == 202 and "pageview" in (answer.request.post_data or "")):
        tab.clock.run_for(5_000)
    site.wait_for_events(2)
    assert len(refused) == 1
    assert site.query(metrics=["pageviews"])[0]["metrics"] == [1]


@pytest.mark.parametrize("attributes", ["data-allow-local", "data-allow-automated"])
def test_developers_and_robots_are_not_counted(attributes: str, pages: Pages, tab: Page) -> None:
    pages.attributes = attributes
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(f"{pages.address}/start")
    assert tab.evaluate("new Promise(done => turnout('Signup', {callback: () => done('called')}))") == "called"
    assert [url for url in requests if "/api/event" in url] == []


def test_a_page_in_a_tab_behind_counts_when_it_is_looked_at(pages: Pages, tab: Page, site: SiteOnServer) -> None:
    tab.add_init_script("Object.defineProperty(document, 'visibilityState', {get: () => window.state || 'hidden'})")
    with tab.expect_response("**/api/event") as early:
        tab.goto(f"{pages.address}/start")
    assert "Early" in (early.value.request.post_data or "")
    assert site.query(metrics=["pageviews"])[0]["metrics"] == [0]
    acts(tab, "window.state = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    site.wait_for_events(2)
    assert site.query(metrics=["pageviews"])[0]["metrics"] == [1]


def test_a_page_shown_again_from_the_back_forward_cache_counts_again(
    pages: Pages, tab: Page, site: SiteOnServer
) -> None:
    with tab.expect_response(lambda answer: "pageview" in (answer.request.post_data or "")):
        tab.goto(f"{pages.address}/start")
    acts(tab, "dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    tab.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: false}))")
    site.wait_for_events(3)
    assert site.query(metrics=["pageviews"])[0]["metrics"] == [2]


def test_routes_in_the_fragment_count_where_the_site_says_so(pages: Pages, tab: Page, site: SiteOnServer) -> None:
    pages.attributes += " data-hash"
    with tab.expect_response(lambda answer: "pageview" in (answer.request.post_data or "")):
        tab.goto(f"{pages.address}/app")
    acts(tab, "location.hash = '#/settings'")
    site.wait_for_events(3)
    rows = site.query(metrics=["pageviews"], dimensions=["event:page"])
    assert {row["dimensions"][0]: row["metrics"][0] for row in rows} == {"/app": 1, "/app#/settings": 1}
