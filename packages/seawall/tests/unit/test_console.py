"""The console, spoken to as a server speaks to it."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest

from seawall import Misuse, Mutex, Semaphore, configure, snapshot
from seawall.console import Console, from_this_machine

PATIENCE_S = 30.0


def ask(
    console: Console,
    path: str = "/",
    *,
    method: str = "GET",
    accept: str = "text/html",
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    client: tuple[str, int] | None = ("127.0.0.1", 5000),
    root_path: str = "",
) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of one answer."""
    address, _, query = path.partition("?")
    given = {"host": "localhost:8000", "accept": accept, **(headers or {})}
    sent: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, object]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": method,
        "path": address,
        "root_path": root_path,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode()) for name, value in given.items()],
        "client": client,
    }
    asyncio.run(console(scope, receive, send))
    start, end = sent
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return start["status"], answered, end["body"].decode()


@contextmanager
def waiting(count: int = 1, *, name: str = "a mutex", who: str = "waiter") -> Iterator[Mutex]:
    """`count` threads wait for a mutex that this thread holds."""
    mutex = Mutex(name)

    def enter() -> None:
        with mutex:
            pass

    threads = [threading.Thread(target=enter, name=f"{who}-{number}", daemon=True) for number in range(count)]
    with mutex:
        for thread in threads:
            thread.start()
        while len(mutex.statistics().waiters) < count:
            threading.Event().wait(0.002)
        yield mutex
    for thread in threads:
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@pytest.fixture
def console() -> Console:
    return Console(allow=from_this_machine)


def test_the_page_shows_who_waits_for_what_and_who_holds_it(console: Console, watched: None) -> None:
    with waiting(2):
        status, headers, page = ask(console)
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    queue = page.index("<b>a mutex</b>")
    assert (
        queue < page.index("thread MainThread", queue) < page.index("thread waiter-0") < page.index("thread waiter-1")
    )


