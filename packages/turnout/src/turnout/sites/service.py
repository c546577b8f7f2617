"""Sites, and the directory by which events find theirs without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.model.site import Principal, Site
from turnout.sites.rules import check_domain, check_timezone
from turnout.store.sql.repository import Repository


class SiteDirectory:
    """Every site by its domain. One map, never changed but replaced whole, so that reading needs no lock."""

    def __init__(self) -> None:
        self._sites: Mapping[str, Site] = MappingProxyType({})

    def find(self, domain: str) -> Site | None:
        """The site of a domain. Never blocks."""
        return self._sites.get(domain)

    def replace(self, sites: list[Site]) -> None:
        """Makes these all the sites there are."""
        self._sites = MappingProxyType({site.domain: site for site in sites})

    def add(self, site: Site) -> None:
        """Adds one. Called on the event loop alone, so that no other addition is lost."""
        self._sites = MappingProxyType({**self._sites, site.domain: site})


class Sites:
    """The sites of one Turnout. For one event loop; no method blocks it."""

    def __init__(self, repository: Repository, directory: SiteDirectory, *, threads: ThreadPool, clock: Clock) -> None:
        self._repository = repository
        self._directory = directory
        self._threads = threads
        self._clock = clock

    async def load(self) -> None:
        """Fills the directory; once, at the start."""
        self._directory.replace(await self._threads.run(self._repository.unscoped_sites))

    async def list(self, principal: Principal) -> list[Site]:
        """The sites that `principal` may see, by domain."""
        return await self._threads.run(self._repository.sites, principal)

    async def get(self, principal: Principal, domain: str) -> Site:
        """One of them. Raises `NotFound`, also for one that is somebody else's."""
        return await self._threads.run(self._repository.site, principal, domain.strip().lower())

    async def create(self, principal: Principal, domain: str, timezone: str) -> Site:
        """Makes a site of `principal`'s, ready to take events. Raises `BadInput` and `AlreadyExists`, naming the field."""
        site = await self._threads.run(
            self._repository.add_site,
            principal,
            check_domain(domain),
            check_timezone(timezone),
            int(self._clock.time()),
        )
        self._directory.add(site)
        return site
