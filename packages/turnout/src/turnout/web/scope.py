"""Who may come in: every route names a scope, and the guard admits by it before any handler runs.

A route without a scope keeps the server from starting (`check_scopes`). Handlers get what was admitted by name
(`principal`, `access`, `site`, `organisation`, `link`), and have no other way to a site or an organisation.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, NamedTuple, Protocol

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.routes import HTTPRoute

from turnout.errors import NotFound, NotSignedIn, TurnoutError
from turnout.model.access import Organisation, Right, SiteAccess
from turnout.model.site import OrganisationId, Principal
from turnout.store.sql.sites import OpenLink

Connection = ASGIConnection[Any, Any, Any, Any]
FREE = ("/api/docs",)
"""Routes that the framework makes itself, and which show nothing but the API's description."""


class Doors(Protocol):
    """What scopes ask, each with the connection's own session or key."""

    async def person(self, connection: Connection) -> Principal | None:
        """Whose session it is."""
        ...

    async def key(self, connection: Connection) -> Principal | None:
        """Whose API key it is."""
        ...

    async def access(self, principal: Principal | None, domain: str, right: Right) -> SiteAccess:
        """A site. Raises `NotFound`, `NotAllowed`."""
        ...

    async def organisation(self, principal: Principal, number: OrganisationId, right: Right) -> Organisation:
        """An organisation. Raises `NotFound`, `NotAllowed`."""
        ...

    async def link(self, slug: str) -> OpenLink:
        """A shared link. Raises `NotFound`."""
        ...


class Admission(NamedTuple):
    """Who came in, and to what."""

    principal: Principal | None = None
    access: SiteAccess | None = None
    organisation: Organisation | None = None
    link: OpenLink | None = None


class Scope(Protocol):
    """Decides whether a connection may come in."""

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """What it may come in to. Raises `NotSignedIn`, `NotFound`, `NotAllowed`."""
        ...


class Everybody(NamedTuple):
    """No sign-in is needed; whoever has one is known."""

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Whoever it is."""
        return Admission(await doors.person(connection))


class Person(NamedTuple):
    """Somebody signed in, about what is their own."""

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Raises `NotSignedIn`."""
        return Admission(await _signed_in(connection, doors))


class OnSite(NamedTuple):
    """Somebody with a right on the site `{domain}`. `or_public`: everybody, where the site is public."""

    right: Right
    or_public: bool = False

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Raises `NotSignedIn`, `NotFound`, `NotAllowed`. Nobody learns which sites there are."""
        domain = str(connection.path_params["domain"])
        principal = await doors.person(connection) if self.or_public else await _signed_in(connection, doors)
        try:
            return Admission(principal, await doors.access(principal, domain, self.right))
        except NotFound:
            if principal is None:
                raise NotSignedIn("sign in first") from None
            raise


class OnOrganisation(NamedTuple):
    """A member of the organisation `{organisation_id}` whose role has a right there."""

    right: Right

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Raises `NotSignedIn`, `NotFound`, `NotAllowed`."""
        principal = await _signed_in(connection, doors)
        number = OrganisationId(int(connection.path_params["organisation_id"]))
        return Admission(principal, organisation=await doors.organisation(principal, number, self.right))


class ByKey(NamedTuple):
    """Whoever holds an API key."""

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Raises `NotSignedIn`."""
        principal = await doors.key(connection)
        if principal is None:
            raise NotSignedIn("send a valid API key")
        return Admission(principal)


class Operator(NamedTuple):
    """An operator in a browser. To everybody else it is not there. `or_key`: or whoever holds a key of scope `ops`."""

    or_key: bool = False

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Raises `NotSignedIn`, `NotFound`."""
        holder = await doors.key(connection) if self.or_key else None
        if holder is not None and "ops" in holder.scopes:
            return Admission(holder)
        principal = await _signed_in(connection, doors)
        if not principal.is_operator:
            raise NotFound("there is no such page")
        return Admission(principal)


class ByLink(NamedTuple):
    """Whoever has the shared link `{slug}`; whether its password was given is for the handler to ask."""

    async def admit(self, connection: Connection, doors: Doors) -> Admission:
        """Raises `NotFound`."""
        return Admission(link=await doors.link(str(connection.path_params["slug"])))


EVERYBODY: dict[str, Scope] = {"scope": Everybody()}
PERSON: dict[str, Scope] = {"scope": Person()}
BY_KEY: dict[str, Scope] = {"scope": ByKey()}
OPERATOR: dict[str, Scope] = {"scope": Operator()}
OPERATOR_OR_KEY: dict[str, Scope] = {"scope": Operator(or_key=True)}
BY_LINK: dict[str, Scope] = {"scope": ByLink()}


def on_site(right: Right, *, or_public: bool = False) -> dict[str, Scope]:
    """The scope of a route below `/sites/{domain}`."""
    return {"scope": OnSite(right, or_public)}


def on_organisation(right: Right) -> dict[str, Scope]:
    """The scope of a route below `/organisations/{organisation_id}`."""
    return {"scope": OnOrganisation(right)}


def make_guard(doors: Doors) -> Callable[[Connection, BaseRouteHandler], Awaitable[None]]:
    """The guard of the whole application."""

    async def guard(connection: Connection, handler: BaseRouteHandler) -> None:
        if "\0" in connection.scope["path"]:  # no name of ours holds one, and a file system is not to be asked
            raise NotFound("there is no such page")
        scope: Scope | None = handler.opt.get("scope")
        if scope is not None:
            connection.state["admission"] = await scope.admit(connection, doors)
            connection.state["admit_again"] = partial(scope.admit, connection, doors)
        elif not connection.url.path.startswith(FREE):
            raise NotFound("there is no such page")

    return guard


def admission(connection: Connection) -> Admission:
    """What the guard admitted."""
    admitted: Admission = connection.state["admission"]
    return admitted


async def is_still_admitted(connection: Connection) -> bool:
    """Whether the guard would admit it now: for answers that go on for long. False too where that can't be asked."""
    try:
        await connection.state["admit_again"]()
    except TurnoutError:
        return False
    return True


def check_scopes(app: Litestar) -> None:
    """Raises TypeError for a route that names no scope."""
    for route in app.routes:
        if not isinstance(route, HTTPRoute) or route.path.startswith(FREE):
            continue
        for handler in route.route_handlers:
            if "scope" not in handler.opt and set(handler.http_methods) != {"OPTIONS"}:
                raise TypeError(f"{handler} at {route.path} names no scope; see turnout/web/scope.py")


async def _signed_in(connection: Connection, doors: Doors) -> Principal:
    principal = await doors.person(connection)
    if principal is None:
        raise NotSignedIn("sign in first")
    return principal
