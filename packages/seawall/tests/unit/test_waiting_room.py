"""The waiting room as its visitors find it, over a real gate, message by message."""

import asyncio
import json
import re
from contextlib import AsyncExitStack

import pytest

from seawall import Fixed, Gate, Misuse, ThreadPool, Workload, openmetrics, snapshot
from seawall.admission.room_look import Pages, Standing, duration
from seawall.asgi import Look, Ticket, WaitingRoom, admission
from seawall.console.reading import judge, read
from seawall.core.statistics import Snapshot
from seawall.testing import ManualClock

KEY = b"only for tests, and long enough"


class Answer:
    def __init__(self, sent: list[dict]) -> None:
        self.status = sent[0]["status"]
        self.headers = dict(sent[0]["headers"])
        self.cookies = [value.decode() for name, value in sent[0]["headers"] if name == b"set-cookie"]
        self.body = b"".join(message.get("body", b"") for message in sent[1:]).decode()

    @property
    def before(self) -> int:
        """How many the page says are before one."""
        (found,) = re.findall(r'<p class="place"><b>([\d,]*)</b> <span>([^<]*)', self.body)
        return 0 if found[1] == "You are next" else int(found[0].replace(",", ""))


class Visitor:
    """One browser, or with `is_page=False` a program: keeps its cookies."""

    def __init__(self, app, is_page: bool = True, scheme: str = "http") -> None:
        self.app, self.is_page, self.scheme = app, is_page, scheme
        self.cookies: dict[str, str] = {}

    async def asks(self, method: str = "GET", path: str = "/page", headers=(), body: bytes = b"") -> Answer:
        accept = b"text/html,*/*;q=0.8" if self.is_page else b"application/json"
        kept = "; ".join(f"{name}={value}" for name, value in self.cookies.items()).encode()
        scope = {"type": "http", "method": method, "path": path, "http_version": "1.1", "scheme": self.scheme}
        scope["headers"] = [(b"accept", accept), (b"cookie", kept), *headers]
        sent: list[dict] = []

        async def receive() -> dict:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        answer = Answer(sent)
        for cookie in answer.cookies:
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    async def looks(self) -> dict:
        answer = await self.asks(headers=[(b"waiting-room", b"pages")])
        assert answer.status == 200
        return json.loads(answer.body)


async def service(scope, receive, send) -> None:
    scope["seawall.admitted"].ignore()  # no service time is ever known, so one is called for each seat
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"inside: " + body})


class House:
    """A gate of one seat, somebody to take it, and the room before it."""

    def __init__(self, seats: int = 1, **options) -> None:
        self.clock = ManualClock(time_s=1e9)
        self.gate = Gate("web", Fixed(seats), [Workload("pages", queue_limit=0), Workload("health", exempt=True)])
        self.seats = seats
        self.stack = AsyncExitStack()
        self.restart(**options)

    def restart(self, key=KEY, **options) -> None:
        self.room = WaitingRoom(["pages"], key=key, clock=self.clock, **options)
        self.app = admission(
            service,
            self.gate,
            lambda scope: Ticket("health" if scope["path"] == "/health" else "pages"),
            room=self.room,
        )

    async def fill(self) -> None:
        for _ in range(self.seats):
            (await self.stack.enter_async_context(self.gate.admit("pages"))).ignore()

    async def empty(self) -> None:
        await self.stack.aclose()

    @property
    def figures(self):
        return self.room.statistics("pages")


