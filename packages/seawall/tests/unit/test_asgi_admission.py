"""The middleware, spoken to as a server does, message by message."""

import asyncio
import json

import pytest

from seawall import Fixed, Gate, Misuse, Workload
from seawall.asgi import Ticket, admission

PATIENCE_S = 20.0


class Client:
    """One request as its server sees it. Its `receive` is no coroutine function, as Granian's is none."""

    def __init__(self, path: str = "/page", **scope) -> None:
        self.scope = {"type": "http", "method": "GET", "path": path, "headers": [], "http_version": "1.1"} | scope
        self.inbox: asyncio.Queue[dict] = asyncio.Queue()
        self.sent: list[dict] = []

    def says(self, *messages: dict) -> None:
        for message in messages:
            self.inbox.put_nowait(message)

    def goes(self) -> None:
        self.says({"type": "http.disconnect"})

    def receive(self):
        return _Awaitable(self.inbox.get())

    async def send(self, message: dict) -> None:
        self.sent.append(message)

    def asks(self, app) -> "asyncio.Task[None]":
        return asyncio.ensure_future(app(self.scope, self.receive, self.send))

    @property
    def status(self) -> int:
        return self.sent[0]["status"]

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.sent[0]["headers"])


class _Awaitable:
    def __init__(self, coroutine) -> None:
        self._coroutine = coroutine

    def __await__(self):
        return self._coroutine.__await__()


BODY = [
    {"type": "http.request", "body": b"first, ", "more_body": True},
    {"type": "http.request", "body": b"second", "more_body": False},
]


class Service:
    """An application that stays inside until it is told, and answers with the body it was sent."""

    def __init__(self, content_type: bytes = b"text/plain") -> None:
        self.may_answer = asyncio.Event()
        self.inside = 0
        self.cancelled = 0
        self.bodies: list[bytes] = []
        self.content_type = content_type
        self.linger = asyncio.Event()
        self.linger.set()

    async def __call__(self, scope, receive, send) -> None:
        self.inside += 1
        try:
            await self.may_answer.wait()
            body = b""
            while scope["method"] == "POST":
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            self.bodies.append(body)
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-type", self.content_type)]}
            )
            await send({"type": "http.response.body", "body": body})
            await self.linger.wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.inside -= 1


def a_gate(**fields) -> Gate:
    return Gate("web", Fixed(1), [Workload("page", **{"deadline_s": PATIENCE_S} | fields)])


def by_tenant(scope) -> Ticket | None:
    headers = dict(scope["headers"])
    return None if scope["path"] == "/health" else Ticket("page", tenant=headers.get(b"x-tenant", b"").decode())


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def figures(gate: Gate):
    (found,) = gate.statistics().workloads
    ended = found.done_total + found.refused_total + found.cancelled_total
    assert found.arrivals_total == ended + found.waiting + found.in_flight
    return found


def test_a_refusal_is_sent_at_once_with_a_reason_and_when_to_come_back() -> None:
    gate = a_gate(queue_limit=0)

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        inside, refused = Client(), Client()
        task = inside.asks(app)
        await settle()
        await refused.asks(app)
        assert refused.status == 503
        assert refused.headers[b"content-type"] == b"application/problem+json"
        assert int(refused.headers[b"retry-after"]) in (1, 2)
        problem = json.loads(refused.sent[1]["body"])
        assert (problem["status"], problem["reason"]) == (503, "full")
        assert problem["retry_after_s"] == int(refused.headers[b"retry-after"])
        assert int(refused.headers[b"content-length"]) == len(refused.sent[1]["body"])
        assert b"connection" not in refused.headers
        service.may_answer.set()
        await task
        assert inside.status == 200

    asyncio.run(main())
    assert (figures(gate).done_total, figures(gate).refused_total) == (1, 1)


def refusal_of(**scope) -> Client:
    gate = a_gate(queue_limit=0)

    async def main() -> Client:
        async def never(scope, receive, send) -> None:
            raise AssertionError("it was let in")

        client = Client(**scope)
        async with gate.admit("page"):
            await client.asks(admission(never, gate, by_tenant))
        return client

    return asyncio.run(main())


def test_a_browser_gets_a_page_and_head_the_same_headers_without_a_body() -> None:
    page = refusal_of(headers=[(b"accept", b"text/html,application/xhtml+xml")])
    assert page.headers[b"content-type"] == b"text/html; charset=utf-8"
    assert b"try again in" in page.sent[1]["body"]
    head = refusal_of(method="HEAD")
    assert head.sent[1]["body"] == b""
    assert int(head.headers[b"content-length"]) > 0


@pytest.mark.parametrize(
    ("headers", "version", "closes"),
    [
        ([(b"content-length", b"1000")], "1.1", False),
        ([(b"content-length", b"100000")], "1.1", True),
        ([(b"transfer-encoding", b"chunked")], "1.1", True),
        ([(b"content-length", b"5"), (b"expect", b"100-continue")], "1.1", True),
        ([(b"content-length", b"100000")], "2", False),
    ],
)
def test_a_connection_is_closed_where_a_body_is_not_worth_the_reading(headers, version: str, closes: bool) -> None:
    refused = refusal_of(method="POST", headers=headers, http_version=version)
    assert (refused.headers.get(b"connection") == b"close") is closes


