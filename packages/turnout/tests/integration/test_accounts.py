"""Accounts, sessions, keys and sites over a real SQLite file."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace
from shelf import PASSWORD, Shelf, run

from turnout.accounts.rules import check_email, check_name
from turnout.compose import kept_secret
from turnout.errors import AlreadyExists, BadInput, NotFound, NotSignedIn
from turnout.model.site import Principal
from turnout.store.sql.sessions import SessionRepository


def test_a_session_is_begun_found_and_ended_at_once(shelf: Shelf) -> None:
    async def body() -> None:
        accounts, sessions = shelf.accounts, shelf.sessions
        await accounts.create_user(" Ada@Example.org ", PASSWORD)
        token = await sessions.sign_in("ADA@example.org", PASSWORD)
        found = await sessions.principal_of_session(token)
        assert found is not None
        assert (found.email, found.is_operator) == ("ada@example.org", False)
        await sessions.sign_out(token)
        assert await sessions.principal_of_session(token) is None
        assert await shelf.reopened().sessions.principal_of_session(token) is None

    run(body)


def test_a_look_up_that_overlaps_the_sign_out_does_not_keep_the_session(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, may_return = threading.Event(), threading.Event()
    look_up = SessionRepository.unscoped_session

    def slow(self: SessionRepository, token_hash: bytes, now_s: int) -> object:
        row = look_up(self, token_hash, now_s)
        found.set()
        assert may_return.wait(10)
        return row

    async def body() -> None:
        await shelf.accounts.create_user("ada@example.org", PASSWORD)
        token = await shelf.sessions.sign_in("ada@example.org", PASSWORD)
        monkeypatch.setattr(SessionRepository, "unscoped_session", slow)
        looking = asyncio.create_task(shelf.sessions.principal_of_session(token))
        assert await asyncio.to_thread(found.wait, 10)
        await shelf.sessions.sign_out(token)
        may_return.set()
        await looking
        assert await shelf.sessions.principal_of_session(token) is None

    run(body)


def test_a_secret_left_empty_by_a_crash_is_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "csrf.key"
    file.touch()
    secret = kept_secret(file)
    assert len(secret) > 40
    assert kept_secret(file) == secret
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_wrong_password_and_an_unknown_account_are_told_alike(shelf: Shelf) -> None:
    async def body() -> None:
        await shelf.accounts.create_user("ada@example.org", PASSWORD)
        said = []
        for email, password in (
            ("ada@example.org", "wrong password"),
            ("bob@example.org", PASSWORD),
            ("", "x" * 5_000),
        ):
            with pytest.raises(NotSignedIn) as error:
                await shelf.sessions.sign_in(email, password)
            said.append(str(error.value))
        assert len(set(said)) == 1

    run(body)


def test_a_session_ends_by_itself_also_where_it_is_remembered(shelf: Shelf) -> None:
    async def body() -> None:
        await shelf.accounts.create_user("ada@example.org", PASSWORD)
        token = await shelf.sessions.sign_in("ada@example.org", PASSWORD)
        assert await shelf.sessions.principal_of_session(token) is not None
        shelf.clock.advance(30 * 86_400 + 1)
        assert await shelf.sessions.principal_of_session(token) is None

    run(body)


def test_a_key_carries_its_scope_and_only_its_hash_is_kept(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        own = await shelf.own(ada)
        key = await shelf.organisations.create_key(replace(ada, is_operator=True), own.id, "ops")
        found = await shelf.reopened().sessions.principal_of_key(key)
        assert found is not None
        assert found.scopes == frozenset({"ops"})
        assert await shelf.sessions.principal_of_key(key + "x") is None
        with pytest.raises(BadInput, match="scope"):
            await shelf.organisations.create_key(ada, own.id, "root")
        shelf.database.close()
        stored = b"".join(path.read_bytes() for path in shelf.file.parent.glob("accounts*"))
        assert key.encode() not in stored
        assert PASSWORD.encode() not in stored

    run(body)


def test_the_first_account_link_is_good_once_and_the_newest_only(shelf: Shelf) -> None:
    async def body() -> None:
        accounts, sessions = shelf.accounts, shelf.sessions
        old, new = await accounts.first_account_token(), await accounts.first_account_token()
        assert old is not None
        assert new is not None
        with pytest.raises(NotFound):
            await accounts.create_first_account(old, "eve@example.org", PASSWORD)
        outcomes = await asyncio.gather(
            *(accounts.create_first_account(new, f"{name}@example.org", PASSWORD) for name in ("ada", "bob", "eve")),
            return_exceptions=True,
        )
        tokens = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(tokens) == 1
        assert [type(outcome) for outcome in outcomes if not isinstance(outcome, str)] == [NotFound, NotFound]
        winner = await sessions.principal_of_session(tokens[0])
        assert winner is not None
        assert winner.is_operator
        assert await accounts.first_account_token() is None

    run(body)


def test_nobody_sees_or_takes_anothers_site(shelf: Shelf) -> None:
    async def body() -> None:
        people: list[Principal] = []
        for name in ("ada", "bob"):
            await shelf.accounts.create_user(f"{name}@example.org", PASSWORD)
            people.append(await shelf.accounts.principal_named(f"{name}@example.org"))
        ada, bob = people
        own = await shelf.own(ada)
        site = await shelf.sites.create(ada, own.id, " Acme.Example. ", "Europe/Berlin")
        assert (site.domain, site.timezone) == ("acme.example", "Europe/Berlin")
        assert shelf.directory.find("acme.example") == site
        assert await shelf.sites.list(ada) == [site]
        assert await shelf.sites.get(ada, "ACME.example") == site
        assert await shelf.sites.list(bob) == []
        with pytest.raises(NotFound) as others:
            await shelf.sites.get(bob, "acme.example")
        with pytest.raises(NotFound) as nobodys:
            await shelf.sites.get(bob, "acne.example")
        assert str(others.value).replace("acme", "acne") == str(nobodys.value)
        with pytest.raises(AlreadyExists, match="domain"):
            await shelf.sites.create(bob, (await shelf.own(bob)).id, "acme.example", "UTC")
        with pytest.raises(AlreadyExists, match="email"):
            await shelf.accounts.create_user("ada@example.org", PASSWORD)

    run(body)


def test_fifty_writers_at_once_lose_nothing(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        own = await shelf.own(ada)
        await asyncio.gather(*(shelf.sites.create(ada, own.id, f"site{n}.example", "UTC") for n in range(50)))
        assert len(await shelf.sites.list(ada)) == 50
        assert all(shelf.directory.find(f"site{n}.example") for n in range(50))

    run(body)


@pytest.mark.parametrize(
    "domain", ["", "https://acme.example", "acme.example/x", "-a.example", "a..b", "x" * 254, "a b"]
)
def test_a_domain_that_is_none_is_refused(shelf: Shelf, domain: str) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        own = await shelf.own(ada)
        with pytest.raises(BadInput, match="domain"):
            await shelf.sites.create(ada, own.id, domain, "UTC")
        with pytest.raises(BadInput, match="timezone"):
            await shelf.sites.create(ada, own.id, "acme.example", "Mars/Olympus")

    run(body)


@pytest.mark.parametrize(("email", "password", "field"), [("ada", PASSWORD, "email"), ("a@b.c", "short", "password")])
def test_an_account_that_can_not_be_is_refused(shelf: Shelf, email: str, password: str, field: str) -> None:
    async def body() -> None:
        with pytest.raises(BadInput, match=field):
            await shelf.accounts.create_user(email, password)

    run(body)


@pytest.mark.parametrize(
    "email",
    [
        "a<b@example.org",
        "a,b@example.org",
        "a;b@example.org",
        "group:b@example.org",
        "(note)b@example.org",
        '"b@example.org',
        "=?utf-8?q?b?=@example.org",
        "b@example..org",
        "b@.example.org",
        "b@example.(org",
        "b\u200b@example.org",
        "b\x7f@example.org",
    ],
)
def test_an_address_is_the_one_that_a_letter_to_it_would_reach(email: str) -> None:
    with pytest.raises(BadInput, match="email"):
        check_email(email)


@pytest.mark.parametrize(
    "email", ["o'neil+x@example.org", "jürgen@bücher.example", "a.b_c-d@x.co", "!#$%&*/?=^`{|}~@x.org"]
)
def test_an_address_may_hold_what_addresses_hold(email: str) -> None:
    assert check_email(email) == email


def test_a_name_is_of_characters_that_can_be_seen() -> None:
    for name in ("Müller & Söhne", "👩\u200d💻 team", "شرکت\u200cها"):
        assert check_name(f"  {name} ") == name
    for name, said in (("a\u202eb", r"U\+202E"), ("a\0b", r"U\+0000"), ("x" * 81, "got 81"), (" \n ", "got 0")):
        with pytest.raises(BadInput, match=said):
            check_name(name)
