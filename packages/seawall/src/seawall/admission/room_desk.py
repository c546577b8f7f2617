"""The desk of a waiting room: from what a request says to the answer that it is not its turn, or to a pass."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass, replace
from math import ceil
from random import random
from typing import Any, Literal

from seawall.admission.answers import TITLES, Answer
from seawall.admission.gate import Gate
from seawall.admission.room_look import SOONEST_RELOAD_S, Look, Pages, Standing, words_of
from seawall.clock import Clock
from seawall.core.control import Refusal
from seawall.core.gate_statistics import Capacity
from seawall.core.room_line import Room
from seawall.core.room_statistics import RoomStatistics
from seawall.core.room_ticket import RoomTicket, Signer
from seawall.core.room_times import estimate_s, look_s
from seawall.observe.registry import REGISTRY
from seawall.runtime.threads import RawRLock

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

TICKET_HEADER = b"waiting-ticket"
LOOK_HEADER = b"waiting-room"
CALLER = "seawall.caller"
"""Where in its scope a request is noted that a waiting room has seen and sent on to the gate."""

OF_QUEUE = 0.25
"""What part of the gate's queue, and of the time one may wait there, the room uses to keep the seats busy."""

NOTES = {
    "expired": "Your earlier ticket had lapsed. This is a new place.",
    "foreign": "Your earlier ticket was for something else. This is a new place.",
    "forged": "Your earlier ticket is not valid. This is a new place.",
    "malformed": "Your earlier ticket is not valid. This is a new place.",
}


@dataclass(slots=True)
class Ask:
    """What a request says to a waiting room."""

    method: str
    is_secure: bool
    wants_page: bool = False
    looks: str = ""
    ticket: str = ""
    cookies: str = ""


