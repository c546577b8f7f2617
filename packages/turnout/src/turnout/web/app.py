"""The Litestar application: every page and the API, with what their handlers ask for by name."""

from __future__ import annotations

from dataclasses import dataclass

from litestar import Litestar, Request, get
from litestar.config.csrf import CSRFConfig
from litestar.datastructures import CacheControlHeader, State
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig
from litestar.response import Redirect
from litestar.static_files import create_static_files_router
from litestar.template import TemplateConfig

from seawall.clock import Clock
from turnout import __version__
from turnout.accounts.service import Accounts
from turnout.model.site import Principal
from turnout.query.run import QueryRunner
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.web.api import query_stats
from turnout.web.assets import STATIC
from turnout.web.auth import (
    create_first_account,
    find_principal,
    is_https,
    show_first_account,
    show_login,
    sign_in,
    sign_out,
)
from turnout.web.dashboard import list_sites, show_site
from turnout.web.live import watch_site
from turnout.web.live_hub import LiveHub
from turnout.web.new_site import add_site
from turnout.web.problems import as_answer
from turnout.web.suggest import suggest_values
from turnout.web.templating import make_engine

MAX_BODY_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Services:
    """What the handlers use."""

    accounts: Accounts
    sites: Sites
    runner: QueryRunner
    clock: Clock
    settings: Settings
    live: LiveHub


@get("/")
async def show_start() -> Redirect:
    """The way in."""
    return Redirect("/sites", status_code=303)


def make_app(services: Services, csrf_secret: str) -> Litestar:
    """Puts the application together. `csrf_secret` is kept between starts, or open forms would go stale."""
    secure = is_https(services.settings)

    async def principal(request: Request[object, object, State]) -> Principal:
        return await find_principal(request, services.accounts, services.settings)

    return Litestar(
        route_handlers=[
            show_start,
            show_login,
            sign_in,
            sign_out,
            show_first_account,
            create_first_account,
            list_sites,
            add_site,
            show_site,
            watch_site,
            suggest_values,
            query_stats,
            create_static_files_router(
                path="/static",
                directories=[STATIC],
                # A year: their addresses change with their content (assets.py).
                cache_control=CacheControlHeader(public=True, max_age=31_536_000, immutable=True),
                include_in_schema=False,
            ),
        ],
        dependencies={
            "principal": Provide(principal),
            "accounts": Provide(lambda: services.accounts, sync_to_thread=False),
            "sites": Provide(lambda: services.sites, sync_to_thread=False),
            "runner": Provide(lambda: services.runner, sync_to_thread=False),
            "clock": Provide(lambda: services.clock, sync_to_thread=False),
            "settings": Provide(lambda: services.settings, sync_to_thread=False),
            "live": Provide(lambda: services.live, sync_to_thread=False),
        },
        csrf_config=CSRFConfig(
            secret=csrf_secret,
            cookie_name="__Host-turnout_csrf" if secure else "turnout_csrf",
            cookie_secure=secure,
            cookie_httponly=True,
            cookie_samesite="lax",
            exclude="^/api/",
        ),
        template_config=TemplateConfig(instance=make_engine()),
        exception_handlers={Exception: as_answer},
        openapi_config=OpenAPIConfig(
            title="Turnout", version=__version__, path="/api/docs", use_handler_docstrings=True
        ),
        request_max_body_size=MAX_BODY_BYTES,
        logging_config=None,
        debug=False,
    )
