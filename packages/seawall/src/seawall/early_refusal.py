"""An optional last step before the ASGI application: refuse in uvicorn's protocol, before there is a request at all.

uvicorn spends some 50 µs on a request before its application sees it. Where an answer is cheap, that decides how much is
left of the peak under many times its load. So the simplest requests are refused from the bytes as they come in, and only
where nothing can be mistaken: a whole GET or HEAD without a body, in one segment, on a connection with nothing else in
progress, of an ordinary form, whose path is in the table. Everything else goes the usual way and is decided there.

Written against uvicorn 0.54's `HttpToolsProtocol` and `H11Protocol`; nothing of it is imported here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, cast

from seawall.admission.answers import TITLES, Answer, Answers
from seawall.admission.gate import Gate
from seawall.errors import Misuse

LONGEST_BYTES = 8_192
"""A longer head is unusual: left to the parser."""

# One whole head in its ordinary form and nothing after it. Nothing in it can match in two ways, so `re` does not backtrack
# for long. What RFC 9112 forbids or discourages (bare CR or LF, folded lines, absolute targets) does not match.
REQUEST = re.compile(rb"(GET|HEAD) (/[!-~]*) HTTP/1\.1\r\n((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\r\n\0]*\r\n)+)\r\n")

# What makes a request more than its head, or its connection something else.
UNUSUAL = re.compile(
    rb"(?:^|\n)(?:content-length|transfer-encoding|expect|upgrade|http2-settings|te|trailer):", re.IGNORECASE
)
CONNECTION = re.compile(rb"(?:^|\n)connection:[ \t]*([^\r]*)", re.IGNORECASE)
ACCEPTS_PAGE = re.compile(rb"(?:^|\n)accept:[^\r]*text/html", re.IGNORECASE)

TenantOf = Callable[[bytes, bytes], str]
"""From a path and the bytes of the header lines to a tenant."""


def early_refusal(
    protocol: type[Any],
    gate: Gate,
    prefixes: Mapping[str, str],
    *,
    tenant_of: TenantOf | None = None,
    problem_type: str = "about:blank",
) -> type[Any]:
    """A uvicorn protocol class like `protocol` that refuses early what `gate` would refuse on arrival.

    `prefixes` maps the beginning of a path to a workload of `gate`; the longest that fits counts, and a path that none fits
    is never refused here. They must say what the middleware's `classify` says, which decides for all that is not refused
    here: keep `seawall.asgi.admission` in front of the application. Where its tickets have tenants, give `tenant_of(path,
    head)` too; else whoever comes counts as a tenant of no name, as in the middleware without tenants. Neither may block.

    Refusals are counted by the gate like any other; uvicorn's access log does not have them. In shadow nothing is refused.
    `limit_max_requests` counts them. Raises Misuse for a workload that the gate has not, or a class of another kind.

        from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

        early = early_refusal(HttpToolsProtocol, gate, {"/p/": "pages"})
        uvicorn.run(app, http=early)
    """
    known = {workload.name for workload in gate.workloads}
    for prefix, workload in prefixes.items():
        if workload not in known:
            raise Misuse(f"gate {gate.name} has no workload {workload!r}, which {prefix!r} is to be")
    if hasattr(protocol, "on_message_begin"):
        kind: type[_Early] = _EarlyHttpTools
    elif hasattr(protocol, "handle_events"):
        kind = _EarlyH11
    else:
        raise Misuse(f"{protocol.__name__} is neither uvicorn's HttpToolsProtocol nor its H11Protocol")
    table = sorted(((prefix.encode(), workload) for prefix, workload in prefixes.items()), key=lambda p: -len(p[0]))
    fields = {"door": _Door(gate, table, tenant_of, Answers(problem_type))}
    return type(f"Early{protocol.__name__}", (kind, protocol), fields)


class _Door:
    """Decides on the bytes of one segment."""

    def __init__(
        self, gate: Gate, table: list[tuple[bytes, str]], tenant_of: TenantOf | None, answers: Answers
    ) -> None:
        self._gate = gate
        self._table = table
        self._tenant_of = tenant_of
        self._answers = answers

    def refuse(self, data: bytes) -> tuple[Answer, bool, bool] | None:
        """The answer, whether it is to a HEAD, and whether the connection closes after it; None lets `data` through."""
        found = REQUEST.fullmatch(data)
        if found is None:
            return None
        path, head = found[2], found[3]
        workload = self._workload_of(path)
        if workload is None or UNUSUAL.search(head) is not None:
            return None
        connections = CONNECTION.findall(head)
        closes = False
        if connections:
            option = connections[0].strip().lower()
            closes = option == b"close"
            if len(connections) > 1 or not (closes or option == b"keep-alive"):
                return None
        tenant = "" if self._tenant_of is None else self._tenant_of(path, head)
        refusal = self._gate.refuse(workload, tenant=tenant)
        if refusal is None:
            return None
        return self._answers.to(refusal, ACCEPTS_PAGE.search(head) is not None), found[1] == b"HEAD", closes

    def _workload_of(self, path: bytes) -> str | None:
        if b"%" in path or b"/." in path or b"//" in path:
            return None  # it may be another path than it looks
        for prefix, workload in self._table:
            if path.startswith(prefix):
                return workload
        return None


class _Early:
    """What both protocols share. Comes before uvicorn's class, whose attributes it uses."""

    door: _Door
    transport: Any
    flow: Any
    cycle: Any
    server_state: Any
    loop: Any
    timeout_keep_alive: float
    timeout_keep_alive_task: Any
    timeout_keep_alive_handler: Callable[[], None]

    def data_received(self, data: bytes) -> None:
        """Refuse `data`, or let uvicorn have it."""
        if len(data) <= LONGEST_BYTES and self._is_idle():
            refused = self.door.refuse(data)
            if refused is not None:
                self._answer(*refused)
                return
        self._pass_on(data)

    def _pass_on(self, data: bytes) -> None:
        cast("Any", super()).data_received(data)

    def _is_idle(self) -> bool:
        """Whether nothing is in progress: no request, no answer, no bytes of a next one, and the connection is open."""
        cycle = self.cycle
        return (
            (cycle is None or cycle.response_complete)
            and not self.flow.write_paused
            and not self.flow.read_paused
            and not self.transport.is_closing()
            and self._is_between_requests()
        )

    def _is_between_requests(self) -> bool:
        """What only the parser knows; each of the two below says it of its own."""
        raise NotImplementedError

    def _answer(self, answer: Answer, is_head: bool, closes: bool) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None
        parts = [b"HTTP/1.1 %d %s\r\n" % (answer.status, TITLES[answer.status].encode())]
        for name, value in (*self.server_state.default_headers, *answer.headers):
            parts += (name, b": ", value, b"\r\n")
        if closes:
            parts.append(b"connection: close\r\n")
        parts.append(b"\r\n")
        if not is_head:
            parts.append(answer.body)
        self.transport.write(b"".join(parts))
        self.server_state.total_requests += 1
        if closes:
            self.transport.close()
        else:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )


