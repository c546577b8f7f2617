from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest
from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.template.config import TemplateConfig
from litestar.testing import TestClient

from seawall.testing import ManualClock
from turnout.errors import NotFound
from turnout.model.access import SiteAccess
from turnout.model.site import OrganisationId, Principal, Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.web.dashboard import show_card, show_details, show_site
from turnout.web.mount import Desk
from turnout.web.templating import make_engine

ME = Principal(UserId(1), "me@acme.example")
SITES = [
    Site(SiteId(7), "acme.example", "UTC", OrganisationId(1)),
    Site(SiteId(8), "new.example", "Europe/Berlin", OrganisationId(1)),
]
NOW = datetime(2026, 11, 24, 13, 40, tzinfo=UTC)


class Shelf:
    """Two sites, in memory: all that the pages need of the accounts."""

    async def list(self, principal: Principal) -> Sequence[Site]:
        return SITES


def access(request: Request) -> SiteAccess:
    """What the guard of the whole application admits to."""
    for site in SITES:
        if site.domain == request.path_params["domain"]:
            return SiteAccess(site, frozenset({"see_site"}))
    raise NotFound(request.path_params["domain"])


def not_found(_: object, error: NotFound) -> Response[str]:
    return Response(f"no site {error}", status_code=404)


def given(value: object) -> Provide:
    def provide() -> object:
        return value

    return Provide(provide, sync_to_thread=False)


@pytest.fixture
def client(runner: QueryRunner) -> Iterator[TestClient[Litestar]]:
    app = Litestar(
        [show_site, show_card, show_details],
        dependencies={
            "viewer": given(ME),
            "access": Provide(access, sync_to_thread=False),
            "sites": given(Shelf()),
            "desk": given(
                Desk(runner, ManualClock(time_s=NOW.timestamp()), Settings(public_url="https://stats.example/"))
            ),
        },
        exception_handlers={NotFound: not_found},
        template_config=TemplateConfig(instance=make_engine()),
    )
    with TestClient(app) as client:
        yield client


def test_a_site_s_page_is_its_readers_alone(client: TestClient[Litestar]) -> None:
    answer = client.get("/sites/acme.example")
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    assert "25 Oct – 24 Nov 2026" in answer.text


def test_the_filter_form_leads_to_the_address_of_its_filter(client: TestClient[Litestar]) -> None:
    answer = client.get(
        "/sites/acme.example?period=7d&add_dimension=visit:country&add_operator=is_not&add_value=Germany",
        follow_redirects=False,
    )
    assert answer.status_code == 303
    assert answer.headers["location"] == "/sites/acme.example?period=7d&f=is_not,visit:country,DE"


def test_a_value_with_line_breaks_stays_inside_the_address(client: TestClient[Litestar]) -> None:
    answer = client.get(
        "/sites/acme.example?add_dimension=event:page&add_value=%2Fa%0D%0ASet-Cookie:x=1", follow_redirects=False
    )
    assert answer.headers["location"] == "/sites/acme.example?f=is,event:page,/a%0D%0ASet-Cookie:x%3D1"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("?period=fortnight", "period: expected one of today"),
        ("?add_value=&add_dimension=event:page", "add_value: expected the value"),
        ("?add_value=x&add_operator=like", "add_operator: expected one of is"),
        ("?" + "&".join("x=1" for _ in range(200)), "at most 100 parameters"),
    ],
)
def test_what_cannot_be_read_is_a_page_that_says_so(address: str, words: str, client: TestClient[Litestar]) -> None:
    answer = client.get("/sites/acme.example" + address)
    assert answer.status_code == 400
    assert words in answer.text
    assert answer.headers["content-type"].startswith("text/html")


def test_a_site_without_events_names_the_public_address(client: TestClient[Litestar]) -> None:
    answer = client.get("/sites/new.example?period=all")
    assert "https://stats.example/js/script.js" in answer.text
    assert "Waiting for the first visit" in answer.text


@pytest.mark.parametrize("below", ["", "/cards/chart", "/details/pages", "/details/pages.csv"])
def test_a_site_of_someone_else_is_not_found(below: str, client: TestClient[Litestar]) -> None:
    assert client.get(f"/sites/other.example{below}").status_code == 404


@pytest.mark.parametrize("below", ["/cards/everything", "/cards/", "/details/everything", "/details/chart"])
def test_what_is_not_on_the_page_is_not_found(below: str, client: TestClient[Litestar]) -> None:
    assert client.get(f"/sites/acme.example{below}").status_code == 404


@pytest.mark.parametrize("below", ["/cards/chart", "/details/pages", "/details/pages.csv"])
def test_a_bad_address_names_its_parameter_everywhere(below: str, client: TestClient[Litestar]) -> None:
    answer = client.get(f"/sites/acme.example{below}?period=fortnight")
    assert answer.status_code == 400
    assert "period: expected one of today" in answer.text


@pytest.mark.parametrize("card", ["chart", "sources", "pages", "locations", "devices", "events"])
def test_a_section_alone_is_the_one_on_the_page(card: str, client: TestClient[Litestar]) -> None:
    view = "?period=7d&compare=previous&f=is,visit:country,DE&event=Signup"
    alone = client.get(f"/sites/acme.example/cards/{card}{view}")
    assert alone.headers["cache-control"] == "private, no-store"
    assert alone.text.strip().startswith("<section")
    assert alone.text.strip() in client.get(f"/sites/acme.example{view}").text


def test_a_filter_typed_on_a_details_page_stays_there(client: TestClient[Litestar]) -> None:
    answer = client.get(
        "/sites/acme.example/details/pages?q=doc&add_dimension=visit:country&add_value=France", follow_redirects=False
    )
    assert answer.headers["location"] == "/sites/acme.example/details/pages?f=is,visit:country,FR&q=doc"


def test_a_file_is_named_by_site_report_and_dates(client: TestClient[Litestar]) -> None:
    answer = client.get("/sites/acme.example/details/sources.csv?sources=channel&period=yesterday")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    name = "acme.example-sources-channel-2026-11-23.csv"
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.text.splitlines()[0] == "channel,visitors,visits,pageviews,bounce_rate,visit_duration"
