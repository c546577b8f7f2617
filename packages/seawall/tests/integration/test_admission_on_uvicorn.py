"""The middleware in front of real FastAPI and Starlette applications, on a real uvicorn, over real connections."""

import asyncio
import re
import threading
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from seawall import Fixed, Gate, Workload
from seawall.asgi import Ticket, admission

PATIENCE_S = 30.0


def until(is_so) -> None:
    """Wait until it is so."""
    pause = threading.Event()
    for _ in range(int(PATIENCE_S / 0.005)):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came about")


def get(path: str, *headers: str) -> bytes:
    return "\r\n".join([f"GET {path} HTTP/1.1", "host: here", *headers, "", ""]).encode()


def post(path: str, body: bytes, *headers: str) -> bytes:
    length = [] if headers else [f"content-length: {len(body)}"]
    return "\r\n".join([f"POST {path} HTTP/1.1", "host: here", *length, *headers, "", ""]).encode() + body


def fastapi_service(gate: Gate):
    app = FastAPI()

    @app.get("/page")
    async def page() -> str:
        return "a page"

    @app.post("/page")
    async def upload(request: Request) -> int:
        return len(await request.body())

    @app.get("/health")
    async def health() -> str:
        return "well"

    return admission(app, gate, classify)


def starlette_service(gate: Gate):
    async def page(request: Request) -> PlainTextResponse:
        return PlainTextResponse("a page")

    async def upload(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    async def health(request: Request) -> PlainTextResponse:
        return PlainTextResponse("well")

    routes = [Route("/page", page), Route("/page", upload, methods=["POST"]), Route("/health", health)]
    return admission(Starlette(routes=routes), gate, classify)


def classify(scope) -> Ticket:
    return Ticket("health" if scope["path"] == "/health" else "page")


SERVICES = pytest.mark.parametrize("service", [fastapi_service, starlette_service])
SERVERS = pytest.mark.parametrize("http", ["httptools", "h11"])


def a_gate(**fields) -> Gate:
    page = Workload("page", **{"deadline_s": PATIENCE_S} | fields)
    return Gate("web", Fixed(1), [page, Workload("health", exempt=True)])


def figures(gate: Gate):
    return next(w for w in gate.statistics().workloads if w.name == "page")


@SERVERS
@SERVICES
def test_a_full_gate_refuses_on_a_connection_that_goes_on_and_health_is_always_let_in(serve, service, http) -> None:
    gate = a_gate(queue_limit=0)
    connection = serve(service(gate), http)()
    assert connection.ask(get("/page")).status == 200
    with gate.admit_sync("page"):
        refused = connection.ask(get("/page"))
        assert (refused.status, refused.headers["content-type"]) == (503, "application/problem+json")
        assert connection.ask(get("/page", "accept: text/html")).headers["content-type"].startswith("text/html")
        head = connection.ask(get("/page").replace(b"GET", b"HEAD"), is_head=True)
        assert (head.status, head.body) == (503, b"")
        assert connection.ask(get("/health")).status == 200
    assert connection.ask(get("/page")).status == 200
    until(lambda: figures(gate).done_total == 3)
    assert figures(gate).refused_total == 3


@SERVERS
def test_a_refused_requests_body_is_not_taken_for_the_next_request(serve, http) -> None:
    gate = a_gate(queue_limit=0)
    connection = serve(fastapi_service(gate), http)()
    with gate.admit_sync("page"):
        assert connection.ask(post("/page", get("/health"))).status == 503
        assert connection.ask(get("/health")).status == 200
        split = post("/page", get("/health") * 20)
        connection.send(split[:100])
        assert connection.read().status == 503
        connection.send(split[100:])
        assert connection.ask(get("/page")).status == 503
        chunked = post("/page", b"5\r\nhello\r\n0\r\n\r\n", "transfer-encoding: chunked")
        answer = connection.ask(chunked)
        assert (answer.status, answer.headers["connection"]) == (503, "close")
        assert connection.is_closed()
    assert figures(gate).refused_total == 4


@SERVERS
@SERVICES
def test_a_body_sent_while_it_waits_reaches_the_handler_whole(serve, service, http) -> None:
    gate = a_gate()
    connect = serve(service(gate), http)
    connections = [connect() for _ in range(3)]
    with gate.admit_sync("page"):
        for number, connection in enumerate(connections):
            connection.send(post("/page", bytes([97 + number]) * 200_000)[:-1])
        until(lambda: figures(gate).waiting == 3)
    for connection in connections:
        connection.send(b"z")
        assert connection.read().body.decode() == "200000"
    until(lambda: figures(gate).done_total == 4)


@SERVERS
def test_a_client_that_goes_while_it_waits_leaves_the_queue(serve, http) -> None:
    gate = a_gate()
    connect = serve(fastapi_service(gate), http)
    with gate.admit_sync("page"):
        gone, stays = connect(), connect()
        gone.send(get("/page"))
        until(lambda: figures(gate).waiting == 1)
        stays.send(get("/page"))
        until(lambda: figures(gate).waiting == 2)
        gone.close()
        until(lambda: figures(gate).cancelled_total == 1)
        assert figures(gate).waiting == 1
    assert stays.read().status == 200


@SERVERS
@pytest.mark.parametrize("opted", [False, True])
def test_a_handler_is_cancelled_when_its_client_has_gone_where_its_workload_says_so(serve, http, opted: bool) -> None:
    gate = a_gate(cancel_on_disconnect=opted)
    may_end, cancelled = threading.Event(), []

    async def app(scope, receive, send) -> None:
        try:
            while not may_end.is_set():  # noqa: ASYNC110 - it is set by the test's thread
                await asyncio.sleep(0.001)
        except asyncio.CancelledError:
            cancelled.append(1)
            raise
        await PlainTextResponse("done")(scope, receive, send)

    connect = serve(admission(app, gate, classify), http)
    gone = connect()
    gone.send(get("/page"))
    until(lambda: figures(gate).in_flight == 1)
    gone.close()
    if opted:
        until(lambda: cancelled)
    may_end.set()
    until(lambda: figures(gate).in_flight == 0)
    assert (figures(gate).cancelled_total, len(cancelled)) == (opted, opted)
    assert connect().ask(get("/page")).status == 200


@SERVERS
def test_an_event_stream_holds_its_seat_and_is_no_sample(serve, http) -> None:
    gate = a_gate(queue_limit=0)
    may_end = threading.Event()

    async def stream(request: Request) -> StreamingResponse:
        async def events():
            yield "data: 1\n\n"
            while not may_end.is_set():  # noqa: ASYNC110 - it is set by the test's thread
                await asyncio.sleep(0.001)

        return StreamingResponse(events(), media_type="text/event-stream")

    connect = serve(admission(Starlette(routes=[Route("/live", stream)]), gate, classify), http)
    reader, other = connect(), connect()
    reader.send(get("/live"))
    until(lambda: figures(gate).in_flight == 1)
    assert other.ask(get("/live")).status == 503
    may_end.set()
    assert reader.read().body == b"data: 1\n\n"
    until(lambda: figures(gate).done_total == 1)
    assert (figures(gate).ignored_total, figures(gate).service_s) == (1, None)


@SERVERS
def test_a_crowd_with_many_that_go_is_accounted_for_to_the_last(serve, http) -> None:
    gate = Gate("web", Fixed(2), [Workload("page", queue_limit=10, deadline_s=0.5), Workload("health", exempt=True)])
    connect = serve(fastapi_service(gate), http)
    with gate.admit_sync("page"):
        crowd = [connect() for _ in range(60)]
        for connection in crowd:
            connection.send(get("/page"))
        for connection in crowd[::3]:
            connection.close()
        statuses = [connection.read().status for n, connection in enumerate(crowd) if n % 3]
    assert set(statuses) <= {200, 503}
    until(lambda: figures(gate).in_flight == figures(gate).waiting == 0)
    found = figures(gate)
    assert found.arrivals_total == found.done_total + found.refused_total + found.cancelled_total
    assert gate.statistics().seats_taken == 0


def test_the_first_example_of_the_how_to_runs_as_it_stands(serve) -> None:
    page = Path(__file__).parents[4] / "docs" / "how-to" / "put-a-gate-in-front.md"
    example = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)[0]
    scope: dict[str, object] = {}
    exec(compile(example, page.name, "exec"), scope)
    connect = serve(scope["app"])
    assert connect().ask(get("/health")).status == 404  # FastAPI's own answer
    gate = scope["gate"]
    assert isinstance(gate, Gate)
    until(lambda: sum(w.done_total for w in gate.statistics().workloads) == 1)
