"""What every route is to the gates: each names a workload, and is let in by it before the framework has done anything.

A route without a line keeps the server from starting (`check_workloads`), and so does a line without its route.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias, get_args

from litestar import Litestar
from litestar.routes import HTTPRoute

Work = Literal["operations", "account", "dashboard", "sections", "api", "export", "live", "sign-in"]
"""*operations*: what must answer under any load, and files. *account*: pages about people, organisations and settings.
*dashboard*: a site's numbers. *sections*: a part of such a page that was late. *api*: questions of programs. *export*:
files to save. *live*: streams. *sign-in*: whatever checks a password, which takes a core for 50 ms."""

SITE, SHARE, ORGANISATION = "/sites/{domain}", "/share/{slug}", "/organisations/{organisation_id}"
EXPORTS = "/api/v1/exports"

ROUTES: dict[Work, tuple[str, ...]] = {
    "operations": ("GET /ops", "GET /ops/snapshot", "GET /ops/stacks", "GET /static/{file_path}"),
    "account": (
        "GET /",
        "GET /sites",
        "POST /sites",
        "GET /login",
        "GET /login/code",
        "POST /login/code",
        "POST /logout",
        "GET /forgotten",
        "POST /forgotten",
        "GET /reset/{token}",
        "GET /first-account/{token}",
        "GET /invitations/{token}",
        "GET /welcome",
        "POST /welcome",
        "GET /welcome/site",
        "POST /welcome/site",
        "GET /account",
        "GET /account/password",
        "POST /account/sessions/{number}/end",
        "POST /account/sessions/end-others",
        "GET /account/second-factor",
        "GET /account/delete",
        "GET /organisations/new",
        "POST /organisations",
        f"GET {ORGANISATION}",
        f"GET {ORGANISATION}/audit",
        f"POST {ORGANISATION}/name",
        f"POST {ORGANISATION}/delete",
        f"POST {ORGANISATION}/members/{{user}}/role",
        f"POST {ORGANISATION}/members/{{user}}/remove",
        f"POST {ORGANISATION}/invitations",
        f"POST {ORGANISATION}/invitations/{{number}}/withdraw",
        f"POST {ORGANISATION}/keys",
        f"POST {ORGANISATION}/keys/{{number}}/delete",
        f"GET {SITE}/settings",
        f"POST {SITE}/settings/timezone",
        f"POST {SITE}/settings/public",
        f"POST {SITE}/settings/links/{{number}}/delete",
        f"POST {SITE}/settings/guests",
        f"POST {SITE}/settings/guests/{{user}}/remove",
        f"POST {SITE}/settings/delete",
        *(f"GET {page}/{below}" for page in (SITE, SHARE) for below in ("export.zip", "exports/{token}")),
        f"POST {SITE}/exports",
        f"POST {SITE}/exports/{{token}}/cancel",
        "GET /api/docs",
        "GET /api/docs/{path}",
        "GET /api/docs/openapi.json",
    ),
    "dashboard": tuple(f"GET {page}{below}" for page in (SITE, SHARE) for below in ("", "/details/{card}", "/suggest")),
    "sections": tuple(f"GET {page}/cards/{{card}}" for page in (SITE, SHARE)),
    "api": ("POST /api/v2/query", f"POST {EXPORTS}", f"GET {EXPORTS}/{{token}}", f"DELETE {EXPORTS}/{{token}}"),
    "export": (*(f"GET {page}/exports/{{token}}/file" for page in (SITE, SHARE)), f"GET {EXPORTS}/{{token}}/file"),
    "live": tuple(f"GET {page}/live" for page in (SITE, SHARE)),
    "sign-in": (
        "POST /login",
        "POST /reset/{token}",
        "POST /first-account/{token}",
        "POST /invitations/{token}",
        "POST /account/password",
        "POST /account/second-factor",
        "POST /account/second-factor/codes",
        "POST /account/second-factor/end",
        "POST /account/delete",
        f"POST {SHARE}/password",
        f"POST {SITE}/settings/links",
    ),
}
UNKNOWN: Work = "account"
"""What has no route: a page that says so."""
WHOLE_REST = "file_path"
"""The one name that stands for more than one segment."""

Branches: TypeAlias = "dict[str, Branch]"


class Branch:
    """A node of the tree of paths: one segment, `*` for any. `works` are by method."""

    __slots__ = ("below", "takes_rest", "works")

    def __init__(self) -> None:
        self.below: Branches = {}
        self.works: dict[str, Work] = {}
        self.takes_rest = False


def make_tree(routes: Iterable[tuple[str, Work]]) -> Branch:
    """Puts `METHOD /path/{name}` lines into a tree."""
    root = Branch()
    for line, work in routes:
        method, _, path = line.partition(" ")
        node = root
        for segment in path.split("/"):
            if segment:
                node = node.below.setdefault("*" if segment.startswith("{") else segment, Branch())
                node.takes_rest |= segment == f"{{{WHOLE_REST}}}"
        node.works[method] = work
    return root


TREE = make_tree((line, work) for work, lines in ROUTES.items() for line in lines)


def work_of(method: str, path: str) -> Work:
    """The workload of a request, in a few microseconds. As the framework does, it overlooks doubled and last slashes."""
    node: Branch | None = TREE
    for segment in path.split("/"):
        if segment and node is not None and not node.takes_rest:
            node = node.below.get(segment) or node.below.get("*")
    return UNKNOWN if node is None else node.works.get(method, UNKNOWN)


def check_workloads(app: Litestar) -> None:
    """Raises TypeError for a route that has no workload, and for a line that has no route."""
    found = {
        f"{method} {route.path_format}"
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method in route.methods
        if method not in ("OPTIONS", "HEAD")
    }
    known = [line for lines in ROUTES.values() for line in lines]
    for told, lines in (("has no workload", found - set(known)), ("is no route", set(known) - found)):
        if lines:
            raise TypeError(f"{sorted(lines)[0]} {told}; see turnout/web/workloads.py")
    if len(known) != len(set(known)) or set(ROUTES) != set(get_args(Work)):
        raise TypeError("a route has two workloads, or a workload no routes; see turnout/web/workloads.py")