def test_a_tenant_with_more_than_its_part_gets_429() -> None:
    gate = a_gate(queue_limit=2)

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        loud = [Client(headers=[(b"x-tenant", b"loud")]) for _ in range(3)]
        quiet = Client(headers=[(b"x-tenant", b"quiet")])
        tasks = [client.asks(app) for client in (*loud, quiet)]
        await settle()
        assert [client.sent[0]["status"] if client.sent else None for client in (*loud, quiet)] == [
            None,
            None,
            429,
            None,
        ]
        service.may_answer.set()
        await asyncio.gather(*tasks)
        assert quiet.status == 200

    asyncio.run(main())


def test_who_waits_in_vain_is_told_so() -> None:
    gate = a_gate(deadline_s=0.02)

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        inside, late = Client(), Client()
        task = inside.asks(app)
        await settle()
        await asyncio.wait_for(late.asks(app), PATIENCE_S)
        assert (late.status, json.loads(late.sent[1]["body"])["reason"]) == (503, "late")
        service.may_answer.set()
        await task

    asyncio.run(main())


def test_a_client_that_disconnects_while_it_waits_leaves_the_queue_unanswered() -> None:
    gate = a_gate()

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        inside, gone, last = Client(), Client(method="POST"), Client()
        tasks = [client.asks(app) for client in (inside, gone, last)]
        await settle()
        assert figures(gate).waiting == 2
        gone.says(*BODY)
        gone.goes()
        await asyncio.wait_for(tasks[1], PATIENCE_S)
        assert (gone.sent, figures(gate).waiting, figures(gate).cancelled_total) == ([], 1, 1)
        service.may_answer.set()
        await asyncio.gather(*tasks)
        assert last.status == 200

    asyncio.run(main())


def test_what_a_client_sent_while_it_waited_reaches_the_application() -> None:
    gate = a_gate()

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        inside, early, slow = Client(), Client(method="POST"), Client(method="POST")
        tasks = [client.asks(app) for client in (inside, early, slow)]
        await settle()
        early.says(*BODY)
        slow.says(BODY[0])
        await settle()
        service.may_answer.set()
        await asyncio.wait_for(asyncio.gather(*tasks[:2]), PATIENCE_S)
        slow.says(BODY[1])
        await asyncio.wait_for(tasks[2], PATIENCE_S)
        assert service.bodies == [b"", b"first, second", b"first, second"]
        assert (early.status, slow.status) == (200, 200)

    asyncio.run(main())


def test_a_long_body_is_not_read_ahead_without_end() -> None:
    gate = a_gate()

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        inside, upload = Client(), Client(method="POST")
        tasks = [client.asks(app) for client in (inside, upload)]
        await settle()
        chunk = {"type": "http.request", "body": bytes(10_000), "more_body": True}
        upload.says(*[chunk] * 50, BODY[1])
        await settle()
        assert upload.inbox.qsize() >= 50 - 8
        service.may_answer.set()
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)
        assert len(service.bodies[1]) == 500_000 + len(b"second")

    asyncio.run(main())


@pytest.mark.parametrize("opted", [False, True])
def test_a_handler_whose_client_has_gone_is_cancelled_only_where_its_workload_says_so(opted: bool) -> None:
    gate = a_gate(cancel_on_disconnect=opted)

    async def main() -> None:
        service = Service()
        client = Client()
        task = client.asks(admission(service, gate, by_tenant))
        await settle()
        client.goes()
        await settle()
        assert task.done() is opted
        service.may_answer.set()
        await asyncio.wait_for(task, PATIENCE_S)
        assert not task.cancelled()
        assert service.cancelled == opted

    asyncio.run(main())
    assert figures(gate).cancelled_total == opted


def test_after_the_answer_a_disconnect_cancels_nothing() -> None:
    gate = a_gate(cancel_on_disconnect=True)

    async def main() -> None:
        service = Service()
        service.linger.clear()  # as a background task does
        service.may_answer.set()
        client = Client(method="POST")
        client.says(*BODY)
        task = client.asks(admission(service, gate, by_tenant))
        await settle()
        client.goes()
        await settle()
        assert not task.done()
        service.linger.set()
        await asyncio.wait_for(task, PATIENCE_S)

    asyncio.run(main())
    assert figures(gate).done_total == 1


@pytest.mark.parametrize("opted", [False, True])
def test_a_cancel_from_elsewhere_is_passed_on(opted: bool) -> None:
    gate = a_gate(cancel_on_disconnect=opted)

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        tasks = [Client().asks(app) for _ in range(2)]
        await settle()
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        assert all(task.cancelled() for task in tasks)

    asyncio.run(main())
    assert figures(gate).cancelled_total == 2