class Desk:
    """The room of one workload: reads tickets, asks the line, writes tickets and answers."""

    def __init__(
        self, workload: str, signer: Signer, look: Look, started: int, stay_s: float, away_s: float, clock: Clock
    ) -> None:
        self.workload = workload
        self._signer = signer
        self._clock = clock
        self._stay_s = stay_s
        self._away_s = away_s
        self._cookie = "room-" + re.sub(r"[^A-Za-z0-9_.]", "-", workload)
        self._pages = Pages(look, workload)
        # Guards the room and the counts below; held for a few steps of arithmetic only. Re-entrant, because a signal handler
        # may take a snapshot in the middle of one.
        self._guard = RawRLock()
        self._room = Room(started)
        self._invalid: dict[str, int] = {}
        REGISTRY.add(self)

    def statistics(self) -> RoomStatistics:
        """See `WaitingRoom.statistics`."""
        with self._guard:
            room, per_s = self._room, self._room.per_s(self._clock.monotonic())
            return RoomStatistics(
                self.workload,
                room.is_open,
                room.waiting,
                room.due,
                room.own.last,
                room.called_total,
                room.in_total,
                room.missed_total,
                room.late_total,
                per_s,
                tuple(sorted(self._invalid.items())),
                estimate_s(room.waiting + 1, per_s) if room.is_open else 0.0,
            )

    def visit(self, ask: Ask, gate: Gate) -> Caller:
        """Who it is that comes, and, where that is so, the answer that it is not its turn."""
        caller = Caller(self, ask)
        ticket = self._ticket_of(caller)
        capacity = gate.capacity(self.workload)
        with self._guard:
            room, now_s = self._room, self._clock.monotonic()
            _call(room, now_s, capacity)
            if ticket is not None and ticket.kind == "pass":
                caller.state = "inside"
                room.asked(now_s)
                return caller
            if ticket is not None and not room.learn(ticket.line, ticket.number, ticket.called, ticket.last):
                caller.note = NOTES["expired"]
                ticket = None
            if ticket is None and (ask.looks or not room.is_open):
                return caller  # who looks in without a ticket is to come again as a newcomer
            if ticket is None:
                ticket = self._join(room)
                _call(room, now_s, capacity)
            caller.ticket = ticket = self._as_seen(room, ticket)
            if room.place(ticket.line, ticket.number) == 0:
                room.came(ticket.line, ticket.number, now_s)
                caller.state = "called"
                return caller
            caller.state = "waiting"
            caller.standing = self._standing(caller, room, now_s)
        if not ask.looks:
            caller.answer = self._answer(caller)
        return caller

    def pass_by(self, ask: Ask) -> Caller:
        """Who it is that goes in by another way: past the line, and its number, if it has one, is settled by `let_in`."""
        caller = Caller(self, ask)
        ticket = self._ticket_of(caller)
        if ticket is None:
            return caller
        if ticket.kind == "pass":
            caller.state = "inside"
            return caller
        with self._guard:
            room = self._room
            if room.learn(ticket.line, ticket.number, ticket.called, ticket.last):
                caller.ticket = self._as_seen(room, ticket)
                if room.place(ticket.line, ticket.number) == 0:
                    caller.state = "called"
        return caller

    def refused(self, caller: Caller, refusal: Refusal) -> Answer | None:
        """What `caller` is told whom the gate refused; None where that is not for a waiting room to say."""
        if caller.state == "new" and refusal.reason in ("closed", "tenant"):
            return None
        with self._guard:
            room, now_s = self._room, self._clock.monotonic()
            if caller.state == "new":
                caller.ticket = self._as_seen(room, caller.ticket or self._join(room))
                caller.state = "waiting"
            else:
                room.turned_away(now_s)
            caller.standing = self._standing(caller, room, now_s)
        return self._answer(caller)

    def let_in(self, caller: Caller) -> bytes | None:
        """Note that `caller` is in. Returns the cookie that it is to have from now on."""
        ticket = caller.ticket
        if caller.state == "called" and ticket is not None:
            with self._guard:
                self._room.let_in(ticket.line, ticket.number, self._clock.monotonic())
        elif not (caller.ask.wants_page if caller.state == "new" else self._is_to_be_renewed(caller)):
            return None
        now_s = self._clock.time()
        right = RoomTicket(
            "pass", ticket.line if ticket else 0, ticket.number if ticket else 0, 0, 0, 0, int(now_s), now_s
        )
        return self._set_cookie(caller.ask, right, self._stay_s)

    def look(self, caller: Caller) -> Answer:
        """What the page's script is told."""
        with self._guard:
            room, now_s = self._room, self._clock.monotonic()
            standing = caller.standing or self._standing(caller, room, now_s)
        headers = [(LOOK_HEADER, b"1")]
        if caller.ticket is not None:
            headers.append((b"set-cookie", self._set_cookie(caller.ask, caller.ticket, self._away_s)))
        return _answer(200, b"application/json", self._pages.poll(standing), headers)

    # Steps.

    def _ticket_of(self, caller: Caller) -> RoomTicket | None:
        ask = caller.ask
        text = ask.ticket or _cookie_of(ask.cookies, self._cookie_name(ask))
        if not text:
            return None
        found = self._signer.read(text, self._clock.time(), self._away_s, self._stay_s)
        if isinstance(found, RoomTicket):
            caller.held = found
            return found
        caller.note = NOTES[found]
        with self._guard:
            self._invalid[found] = self._invalid.get(found, 0) + 1
        return None

    def _join(self, room: Room) -> RoomTicket:
        now_s = self._clock.time()
        number = room.join()
        place = room.place(room.own.started, number)
        return RoomTicket("ticket", room.own.started, number, 0, 0, place, int(now_s), now_s)

    def _as_seen(self, room: Room, ticket: RoomTicket) -> RoomTicket:
        called, last = room.known(ticket.line)
        return replace(ticket, called=called, last=last, seen_s=self._clock.time())

    def _is_to_be_renewed(self, caller: Caller) -> bool:
        """While nobody waits, passes are given anew, so that a room that opens finds them with half their time left."""
        held = caller.held
        if held is None or not caller.ask.wants_page or self._clock.time() - held.issued_s < self._stay_s / 2:
            return False
        with self._guard:
            return not self._room.is_open

    def _standing(self, caller: Caller, room: Room, now_s: float) -> Standing:
        ticket, note, is_form = caller.ticket, caller.note, caller.ask.method not in ("GET", "HEAD")
        place = room.place(ticket.line, ticket.number) if ticket is not None else 0
        if ticket is None or place == 0:
            state: Literal["inside", "turn"] = "inside" if caller.state == "inside" else "turn"
            return Standing(state, 0, 1, None, look_s(0, None, room.waiting, random()), is_form, note)
        expected_s = estimate_s(place, room.per_s(now_s))
        soon_s = look_s(place, expected_s, room.waiting, random())
        return Standing("waiting", place, ticket.first_place, expected_s, soon_s, is_form, note)

    def _answer(self, caller: Caller) -> Answer:
        standing, ticket = caller.standing, caller.ticket
        assert standing is not None
        retry_s = ceil(max(SOONEST_RELOAD_S, standing.look_s))
        headers = [(b"retry-after", b"%d" % retry_s)]
        if ticket is not None:
            headers.append((b"set-cookie", self._set_cookie(caller.ask, ticket, self._away_s)))
        if caller.ask.wants_page:
            headers += [(b"content-security-policy", self._pages.policy), *_PAGE_HEADERS]
            return _answer(503, b"text/html; charset=utf-8", self._pages.page(standing), headers)
        words = words_of(standing)
        problem: dict[str, object] = {
            "type": "about:blank",
            "title": TITLES[503],
            "status": 503,
            "detail": caller.note or "More people are here than can be served at once. Come again with your ticket.",
            "reason": "waiting_room",
            "retry_after_s": retry_s,
            "place": standing.place,
            "estimate": words["time"],
        }
        if ticket is not None:
            problem["ticket"] = text = self._signer.write(ticket)
            headers.append((TICKET_HEADER, text.encode()))
        return _answer(503, b"application/problem+json", json.dumps(problem).encode(), headers)

    def _cookie_name(self, ask: Ask) -> str:
        return f"__Host-{self._cookie}" if ask.is_secure else self._cookie

    def _set_cookie(self, ask: Ask, ticket: RoomTicket, max_age_s: float) -> bytes:
        secure = "; Secure" if ask.is_secure else ""
        name, text = self._cookie_name(ask), self._signer.write(ticket)
        return f"{name}={text}; Path=/; Max-Age={ceil(max_age_s)}; HttpOnly; SameSite=Lax{secure}".encode()


