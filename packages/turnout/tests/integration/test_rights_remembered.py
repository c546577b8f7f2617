"""What `Sites` remembers of who may do what: gone with the change that ends it, whoever made it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from shelf import ADDRESS, PASSWORD, Shelf, run

from seawall import snapshot
from turnout.errors import NotAllowed, NotFound, TurnoutError
from turnout.model.access import Organisation, Right, SiteAccess
from turnout.model.site import Principal, Site
from turnout.sites.service import Sites
from turnout.store.sql.sites import SiteRepository

RIGHTS: tuple[Right, ...] = ("see_site", "edit_site", "share_site", "manage_members", "delete_site")
DOMAINS = ("acme.example", "blog.example")
Change = Callable[[Shelf, Principal, Organisation, Principal], Awaitable[object]]


async def told(sites: Sites, people: list[Principal | None]) -> list[object]:
    """All that the service can be asked by anybody."""
    found: list[object] = []
    for who in people:
        if who is not None:
            found.append([(access.site, access.rights) for access in await sites.list_access(who)])
        for domain in DOMAINS:
            for right in RIGHTS:
                try:
                    found.append(await sites.access(who, domain, right))
                except TurnoutError as error:
                    found.append(type(error))
    return found


CHANGES: dict[str, Change] = {
    "another role": lambda shelf, owner, own, other: shelf.organisations.set_role(
        owner, own.id, other.user_id, "viewer"
    ),
    "no member any more": lambda shelf, owner, own, other: shelf.organisations.remove_member(
        owner, own.id, other.user_id
    ),
    "a site more": lambda shelf, owner, own, other: shelf.sites.create(owner, own.id, "blog.example", "UTC"),
    "another zone": lambda shelf, owner, own, other: shelf.sites.set_timezone(owner, "acme.example", "Asia/Tokyo"),
    "public": lambda shelf, owner, own, other: shelf.sites.set_public(owner, "acme.example", True),
    "a site less": lambda shelf, owner, own, other: shelf.sites.delete(owner, "acme.example"),
    "an account less": lambda shelf, owner, own, other: shelf.accounts.delete(other, PASSWORD),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_every_change_it_answers_as_if_it_had_never_been_asked(shelf: Shelf, change: Change) -> None:
    async def body() -> None:
        owner, stranger = await shelf.person("owner"), await shelf.person("stranger")
        own = await shelf.own(owner)
        other = await shelf.member(owner, own, "other", "editor")
        await shelf.sites.create(owner, own.id, "acme.example", "UTC")
        people = [None, owner, other, stranger]
        before = await told(shelf.sites, people)
        await change(shelf, owner, own, other)
        after = await told(shelf.sites, people)
        assert after != before
        fresh = Sites(SiteRepository(shelf.database), shelf.directory, threads=shelf.threads, clock=shelf.clock)
        assert after == await told(fresh, people)

    run(body)


def test_a_guest_comes_and_goes(shelf: Shelf) -> None:
    async def body() -> None:
        owner, guest = await shelf.person("owner"), await shelf.person("guest")
        await shelf.sites.create(owner, (await shelf.own(owner)).id, "acme.example", "UTC")
        with pytest.raises(NotFound):
            await shelf.sites.access(guest, "acme.example", "see_site")
        link = await shelf.organisations.invite_guest(owner, "acme.example", guest.email, "viewer", ADDRESS)
        assert link is not None
        await shelf.organisations.accept(guest, link.rpartition("/")[2])
        assert (await shelf.sites.access(guest, "acme.example", "see_site")).site.domain == "acme.example"
        await shelf.sharing.remove_guest(owner, "acme.example", guest.user_id)
        with pytest.raises(NotFound):
            await shelf.sites.access(guest, "acme.example", "see_site")

    run(body)


class SlowRepository(SiteRepository):
    """Its answers are on their way for as long as a test likes."""

    def __init__(self, shelf: Shelf, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(shelf.database)
        self._loop = loop
        self.asked, self.may_answer = asyncio.Event(), asyncio.Event()

    def site(self, principal: Principal | None, domain: str, right: Right = "see_site") -> SiteAccess:
        found = super().site(principal, domain, right)
        self._loop.call_soon_threadsafe(self.asked.set)
        asyncio.run_coroutine_threadsafe(self.may_answer.wait(), self._loop).result()
        return found


def test_what_was_read_before_a_change_and_came_after_it_is_not_remembered(shelf: Shelf) -> None:
    async def body() -> None:
        owner = await shelf.person("owner")
        own = await shelf.own(owner)
        other = await shelf.member(owner, own, "other", "editor")
        await shelf.sites.create(owner, own.id, "acme.example", "UTC")
        slow = SlowRepository(shelf, asyncio.get_running_loop())
        sites = Sites(slow, shelf.directory, threads=shelf.threads, clock=shelf.clock)
        asking = asyncio.ensure_future(sites.access(other, "acme.example", "edit_site"))
        await slow.asked.wait()
        await shelf.organisations.set_role(owner, own.id, other.user_id, "viewer")
        slow.may_answer.set()
        await asking  # asked before, so it may be told what was so then
        with pytest.raises(NotAllowed):
            await sites.access(other, "acme.example", "edit_site")

    run(body)


def test_signing_in_and_out_forgets_nothing(shelf: Shelf) -> None:
    async def body() -> None:
        owner = await shelf.person("owner")
        site: Site = await shelf.sites.create(owner, (await shelf.own(owner)).id, "acme.example", "UTC")
        for _ in range(5):
            token = await shelf.sessions.sign_in("owner@example.org", PASSWORD, peer="192.0.2.1")
            assert list(await shelf.sites.list(owner)) == [site]
            assert (await shelf.sites.access(owner, "acme.example", "see_site")).site == site
            await shelf.sessions.sign_out(token)
        caches = {cache.name: cache for cache in snapshot().caches}
        for name in ("sites.access", "sites.list"):
            assert (caches[name].misses_total, caches[name].hits_total) == (1, 4)

    run(body)