def test_a_person_waits_in_order_is_let_in_and_stays_in() -> None:
    async def main() -> None:
        house = House()
        people = [Visitor(house.app) for _ in range(4)]
        assert (await people[0].asks()).body == "inside: "
        people[0].cookies.clear()
        await house.fill()
        for number, person in enumerate(people):
            answer = await person.asks()
            assert (answer.status, answer.before) == (503, number)
            assert 2 <= int(answer.headers[b"retry-after"]) <= 10
        assert house.figures.is_open
        await house.empty()
        assert (await people[3].asks()).before == 2  # the first is called, and has not come yet
        assert (await people[1].looks())["place"] == 1
        assert (await people[0].looks())["state"] == "turn"
        assert (await people[0].asks()).body == "inside: "
        assert (await people[0].asks(path="/next")).body == "inside: "
        assert (await people[1].asks()).body == "inside: "
        assert (await people[2].asks()).body == "inside: "
        assert (await people[3].asks()).body == "inside: "
        assert not house.figures.is_open
        found = house.figures
        assert (found.joined_total, found.called_total, found.in_total, found.missed_total) == (4, 4, 4, 0)

    asyncio.run(main())


def test_a_newcomer_does_not_overtake_while_anybody_waits_though_a_seat_is_free() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        first, newcomer = Visitor(house.app), Visitor(house.app)
        await first.asks()
        await house.empty()
        answer = await newcomer.asks()
        assert (answer.status, answer.before) == (503, 0)
        assert (await first.asks()).status == 200
        assert (await newcomer.asks()).status == 200

    asyncio.run(main())


def test_whoever_is_inside_is_told_to_wait_a_moment_and_not_sent_to_the_line() -> None:
    async def main() -> None:
        house = House()
        inside, late = Visitor(house.app), Visitor(house.app)
        await inside.asks()
        await house.fill()
        await late.asks()
        answer = await inside.asks("POST", body=b"an order")
        assert answer.status == 503
        assert "One moment" in answer.body
        await house.empty()
        assert (await inside.asks("POST", body=b"an order")).body == "inside: an order"
        house.clock.advance(901)
        await house.fill()
        assert (await Visitor(house.app).asks()).status == 503
        assert "lapsed" in (await inside.asks()).body

    asyncio.run(main())


def test_a_pass_is_given_anew_while_nobody_waits_and_not_while_somebody_does() -> None:
    async def main() -> None:
        house = House()
        person = Visitor(house.app)
        assert len((await person.asks()).cookies) == 1
        house.clock.advance(400)
        assert (await person.asks()).cookies == []
        house.clock.advance(100)
        assert len((await person.asks()).cookies) == 1
        house.clock.advance(500)
        await house.fill()
        await Visitor(house.app).asks()
        await house.empty()
        answer = await person.asks()
        assert (answer.status, answer.cookies) == (200, [])

    asyncio.run(main())


def test_a_program_gets_json_with_its_place_and_carries_its_ticket_in_a_header() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        await Visitor(house.app).asks()
        program = Visitor(house.app, is_page=False)
        answer = await program.asks("POST", body=b"data")
        program.cookies.clear()
        problem = json.loads(answer.body)
        assert answer.headers[b"content-type"] == b"application/problem+json"
        assert (problem["status"], problem["reason"], problem["place"]) == (503, "waiting_room", 2)
        assert problem["retry_after_s"] == int(answer.headers[b"retry-after"])
        ticket = answer.headers[b"waiting-ticket"]
        assert ticket == problem["ticket"].encode()
        assert len(ticket) < 200
        house.clock.advance(20)
        await house.empty()
        for _ in range(3):  # the first has gone: nobody waits for it for ever
            answer = await program.asks("POST", headers=[(b"waiting-ticket", ticket)], body=b"data")
            house.clock.advance(13)
        assert answer.body == "inside: data"

    asyncio.run(main())