def test_an_event_stream_is_no_sample() -> None:
    for content_type, is_sample in ((b"text/event-stream", False), (b"text/plain", True)):
        gate = a_gate()

        async def main(content_type: bytes = content_type, gate: Gate = gate) -> None:
            service = Service(content_type)
            service.may_answer.set()
            await Client().asks(admission(service, gate, by_tenant))

        asyncio.run(main())
        assert (figures(gate).service_s is not None) is is_sample


def test_what_classify_knows_nothing_of_and_the_lifespan_pass_untouched() -> None:
    gate = a_gate()
    seen = []

    async def app(scope, receive, send) -> None:
        seen.append((scope["type"], receive, send))

    async def main() -> None:
        wrapped = admission(app, gate, by_tenant)
        client = Client("/health")
        await wrapped(client.scope, "receive", "send")
        await wrapped({"type": "lifespan"}, "receive", "send")

    asyncio.run(main())
    assert seen == [("http", "receive", "send"), ("lifespan", "receive", "send")]
    assert figures(gate).arrivals_total == 0


@pytest.mark.parametrize("can_answer", [False, True])
def test_a_websocket_holds_a_seat_and_a_refused_one_is_denied(can_answer: bool) -> None:
    gate = a_gate(queue_limit=0)

    async def main() -> None:
        may_end = asyncio.Event()

        async def app(scope, receive, send) -> None:
            assert (await receive())["type"] == "websocket.connect"
            await send({"type": "websocket.accept"})
            await may_end.wait()

        wrapped = admission(app, gate, by_tenant)
        extensions = {"websocket.http.response": {}} if can_answer else None
        first, second = [Client(type="websocket", extensions=extensions) for _ in range(2)]
        for client in (first, second):
            client.says({"type": "websocket.connect"})
        task = first.asks(wrapped)
        await settle()
        await second.asks(wrapped)
        if can_answer:
            assert [m["type"] for m in second.sent] == ["websocket.http.response.start", "websocket.http.response.body"]
            assert second.status == 503
        else:
            assert second.sent == [{"type": "websocket.close", "code": 1013, "reason": "full"}]
        may_end.set()
        await task
        assert first.sent == [{"type": "websocket.accept"}]

    asyncio.run(main())
    assert (figures(gate).service_s, figures(gate).ignored_total) == (None, 1)


def test_a_websocket_that_waits_is_let_in_with_its_connect_message() -> None:
    gate = a_gate()

    async def main() -> None:
        got = []

        async def app(scope, receive, send) -> None:
            got.append((await receive())["type"])

        client = Client(type="websocket")
        client.says({"type": "websocket.connect"})
        async with gate.admit("page"):
            task = client.asks(admission(app, gate, by_tenant))
            await settle()
        await asyncio.wait_for(task, PATIENCE_S)
        assert got == ["websocket.connect"]

    asyncio.run(main())


def test_several_gates_are_asked_by_workload_and_the_handler_finds_its_seat() -> None:
    pages, streams = a_gate(), Gate("streams", Fixed(9), [Workload("live", queue_limit=0)])

    async def main() -> None:
        async def app(scope, receive, send) -> None:
            assert scope["seawall.admitted"].waited_s == 0.0
            scope["seawall.admitted"].drop()
            assert streams.statistics().in_flight == 1

        await Client().asks(admission(app, [pages, streams], lambda scope: Ticket("live")))
        with pytest.raises(Misuse, match="no gate has the workload 'live'"):
            await Client().asks(admission(app, pages, lambda scope: Ticket("live")))
        with pytest.raises(Misuse, match="two gates"):
            admission(app, [pages, a_gate()], by_tenant)

    asyncio.run(main())
    assert streams.statistics().workloads[0].dropped_total == 1


def test_an_error_of_the_application_gives_the_seat_back_and_goes_on_to_the_server() -> None:
    gate = a_gate()

    async def main() -> None:
        async def app(scope, receive, send) -> None:
            raise ValueError("a bug")

        with pytest.raises(ValueError, match="a bug"):
            await Client().asks(admission(app, gate, by_tenant))

    asyncio.run(main())
    assert (figures(gate).ignored_total, figures(gate).in_flight) == (1, 0)


def test_in_shadow_all_are_let_in_with_what_they_sent() -> None:
    gate = Gate("web", Fixed(1), [Workload("page", queue_limit=1)], is_shadow=True)

    async def main() -> None:
        service = Service()
        app = admission(service, gate, by_tenant)
        clients = [Client(method="POST") for _ in range(4)]
        tasks = [client.asks(app) for client in clients]
        await settle()
        assert service.inside == 4
        for client in clients:
            client.says(*BODY)
        service.may_answer.set()
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)
        assert service.bodies == [b"first, second"] * 4

    asyncio.run(main())
    assert {shed.reason: shed.total for shed in figures(gate).shed} == {"full": 2}