class Caller:
    """One request at a desk: *new*, *waiting*, *called* or *inside*."""

    __slots__ = ("_desk", "answer", "ask", "held", "note", "standing", "state", "ticket")

    def __init__(self, desk: Desk, ask: Ask) -> None:
        self._desk = desk
        self.ask = ask
        self.state: Literal["new", "waiting", "called", "inside"] = "new"
        self.held: RoomTicket | None = None  # what it came with
        self.ticket: RoomTicket | None = None  # what it is to have while it is not in
        self.standing: Standing | None = None
        self.note = ""
        self.answer: Answer | None = None

    def refused(self, refusal: Refusal) -> Answer | None:
        """See `Desk.refused`."""
        return self._desk.refused(self, refusal)

    def let_in(self, send: Send) -> Send:
        """Note that it is in. Returns the `send` that gives it its pass with the answer."""
        cookie = self._desk.let_in(self)
        if cookie is None:
            return send
        header = (b"set-cookie", cookie)

        async def send_with_pass(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), header]}
            await send(message)

        return send_with_pass


_PAGE_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"x-robots-tag", b"noindex"),
]


def _call(room: Room, now_s: float, capacity: Capacity) -> None:
    per_s = capacity.per_s or 0.0
    queue = min(capacity.queue_limit, per_s * capacity.deadline_s) * OF_QUEUE
    room.call(now_s, capacity.spare_seats - capacity.waiting, per_s, queue)


def ask_of(scope: MutableMapping[str, Any]) -> Ask:
    """What the headers of an HTTP request say."""
    ask = Ask(scope["method"], scope.get("scheme") == "https")
    for name, value in scope["headers"]:
        if name == b"accept":
            ask.wants_page = b"text/html" in value
        elif name == b"cookie":
            ask.cookies += ("; " if ask.cookies else "") + value.decode("latin-1")
        elif name == TICKET_HEADER:
            ask.ticket = value.decode("latin-1")
        elif name == LOOK_HEADER:
            ask.looks = value.decode("utf-8", "replace") if ask.method == "GET" else ""
    return ask


def _cookie_of(cookies: str, name: str) -> str:
    for pair in cookies.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value
    return ""


def _answer(status: int, kind: bytes, body: bytes, headers: Sequence[tuple[bytes, bytes]]) -> Answer:
    own = ((b"content-type", kind), (b"content-length", b"%d" % len(body)), (b"cache-control", b"no-store"))
    return Answer(status, (*own, *headers), body)
