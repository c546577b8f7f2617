"""Early refusal in a real uvicorn, spoken to in bytes: what may be refused is, and nothing else is ever touched."""

import asyncio
import re
import socket
from itertools import pairwise

import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from seawall import Fixed, Gate, Misuse, Workload
from seawall.early_refusal import early_refusal

GET = b"GET /page HTTP/1.1\r\nhost: here\r\n\r\n"
PASSES = b"GET /free HTTP/1.1\r\nhost: here\r\n\r\n"


class Service:
    """Answers with what it was asked; whatever reaches it was not refused early."""

    def __init__(self) -> None:
        self.seen: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        body = b""
        while scope["path"] != "/early":  # which is answered before its body has come
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        self.seen.append(f"{scope['method']} {scope['path']} {body.decode()}".strip())
        answer = self.seen[-1].encode()
        headers = [(b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


@pytest.fixture(params=[HttpToolsProtocol, H11Protocol], ids=["httptools", "h11"])
def protocol(request):
    return request.param


class Door:
    """A gate whose only seat can be taken, before a service."""

    def __init__(self, serve, protocol, **options) -> None:
        self.gate = Gate("web", Fixed(1), [Workload("page", queue_limit=0), Workload("other", queue_limit=0)])
        self.service = Service()
        prefixes = {"/page": "page", "/page/other": "other"}
        self.connect = serve(self.service, http=early_refusal(protocol, self.gate, prefixes, **options))
        self.seat = None

    def fill(self) -> None:
        self.seat = self.gate.admit_sync("page")
        self.seat.__enter__()

    def empty(self) -> None:
        if self.seat is not None:
            self.seat.__exit__(None, None, None)
            self.seat = None

    def refused(self, name: str = "page") -> int:
        return next(w.refused_total for w in self.gate.statistics().workloads if w.name == name)


@pytest.fixture
def door(serve, protocol):
    made = Door(serve, protocol)
    made.fill()
    yield made
    made.empty()


def test_a_plain_get_is_refused_and_the_connection_goes_on(door) -> None:
    connection = door.connect()
    for _ in range(3):
        answer = connection.ask(GET)
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) in (1, 2)
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-length"] == str(len(answer.body))
        assert "date" in answer.headers
    assert door.service.seen == []
    assert connection.ask(PASSES).body == b"GET /free"
    door.empty()
    assert connection.ask(GET).body == b"GET /page"
    assert door.refused() == 3


def test_head_has_the_headers_and_no_body(door) -> None:
    connection = door.connect()
    answer = connection.ask(GET.replace(b"GET", b"HEAD"), is_head=True)
    assert answer.status == 503
    assert int(answer.headers["content-length"]) > 0
    assert connection.ask(PASSES).status == 200


def test_a_browser_gets_a_page_and_close_closes(door) -> None:
    connection = door.connect()
    answer = connection.ask(GET[:-2] + b"Accept: text/html, */*\r\nConnection: Close\r\n\r\n")
    assert (answer.status, answer.headers["connection"]) == (503, "close")
    assert answer.headers["content-type"].startswith("text/html")
    assert connection.is_closed()


@pytest.mark.parametrize("connection_header", [b"keep-alive", b"Keep-Alive"])
def test_keep_alive_said_aloud_is_kept(door, connection_header: bytes) -> None:
    connection = door.connect()
    assert connection.ask(GET[:-2] + b"Connection: " + connection_header + b"\r\n\r\n").status == 503
    assert connection.ask(PASSES).status == 200


def test_the_longest_prefix_decides(door) -> None:
    connection = door.connect()
    assert connection.ask(GET.replace(b"/page", b"/page/other?a=1")).status == 503
    assert (door.refused("other"), door.refused("page")) == (1, 0)


def test_two_requests_in_one_segment_both_reach_the_application(door) -> None:
    connection = door.connect()
    connection.send(GET + GET)
    assert [connection.read().body for _ in range(2)] == [b"GET /page"] * 2
    assert connection.ask(GET).status == 503  # and afterwards it is as before


@pytest.mark.parametrize("at", [1, 3, 5, 12, 19, 30, len(GET) - 2, len(GET) - 1])
def test_a_request_in_two_segments_reaches_the_application(door, at: int) -> None:
    connection = door.connect()
    assert connection.ask(PASSES).status == 200
    connection.send(GET[:at])
    # The server has the first part when it has answered somebody else who came later.
    assert door.connect().ask(PASSES).status == 200
    assert connection.ask(GET[at:]).body == b"GET /page"
    assert connection.ask(GET).status == 503


def test_the_second_half_of_a_request_may_look_like_a_whole_one(door) -> None:
    connection = door.connect()
    connection.send(b"POST /upload HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(GET))
    assert door.connect().ask(PASSES).status == 200
    assert connection.ask(GET).body == b"POST /upload " + GET.strip()
    connection.send(b"POST /upload HTTP/1.1\r\nhost: here\r\ntransfer-encoding: chunked\r\n\r\n%x\r\n" % len(GET))
    assert door.connect().ask(PASSES).status == 200
    connection.send(GET)
    assert door.connect().ask(PASSES).status == 200
    assert connection.ask(b"\r\n0\r\n\r\n").body == b"POST /upload " + GET.strip()
    connection.send(b"GET /free HTTP/1.1\r\nx-folded: ")
    assert door.connect().ask(PASSES).status == 200
    connection.send(GET)  # the rest of a value, and then a head's end
    assert connection.read().status in (200, 400)
    assert door.refused() == 0


def test_the_body_of_a_request_that_is_answered_already_is_not_taken_for_a_request(door) -> None:
    connection = door.connect()
    head = b"POST /early HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(GET)
    assert connection.ask(head).body == b"POST /early"
    connection.send(GET)
    assert door.connect().ask(PASSES).status == 200
    assert connection.ask(PASSES).body == b"GET /free"
    assert door.refused() == 0


def test_a_request_while_an_answer_is_awaited_is_not_answered_before_it(serve, protocol) -> None:
    door = Door(serve, protocol)
    connection = door.connect()
    connection.send(b"POST /slow HTTP/1.1\r\nhost: here\r\ncontent-length: 2\r\n\r\na")
    assert door.connect().ask(PASSES).status == 200
    door.fill()
    connection.send(b"b" + GET)
    assert [connection.read().body for _ in range(2)] == [b"POST /slow ab", b"GET /page"]
    door.empty()


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /page HTTP/1.1\r\nhost: here\r\ncontent-length: 0\r\n\r\n",
        GET[:-2] + b"Content-Length: 0\r\n\r\n",
        GET[:-2] + b"Expect: 100-continue\r\n\r\n",
        GET[:-2] + b"TE: trailers\r\n\r\n",
        GET[:-2] + b"Connection: keep-alive, x-thing\r\n\r\n",
        GET[:-2] + b"Connection: keep-alive\r\nConnection: close\r\n\r\n",
        GET[:-2] + b"x-huge: " + b"a" * 9_000 + b"\r\n\r\n",
        GET.replace(b"/page", b"/%70age"),
        GET.replace(b"/page", b"/page/../free"),
        GET.replace(b"/page", b"/other"),
        GET.replace(b"HTTP/1.1", b"HTTP/1.0"),
    ],
    ids=range(11),
)
def test_whatever_is_out_of_the_ordinary_goes_the_usual_way(door, request_: bytes) -> None:
    connection = door.connect()
    assert connection.ask(request_).status in (100, 200)
    assert door.refused() == 0
    assert len(door.service.seen) == 1


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /page HTTP/1.1\r\nhost : here\r\n\r\n",
        b"GET /page HTTP/1.1\nhost: here\n\n",
        b"GET  /page HTTP/1.1\r\nhost: here\r\n\r\n",
        b"GET /page HTTP/1.1\r\nhost: here\r\nx: a\0b\r\n\r\n",
        b"GET /page HTTP/1.1\r\nhost: here\r\n folded: yes\r\n\r\n",
        b"GET /page HTTP/2.7\r\nhost: here\r\n\r\n",
    ],
    ids=range(6),
)
def test_what_is_malformed_is_the_parsers_to_judge(door, request_: bytes) -> None:
    connection = door.connect()
    assert connection.ask(request_).status in (200, 400)
    assert door.refused() == 0


