"""Whole runs against real servers, whose own log says what there was to be measured."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from math import ceil

import pytest
import trustme

from flashcrowd import RequestFailed, User, give_up, insist, obey, step
from flashcrowd.arrivals.constant import Constant
from flashcrowd.arrivals.replay import Replay
from flashcrowd.clock import monotonic
from flashcrowd.engine import connections
from flashcrowd.engine.plan import Limits
from flashcrowd.errors import BadInput


class Looker(User):
    @step
    async def look(self) -> None:
        await self.get("/")


async def test_everyone_who_was_to_come_came_and_is_counted_once(crowd, reply) -> None:
    asked: Counter[str] = Counter()

    async def app(scope, receive, send) -> None:
        asked[scope["path"]] += 1
        await reply(send)

    class Reader(Looker):
        @step
        async def read(self) -> None:
            await self.get("/page?number=1")
            await self.get(f"/{self.number}", name="one by its number")

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:50/s", Reader)
    result = finished.result
    assert (result.arrived, result.requests, result.good, result.errors) == (50, 150, 150, {})
    assert sum(asked.values()) == 150
    assert [(found.name, found.requests) for found in result.steps] == [
        ("GET /", 50), ("GET /page", 50), ("one by its number", 50),
    ]  # fmt: skip
    assert sum(second.requests for second in result.seconds) == 150
    assert sum(second.arrived for second in result.seconds) == 50
    assert result.latency_ms.count == 150
    assert result.offered_per_s == 150
    assert len(finished.samples) == 150
    assert all(sample.intended_s <= sample.sent_s <= sample.ended_s for sample in finished.samples)
    assert not result.void


async def test_many_connections_to_this_machine_come_from_several_addresses(crowd, reply, monkeypatch) -> None:
    monkeypatch.setattr(connections, "FROM_ONE_ADDRESS", 3)
    came_from: Counter[str] = Counter()
    all_are_here = asyncio.Event()

    async def app(scope, receive, send) -> None:
        if scope["path"] == "/":
            came_from[scope["client"][0]] += 1
            if came_from.total() == 8:
                all_are_here.set()
            await all_are_here.wait()
        await reply(send)

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:8/s", Looker)
    assert finished.result.good == 8
    assert set(came_from) == {"127.0.0.1", "127.0.0.2", "127.0.0.3"}


async def test_a_stall_counts_for_all_who_came_in_it(crowd, reply) -> None:
    stall: list[float] = []

    async def app(scope, receive, send) -> None:
        if not stall and crowd_came(1.0):
            stall.extend([monotonic(), monotonic() + 1.0])
        if stall:
            await asyncio.sleep(max(0.0, stall[1] - monotonic()))
        await reply(send)

    began: list[float] = []

    def crowd_came(after_s: float) -> bool:
        began.append(monotonic())
        return began[-1] - began[0] > after_s

    async with crowd.served(app) as url:
        finished = await crowd.run(url, Constant(100, 3), Looker)
    # The service's own log says from when to when it gave no answer; each who came then waited for the rest of it.
    origin = min(sample.sent_s for sample in finished.samples)
    ends = stall[1] - began[0] + origin
    begins = stall[0] - began[0] + origin
    waits = sorted(max(0.0, ends - number / 100) for number in range(300) if begins < number / 100)
    waits = [0.0] * (300 - len(waits)) + waits
    p99_s = waits[ceil(0.99 * 300) - 1]
    assert p99_s > 0.9
    assert finished.result.latency_ms.p99 > 0.95 * p99_s * 1000
    assert finished.result.good == 300


async def test_the_time_line_has_every_second(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send)

    async with crowd.served(app) as url:
        finished = await crowd.run(url, Replay("two", (0.0, 2.5), 3.0), Looker)
    assert [second.at_s for second in finished.result.seconds][:3] == [0, 1, 2]
    assert [second.arrived for second in finished.result.seconds][:3] == [1, 0, 1]


def refusing(reply, **headers: str):
    """Refuses each user once, by the header that says who it is; and the times at which it was asked."""
    asked: dict[str, list[float]] = {}

    async def app(scope, receive, send) -> None:
        who = dict(scope["headers"])[b"x-who"].decode()
        asked.setdefault(who, []).append(monotonic())
        if len(asked[who]) == 1:
            await reply(send, 503, **headers)
        else:
            await reply(send)

    return app, asked


def knocking(policy) -> type[User]:
    class Knocker(User):
        on_refusal = policy

        @step
        async def knock(self) -> None:
            await self.get("/", headers={"X-Who": str(self.number)})

    return Knocker


async def test_users_wait_as_they_are_told_and_come_back(crowd, reply) -> None:
    app, asked = refusing(reply, retry_after="1")
    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:20/s", knocking(obey()))
    result = finished.result
    assert (result.requests, result.good, result.errors) == (40, 20, {"refused": 20})
    assert all(second - first >= 1.0 for first, second in asked.values())
    again = [sample for sample in finished.samples if sample.attempt == 2]
    assert len(again) == 20
    assert {sample.retry_after_s for sample in finished.samples if sample.outcome == "refused"} == {1.0}
    assert result.offered_per_s == 20


async def test_users_who_insist_come_back_at_once(crowd, reply) -> None:
    app, asked = refusing(reply, retry_after="600")
    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:20/s", knocking(insist(2)))).result
    assert (result.good, result.errors) == (20, {"refused": 20})
    assert all(len(times) == 2 for times in asked.values())


@pytest.mark.parametrize(("policy", "retry_after"), [(give_up(), "1"), (obey(), "600")])
async def test_users_leave_who_give_up_or_would_wait_too_long(crowd, reply, policy, retry_after) -> None:
    app, asked = refusing(reply, retry_after=retry_after)
    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:20/s", knocking(policy))).result
    assert (result.good, result.errors) == (0, {"refused": 20})
    assert all(len(times) == 1 for times in asked.values())
    assert result.reasons == {"status 503": 20}


async def test_wrong_answers_are_told_apart_by_their_reason(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        match scope["path"]:
            case "/broken":
                await reply(send, 500)
            case "/elsewhere":
                await reply(send, 302, location="https://sign-in.example/")
            case _:
                await reply(send, body=b'{"id": null}', content_type="application/json")

    class Caller(User):
        @step
        async def call(self) -> None:
            for path in ("/broken", "/elsewhere"):
                with pytest.raises(RequestFailed):
                    await self.get(path)
            response = await self.get("/a")
            self.check("name" in response.text, "no name in it")
            await self.get("/b", expect=lambda answer: answer.json()["id"])  # type: ignore[index]
            raise AssertionError("not reached")

        @step
        async def never(self) -> None:
            await self.get("/never")

    class Reader(User):
        @step
        async def read(self) -> None:
            response = await self.get("/c")
            response.json()["id"].lower()  # type: ignore[index]

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:10/s", Caller)).result
        other = (await crowd.run(url, "constant:10/s", Reader)).result
    assert (result.good, result.errors) == (0, {"wrong": 40})
    assert result.reasons == {
        "status 500": 10, "status 302 to https://sign-in.example/": 10, "no name in it": 10, "status 200": 10,
    }  # fmt: skip
    assert other.errors == {"wrong": 10}
    assert list(other.reasons) == ["AttributeError: 'NoneType' object has no attribute 'lower'"]
    assert not other.void


async def test_a_step_that_fails_by_itself_makes_the_run_void(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send)

    class Clumsy(Looker):
        @step
        async def stumble(self) -> None:
            raise KeyError("name")

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:10/s", Clumsy)).result
    assert result.void
    assert result.void_reason == "the users' own code failed 10 times, first with KeyError: 'name'"
    assert result.good == 10


async def test_who_waits_too_long_is_timed_out_from_when_it_meant_to_send(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        if scope["path"] == "/slow":
            await asyncio.sleep(30)
        await reply(send)

    class Hasty(User):
        timeout_s = 0.2

        @step
        async def look(self) -> None:
            await self.get("/")
            await self.get("/slow")

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:10/s", Hasty)
    result = finished.result
    assert result.errors["timed_out"] == 10
    slow = [sample for sample in finished.samples if sample.outcome == "timed_out"]
    assert all(sample.latency_s >= 0.2 for sample in slow)
    assert all((sample.status, sample.first_byte_s) == (0, None) for sample in slow)


async def talk_and_hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while line := await reader.readline():
        path = line.split()[1]
        while await reader.readline() not in (b"\r\n", b""):
            pass
        match path:
            case b"/half":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
                break
            case b"/nonsense":
                writer.write(b"what?\r\n\r\n")
                break
            case b"/to-the-end":
                writer.write(b"HTTP/1.1 200 OK\r\n\r\nuntil closed")
                break
            case b"/chunks":
                writer.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n")
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
            case b"/once":
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                break  # closed after it had promised to stay open
            case _:
                break
    writer.close()


async def test_broken_connections_are_told_apart(crowd) -> None:
    class Caller(User):
        @step
        async def call(self) -> None:
            for path in ("/half", "/nonsense", "/gone"):
                with pytest.raises(RequestFailed):
                    await self.get(path)

    async with crowd.talking(talk_and_hang_up) as url:
        result = (await crowd.run(url, "constant:10/s", Caller)).result
    assert result.errors == {"broken": 30}
    assert result.reasons["the connection was closed before the answer was whole"] == 20
    assert sum(count for reason, count in result.reasons.items() if reason.startswith("not an HTTP answer")) == 10


async def test_every_way_to_end_an_answer_is_understood(crowd) -> None:
    class Caller(User):
        @step
        async def call(self) -> None:
            for path, body in (("/chunks", "ok"), ("/to-the-end", "until closed"), ("/once", "ok"), ("/once", "ok")):
                response = await self.get(path)
                self.check(response.text == body, f"not {body}")

    async with crowd.talking(talk_and_hang_up) as url:
        result = (await crowd.run(url, "constant:10/s", Caller)).result
    assert (result.good, result.errors, result.reasons) == (40, {}, {})


async def test_a_session_has_cookies_redirects_and_forms(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        headers = dict(scope["headers"])
        body = (await receive())["body"].decode()
        match scope["method"], scope["path"]:
            case "GET", "/sign-in":
                await reply(send, body=b'<input name="csrf" value="t0ken">', set_cookie="form=1; Path=/")
            case "POST", "/sign-in" if body == "user=me&csrf=t0ken" and headers[b"cookie"] == b"form=1":
                assert headers[b"content-type"] == b"application/x-www-form-urlencoded"
                await reply(send, 303, location="/home", set_cookie="session=s; Path=/; HttpOnly")
            case "GET", "/home" if headers[b"cookie"] == b"form=1; session=s":
                await reply(send, body=b"welcome")
            case "PUT", "/thing" if json.loads(body) == {"a": 1}:
                await reply(send, 201)
            case "POST", "/moved":
                await reply(send, 307, location="/kept")
            case "POST", "/kept" if body == "raw":
                await reply(send, 204, b"")
            case "HEAD", "/home":
                await reply(send, body=b"")
            case "GET", "/round":
                await reply(send, 302, location="/round")
            case other:
                await reply(send, 400, repr((other, body, headers)).encode())

    class Member(User):
        headers = {"User-Agent": "Test/1", "X-All": "1"}

        @step
        async def sign_in(self) -> None:
            page = await self.get("/sign-in")
            form = {"user": self.data["who"], "csrf": page.hidden_input("csrf")}
            home = await self.post("/sign-in", data=form)
            self.check(home.text == "welcome", "not in")
            self.check(self.cookies == {"form": "1", "session": "s"}, "not those cookies")
            await self.put("/thing", json={"a": 1}, expect=201)
            await self.post("/moved", data="raw", expect={204})
            await self.request("HEAD", "/home")
            await self.request("HEAD", "/home")
            await self.delete("/thing", expect=400)
            with pytest.raises(RequestFailed, match="more than 5 redirects"):
                await self.get("/round")

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:5/s", Member)).result
    assert result.reasons == {"more than 5 redirects": 5}
    assert result.good == 35


async def test_connections_are_shared_unless_users_want_their_own(crowd, reply) -> None:
    ports: list[int] = []

    async def app(scope, receive, send) -> None:
        ports.append(scope["client"][1])
        await reply(send)

    class Twice(User):
        @step
        async def look(self) -> None:
            await self.get("/")
            await self.get("/")

    class Own(Twice):
        own_connection = True

    async with crowd.served(app) as url:
        await crowd.run(url, "closed:1", Twice, for_s=0.3)
        shared, ports[:] = len(set(ports)), []
        result = (await crowd.run(url, "closed:1", Own, for_s=0.3)).result
    assert shared == 1
    assert len(set(ports)) == result.arrived > 1
    assert all(count == 2 for count in Counter(ports).values())


async def test_closed_users_stay_as_many_and_end_in_order(crowd, reply) -> None:
    under_way = most = 0

    async def app(scope, receive, send) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        await reply(send)

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "closed:7", Looker)).result
    assert most == 7
    assert result.offered_per_s is None
    assert result.good == result.requests == result.arrived > 7
    assert result.unfinished == 0


async def test_thinking_is_waiting_that_counts_for_nobody(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send)

    class Thinker(User):
        @step
        async def look(self) -> None:
            await self.get("/")
            await self.think((0.4, 0.5))
            await self.get("/")

    async with crowd.served(app) as url:
        finished = await crowd.run(url, Replay("one", (0.0,), 1.0), Thinker)
    first, second = finished.samples
    assert 0.4 <= second.intended_s - first.ended_s <= 0.51
    assert second.sent_s >= second.intended_s


async def test_the_mix_is_by_weight_and_the_same_for_a_seed(crowd, reply) -> None:
    asked: list[str] = []

    async def app(scope, receive, send) -> None:
        asked.append(scope["path"])
        await reply(send)

    class Often(User):
        weight = 9

        @step
        async def look(self) -> None:
            await self.get("/often")

    class Seldom(User):
        @step
        async def look(self) -> None:
            await self.get("/seldom")

    async with crowd.served(app) as url:
        await crowd.run(url, "constant:200/s", Often, Seldom)
        first, asked[:] = Counter(asked), []
        await crowd.run(url, "constant:200/s", Often, Seldom)
    assert 5 <= first["/seldom"] <= 40
    assert Counter(asked) == first


async def test_a_run_with_more_users_than_allowed_is_void(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await asyncio.sleep(0.5)
        await reply(send)

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:40/s", Looker, limits=Limits(users=3, lateness_s=3600))
    result = finished.result
    assert result.void
    assert "users were not started" in result.void_reason
    assert result.arrived < 40


async def test_a_run_with_more_connections_than_allowed_is_void(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await asyncio.sleep(0.5)
        await reply(send)

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:40/s", Looker, limits=Limits(connections=3, lateness_s=3600))).result
    assert result.void
    assert "3 connections are open" in result.void_reason


async def test_a_run_that_sends_late_is_void(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send)

    class Computing(User):
        @step
        async def look(self) -> None:
            await self.get("/")
            until = monotonic() + 0.05  # a user's code that computes holds the generator up
            while monotonic() < until:
                pass

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:30/s", Computing, limits=Limits(lateness_s=0.01))).result
    assert result.void
    assert "sent late by" in result.void_reason
    assert result.lateness_ms.p99 > 10


async def test_a_run_that_is_stopped_reports_what_there_was(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        if scope["path"] == "/stop":
            crowd.running.stop()
            await asyncio.sleep(60)
        await reply(send)

    class Stopper(User):
        @step
        async def stop(self) -> None:
            await self.get("/" if self.number < 5 else "/stop")

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:20/s", Stopper, for_s=600.0)).result
    assert result.unfinished >= 1
    assert result.good + result.unfinished == result.arrived < 12_000
    assert result.errors == {}
    assert result.duration_s < 600


async def test_what_classes_share_is_prepared_once_and_not_counted(crowd, reply) -> None:
    asked: Counter[str] = Counter()

    async def app(scope, receive, send) -> None:
        asked[scope["path"]] += 1
        await reply(send)

    class Prepared(User):
        word = ""

        @classmethod
        async def prepare(cls, user: User) -> None:
            cls.word = (await user.get("/prepare")).text

        @step
        async def say(self) -> None:
            await self.get(f"/{self.word}")

    class Unprepared(Looker):
        @classmethod
        async def prepare(cls, user: User) -> None:
            await user.get("/", expect=201)

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:10/s", Prepared)).result
        with pytest.raises(BadInput, match=r"Unprepared\.prepare: failed: RequestFailed"):
            await crowd.run(url, "constant:10/s", Unprepared)
    assert asked["/prepare"] == 1
    assert asked["/ok"] == result.requests == 10


async def test_where_nobody_answers_there_is_no_run(crowd) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None: ...

    async with crowd.talking(talk) as url:
        pass
    with pytest.raises(BadInput, match="nothing answers at"):
        await crowd.run(url, "constant:10/s", Looker)


async def test_the_servers_own_breakdown_is_kept_with_the_sample(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send, server_timing='db;dur=12.5, app;desc="all";dur=20')

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:5/s", Looker)
    assert all(sample.waits_s == {"db": 0.0125, "app": 0.02} for sample in finished.samples)


async def test_samples_are_bounded_and_stand_for_all(crowd, reply, monkeypatch) -> None:
    monkeypatch.setattr("flashcrowd.engine.record.MOST_SAMPLES", 16)

    async def app(scope, receive, send) -> None:
        await reply(send)

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:100/s", Looker)
    assert finished.result.requests == 100
    assert (finished.one_in, len(finished.samples)) == (8, 12)
    assert finished.samples[0].intended_s < 0.2
    assert finished.samples[-1].intended_s > 0.8


async def test_names_are_bounded(crowd, reply, monkeypatch) -> None:
    monkeypatch.setattr("flashcrowd.engine.record.MOST_NAMES", 5)

    async def app(scope, receive, send) -> None:
        await reply(send)

    class Numbered(User):
        @step
        async def look(self) -> None:
            await self.get(f"/{self.number}")

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:20/s", Numbered)).result
    assert [found.requests for found in result.steps] == [1] * 5 + [15]
    assert result.steps[-1].name == "(other names)"


async def test_tls_is_spoken_and_certificates_are_looked_at(crowd, reply, tmp_path) -> None:
    authority = trustme.CA()
    issued = authority.issue_cert("127.0.0.1")
    files = [tmp_path / name for name in ("key.pem", "chain.pem")]
    issued.private_key_pem.write_to_path(str(files[0]))
    for blob in issued.cert_chain_pems:
        blob.write_to_path(str(files[1]), append=True)

    async def app(scope, receive, send) -> None:
        await reply(send, body=scope["scheme"].encode(), set_cookie="a=1; Secure; Path=/")

    class Careful(User):
        @step
        async def look(self) -> None:
            answer = await self.get("/")
            self.check(answer.text == "https", "not https")
            self.check(self.cookies == {"a": "1"}, "no cookie")

    options = {"ssl_keyfile": str(files[0]), "ssl_certfile": str(files[1])}
    async with crowd.served(app, **options) as url:
        with pytest.raises(BadInput, match="its certificate is not trusted"):
            await crowd.run(url.replace("http", "https"), "constant:5/s", Careful)
        result = (await crowd.run(url.replace("http", "https"), "constant:5/s", Careful, verify=False)).result
    assert (result.good, result.reasons) == (5, {})


async def test_requests_side_by_side_are_each_counted(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send)

    class Browser(User):
        @step
        async def load(self) -> None:
            await asyncio.gather(*[self.get(f"/{name}") for name in "abc"])

    async with crowd.served(app) as url:
        result = (await crowd.run(url, "constant:10/s", Browser)).result
    assert (result.requests, result.good) == (30, 30)


async def test_what_is_sent_after_the_last_user_came_is_not_of_that_load(crowd, reply) -> None:
    async def app(scope, receive, send) -> None:
        await reply(send)

    class Lingerer(Looker):
        @step
        async def linger(self) -> None:
            await self.think(1.5)
            await self.get("/")

    async with crowd.served(app) as url:
        finished = await crowd.run(url, "constant:5/s", Lingerer)
    assert (finished.result.good, len(finished.samples)) == (10, 10)
    assert finished.result.goodput_per_s <= 5
    assert len(finished.under_load) == 5