def test_one_look_takes_no_stack_and_a_click_takes_those_of_one_name(
    console: Console, watched: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with waiting(who="stands still"):
        _, _, page = ask(console)
        assert "test_console.py" not in page
        status, _, stack = ask(console, "/stacks?who=thread%20stands%20still-0")
    assert status == 200
    assert "test_console.py" in stack
    assert " in enter" in stack


def test_the_stack_of_a_waiting_task_on_another_loop_is_found(console: Console, watched: None) -> None:
    mutex, over = Mutex("between loops"), threading.Event()

    async def enter_here() -> None:
        async with mutex:
            pass

    async def main() -> None:
        await asyncio.create_task(enter_here(), name="far away")

    thread = threading.Thread(target=lambda: (asyncio.run(main()), over.set()), daemon=True)
    with mutex:
        thread.start()
        while not mutex.statistics().waiters:
            threading.Event().wait(0.002)
        _, _, text = ask(console, "/stacks?who=task%20far%20away", accept="application/json")
    assert over.wait(PATIENCE_S)
    (stack,) = json.loads(text)["stacks"]
    assert any("enter_here" in line for line in stack)


def test_a_name_that_is_gone_is_told_and_not_an_error(console: Console) -> None:
    status, _, page = ask(console, "/stacks?who=thread%20gone")
    assert status == 404
    assert "It has ended" in page
    assert ask(console, "/stacks")[0] == 404
    assert ask(console, "/stacks?" + "&".join(["who=x"] * 100))[0] == 400


def test_text_and_json_say_the_same_as_the_page(console: Console, watched: None) -> None:
    with waiting():
        _, text_headers, text = ask(console, accept="*/*")
        _, json_headers, found = ask(console, accept="application/json")
    assert text_headers["content-type"].startswith("text/plain")
    assert "a mutex, held by thread MainThread\n    thread waiter-0 waits for" in text
    assert json_headers["content-type"] == "application/json"
    view = json.loads(found)
    tree = next(tree for tree in view["trees"] if tree["resource"] == "a mutex")
    assert [waiter["who"] for waiter in tree["waiters"]] == ["thread waiter-0"]
    assert view["level"] == "watched"


def test_the_page_stays_small_however_many_wait(console: Console, watched: None) -> None:
    with waiting(400):
        _, _, page = ask(console)
    assert "200 more wait" in page
    assert len(page) < 200_000


def test_whoever_is_not_allowed_sees_nothing() -> None:
    asked = []
    console = Console(allow=lambda scope: asked.append(scope["path"]) or scope["client"][0] == "10.0.0.1")
    for path in ("/", "/stacks?who=thread%20MainThread", "/style.css", "/script.js", "/nowhere", "/level"):
        status, _, body = ask(console, path)
        assert status == 403
        assert "MainThread" not in body
    assert len(asked) == 6
    assert ask(console, client=("10.0.0.1", 1))[0] == 200


def test_who_may_see_it_must_be_said_and_may_be_asked_of_a_coroutine_function() -> None:
    with pytest.raises(TypeError):
        Console()  # type: ignore[call-arg]
    with pytest.raises(Misuse, match="allow"):
        Console(allow=None)  # type: ignore[arg-type]

    async def allow(scope: object) -> bool:
        await asyncio.sleep(0)
        return True

    assert ask(Console(allow=allow))[0] == 200
    assert ask(Console(allow=lambda scope: "no"))[0] == 403, "only True lets in"  # type: ignore[arg-type,return-value]


def test_an_allow_that_raises_lets_nobody_in() -> None:
    def allow(scope: object) -> bool:
        raise LookupError("the session store is gone")

    with pytest.raises(LookupError):
        ask(Console(allow=allow))


@pytest.mark.parametrize(
    ("client", "headers", "is_in"),
    [
        (("127.0.0.1", 1), {}, True),
        (("::1", 1), {"host": "[::1]:8000"}, True),
        (("127.0.0.1", 1), {"host": "127.0.0.1:8000"}, True),
        (("192.0.2.7", 1), {}, False),
        (None, {}, False),
        (("127.0.0.1", 1), {"x-forwarded-for": "192.0.2.7"}, False),
        (("127.0.0.1", 1), {"host": "rebound.example"}, False),
        (("127.0.0.1", 1), {"host": ""}, False),
    ],
)
def test_this_machine_means_a_loopback_address_by_a_loopback_name_without_a_proxy(
    console: Console, client: tuple[str, int] | None, headers: dict[str, str], is_in: bool
) -> None:
    assert ask(console, client=client, headers=headers)[0] == (200 if is_in else 403)


class Strict(HTMLParser):
    """Notes what a strict policy would refuse, and elements that are left open."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.refused += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag in ("script", "style") and not dict(attrs).get("src"):
            self.refused.append(tag)
        self.refused += [value for name, value in attrs if name in ("src", "href") and "//" in (value or "")]
        if tag not in ("meta", "link", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_names_are_escaped_and_nothing_is_inline_or_from_elsewhere(console: Console, watched: None) -> None:
    odd = "\"><script>alert(1)</script>&'"
    with waiting(name=odd, who=odd):
        pages = [ask(console)[2], ask(console, "/stacks?who=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")[2]]
    for page in pages:
        assert "<script>alert" not in page
        strict = Strict()
        strict.feed(page)
        assert (strict.refused, strict.open) == ([], [])
    _, headers, _ = ask(console)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == "no-store"


def test_deadlocks_are_kept_with_the_stacks_of_all_in_them(console: Console, watched: None, planting) -> None:
    first, second = Mutex("console first"), Mutex("console second")
    planting.plant(("thread", "thread"), [(first, second), (second, first)])
    _, _, page = ask(console)
    found = snapshot().found[-1]
    assert (found.kind, len(found.stacks)) == ("deadlock", 2)
    assert "waits for console first" in found.told
    assert page.count("planting.py") >= 2
    for who, _ in found.stacks:
        assert f"<h3>{who}</h3>" in page


def test_a_reported_deadlock_that_stands_is_shown_as_a_ring(console: Console) -> None:
    configure(level="watched", on_deadlock="report")
    slots, mutex = Semaphore("one slot", 1), Mutex("one mutex")
    both = threading.Barrier(2)

    def take(first: Mutex | Semaphore, then: Mutex | Semaphore) -> None:
        with first:
            both.wait(PATIENCE_S)
            try:
                then.acquire(timeout_s=0.5)
            except TimeoutError:
                return
            then.release()

    threads = [threading.Thread(target=take, args=pair, daemon=True) for pair in ((slots, mutex), (mutex, slots))]
    for thread in threads:
        thread.start()
    while len(snapshot().waits) < 2 and any(thread.is_alive() for thread in threads):
        threading.Event().wait(0.002)
    _, _, page = ask(console)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert "shown elsewhere on this page" in page
    assert page.count('<p class="queue">') == 3


def test_only_reading_is_answered_and_head_has_no_body(console: Console) -> None:
    assert ask(console, method="POST")[0] == 405
    assert ask(console, method="DELETE")[0] == 405
    status, headers, body = ask(console, method="HEAD")
    assert (status, body) == (200, "")
    assert int(headers["content-length"]) > 500
    assert ask(console, "/level", method="POST", body=b"level=timed")[0] == 405, "not unless it was enabled"
    assert ask(console, "/nowhere")[0] == 404


def test_without_the_slash_it_sends_to_where_the_links_work(console: Console) -> None:
    status, headers, _ = ask(console, "/app/seawall", root_path="/app/seawall")
    assert (status, headers["location"]) == (307, "./seawall/")
    assert ask(console, "/app/seawall/", root_path="/app/seawall")[0] == 200
    assert ask(console, "/app/seawall/style.css", root_path="/app/seawall")[1]["content-type"].startswith("text/css")


SAME = {"sec-fetch-site": "same-origin"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (SAME, 303),
        ({"origin": "http://localhost:8000"}, 303),
        ({}, 403),
        ({"sec-fetch-site": "cross-site", "origin": "http://localhost:8000"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://elsewhere.example"}, 403),
        ({"origin": "null"}, 403),
    ],
)
def test_the_level_is_set_from_the_same_origin_only(headers: dict[str, str], status: int, watched: None) -> None:
    console = Console(allow=from_this_machine, can_set_level=True)
    assert ask(console, "/level", method="POST", headers=headers, body=b"level=named")[0] == status
    assert snapshot().level == ("named" if status == 303 else "watched")


def test_a_level_that_is_none_is_refused_and_so_is_a_long_form(watched: None) -> None:
    console = Console(allow=from_this_machine, can_set_level=True)
    assert ask(console, "/level", method="POST", headers=SAME, body=b"level=loud")[0] == 400
    assert ask(console, "/level", method="POST", headers=SAME, body=b"level=" + b"x" * 5_000)[0] == 400
    assert ask(console, "/level", method="POST", headers=SAME, body=b"\xff")[0] == 400
    assert ask(console, "/level", headers=SAME)[0] == 405
    assert '<form method="post" action="level"' in ask(console)[2]
    assert snapshot().level == "watched"


def test_a_tool_gets_every_figure_as_json_without_stacks() -> None:
    with waiting(3, name="ledger"):
        status, headers, body = ask(Console(allow=lambda scope: True), "/snapshot", accept="*/*")
    figures = json.loads(body)
    (ledger,) = [lock for lock in figures["locks"] if lock["name"] == "ledger"]
    assert (status, headers["content-type"]) == (200, "application/json")
    assert (len(ledger["holders"]), len(ledger["waiters"])) == (1, 3)
    assert figures["process"]["cpu_s"] > 0
    assert (figures["waits"], figures["found"]) == ([], [])


def test_the_figures_are_for_those_who_are_allowed_only() -> None:
    assert ask(Console(allow=lambda scope: False), "/snapshot")[0] == 403