@pytest.mark.parametrize("case", ["forged", "foreign", "expired", "malformed"])
def test_a_ticket_that_is_not_good_is_told_so_and_gets_the_last_place(case: str) -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        person = Visitor(house.app)
        await person.asks()
        good = person.cookies["room-pages"]
        await Visitor(house.app).asks()
        bad = good[:-4] + "AAAA" if case == "forged" else "hello" if case == "malformed" else good
        if case == "expired":
            house.clock.advance(601)
        if case == "foreign":
            other = House()
            other.room = WaitingRoom(["export"], key=KEY)
            desk = other.room._desk("export")
            assert desk is not None
            bad = desk._signer.write(desk._join(desk._room))
        person.cookies["room-pages"] = bad
        answer = await person.asks()
        assert answer.before == 2
        assert (
            "lapsed" if case == "expired" else "ticket was for something else" if case == "foreign" else "not valid"
        ) in (answer.body)
        assert house.figures.invalid == ((case, 1),)
        assert person.cookies["room-pages"] != bad

    asyncio.run(main())


def test_places_outlive_a_restart_with_the_same_key_even_with_a_new_one_before_it() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        people = [Visitor(house.app) for _ in range(3)]
        for person in people:
            await person.asks()
        house.clock.set_time(1e9 - 50)
        house.restart(key=[b"a new key, also for tests only", KEY])
        newcomer = Visitor(house.app)
        await newcomer.asks()
        for person in (people[2], people[0], people[1]):
            person.app = house.app
        assert (await people[2].asks()).before == 2
        assert (await newcomer.asks()).before == 3
        await house.empty()
        assert (await people[1].asks()).before == 0
        assert (await people[0].asks()).status == 200
        assert (await people[1].asks()).status == 200

    asyncio.run(main())


def test_without_the_key_a_place_is_lost() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        person = Visitor(house.app)
        await person.asks()
        house.restart(key=b"another key, which is no secret")
        person.app = house.app
        assert "not valid" in (await person.asks()).body
        assert house.figures.joined_total == 1

    asyncio.run(main())


def test_a_form_that_was_not_taken_is_kept_by_the_browser_and_the_page_does_not_load_itself_again() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        person = Visitor(house.app)
        answer = await person.asks("POST", body=b"name=Ada")
        assert answer.status == 503
        assert "your browser has kept it" in answer.body
        assert "http-equiv" not in answer.body
        assert "<button" in answer.body
        page = await Visitor(house.app).asks()
        assert 'http-equiv="refresh"' in page.body
        assert "<button" not in page.body

    asyncio.run(main())


def test_the_cookie_is_for_this_host_and_no_script_and_secure_where_the_address_is() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        plain, secure = Visitor(house.app), Visitor(house.app, scheme="https")
        (cookie,) = (await plain.asks()).cookies
        assert re.fullmatch(r"room-pages=[\w-]{79}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax", cookie)
        (cookie,) = (await secure.asks()).cookies
        assert re.fullmatch(r"__Host-room-pages=.*; Path=/; Max-Age=600; HttpOnly; SameSite=Lax; Secure", cookie)

    asyncio.run(main())


def test_a_look_never_reaches_the_service_and_one_without_a_ticket_draws_no_number() -> None:
    async def main() -> None:
        house = House()
        stranger = Visitor(house.app)
        assert (await stranger.looks())["state"] == "turn"
        await house.fill()
        await Visitor(house.app).asks()
        assert (await stranger.looks())["state"] == "turn"
        assert house.figures.joined_total == 1
        assert sum(w.done_total for w in house.gate.statistics().workloads) == 0

    asyncio.run(main())


def test_other_workloads_are_none_of_the_rooms_business() -> None:
    async def main() -> None:
        house = House()
        await house.fill()
        await Visitor(house.app).asks()
        assert (await Visitor(house.app).asks(path="/health")).status == 200

    asyncio.run(main())


