"""Shared links and public sites over a real SQLite file."""

from __future__ import annotations

import pytest
from shelf import PASSWORD, Shelf, run

from turnout.errors import BadInput, NotAllowed, NotFound, TooManyAttempts


def test_a_link_shows_its_site_until_it_is_deleted(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        await shelf.sites.create(ada, (await shelf.own(ada)).id, "acme.example", "UTC")
        slug = await shelf.sharing.add_link(ada, "acme.example", "The board", "")
        link = await shelf.sharing.find(slug)
        assert (link.site.domain, link.name) == ("acme.example", "The board")
        assert shelf.sharing.is_open(link, "")
        (shown,) = await shelf.sharing.links(ada, "acme.example")
        assert (shown.slug, shown.has_password) == (slug, False)
        await shelf.sharing.delete_link(ada, "acme.example", shown.id)
        with pytest.raises(NotFound):
            await shelf.sharing.find(slug)

    run(body)


def test_a_link_with_a_password_opens_with_it_alone_and_for_a_day(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        await shelf.sites.create(ada, (await shelf.own(ada)).id, "acme.example", "UTC")
        link = await shelf.sharing.find(await shelf.sharing.add_link(ada, "acme.example", "The board", PASSWORD))
        other = await shelf.sharing.find(await shelf.sharing.add_link(ada, "acme.example", "The press", PASSWORD))
        for kept in ("", "x", "99999999999.x", "1.2.3", "é", "9" * 400):
            assert not shelf.sharing.is_open(link, kept)
        with pytest.raises(BadInput, match="password"):
            await shelf.sharing.open(link, "wrong password")
        kept = await shelf.sharing.open(link, PASSWORD)
        assert shelf.sharing.is_open(link, kept)
        assert not shelf.sharing.is_open(other, kept)
        until, _, signature = kept.partition(".")
        assert not shelf.sharing.is_open(link, f"{int(until) + 1}.{signature}")
        shelf.clock.advance(86_401)
        assert not shelf.sharing.is_open(link, kept)

    run(body)


def test_a_links_password_can_not_be_guessed_through(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        await shelf.sites.create(ada, (await shelf.own(ada)).id, "acme.example", "UTC")
        link = await shelf.sharing.find(await shelf.sharing.add_link(ada, "acme.example", "The board", PASSWORD))
        for _ in range(10):
            with pytest.raises(BadInput):
                await shelf.sharing.open(link, "wrong password", peer="203.0.113.9")
        with pytest.raises(TooManyAttempts):
            await shelf.sharing.open(link, PASSWORD, peer="203.0.113.9")
        assert await shelf.sharing.open(link, PASSWORD, peer="203.0.113.10")

    run(body)


def test_a_public_site_is_everybodys_to_see_and_nobodys_to_change(shelf: Shelf) -> None:
    async def body() -> None:
        ada, bob = await shelf.person("ada"), await shelf.person("bob")
        await shelf.sites.create(ada, (await shelf.own(ada)).id, "acme.example", "UTC")
        for anybody in (None, bob):
            with pytest.raises(NotFound):
                await shelf.sites.access(anybody, "acme.example", "see_site")
        await shelf.sites.set_public(ada, "acme.example", True)
        for anybody in (None, bob):
            assert (await shelf.sites.access(anybody, "acme.example", "see_site")).rights == {"see_site"}
            with pytest.raises(NotAllowed):
                await shelf.sites.access(anybody, "acme.example", "edit_site")
        assert await shelf.sites.list(bob) == []
        await shelf.sites.set_public(ada, "acme.example", False)
        with pytest.raises(NotFound):
            await shelf.sites.access(None, "acme.example", "see_site")

    run(body)
