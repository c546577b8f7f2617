"""Sites, and the directory by which events find theirs without any I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType

from seawall import Cache, ThreadPool
from seawall.clock import Clock
from turnout.errors import BadInput, NotFound
from turnout.model.access import Right, SiteAccess
from turnout.model.site import OrganisationId, Principal, Site, SiteId
from turnout.sites.rules import check_domain, check_timezone
from turnout.store.sql.sites import SiteRepository

REMEMBERED_ANSWERS = 2_000
REMEMBERED_LISTS = 500
"""Some 100 bytes a site each."""
REMEMBERED_S = 60.0


class SiteDirectory:
    """Every site by its domain. One map, never changed but replaced whole, so that reading needs no lock.

    A site once taken out does not come back: its number is never given again, and what puts it in is a change that was
    under way when it was deleted.
    """

    def __init__(self) -> None:
        self._sites: Mapping[str, Site] = MappingProxyType({})
        self._gone: set[SiteId] = set()

    def find(self, domain: str) -> Site | None:
        """The site of a domain. Never blocks."""
        return self._sites.get(domain)

    def replace(self, sites: list[Site]) -> None:
        """Makes these all the sites there are."""
        self._sites = MappingProxyType({site.domain: site for site in sites})

    def add(self, site: Site) -> None:
        """Adds one, or puts it in its older self's place. Called on the event loop alone, so that no other is lost."""
        if site.id not in self._gone:
            self._sites = MappingProxyType({**self._sites, site.domain: site})

    def remove(self, gone: Sequence[SiteId]) -> None:
        """Takes sites out: their events find them no more. Called on the event loop alone."""
        self._gone.update(gone)
        self._sites = MappingProxyType({name: site for name, site in self._sites.items() if site.id not in gone})


class Sites:
    """The sites of one Turnout. For one event loop; no method blocks it.

    Each method asks the repository with the principal, which raises `NotFound` where that person may not know of the
    site, and `NotAllowed` where the role does not allow it. What it answered is remembered until anybody's rights change:
    every page asks both questions, and a statement on a thread takes longer than drawing what was drawn before.
    """

    def __init__(
        self,
        repository: SiteRepository,
        directory: SiteDirectory,
        *,
        threads: ThreadPool,
        clock: Clock,
        on_deleted: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_deleted` is called when a site's events have to go."""
        self._repository = repository
        self._directory = directory
        self._threads = threads
        self._clock = clock
        self.on_deleted = on_deleted
        self._answers = Cache(
            "sites.access", max_items=REMEMBERED_ANSWERS, fresh_s=REMEMBERED_S, stale_s=0, clock=clock
        )
        self._lists = Cache("sites.list", max_items=REMEMBERED_LISTS, fresh_s=REMEMBERED_S, stale_s=0, clock=clock)

    async def load(self) -> None:
        """Fills the directory; once, at the start."""
        self._directory.replace(await self._threads.run(self._repository.unscoped_sites))

    async def list(self, principal: Principal) -> Sequence[Site]:
        """The sites that `principal` may see, by domain."""
        return [access.site for access in await self.list_access(principal)]

    async def list_access(self, principal: Principal) -> Sequence[SiteAccess]:
        """The sites that `principal` may see, by domain, with what they may do there."""
        key = (self._repository.rights_version, principal)
        return await self._lists.get(key, partial(self._threads.run, self._repository.sites, principal))

    async def get(self, principal: Principal, domain: str) -> Site:
        """One of them. Raises `NotFound`, also for one that is somebody else's."""
        return (await self.access(principal, domain, "see_site")).site

    async def access(self, principal: Principal | None, domain: str, right: Right) -> SiteAccess:
        """A site on which whoever asks has `right`. Nobody (None) may see a public one."""
        try:
            checked = check_domain(domain)
        except BadInput:
            raise NotFound(f"there is no site {domain[:253]}") from None
        key = (self._repository.rights_version, principal, checked, right)
        return await self._answers.get(
            key, partial(self._threads.run, self._repository.site, principal, checked, right)
        )

    async def create(self, principal: Principal, organisation_id: OrganisationId, domain: str, timezone: str) -> Site:
        """Makes a site of the organisation's, ready to take events. Raises `BadInput`, `AlreadyExists`, naming the field."""
        site = await self._threads.run(
            self._repository.add_site,
            principal,
            organisation_id,
            check_domain(domain),
            check_timezone(timezone),
            self._now_s(),
        )
        self._directory.add(site)
        return site

    async def set_timezone(self, principal: Principal, domain: str, timezone: str) -> None:
        """Changes by which zone days begin and end, for events from now on. Raises `BadInput`."""
        checked = check_timezone(timezone)
        self._directory.add(
            await self._threads.run(self._repository.set_timezone, principal, domain, checked, self._now_s())
        )

    async def set_public(self, principal: Principal, domain: str, is_public: bool) -> None:
        """Shows the site's numbers to everybody, or ends that, at once."""
        self._directory.add(
            await self._threads.run(self._repository.set_public, principal, domain, is_public, self._now_s())
        )

    async def delete(self, principal: Principal, domain: str) -> None:
        """Deletes a site: it takes no event and shows no number from now on, and its events go in the background."""
        site = await self._threads.run(self._repository.delete_site, principal, domain, self._now_s())
        self.forget([site.id])

    def forget(self, gone: Sequence[SiteId]) -> None:
        """These sites went with their organisation or account."""
        if gone:
            self._directory.remove(gone)
            self.on_deleted()

    def _now_s(self) -> int:
        return int(self._clock.time())