def test_who_is_let_in_by_another_way_is_inside_and_holds_nobody_up() -> None:
    async def main() -> None:
        house = House()
        cached = Gate("cache", Fixed(1), [Workload("cached", queue_limit=0)])
        app = admission(
            service,
            [house.gate, cached],
            lambda scope: Ticket("cached", line="pages") if scope["path"] == "/cached" else Ticket("pages"),
            room=house.room,
        )
        called, waiting, newcomer, last = (Visitor(app) for _ in range(4))
        await house.fill()
        for person in (called, waiting, last):
            assert (await person.asks()).status == 503
        await house.empty()
        assert (await called.looks())["state"] == "turn"
        for person in (called, waiting, newcomer):
            assert (await person.asks(path="/cached")).body == "inside: "
        assert (house.figures.in_total, house.figures.late_total) == (1, 0)
        for person in (called, waiting, newcomer):
            assert (await person.asks()).body == "inside: "  # before the last, for each has a pass
        assert (await last.looks())["state"] == "waiting"
        house.clock.advance(30)
        assert (await last.looks())["state"] == "turn"
        assert house.figures.missed_total == 1  # the number of whoever was not called yet

    asyncio.run(main())


def test_who_is_refused_by_another_way_keeps_the_place_or_draws_one() -> None:
    async def main() -> None:
        house = House()
        cached = Gate("cache", Fixed(1), [Workload("cached", queue_limit=0)])
        app = admission(
            service,
            [house.gate, cached],
            lambda scope: Ticket("cached", line="pages") if scope["path"] == "/cached" else Ticket("pages"),
            room=house.room,
        )
        await house.fill()
        (await house.stack.enter_async_context(cached.admit("cached"))).ignore()
        first, second = Visitor(app), Visitor(app)
        assert (await first.asks()).before == 0
        assert (await second.asks(path="/cached")).before == 1
        assert (await first.asks(path="/cached")).before == 0
        assert house.figures.joined_total == 2
        await house.empty()

    asyncio.run(main())


def test_a_closed_gate_tells_newcomers_so_and_those_who_are_in_line_keep_their_place_for_the_restart() -> None:
    async def main() -> None:
        house = House()
        house.gate.close()
        answer = await Visitor(house.app, is_page=False).asks()
        assert json.loads(answer.body)["reason"] == "closed"
        house = House()
        await house.fill()
        person = Visitor(house.app)
        await person.asks()
        await house.empty()
        house.gate.close()
        answer = await person.asks()
        assert "It is your turn" in answer.body
        assert answer.cookies[0].startswith("room-pages=")

    asyncio.run(main())


def test_a_room_for_nothing_or_for_what_no_gate_has_is_misuse() -> None:
    gate = Gate("web", Fixed(1), [Workload("pages")])
    for workloads in ([], "pages"):
        with pytest.raises(Misuse, match="names of its workloads"):
            WaitingRoom(workloads, key=KEY)
    with pytest.raises(Misuse, match="no gate has the workloads"):
        admission(service, gate, lambda scope: None, room=WaitingRoom(["export"], key=KEY))
    with pytest.raises(Misuse, match="<!--room-->"):
        Look(template="<html></html>")


def test_a_room_is_in_the_snapshot_in_the_metrics_and_on_the_console_while_it_is_there() -> None:
    async def main() -> None:
        house = House()
        people = [Visitor(house.app) for _ in range(3)]
        await house.fill()
        for person in people:
            await person.asks()
        (room,) = (room for room in snapshot().rooms if room == house.figures)
        assert (room.name, room.waiting, room.joined_total, room.is_open) == ("pages", 3, 3, True)
        reading = next(one for one in read(Snapshot(rooms=(room,))))
        assert (reading.kind, reading.name, reading.load, reading.state) == ("waiting room", "pages", 3, "crowded")
        assert "3 wait, 0 called" in reading.now
        assert judge([reading]).title == "The waiting room pages limits now"
        await house.empty()
        assert (await people[0].asks()).status == 200
        people[1].cookies = {"room-pages": "made up"}
        await people[1].asks()
        house.clock.advance(2.0)
        await people[2].looks()
        found = house.figures
        assert found.per_s is not None
        assert found.expected_wait_s == pytest.approx((found.waiting + 1) / found.per_s)
        text = openmetrics(Snapshot(rooms=(found,)))
        for line in (
            f'seawall_room_waiting{{workload="pages"}} {found.waiting}',
            'seawall_room_joined_total{workload="pages"} 4',
            'seawall_room_let_in_total{workload="pages"} 1',
            'seawall_room_missed_total{workload="pages"} 0',
            'seawall_room_invalid_tickets_total{workload="pages",reason="malformed"} 1',
            "# TYPE seawall_room_expected_wait_seconds gauge",
            "# TYPE seawall_room_places_per_second gauge",
        ):
            assert line in text.splitlines(), text

    asyncio.run(main())


