"""The waiting room before dashboards and sign-ins: whom it is for, that its page may do what it does, and who stays in."""

from __future__ import annotations

import asyncio
import json

from crowd import HTML, SETTINGS, Crowd, until

from turnout.settings import Settings, for_cores

PAGE = "/sites/acme.example"
COOKIE = b"set-cookie"


def kept(headers: dict[bytes, bytes]) -> tuple[bytes, bytes]:
    """The header with which a browser gives back the cookie it was given."""
    return (b"cookie", headers[COOKIE].split(b";")[0])


def test_a_person_for_whom_there_is_no_seat_keeps_a_place_and_gets_in_and_stays_in() -> None:
    async def run() -> None:
        crowd = Crowd()
        inside = asyncio.create_task(crowd.ask("/sites/other.example"))
        await until(lambda: crowd.in_flight() == 1)
        status, headers, body = await crowd.ask(PAGE, headers=HTML)
        assert (status, b"Turnout" in body, b"You are next" in body) == (503, True, True)
        second = await crowd.ask("/share/abc", headers=HTML)
        assert b"person before you" in second[2]
        crowd.go_on.set()
        assert (await inside)[0] == 200
        looks = (b"waiting-room", b"dashboard")
        status, seen, body = await crowd.ask(PAGE, headers=[kept(headers), looks])
        assert (status, json.loads(body)["state"]) == (200, "turn")
        status, got_in, body = await crowd.ask(PAGE, headers=[*HTML, kept(seen)])
        assert (status, body) == (200, b"here")
        crowd.go_on.clear()
        crowded = [asyncio.create_task(crowd.ask(f"/sites/{number}.example")) for number in range(2)]
        await until(lambda: crowd.waiting("dashboard") == 1)
        again = await crowd.ask(PAGE, headers=[*HTML, kept(got_in)])
        assert b"One moment" in again[2]  # there is no seat, but no line before her either
        crowd.go_on.set()
        await asyncio.gather(*crowded)

    asyncio.run(run())


def test_the_room_s_page_may_do_what_it_does_and_is_not_asked_for_twice() -> None:
    async def run() -> None:
        crowd = Crowd()
        inside = asyncio.create_task(crowd.ask("/sites/other.example"))
        await until(lambda: crowd.in_flight() == 1)
        sent = await crowd.raw(PAGE, headers=HTML)
        names = [name for name, _ in sent]
        policies = [value for name, value in sent if name == b"content-security-policy"]
        assert len(policies) == 1
        assert b"script-src 'sha256-" in policies[0]
        assert names.count(b"x-frame-options") == 1
        assert b"refresh" not in names
        assert b"cross-origin-opener-policy" in names
        crowd.go_on.set()
        await inside

    asyncio.run(run())


def test_programs_frames_and_the_other_pages_are_refused_as_before() -> None:
    async def run() -> None:
        crowd = Crowd()
        inside = asyncio.create_task(crowd.ask("/sites/other.example"))
        await until(lambda: crowd.in_flight() == 1)
        frame = [*HTML, (b"sec-fetch-dest", b"iframe")]
        for path, headers, told in (
            (PAGE, [], b'"reason":"late"'),
            (PAGE, [(b"sec-fetch-dest", b"empty")], b'"reason":"late"'),
            ("/share/abc", frame, b"Busy just now"),
            ("/account", HTML, b"Busy just now"),
        ):
            status, answered, body = await crowd.ask(path, headers=headers)
            assert (status, told in body.replace(b": ", b":")) == (503, True), (path, body)
            assert COOKIE not in answered
        assert not crowd.room.statistics("dashboard").is_open
        crowd.go_on.set()
        await inside

    asyncio.run(run())


def test_a_sign_in_for_which_there_is_no_place_is_kept_by_its_browser_and_sent_again() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(sign_ins_waiting=1), cores=2))
        crowded = [asyncio.create_task(crowd.ask("/login", "POST")) for _ in range(2)]
        await until(lambda: crowd.waiting("sign-in") == 1)
        status, headers, body = await crowd.ask("/login", "POST", headers=HTML)
        assert status == 503
        assert b"Send it again" in body
        crowd.go_on.set()
        await asyncio.gather(*crowded)
        looks = (b"waiting-room", b"sign-in")
        _, seen, body = await crowd.ask("/login", headers=[kept(headers), looks])
        assert json.loads(body)["state"] == "turn"
        assert (await crowd.ask("/login", "POST", headers=[*HTML, kept(seen)]))[0] == 200
        assert crowd.room.statistics("sign-in").in_total == 1

    asyncio.run(run())


def test_a_look_does_not_wait_for_somebody_who_stands_at_the_gate_for_the_same_page() -> None:
    async def run() -> None:
        crowd = Crowd(for_cores(Settings(page_seats=1), cores=2))
        crowded = [asyncio.create_task(crowd.ask(path)) for path in ("/sites/other.example", PAGE)]
        await until(lambda: crowd.waiting("dashboard") == 1)
        status, _, _ = await crowd.ask(PAGE, headers=[(b"waiting-room", b"dashboard")])
        assert status == 200
        assert crowd.waiting("dashboard") == 1
        crowd.go_on.set()
        await asyncio.gather(*crowded)

    asyncio.run(run())


def test_behind_https_the_cookie_is_for_this_host_and_https_alone() -> None:
    async def run() -> None:
        settings = for_cores(Settings(public_url="https://stats.example"), cores=2)
        crowd = Crowd(settings)
        crowd.go_on.set()
        _, headers, _ = await crowd.ask(PAGE, headers=HTML)
        assert headers[COOKIE].startswith(b"__Host-room-dashboard=")
        assert b"; Secure" in headers[COOKIE]

    asyncio.run(run())


def test_a_place_survives_a_restart() -> None:
    async def run() -> None:
        before, after = Crowd(SETTINGS), Crowd(SETTINGS)
        inside = asyncio.create_task(before.ask("/sites/other.example"))
        await until(lambda: before.in_flight() == 1)
        tickets = [(await before.ask(PAGE, headers=HTML))[1] for _ in range(3)]
        crowded = asyncio.create_task(after.ask("/sites/other.example"))
        await until(lambda: after.in_flight() == 1)
        status, _, body = await after.ask(PAGE, headers=[*HTML, kept(tickets[2])])
        assert (status, b"<b>2</b> <span>people before you" in body) == (503, True)
        before.go_on.set()
        after.go_on.set()
        await asyncio.gather(inside, crowded)

    asyncio.run(run())


def test_who_waits_comes_in_with_somebody_who_opens_the_same_page_and_stays_in() -> None:
    async def run() -> None:
        crowd = Crowd()
        inside = asyncio.create_task(crowd.ask(PAGE))
        await until(lambda: crowd.in_flight() == 1)
        _, headers, _ = await crowd.ask("/sites/other.example", headers=HTML)
        same = asyncio.create_task(crowd.ask(PAGE, headers=[*HTML, kept(headers)]))
        await until(lambda: crowd.in_flight() == 2)
        crowd.go_on.set()
        await inside
        _, got_in, body = await same
        assert body == b"here"
        assert crowd.room.statistics("dashboard").is_open  # her number is still to be called
        assert (await crowd.ask("/sites/third.example", headers=[*HTML, kept(got_in)]))[0] == 200

    asyncio.run(run())
