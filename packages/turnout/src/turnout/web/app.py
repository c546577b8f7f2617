"""The Litestar application: every page and the API, with what their handlers ask for by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from litestar import Litestar, Request
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from seawall.clock import Clock
from turnout import __version__
from turnout.accounts.organisations import Organisations
from turnout.accounts.second_factor import SecondFactors
from turnout.accounts.service import Accounts
from turnout.accounts.sessions import Sessions
from turnout.jobs.exports import Exports
from turnout.model.access import Organisation, Right, SiteAccess
from turnout.model.site import OrganisationId, Principal, Site
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.sites.sharing import Sharing
from turnout.store.sql.sites import OpenLink
from turnout.web import (
    account,
    auth,
    dashboard,
    exports,
    invitation,
    ops_page,
    organisation,
    share,
    site_settings,
    sites,
    welcome,
)
from turnout.web.api import query_stats
from turnout.web.api_exports import API_EXPORTS
from turnout.web.api_page import OperationsPage
from turnout.web.assets import STATIC
from turnout.web.auth import cookie_name, is_https, session_cookie
from turnout.web.live_hub import LiveHub
from turnout.web.mount import Desk
from turnout.web.ops import Operations
from turnout.web.ops_history import OpsHistory
from turnout.web.organisation_page import organisation_page
from turnout.web.problems import as_answer
from turnout.web.scope import EVERYBODY, Connection, admission, check_scopes, make_guard
from turnout.web.site_settings_page import settings_page
from turnout.web.templating import make_engine
from turnout.web.whole_body import MAX_BODY_BYTES
from turnout.web.workloads import check_workloads

AnyRequest = Request[object, object, State]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers use."""

    accounts: Accounts
    sessions: Sessions
    second_factors: SecondFactors
    organisations: Organisations
    sites: Sites
    sharing: Sharing
    runner: QueryRunner
    page_runner: QueryRunner
    exports: Exports
    clock: Clock
    settings: Settings
    operations: Operations
    ops_history: OpsHistory
    live: LiveHub


PAGES = (
    sites.show_start,
    sites.list_sites,
    sites.add_site,
    dashboard.show_site,
    dashboard.show_card,
    dashboard.show_details,
    exports.export_site,
    exports.export_events,
    exports.show_export,
    exports.save_export,
    exports.cancel_export,
    dashboard.watch_site,
    dashboard.suggest_for_site,
    share.show_share,
    share.give_password,
    share.show_shared_card,
    share.show_shared_details,
    share.export_share,
    share.show_shared_export,
    share.save_shared_export,
    share.watch_share,
    share.suggest_for_share,
    auth.show_login,
    auth.sign_in,
    auth.show_code,
    auth.give_code,
    auth.sign_out,
    auth.show_forgotten,
    auth.ask_for_reset,
    auth.show_reset,
    auth.reset_password,
    auth.show_first_account,
    auth.create_first_account,
    ops_page.show_ops,
    ops_page.show_snapshot,
    ops_page.show_stacks,
    welcome.show_welcome,
    welcome.name_organisation,
    welcome.show_first_site,
    welcome.add_first_site,
    account.show_account,
    account.show_password,
    account.change_password,
    account.end_session,
    account.end_other_sessions,
    account.show_second_factor,
    account.confirm_second_factor,
    account.renew_recovery_codes,
    account.end_second_factor,
    account.show_delete,
    account.delete_account,
    organisation.show_new_organisation,
    organisation.create_organisation,
    organisation.show_organisation,
    organisation.show_audit,
    organisation.rename_organisation,
    organisation.delete_organisation,
    organisation.set_role,
    organisation.remove_member,
    organisation.invite,
    organisation.withdraw,
    organisation.create_key,
    organisation.delete_key,
    invitation.show_invitation,
    invitation.accept_invitation,
    site_settings.show_settings,
    site_settings.set_timezone,
    site_settings.set_public,
    site_settings.add_link,
    site_settings.delete_link,
    site_settings.invite_guest,
    site_settings.remove_guest,
    site_settings.delete_site,
)


