"""Organisations, roles, invitations, guests, keys and the audit log over a real SQLite file."""

from __future__ import annotations

import asyncio

import pytest
from shelf import ADDRESS, PASSWORD, Shelf, run

from turnout.errors import AlreadyExists, BadInput, NotAllowed, NotFound, TooManyAttempts
from turnout.model.access import ROLES, Organisation
from turnout.model.site import OrganisationId, Principal, UserId


def token(link: str | None) -> str:
    assert link is not None
    assert link.startswith(f"{ADDRESS}/invitations/")
    return link.rpartition("/")[2]


async def team(shelf: Shelf) -> tuple[Organisation, dict[str, Principal]]:
    """An organisation with one member of each role, and a stranger."""
    owner = await shelf.person("owner")
    own = await shelf.own(owner)
    people = {"owner": owner, "stranger": await shelf.person("stranger")}
    for role in ROLES[1:]:
        people[role] = await shelf.member(owner, own, role, role)
    await shelf.sites.create(owner, own.id, "acme.example", "UTC")
    return own, people


def test_a_member_sees_the_organisations_sites_and_a_stranger_none(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        for role in ROLES:
            assert [site.domain for site in await shelf.sites.list(people[role])] == ["acme.example"]
            assert (await shelf.organisations.get(people[role], own.id)).role == role
        assert await shelf.sites.list(people["stranger"]) == []
        with pytest.raises(NotFound):
            await shelf.organisations.get(people["stranger"], own.id)
        with pytest.raises(NotFound):
            await shelf.organisations.members(people["stranger"], own.id)

    run(body)


@pytest.mark.parametrize(
    ("allowed", "act"),
    [
        ("owner admin", lambda shelf, who, own: shelf.sites.create(who, own.id, "new.example", "UTC")),
        ("owner admin", lambda shelf, who, own: shelf.sites.delete(who, "acme.example")),
        ("owner admin editor", lambda shelf, who, own: shelf.sites.set_timezone(who, "acme.example", "Asia/Tokyo")),
        ("owner admin editor", lambda shelf, who, own: shelf.sites.set_public(who, "acme.example", True)),
        ("owner admin editor", lambda shelf, who, own: shelf.sharing.add_link(who, "acme.example", "x", "")),
        ("owner admin editor", lambda shelf, who, own: shelf.sharing.links(who, "acme.example")),
        ("owner admin editor", lambda shelf, who, own: shelf.sharing.delete_link(who, "acme.example", 1)),
        ("owner admin", lambda shelf, who, own: shelf.sharing.guests(who, "acme.example")),
        ("owner admin", lambda shelf, who, own: shelf.sharing.remove_guest(who, "acme.example", UserId(10_000))),
        (
            "owner admin",
            lambda shelf, who, own: shelf.organisations.invite(who, own.id, "new@example.org", "viewer", ADDRESS),
        ),
        (
            "owner admin",
            lambda shelf, who, own: shelf.organisations.invite_guest(
                who, "acme.example", "new@example.org", "viewer", ADDRESS
            ),
        ),
        ("owner admin", lambda shelf, who, own: shelf.organisations.withdraw(who, own.id, 1)),
        ("owner admin", lambda shelf, who, own: shelf.organisations.create_key(who, own.id, "stats")),
        ("owner admin", lambda shelf, who, own: shelf.organisations.delete_key(who, own.id, 1)),
        ("owner", lambda shelf, who, own: shelf.organisations.rename(who, own.id, "Acme")),
        ("owner", lambda shelf, who, own: shelf.organisations.delete(who, own.id)),
    ],
)
def test_each_act_is_for_its_roles_alone(shelf: Shelf, allowed: str, act: object) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        # The highest last: what they do may delete what the others are refused.
        for role in ("stranger", *reversed(ROLES)):
            attempt = act(shelf, people[role], own)  # type: ignore[operator]
            if role == "stranger":
                with pytest.raises(NotFound):
                    await attempt
            elif role not in allowed.split():
                with pytest.raises(NotAllowed):
                    await attempt
            elif role == allowed.split()[0]:
                await attempt
            else:
                attempt.close()

    run(body)


def test_an_admin_does_not_deal_with_owners(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        admin, owner = people["admin"], people["owner"]
        for attempt in (
            shelf.organisations.set_role(admin, own.id, owner.user_id, "viewer"),
            shelf.organisations.set_role(admin, own.id, people["viewer"].user_id, "owner"),
            shelf.organisations.set_role(admin, own.id, admin.user_id, "owner"),
            shelf.organisations.remove_member(admin, own.id, owner.user_id),
            shelf.organisations.invite(admin, own.id, "new@example.org", "owner", ADDRESS),
        ):
            with pytest.raises(NotAllowed):
                await attempt
        await shelf.organisations.set_role(admin, own.id, people["viewer"].user_id, "admin")
        assert (await shelf.organisations.get(people["viewer"], own.id)).role == "admin"

    run(body)


def test_an_organisation_keeps_an_owner(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner = people["owner"]
        with pytest.raises(BadInput, match="needs an owner"):
            await shelf.organisations.remove_member(owner, own.id, owner.user_id)
        with pytest.raises(BadInput, match="needs an owner"):
            await shelf.organisations.set_role(owner, own.id, owner.user_id, "viewer")
        with pytest.raises(BadInput, match="only owner"):
            await shelf.accounts.delete(owner, PASSWORD)
        await shelf.organisations.set_role(owner, own.id, people["editor"].user_id, "owner")
        await shelf.organisations.remove_member(owner, own.id, owner.user_id)
        assert await shelf.sites.list(owner) == []

    run(body)


def test_of_two_owners_who_leave_at_once_one_stays(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        await shelf.organisations.set_role(people["owner"], own.id, people["editor"].user_id, "owner")
        pair = [people["owner"], people["editor"]]
        outcomes = await asyncio.gather(
            *(shelf.organisations.remove_member(one, own.id, one.user_id) for one in pair), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["BadInput", "NoneType"]

    run(body)


def test_an_invitation_is_good_once(shelf: Shelf) -> None:
    async def body() -> None:
        owner = await shelf.person("owner")
        own = await shelf.own(owner)
        link = token(await shelf.organisations.invite(owner, own.id, "new@example.org", "editor", ADDRESS))
        assert (await shelf.organisations.invited(link)).role == "editor"
        outcomes = await asyncio.gather(
            *(shelf.organisations.accept_as_new(link, PASSWORD) for _ in range(3)), return_exceptions=True
        )
        sessions = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(sessions) == 1
        joined = await shelf.sessions.principal_of_session(sessions[0])
        assert joined is not None
        assert (await shelf.organisations.get(joined, own.id)).role == "editor"
        with pytest.raises(NotFound):
            await shelf.organisations.accept(joined, link)

    run(body)


def test_an_invitation_ends_by_time_by_hand_and_by_a_newer_one(shelf: Shelf) -> None:
    async def body() -> None:
        owner, guest = await shelf.person("owner"), await shelf.person("guest")
        own = await shelf.own(owner)

        async def invite() -> str:
            return token(await shelf.organisations.invite(owner, own.id, guest.email, "viewer", ADDRESS))

        old, newer = await invite(), await invite()
        with pytest.raises(NotFound):
            await shelf.organisations.accept(guest, old)
        (shown,) = await shelf.organisations.invitations(owner, own.id)
        await shelf.organisations.withdraw(owner, own.id, shown.id)
        with pytest.raises(NotFound):
            await shelf.organisations.accept(guest, newer)
        late = await invite()
        shelf.clock.advance(14 * 86_400)
        with pytest.raises(NotFound):
            await shelf.organisations.accept(guest, late)

    run(body)


def test_an_invitation_takes_nothing_from_a_member_and_is_refused_for_one(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, admin = people["owner"], people["admin"]
        with pytest.raises(AlreadyExists, match="member already"):
            await shelf.organisations.invite(owner, own.id, admin.email, "viewer", ADDRESS)
        link = await shelf.organisations.invite(owner, own.id, "else@example.org", "viewer", ADDRESS)
        await shelf.organisations.accept(admin, token(link))
        assert (await shelf.organisations.get(admin, own.id)).role == "admin"

    run(body)


def test_an_invitation_for_a_new_account_does_not_take_over_an_old_one(shelf: Shelf) -> None:
    async def body() -> None:
        owner, old = await shelf.person("owner"), await shelf.person("old")
        own = await shelf.own(owner)
        link = token(await shelf.organisations.invite(owner, own.id, old.email, "viewer", ADDRESS))
        with pytest.raises(AlreadyExists):
            await shelf.organisations.accept_as_new(link, "another password")
        assert await shelf.sessions.sign_in(old.email, PASSWORD)
        await shelf.organisations.accept(old, link)

    run(body)


def test_a_guest_sees_one_site_and_nothing_of_its_organisation(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, guest = people["owner"], await shelf.person("guest")
        await shelf.sites.create(owner, own.id, "other.example", "UTC")
        link = await shelf.organisations.invite_guest(owner, "acme.example", guest.email, "viewer", ADDRESS)
        await shelf.organisations.accept(guest, token(link))
        assert [site.domain for site in await shelf.sites.list(guest)] == ["acme.example"]
        with pytest.raises(NotFound):
            await shelf.organisations.members(guest, own.id)
        with pytest.raises(NotAllowed):
            await shelf.sites.set_public(guest, "acme.example", True)
        with pytest.raises(BadInput, match="role"):
            await shelf.organisations.invite_guest(owner, "acme.example", "x@example.org", "admin", ADDRESS)
        await shelf.sharing.remove_guest(owner, "acme.example", guest.user_id)
        with pytest.raises(NotFound):
            await shelf.sites.get(guest, "acme.example")

    run(body)


def test_a_key_reads_its_organisation_alone_and_ends_with_its_makers_membership(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, admin = people["owner"], people["admin"]
        theirs = await shelf.own(admin)
        await shelf.sites.create(admin, theirs.id, "private.example", "UTC")
        key = await shelf.organisations.create_key(admin, own.id, "stats", "nightly report")
        found = await shelf.sessions.principal_of_key(key)
        assert found is not None
        assert [site.domain for site in await shelf.sites.list(found)] == ["acme.example"]
        with pytest.raises(NotFound):
            await shelf.sites.get(found, "private.example")
        with pytest.raises(NotAllowed):
            await shelf.sites.access(found, "acme.example", "delete_site")
        with pytest.raises(NotFound):
            await shelf.organisations.members(found, own.id)
        (shown,) = await shelf.organisations.keys(owner, own.id)
        assert (shown.name, shown.made_by, shown.last_used_s) == ("nightly report", admin.email, shelf.clock.time())
        await shelf.organisations.remove_member(owner, own.id, admin.user_id)
        assert await shelf.sessions.principal_of_key(key) is None

    run(body)


def test_a_deleted_key_is_dead_at_once(shelf: Shelf) -> None:
    async def body() -> None:
        owner = await shelf.person("owner")
        own = await shelf.own(owner)
        key = await shelf.organisations.create_key(owner, own.id, "stats")
        assert await shelf.sessions.principal_of_key(key) is not None
        (shown,) = await shelf.organisations.keys(owner, own.id)
        await shelf.organisations.delete_key(owner, own.id, shown.id)
        assert await shelf.sessions.principal_of_key(key) is None

    run(body)


def test_a_key_for_operations_is_an_operators_to_make(shelf: Shelf) -> None:
    async def body() -> None:
        owner = await shelf.person("owner")
        with pytest.raises(NotAllowed, match="operators"):
            await shelf.organisations.create_key(owner, (await shelf.own(owner)).id, "ops")

    run(body)


def test_the_log_tells_who_did_what_to_admins_alone(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, admin = people["owner"], people["admin"]
        await shelf.sites.set_timezone(people["editor"], "acme.example", "Asia/Tokyo")
        entries = [(e.actor, e.action, e.target) for e in await shelf.organisations.audit(admin, own.id)]
        assert entries[0] == ("editor@example.org", "site.timezone", "acme.example")
        assert ("owner@example.org", "member.invited", "viewer@example.org as viewer") in entries
        assert ("viewer@example.org", "member.joined", "as viewer") in entries
        assert await shelf.organisations.audit(people["editor"], own.id) == []
        assert not [e for e in await shelf.accounts.audit(owner) if e.action.startswith("site.")]

    run(body)


def test_a_deleted_site_takes_no_events_and_its_name_is_free(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        old = shelf.directory.find("acme.example")
        assert old is not None
        await shelf.sites.delete(people["admin"], "acme.example")
        assert shelf.directory.find("acme.example") is None
        with pytest.raises(NotFound):
            await shelf.sites.get(people["owner"], "acme.example")
        assert (await shelf.sites.create(people["owner"], own.id, "acme.example", "UTC")).id > old.id

    run(body)


def test_deleting_an_account_takes_what_is_only_its_own(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        editor = people["editor"]
        theirs = await shelf.own(editor)
        site = await shelf.sites.create(editor, theirs.id, "private.example", "UTC")
        session = await shelf.sessions.sign_in(editor.email, PASSWORD)
        assert await shelf.sessions.principal_of_session(session) is not None
        with pytest.raises(BadInput, match="not your password"):
            await shelf.accounts.delete(editor, "wrong password")
        gone = await shelf.accounts.delete(editor, PASSWORD)
        assert gone == [site.id]
        shelf.sites.forget(gone)
        assert shelf.directory.find("private.example") is None
        assert shelf.directory.find("acme.example") is not None
        assert await shelf.sessions.principal_of_session(session) is None
        assert editor.email not in [m.email for m in await shelf.organisations.members(people["owner"], own.id)]
        with pytest.raises(NotFound):
            await shelf.accounts.principal_named(editor.email)

    run(body)


def test_a_number_that_is_no_organisation_reads_as_anothers_does(shelf: Shelf) -> None:
    async def body() -> None:
        _, people = await team(shelf)
        said = []
        for number in (1, 4_000_000_000):
            with pytest.raises(NotFound) as error:
                await shelf.organisations.get(people["stranger"], OrganisationId(number))
            said.append(str(error.value))
        assert len(set(said)) == 1

    run(body)


@pytest.mark.parametrize("role", ["viewer", None])
def test_nobody_comes_back_by_an_invitation_of_their_own(shelf: Shelf, role: str | None) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, admin = people["owner"], people["admin"]
        await shelf.organisations.invite(owner, own.id, "kept@example.org", "viewer", ADDRESS)
        links = [
            token(await shelf.organisations.invite(admin, own.id, "second@example.org", "admin", ADDRESS)),
            token(
                await shelf.organisations.invite_guest(admin, "acme.example", "third@example.org", "viewer", ADDRESS)
            ),
        ]
        if role is None:
            await shelf.organisations.remove_member(owner, own.id, admin.user_id)
        else:
            await shelf.organisations.set_role(owner, own.id, admin.user_id, role)
        for link in links:
            with pytest.raises(NotFound):
                await shelf.organisations.accept(admin, link)
        (kept,) = await shelf.organisations.invitations(owner, own.id)
        assert kept.email == "kept@example.org"

    run(body)


def test_an_owner_who_becomes_an_admin_keeps_the_invitations_of_an_admin(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, other = people["owner"], people["editor"]
        await shelf.organisations.set_role(owner, own.id, other.user_id, "owner")
        for name, role in (("new", "owner"), ("kept", "admin")):
            await shelf.organisations.invite(other, own.id, f"{name}@example.org", role, ADDRESS)
        await shelf.organisations.set_role(owner, own.id, other.user_id, "admin")
        assert [each.email for each in await shelf.organisations.invitations(owner, own.id)] == ["kept@example.org"]

    run(body)


def test_whoever_ends_their_account_is_seen_to_leave(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        await shelf.accounts.delete(people["editor"], PASSWORD)
        entry = (await shelf.organisations.audit(people["owner"], own.id))[0]
        assert (entry.actor, entry.action) == ("editor@example.org", "member.left")

    run(body)


def test_a_deleted_site_does_not_come_back_by_a_change_under_way(shelf: Shelf) -> None:
    async def body() -> None:
        _, people = await team(shelf)
        site = shelf.directory.find("acme.example")
        assert site is not None
        await shelf.sites.delete(people["owner"], "acme.example")
        shelf.directory.add(site)
        assert shelf.directory.find("acme.example") is None

    run(body)


def test_a_guest_may_leave_and_nobody_below_an_admin_takes_another_out(shelf: Shelf) -> None:
    async def body() -> None:
        own, people = await team(shelf)
        owner, guest = people["owner"], people["stranger"]
        link = await shelf.organisations.invite_guest(owner, "acme.example", guest.email, "viewer", ADDRESS)
        await shelf.organisations.accept(guest, token(link))
        with pytest.raises(NotAllowed):
            await shelf.sharing.remove_guest(people["editor"], "acme.example", guest.user_id)
        await shelf.sharing.remove_guest(guest, "acme.example", guest.user_id)
        assert await shelf.sites.list(guest) == []
        entry = (await shelf.organisations.audit(owner, own.id))[0]
        assert (entry.actor, entry.action, entry.target) == (guest.email, "guest.left", "acme.example")
        with pytest.raises(NotFound):
            await shelf.sharing.remove_guest(guest, "acme.example", owner.user_id)

    run(body)


def test_nobody_can_be_buried_in_invitations(shelf: Shelf) -> None:
    async def body() -> None:
        owner = await shelf.person("owner")
        own = await shelf.own(owner)
        for _ in range(5):
            await shelf.organisations.invite(owner, own.id, "ada@example.org", "viewer", ADDRESS)
        for attempt in (
            shelf.organisations.invite(owner, own.id, "Ada@Example.org", "viewer", ADDRESS),
            shelf.organisations.invite_guest(owner, "acme.example", "ada@example.org", "viewer", ADDRESS),
        ):
            with pytest.raises(TooManyAttempts):
                await attempt
        assert len(shelf.letters()) == 5
        shelf.clock.advance(3_601)
        await shelf.organisations.invite(owner, own.id, "ada@example.org", "viewer", ADDRESS)

    run(body)
