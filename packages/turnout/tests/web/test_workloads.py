from __future__ import annotations

import pytest
from litestar import Litestar, get

from turnout.web.workloads import ROUTES, Work, check_workloads, work_of


@get("/somewhere/new")
async def new_route() -> str:
    return "numbers"


def test_a_route_without_a_workload_keeps_the_application_from_starting() -> None:
    with pytest.raises(TypeError, match="GET /somewhere/new has no workload"):
        check_workloads(Litestar([new_route], openapi_config=None))


def test_a_line_without_its_route_does_too() -> None:
    with pytest.raises(TypeError, match="is no route"):
        check_workloads(Litestar([], openapi_config=None))


@pytest.mark.parametrize(("work", "line"), [(work, line) for work, lines in ROUTES.items() for line in lines])
def test_every_line_is_found_by_a_path_of_its_form(work: Work, line: str) -> None:
    method, path = line.split(" ")
    for name in ("domain", "slug", "organisation_id", "user", "number", "token", "card", "path", "file_path"):
        path = path.replace(f"{{{name}}}", "acme.example")
    assert "{" not in path
    assert work_of(method, path) == work
    assert work_of(method, f"/{path}/") == work


def test_files_are_below_any_number_of_folders() -> None:
    assert work_of("GET", "/static/css/deep/site.css") == "operations"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/ops"),
        ("GET", "/ops/else"),
        ("GET", "/static"),
        ("POST", "/static/app.js"),
        ("GET", "/nowhere/at/all"),
        ("GET", "/sites/acme.example/export.zip/more"),
        ("DELETE", "/login"),
    ],
)
def test_what_is_no_route_is_an_ordinary_page_and_never_let_through(method: str, path: str) -> None:
    assert work_of(method, path) == "account"