def make_app(services: Services, csrf_secret: str) -> Litestar:
    """Puts the application together. `csrf_secret` is kept between starts, or open forms would go stale."""
    app = Litestar(
        route_handlers=[
            *PAGES,
            query_stats,
            *API_EXPORTS,
            create_static_files_router(
                path="/static",
                directories=[STATIC],
                # A year: their addresses change with their content (assets.py).
                cache_control=CacheControlHeader(public=True, max_age=31_536_000, immutable=True),
                include_in_schema=False,
                opt=EVERYBODY,
            ),
        ],
        dependencies=_dependencies(services),
        guards=[make_guard(_Doors(services))],
        csrf_config=CSRFConfig(
            secret=csrf_secret,
            cookie_name=cookie_name(services.settings, "csrf"),
            cookie_secure=is_https(services.settings),
            cookie_httponly=True,
            cookie_samesite="lax",
            exclude="^/api/",
        ),
        template_config=TemplateConfig(instance=make_engine()),
        exception_handlers={Exception: as_answer},
        openapi_config=OpenAPIConfig(
            title="Turnout",
            version=__version__,
            path="/api/docs",
            use_handler_docstrings=True,
            render_plugins=[OperationsPage()],
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        debug=False,
    )
    check_scopes(app)
    check_workloads(app)
    return app


class _Doors:
    """`Doors` in `scope.py`, over the services."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def person(self, connection: Connection) -> Principal | None:
        token = connection.cookies.get(session_cookie(self._services.settings))
        found = await self._services.sessions.principal_of_session(token) if token else None
        connection.state["person"] = found  # for the page of an error, should there be one
        return found

    async def key(self, connection: Connection) -> Principal | None:
        scheme, _, key = connection.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key.strip():
            return None
        return await self._services.sessions.principal_of_key(key.strip())

    async def access(self, principal: Principal | None, domain: str, right: Right) -> SiteAccess:
        return await self._services.sites.access(principal, domain, right)

    async def organisation(self, principal: Principal, number: OrganisationId, right: Right) -> Organisation:
        return await self._services.organisations.get(principal, number, right)

    async def link(self, slug: str) -> OpenLink:
        return await self._services.sharing.find(slug)


def _dependencies(services: Services) -> dict[str, Provide]:
    """Services by their names, and what the guard admitted."""

    def given(thing: object) -> Provide:
        return Provide(lambda: thing, sync_to_thread=False)

    return {
        **{name: given(getattr(services, name)) for name in Services.__dataclass_fields__},
        "desk": given(Desk(services.page_runner, services.clock, services.settings)),
        "viewer": Provide(_viewer, sync_to_thread=False),
        "principal": Provide(_principal, sync_to_thread=False),
        "access": Provide(_access, sync_to_thread=False),
        "site": Provide(_site, sync_to_thread=False),
        "organisation": Provide(_organisation, sync_to_thread=False),
        "link": Provide(_link, sync_to_thread=False),
        "organisation_page": Provide(organisation_page, sync_to_thread=False),
        "settings_page": Provide(settings_page, sync_to_thread=False),
    }


def _viewer(request: AnyRequest) -> Principal | None:
    return admission(request).principal


def _principal(request: AnyRequest) -> Principal:
    return _admitted(admission(request).principal)


def _access(request: AnyRequest) -> SiteAccess:
    return _admitted(admission(request).access)


def _site(request: AnyRequest) -> Site:
    return _access(request).site


def _organisation(request: AnyRequest) -> Organisation:
    return _admitted(admission(request).organisation)


def _link(request: AnyRequest) -> OpenLink:
    return _admitted(admission(request).link)


def _admitted(thing: T | None) -> T:
    """What the route's scope admits to; a handler that asks for anything else is wrong."""
    if thing is None:
        raise LookupError("this route's scope admits to no such thing")
    return thing