def test_after_an_upgrade_that_was_declined_the_connection_is_left_to_the_parser(serve) -> None:
    door = Door(serve, HttpToolsProtocol)
    door.fill()
    connection = door.connect()
    assert connection.ask(PASSES[:-2] + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n").status == 200
    connection.send(GET)
    assert door.connect().ask(PASSES).status == 200  # by now the server has seen it
    assert door.refused() == 0
    door.empty()


def test_a_tenant_can_be_told_from_the_head(serve, protocol) -> None:
    told = []

    def tenant_of(path: bytes, head: bytes) -> str:
        told.append((path, b"x-tenant: acme" in head))
        return "acme"

    door = Door(serve, protocol, tenant_of=tenant_of)
    door.fill()
    assert door.connect().ask(GET[:-2] + b"x-tenant: acme\r\n\r\n").status == 503
    assert told == [(b"/page", True)]
    door.empty()


def test_in_shadow_nothing_is_refused_early(door) -> None:
    door.gate.shadow(True)
    assert door.connect().ask(GET).status == 200
    assert door.refused() == 0


def test_a_table_that_names_no_workload_and_a_class_of_another_kind_are_misuse() -> None:
    gate = Gate("web", Fixed(1), [Workload("page")])
    with pytest.raises(Misuse, match="no workload 'pgae'"):
        early_refusal(HttpToolsProtocol, gate, {"/": "pgae"})
    with pytest.raises(Misuse, match="neither"):
        early_refusal(int, gate, {"/": "page"})


bodies = st.one_of(st.just(b""), st.just(GET), st.just(GET * 2), st.binary(max_size=40).map(bytes.hex).map(str.encode))


def request_of(kind: str, path: str, body: bytes) -> tuple[bytes, str]:
    """The bytes of a request, and what the service answers to it."""
    head = f"{kind.split()[0]} {path} HTTP/1.1\r\nhost: here\r\n".encode()
    if kind == "GET":
        return head + b"\r\n", f"GET {path}"
    answer = f"{kind.split()[0]} {path} {'' if path == '/early' else body.decode()}".strip()
    if kind.endswith("chunked"):
        chunk = b"%x\r\n%s\r\n" % (len(body), body) if body else b""
        return head + b"transfer-encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n", answer
    return head + b"content-length: %d\r\n\r\n" % len(body) + body, answer


requests = st.lists(
    st.builds(
        request_of,
        st.sampled_from(["GET", "GET", "POST", "POST chunked"]),
        st.sampled_from(["/page", "/free", "/early"]),
        bodies,
    ),
    min_size=1,
    max_size=6,
)


async def converse(protocol, segments: list[bytes], answers: int, turns: int) -> list[tuple[int, str]]:
    """Send segments to a real protocol on a real transport, and read what is answered by a service that takes its time."""
    gate = Gate("web", Fixed(1), [Workload("page", queue_limit=0)])
    service = Service()

    async def slow(scope, receive, send) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await service(scope, receive, send)

    config = uvicorn.Config(slow, log_config=None, access_log=False)
    state, loop = ServerState(), asyncio.get_running_loop()
    early = early_refusal(protocol, gate, {"/page": "page"})
    ours, theirs = socket.socketpair()
    await loop.connect_accepted_socket(lambda: early(config=config, server_state=state, app_state={}), theirs)
    reader, writer = await asyncio.open_connection(sock=ours)
    got: list[tuple[int, str]] = []
    async with gate.admit("page"):
        for segment in segments:
            writer.write(segment)
            for _ in range(4):
                await asyncio.sleep(0)  # so that the next is a segment of its own
        for _ in range(answers):
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = next(int(line[15:]) for line in head.split("\r\n") if line.startswith("content-length:"))
            got.append((int(head.split()[1]), (await reader.readexactly(length)).decode()))
    writer.close()
    await asyncio.gather(*state.tasks)
    await writer.wait_closed()
    for _ in range(4):
        await asyncio.sleep(0)
    return got


def cut(stream: bytes, likely: list[int], chosen: list[bool], anywhere: list[int]) -> list[bytes]:
    """Cut where a request, a head or a chunk ends, as far as chosen, and at some places more."""
    at = {place for place, is_chosen in zip(likely, chosen, strict=False) if is_chosen}
    edges = sorted({0, len(stream), *at, *(place % len(stream) for place in anywhere)})
    return [stream[begin:end] for begin, end in pairwise(edges)]


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    sent=requests,
    chosen=st.lists(st.booleans(), min_size=60, max_size=60),
    anywhere=st.lists(st.integers(0, 10_000), max_size=4),
    turns=st.sampled_from([0, 20]),
)
def test_however_a_stream_is_cut_each_request_gets_its_own_answer_in_order(
    protocol, sent, chosen, anywhere, turns: int
) -> None:
    stream = b"".join(data for data, _ in sent)
    likely = sorted(
        {m.start() for m in re.finditer(rb"GET|POST", stream)} | {m.end() for m in re.finditer(b"\r\n\r\n", stream)}
    )
    segments = cut(stream, likely, chosen, anywhere)
    got = asyncio.run(asyncio.wait_for(converse(protocol, segments, len(sent), turns), 30))
    for (data, answer), (status, body) in zip(sent, got, strict=True):
        if status == 503:
            assert data == GET
        else:
            assert (status, body) == (200, answer)


def test_streams_cut_between_requests_are_indeed_refused_early(protocol) -> None:
    assert [status for status, _ in asyncio.run(converse(protocol, [GET, PASSES, GET], 3, 0))] == [503, 200, 503]