class _EarlyHttpTools(_Early):
    """For llhttp, which does not tell whether it is in the middle of a message, but tells when one begins and ends."""

    parser: Any
    _is_in_message = False
    _is_unusual = False

    def _is_between_requests(self) -> bool:
        return not self._is_in_message and not self._is_unusual

    def on_message_begin(self) -> None:
        """See httptools: the first byte of a request has come."""
        self._is_in_message = True
        cast("Any", super()).on_message_begin()

    def on_headers_complete(self) -> None:
        """See httptools. After an upgrade, also one that uvicorn declines, the parser is in a state of its own."""
        if self.parser.should_upgrade():
            self._is_unusual = True
        cast("Any", super()).on_headers_complete()

    def on_message_complete(self) -> None:
        """See httptools: its last byte has come."""
        self._is_in_message = False
        cast("Any", super()).on_message_complete()

    def _pass_on(self, data: bytes) -> None:
        parser = self.parser
        super()._pass_on(data)
        if parser is None or self.transport.is_closing():
            self._is_unusual = True


class _EarlyH11(_Early):
    """For h11, which tells its state."""

    conn: Any

    def _is_between_requests(self) -> bool:
        conn = self.conn
        return bool(str(conn.our_state) == "IDLE" and str(conn.their_state) == "IDLE" and not conn.trailing_data[0])
