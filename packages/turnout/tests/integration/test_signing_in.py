"""Sign-ins, second factors, passwords, sessions and mail over a real SQLite file."""

from __future__ import annotations

import asyncio
import re

import pyotp
import pytest
from shelf import ADDRESS, PASSWORD, Shelf, run

from turnout.credentials import passwords
from turnout.errors import BadInput, NotFound, NotSignedIn, SecondFactorNeeded, TooManyAttempts
from turnout.model.site import Principal, UserId

NEW = "another long password"


async def with_second_factor(shelf: Shelf, person: Principal) -> tuple[pyotp.TOTP, list[str]]:
    secret, address = await shelf.second_factors.offer(person)
    assert address.startswith("otpauth://totp/Turnout:")
    app = pyotp.TOTP(secret)
    return app, await shelf.second_factors.confirm(person, app.at(int(shelf.clock.time())))


async def half_way(shelf: Shelf, person: Principal) -> str:
    with pytest.raises(SecondFactorNeeded) as needed:
        await shelf.sessions.sign_in(person.email, PASSWORD)
    return needed.value.token


def test_a_sign_in_with_a_second_factor_needs_both(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        app, _ = await with_second_factor(shelf, ada)
        shelf.clock.advance(30)
        waiting = await half_way(shelf, ada)
        assert await shelf.sessions.principal_of_session(waiting) is None
        with pytest.raises(BadInput, match="code"):
            await shelf.sessions.give_code(waiting, "000000")
        session = await shelf.sessions.give_code(waiting, app.at(int(shelf.clock.time())))
        assert await shelf.sessions.principal_of_session(session) == ada
        with pytest.raises(NotSignedIn):
            await shelf.sessions.give_code(waiting, app.at(int(shelf.clock.time())))

    run(body)


def test_a_code_is_good_once_and_for_a_step_around_now(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        app, _ = await with_second_factor(shelf, ada)
        now = int(shelf.clock.time())
        shelf.clock.advance(60)
        for stale in (now, now + 120):
            with pytest.raises(BadInput):
                await shelf.second_factors.check(ada.user_id, app.at(stale))
        code = app.at(now + 30)
        outcomes = await asyncio.gather(
            *(shelf.second_factors.check(ada.user_id, code) for _ in range(4)), return_exceptions=True
        )
        assert [type(outcome).__name__ for outcome in outcomes].count("NoneType") == 1

    run(body)


def test_a_recovery_code_is_good_once(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        _, codes = await with_second_factor(shelf, ada)
        assert len(set(codes)) == 10
        outcomes = await asyncio.gather(
            *(shelf.second_factors.check(ada.user_id, codes[3].upper().replace("-", " ")) for _ in range(3)),
            return_exceptions=True,
        )
        assert [type(outcome).__name__ for outcome in outcomes].count("NoneType") == 1
        assert (await shelf.second_factors.of(ada)).recovery_codes == 9
        fresh = await shelf.second_factors.new_recovery_codes(ada, codes[0])
        with pytest.raises(BadInput):
            await shelf.second_factors.check(ada.user_id, codes[1])
        await shelf.second_factors.end(ada, fresh[0])
        assert await shelf.sessions.sign_in(ada.email, PASSWORD)

    run(body)


def test_codes_can_not_be_guessed_through(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        app, _ = await with_second_factor(shelf, ada)
        shelf.clock.advance(30)
        waiting = await half_way(shelf, ada)
        outcomes = await asyncio.gather(
            *(shelf.sessions.give_code(waiting, f"{n:06}") for n in range(50)), return_exceptions=True
        )
        kinds = [type(outcome).__name__ for outcome in outcomes]
        assert (kinds.count("BadInput"), kinds.count("TooManyAttempts")) == (6, 44)
        with pytest.raises(TooManyAttempts):
            await shelf.sessions.give_code(waiting, app.at(int(shelf.clock.time())))

    run(body)


def test_a_secret_not_yet_confirmed_asks_nobody_for_a_code(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        first, _ = await shelf.second_factors.offer(ada)
        again, _ = await shelf.second_factors.offer(ada)
        assert first == again
        with pytest.raises(BadInput):
            await shelf.second_factors.confirm(ada, "123456")
        assert await shelf.sessions.sign_in(ada.email, PASSWORD)

    run(body)


def test_failures_are_counted_by_account_and_by_peer_alike_for_accounts_that_are_not(shelf: Shelf) -> None:
    async def body() -> None:
        await shelf.person("ada")
        for email in ("ada@example.org", "nobody@example.org"):
            kinds = []
            for attempt in range(12):
                with pytest.raises((NotSignedIn, TooManyAttempts)) as error:
                    await shelf.sessions.sign_in(email, "wrong password", peer=f"198.51.100.{attempt}")
                kinds.append(error.type)
            assert kinds == [NotSignedIn] * 10 + [TooManyAttempts] * 2
        with pytest.raises(TooManyAttempts):
            await shelf.sessions.sign_in("ada@example.org", PASSWORD, peer="203.0.113.9")
        shelf.clock.advance(901)
        assert await shelf.sessions.sign_in("ada@example.org", PASSWORD)

    run(body)


def test_one_peer_can_not_try_one_password_on_every_account(shelf: Shelf) -> None:
    async def body() -> None:
        await shelf.person("ada")
        for n in range(50):
            with pytest.raises(NotSignedIn):
                await shelf.sessions.sign_in(f"person{n}@example.org", PASSWORD, peer="203.0.113.9")
        with pytest.raises(TooManyAttempts) as error:
            await shelf.sessions.sign_in("ada@example.org", PASSWORD, peer="203.0.113.9")
        assert 0 < error.value.retry_after_s <= 900
        assert await shelf.sessions.sign_in("ada@example.org", PASSWORD, peer="203.0.113.10")

    run(body)


def test_sign_ins_that_succeed_are_not_counted(shelf: Shelf) -> None:
    async def body() -> None:
        await shelf.person("ada")
        for _ in range(15):
            assert await shelf.sessions.sign_in("ada@example.org", PASSWORD, peer="203.0.113.9")

    run(body)


def test_a_new_password_ends_the_other_sessions_at_once(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        this, other = [await shelf.sessions.sign_in(ada.email, PASSWORD) for _ in range(2)]
        assert await shelf.sessions.principal_of_session(other) == ada
        with pytest.raises(BadInput, match="old_password"):
            await shelf.accounts.change_password(ada, this, "wrong password", NEW)
        with pytest.raises(BadInput, match="new_password"):
            await shelf.accounts.change_password(ada, this, PASSWORD, "short")
        await shelf.accounts.change_password(ada, this, PASSWORD, NEW)
        assert await shelf.sessions.principal_of_session(other) is None
        assert await shelf.sessions.principal_of_session(this) == ada
        with pytest.raises(NotSignedIn):
            await shelf.sessions.sign_in(ada.email, PASSWORD)

    run(body)


def test_a_forgotten_password_is_set_anew_by_a_letter_that_works_once(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        session = await shelf.sessions.sign_in(ada.email, PASSWORD)
        shelf.accounts.ask_for_reset("Ada@Example.org", ADDRESS)
        shelf.accounts.ask_for_reset("nobody@example.org", ADDRESS)
        await asyncio.gather(*shelf.accounts._posting)
        ((to, text),) = shelf.letters()
        assert to == ada.email
        found = re.search(rf"{ADDRESS}/reset/(\S+)", text)
        assert found is not None
        link = found.group(1)
        assert await shelf.accounts.is_reset_token(link)
        with pytest.raises(BadInput):
            await shelf.accounts.reset_password(link, "short")
        await shelf.accounts.reset_password(link, NEW)
        assert await shelf.sessions.principal_of_session(session) is None
        assert not await shelf.accounts.is_reset_token(link)
        with pytest.raises(NotFound):
            await shelf.accounts.reset_password(link, "yet another password")
        assert await shelf.sessions.sign_in(ada.email, NEW)

    run(body)


def test_a_letter_to_a_new_password_is_too_old_after_an_hour(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        shelf.accounts.ask_for_reset(ada.email, ADDRESS)
        await asyncio.gather(*shelf.accounts._posting)
        link = re.findall(r"/reset/(\S+)", shelf.letters()[0][1])[0]
        shelf.clock.advance(3_601)
        assert not await shelf.accounts.is_reset_token(link)
        with pytest.raises(NotFound):
            await shelf.accounts.reset_password(link, NEW)

    run(body)


def test_nobody_can_be_buried_in_letters(shelf: Shelf) -> None:
    async def body() -> None:
        for _ in range(3):
            shelf.accounts.ask_for_reset("ada@example.org", ADDRESS, peer="203.0.113.9")
        with pytest.raises(TooManyAttempts):
            shelf.accounts.ask_for_reset("ada@example.org", ADDRESS, peer="203.0.113.10")
        await asyncio.gather(*shelf.accounts._posting)

    run(body)


def test_sessions_are_listed_and_ended_by_their_own_person_only(shelf: Shelf) -> None:
    async def body() -> None:
        ada, bob = await shelf.person("ada"), await shelf.person("bob")
        this = await shelf.sessions.sign_in(ada.email, PASSWORD, client="Firefox on Linux")
        shelf.clock.advance(60)
        other = await shelf.sessions.sign_in(ada.email, PASSWORD, client="Safari on iOS")
        assert await shelf.sessions.principal_of_session(other) == ada
        listed = await shelf.sessions.of(ada, this)
        assert [(one.client, one.is_this) for one in listed] == [("Safari on iOS", False), ("Firefox on Linux", True)]
        await shelf.sessions.end(bob, listed[0].id)
        assert await shelf.sessions.principal_of_session(other) == ada
        await shelf.sessions.end(ada, listed[0].id)
        assert await shelf.sessions.principal_of_session(other) is None
        third = await shelf.sessions.sign_in(ada.email, PASSWORD)
        await shelf.sessions.end_others(ada, this)
        assert await shelf.sessions.principal_of_session(third) is None
        assert await shelf.sessions.principal_of_session(this) == ada

    run(body)


def test_an_account_that_is_not_there_costs_as_many_hashes_as_one_that_is(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []
    check = passwords._matches
    monkeypatch.setattr(passwords, "_matches", lambda hashed, typed: checked.append(hashed) or check(hashed, typed))

    async def body() -> None:
        await shelf.person("ada")
        for email in ("ada@example.org", "nobody@example.org"):
            checked.clear()
            with pytest.raises(NotSignedIn):
                await shelf.sessions.sign_in(email, "wrong password")
            assert len(checked) == 1
            assert passwords.HASHER.check_needs_rehash(checked[0]) is False

    run(body)


@pytest.mark.parametrize("has_second_factor", [False, True])
def test_a_sign_in_under_way_does_not_outlive_a_new_password(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch, has_second_factor: bool
) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        if has_second_factor:
            await with_second_factor(shelf, ada)
        matches = passwords.Passwords.matches

        async def while_it_changes(self: passwords.Passwords, password: str, hashed: str | None) -> bool:
            is_right = await matches(self, password, hashed)
            monkeypatch.undo()
            await shelf.accounts.change_password(ada, "", PASSWORD, NEW)
            return is_right

        monkeypatch.setattr(passwords.Passwords, "matches", while_it_changes)
        with pytest.raises(NotSignedIn):
            await shelf.sessions.sign_in(ada.email, PASSWORD)
        assert await shelf.sessions.of(ada, "") == []

    run(body)


def test_a_sign_in_that_waits_for_its_code_does_not_outlive_a_new_password(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        _, codes = await with_second_factor(shelf, ada)
        waiting = await half_way(shelf, ada)
        check = shelf.second_factors.check

        async def while_it_changes(user_id: UserId, code: str) -> None:
            await check(user_id, code)
            await shelf.accounts.change_password(ada, "", PASSWORD, NEW)

        monkeypatch.setattr(shelf.second_factors, "check", while_it_changes)
        with pytest.raises(NotSignedIn):
            await shelf.sessions.give_code(waiting, codes[0])
        assert await shelf.sessions.of(ada, "") == []

    run(body)


def test_of_two_codes_at_once_one_begins_a_session(shelf: Shelf) -> None:
    async def body() -> None:
        ada = await shelf.person("ada")
        _, codes = await with_second_factor(shelf, ada)
        waiting = await half_way(shelf, ada)
        outcomes = await asyncio.gather(
            *(shelf.sessions.give_code(waiting, code) for code in codes[:3]), return_exceptions=True
        )
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NotSignedIn", "NotSignedIn", "str"]

    run(body)


def test_a_link_that_is_none_costs_no_hash(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    async def body() -> None:
        monkeypatch.setattr(shelf.accounts._passwords, "hash", None)
        for attempt in (
            shelf.accounts.reset_password("made up", NEW),
            shelf.accounts.create_first_account("made up", "ada@example.org", NEW),
            shelf.organisations.accept_as_new("made up", NEW),
        ):
            with pytest.raises(NotFound):
                await attempt

    run(body)
