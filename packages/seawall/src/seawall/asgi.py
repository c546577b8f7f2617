"""A gate in front of an ASGI application: the outermost callable, before any framework has spent anything.

Works with every server and framework that speaks ASGI 3; no import but the standard library's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from seawall.admission.admitted import Admitted
from seawall.admission.answers import PAGE, Answer, Answers
from seawall.admission.gate import Gate
from seawall.admission.receiver import Message, Receive, Receiver
from seawall.admission.room_desk import CALLER, Ask, Caller, ask_of
from seawall.admission.room_look import Look as Look
from seawall.admission.waiting_room import WaitingRoom as WaitingRoom
from seawall.core.control import Refusal
from seawall.errors import DeadlineExceeded, Misuse, Overloaded
from seawall.runtime.who import this_task

Scope = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

DISCARDED_BYTES = 65_536
"""A refused request's body up to this is left for the server to read and drop, and its connection is kept. For a longer one,
or one of unknown length, the connection is closed: it is not worth the reading."""

TRY_AGAIN_LATER = 1013
"""https://www.iana.org/assignments/websocket/: the close code for a server that is overloaded."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a request is to the gates: its workload, whose it is, and what it weighs (see `Gate.admit`).

    `line` names another workload, whose waiting room has its place where it has one: it does not stand in that line, but once
    let in it is inside there too. For what a visitor of that room is let in to by another way: a page that is in a cache.
    """

    workload: str
    tenant: str = ""
    cost: float = 1.0
    line: str = ""


Classify = Callable[[Scope], Ticket | None]


def admission(
    app: App,
    gate: Gate | Sequence[Gate],
    classify: Classify,
    *,
    problem_type: str = "about:blank",
    page: str = PAGE,
    room: WaitingRoom | None = None,
) -> App:
    """`app` behind `gate`: put it around everything else, so that a refusal costs nothing but itself.

    `classify(scope)` says what a request or WebSocket is; None lets it through unseen (a lane of its own: see also
    `Workload.exempt`). It runs on the loop for each request, so it must be quick; tickets can be made beforehand. With
    several gates, the one that has the ticket's workload is asked; a workload that none has is Misuse.

    A request that is let in holds its seat until `app` returns, background tasks included; `scope["seawall.admitted"]` is
    its `Admitted`, with `waited_s`, `ignore()` and `drop()`. While it waits, `scope["seawall.waiting"]` is, with `place()`
    and `expected_wait_s()`, for whoever in front shows them. A client that disconnects meanwhile is taken out of the
    queue; what it sent meanwhile is handed to `app`. Once inside, a handler whose client has gone is cancelled only where
    its workload says `cancel_on_disconnect`. A WebSocket, and an answer of type `text/event-stream`, hold a seat as long
    as they live and are never samples of how long work takes: give them a gate of their own.

    A refusal is 503, or 429 where a tenant asks for more than its part, with `Retry-After`, as problem+json of type
    `problem_type`, or as a short page where the client asks for text/html; `page` is one of your own, in which `{title}`,
    `{detail}`, `{seconds}` and `{unit}` are filled in (braces of its own are doubled). A WebSocket is denied by the same
    answer where the server can, else closed with code 1013. Handlers' own `Overloaded` is left to the framework.

    With a `room`, whoever the gate has no place for in a workload of the room keeps a place in line instead, and is let in in
    turn: see `WaitingRoom`.

        app = FastAPI()
        gate = Gate("web", Fixed(4), [Workload("pages"), Workload("health", exempt=True)])
        app = admission(app, gate, lambda scope: Ticket("health" if scope["path"] == "/health" else "pages"))
    """
    return _Admission(app, [gate] if isinstance(gate, Gate) else gate, classify, Answers(problem_type, page), room)


class _Admission:
    """See `admission`."""

    def __init__(
        self, app: App, gates: Sequence[Gate], classify: Classify, answers: Answers, room: WaitingRoom | None
    ) -> None:
        self._app = app
        self._classify = classify
        self._answers = answers
        self._gates: dict[str, Gate] = {}
        for gate in gates:
            for workload in gate.workloads:
                if self._gates.setdefault(workload.name, gate) is not gate:
                    raise Misuse(f"two gates have a workload {workload.name!r}: it must be told which is meant")
        self._room = room
        missing = [] if room is None else [name for name in room.workloads if name not in self._gates]
        if missing:
            raise Misuse(f"no gate has the workloads {missing} that the waiting room is for")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ask: Ask | None = None
        if self._room is not None and scope["type"] == "http":
            ask = ask_of(scope)
            if ask.looks and (desk := self._room._desk(ask.looks)) is not None:
                caller = desk.visit(ask, self._gates[ask.looks])
                await self._send(scope, send, "http.response", desk.look(caller))
                return
        ticket = None if scope["type"] not in ("http", "websocket") else self._classify(scope)
        if ticket is None:
            await self._app(scope, receive, send)
            return
        gate = self._gates.get(ticket.workload)
        if gate is None:
            raise Misuse(f"no gate has the workload {ticket.workload!r} that classify named for {scope['path']!r}")
        if ask is not None and self._room is not None and (desk := self._room._desk(ticket.line or ticket.workload)):
            caller = desk.pass_by(ask) if ticket.line else desk.visit(ask, gate)
            if caller.answer is not None:
                await self._send(scope, send, "http.response", caller.answer)
                return
            scope[CALLER] = caller
        admitted = gate.admit(ticket.workload, tenant=ticket.tenant, cost=ticket.cost)
        admitted.owner = this_task()
        if gate._arrive(admitted):
            await self._serve(scope, receive, send, gate, admitted, None)
        elif admitted.refusal is not None:
            await self._refuse(scope, receive, send, admitted.refusal)
        else:
            await self._queue(scope, receive, send, gate, admitted)

    async def _queue(self, scope: Scope, receive: Receive, send: Send, gate: Gate, admitted: Admitted) -> None:
        receiver = Receiver(receive)
        leave = _Leave()
        receiver.watch(leave.cancel)
        scope["seawall.waiting"] = admitted
        try:
            await gate._wait_in_task(admitted)
        except asyncio.CancelledError:
            receiver.end()
            if leave.was_reason():
                return  # nobody is there to be told anything
            raise
        except (Overloaded, DeadlineExceeded):
            receiver.unwatch()
            assert admitted.refusal is not None
            await self._refuse(scope, receiver.receive, send, admitted.refusal)
            receiver.end()
            return
        except BaseException:
            receiver.end()
            raise
        receiver.unwatch()
        await self._serve(scope, receiver.receive, send, gate, admitted, receiver)

    async def _serve(
        self, scope: Scope, receive: Receive, send: Send, gate: Gate, admitted: Admitted, receiver: Receiver | None
    ) -> None:
        scope["seawall.admitted"] = admitted
        caller: Caller | None = scope.pop(CALLER, None)
        if caller is not None:
            send = caller.let_in(send)
        leave: _Leave | None = None
        if scope["type"] == "websocket":
            admitted.ignore()
        elif admitted.work.workload.cancel_on_disconnect:
            receiver = receiver or Receiver(receive)
            receive = receiver.receive
            leave = _Leave()
            receiver.watch(leave.cancel)
        try:
            await self._app(scope, receive, _noting(send, admitted, leave))
        except BaseException as error:
            gate._leave(admitted, admitted._outcome_of(error))
            if isinstance(error, asyncio.CancelledError) and leave is not None and leave.was_reason():
                return
            raise
        else:
            gate._leave(admitted, admitted._outcome_of(None))
        finally:
            if receiver is not None:
                receiver.end()

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, refusal: Refusal) -> None:
        caller: Caller | None = scope.get(CALLER)
        answer = caller.refused(refusal) if caller is not None else None
        if answer is None:
            answer = self._answers.to(refusal, _wants_page(scope))
        kind = "http.response"
        if scope["type"] == "websocket":
            await receive()  # its connect
            if "websocket.http.response" not in (scope.get("extensions") or {}):
                await send({"type": "websocket.close", "code": TRY_AGAIN_LATER, "reason": refusal.reason})
                return
            kind = "websocket.http.response"
        await self._send(scope, send, kind, answer)

    async def _send(self, scope: Scope, send: Send, kind: str, answer: Answer) -> None:
        headers = [*answer.headers, (b"connection", b"close")] if _closes(scope) else list(answer.headers)
        await send({"type": f"{kind}.start", "status": answer.status, "headers": headers})
        body = b"" if scope.get("method") == "HEAD" else answer.body
        await send({"type": f"{kind}.body", "body": body})


class _Leave:
    """Cancels the running task when its client has gone, and tells that from all other reasons; as asyncio.timeout does."""

    __slots__ = ("_has_cancelled", "_is_over", "_task")

    def __init__(self) -> None:
        self._task = this_task()
        self._has_cancelled = False
        self._is_over = False

    def cancel(self) -> None:
        if not self._is_over:
            self._has_cancelled = True
            self._task.cancel()

    def answered(self) -> None:
        """There is nobody to wait for the answer any more, and nothing to cancel."""
        self._is_over = True

    def was_reason(self) -> bool:
        """Whether it was this that cancelled the task, and nothing else besides."""
        if not self._has_cancelled:
            return False
        self._has_cancelled = False
        return self._task.uncancel() == 0


def _noting(send: Send, admitted: Admitted, leave: _Leave | None) -> Send:
    async def send_noting(message: Message) -> None:
        kind = message["type"]
        if kind == "http.response.start":
            for name, value in message.get("headers", ()):
                if name.lower() == b"content-type" and value.startswith(b"text/event-stream"):
                    admitted.ignore()
        elif leave is not None and kind == "http.response.body" and not message.get("more_body", False):
            leave.answered()
        await send(message)

    return send_noting


def _wants_page(scope: Scope) -> bool:
    return any(name == b"accept" and b"text/html" in value for name, value in scope["headers"])


def _closes(scope: Scope) -> bool:
    """Whether the connection is to be closed after a refusal."""
    # HTTP/2 and 3 have no such header (RFC 9113, 8.2.2), and a WebSocket's answer ends the connection anyway.
    if scope["type"] != "http" or not scope.get("http_version", "1.1").startswith("1"):
        return False
    closes = False
    for name, value in scope["headers"]:
        if name == b"content-length":
            closes = closes or not value.isdigit() or int(value) > DISCARDED_BYTES
        elif name == b"transfer-encoding" or (name == b"expect" and value.lower() == b"100-continue"):
            closes = True
    return closes