def test_an_empty_room_tells_a_newcomer_of_no_wait_and_limits_nothing() -> None:
    figures = House().figures
    assert (figures.expected_wait_s, figures.is_open) == (0.0, False)
    (reading,) = read(Snapshot(rooms=(figures,)))
    assert (reading.now, reading.state) == ("nobody before a newcomer", "calm")
    assert judge([reading]).is_calm


def test_loops_on_several_threads_draw_no_number_twice() -> None:
    house = House()
    tickets: list[str] = []

    def draw() -> None:
        async def main() -> None:
            for _ in range(100):
                visitor = Visitor(house.app, is_page=False)
                tickets.append(json.loads((await visitor.asks()).body)["ticket"])

        asyncio.run(main())

    with house.gate.admit_sync("pages") as somebody, ThreadPool("loops", max_threads=4) as pool:
        somebody.ignore()
        for future in [pool.submit(draw) for _ in range(4)]:
            future.result(60)
    desk = house.room._desk("pages")
    assert desk is not None
    numbers = [desk._signer.read(ticket, house.clock.time(), 600.0, 600.0).number for ticket in tickets]
    assert sorted(numbers) == list(range(1, 401))


def standing(**fields) -> Standing:
    return Standing(**{"state": "waiting", "place": 3, "first_place": 9, "estimate_s": 40.0, "look_s": 5.0} | fields)


def test_the_page_is_small_asks_for_nothing_else_and_takes_no_markup_from_its_title() -> None:
    pages = Pages(Look(title="<b>Shop</b>", message="a & b"), "pages")
    page = pages.page(standing(place=123_456, first_place=200_000)).decode()
    assert len(page.encode()) < 10_000
    assert not re.search(r"https?://|src=|url\(|@import", page)
    assert "&lt;b&gt;Shop" in page
    assert "a &amp; b" in page
    assert "<b>123,455</b>" in page
    assert "prefers-reduced-motion" in page
    assert "prefers-color-scheme" in page
    assert "unsafe" not in pages.policy.decode()


def test_a_template_keeps_its_styles_and_they_are_in_the_policy() -> None:
    own = "<html><head><!--head--><style>body{color:red}</style></head><body><p>Ours</p><!--room--></body></html>"
    pages = Pages(Look(template=own), "pages")
    page = pages.page(standing()).decode()
    assert "<p>Ours</p><main" in page
    assert pages.policy.count(b"sha256-") == 3


def test_an_estimate_is_told_in_words_that_are_as_exact_as_it_is() -> None:
    told = {
        3: "a few seconds",
        12: "about 15 seconds",
        31: "about 40 seconds",
        55: "about a minute",
        75: "about 1½ minutes",
    }
    told |= {200: "about 3½ minutes", 290: "about 5 minutes", 301: "about 6 minutes", 2_300: "about 40 minutes"}
    told |= {3_500: "more than an hour", 20_000: "more than 5 hours"}
    assert {seconds: duration(seconds) for seconds in told} == told
    assert "not known" in Pages(Look(), "pages").page(standing(estimate_s=None)).decode()


def test_the_bar_is_full_only_when_it_is_ones_turn() -> None:
    assert [standing(place=place, first_place=100).progress for place in (150, 100, 50, 2, 1)] == [0, 0, 50, 98, 99]
    assert standing(state="turn", place=0).progress == 100
