"""Turnout under a crowd, each part with its goal beside it and its own peak as the peer.

1. 500 people open the dashboards of 50 sites at one moment while events flow; whoever is shown the waiting room waits there.
   Whole pages, and what it did to ingest.
2. 1,000 people sign in within 10 s; when the last one was in, and how long those wait who were in before.
3. Dashboards nobody has asked for before, at ten times the peak for 60 s, by open arrivals (k6): whole pages within a
   second, what those let in waited, and when all is normal again. The peak is that of eight people who ask without a pause.
   The server has one core for it, and the generator the other.
4. Senders of events: the peak of 64 connections, and between such runs five times as many and fifty times as many. They
   wait for their answers (no generator on the other core could offer five times the peak), so this measures slowing down.
   Every acknowledged event must be in the store afterwards. Last, as what it stored is summed up for a while after.

Run: `uv run --group lab python -m benchmarks.crowd [--quick]`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from benchmarks import server
from benchmarks.arrivals import arrive
from benchmarks.opening import prepare_sites
from benchmarks.person import Failed, Person
from benchmarks.report import percentile, report

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"
PATIENCE_S = 120.0
ROOM = re.compile('data-room="([^"]+)" data-look="([^"]+)"')


@dataclass(frozen=True)
class Size:
    """How large a run is."""

    people: int = 500
    sites: int = 50
    events_per_site: int = 50_000
    rounds: int = 3
    sign_ins: int = 1_000
    ingest_s: float = 15.0
    overload_s: float = 60.0
    settle_s: float = 30.0
    """After the people: for what waited until they had gone."""


QUICK = Size(
    people=100, sites=10, events_per_site=5_000, rounds=1, sign_ins=60, ingest_s=3.0, overload_s=8.0, settle_s=3.0
)


@dataclass(frozen=True)
class Sent:
    """What `benchmarks.load` found."""

    per_s: float
    p99_ms: float
    statuses: dict[str, int]


@dataclass
class Flow:
    """Events sent one after the other, at most so many a second: how many were acknowledged, and how long each took."""

    taken_ms: list[float] = field(default_factory=list)
    refused: int = 0

    async def run(self, base: str, sites: list[str], per_s: float = 200.0) -> None:
        """Sends until cancelled."""
        random = Random(1)
        async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, headers={"User-Agent": FIREFOX}) as client:
            while True:
                began = time.perf_counter()
                site = random.choice(sites)
                address = f"203.0.{random.randrange(256)}.{random.randrange(256)}"
                body = {"n": "pageview", "u": f"https://{site}/page-{random.randrange(50)}", "d": site}
                answer = await client.post("/api/event", json=body, headers={"X-Forwarded-For": address})
                if answer.status_code == 202:
                    self.taken_ms.append((time.perf_counter() - began) * 1000)
                else:
                    self.refused += 1
                await asyncio.sleep(max(0.0, began + 1 / per_s - time.perf_counter()))


def main() -> None:
    """Prints one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a small crowd, to see that it runs")
    size = QUICK if parser.parse_args().quick else Size()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        sites = prepare_sites(data, size.sites, size.events_per_site)
        key = server.turnout(data, "key", "create", "--owner", server.EMAIL)
        with server.serving(data) as running:
            base = f"http://127.0.0.1:{running.port}"
            cookie = asyncio.run(_in_loop(base, sites, size))
            report("crowd.memory_after_people", "MB", running.rss_mb(), goal="<= 600")
            time.sleep(size.settle_s)
            with running.apart():
                _ten_times(running, cookie, size)
            _senders(running, key, size)
            report("crowd.memory_at_end", "MB", running.rss_mb(), goal="<= 600")


async def _in_loop(base: str, sites: list[str], size: Size) -> str:
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S) as first:
        await sign_in(first, await _form(first))
        cookie = "; ".join(f"{name}={value}" for name, value in first.cookies.items())
    await _opening(base, cookie, sites, size)
    await _sign_ins(base, cookie, sites, size)
    return cookie


async def _opening(base: str, cookie: str, sites: list[str], size: Size) -> None:
    flow = Flow()
    flowing = asyncio.create_task(flow.run(base, sites))
    with contextlib.ExitStack() as stack:
        people = [stack.enter_context(contextlib.closing(_person(base, cookie))) for _ in range(size.people)]
        for person in people:
            await person.get("/sites")
        await asyncio.sleep(3)
        quiet, flow.taken_ms = flow.taken_ms, []
        taken: list[float] = []
        counts = {"whole": 0, "not_whole": 0, "refused": 0, "failed": 0}
        in_room, during = 0, list[float]()
        for _ in range(size.rounds):
            flow.taken_ms = []
            for took_ms, kind, has_waited in await asyncio.gather(
                *(_open(one, sites[number % len(sites)]) for number, one in enumerate(people))
            ):
                counts[kind] += 1
                in_room += has_waited
                taken.append(took_ms)
            during += flow.taken_ms
            await asyncio.sleep(2)
    flowing.cancel()
    name = f"crowd.opening_{size.people}_of_{size.sites}"
    report(f"{name}.p50", "ms", percentile(taken, 0.5))
    report(f"{name}.p95", "ms", percentile(taken, 0.95), goal="<= 1000")
    for kind, count in counts.items():
        report(f"{name}.{kind}", "1", count, goal="0" if kind in ("failed", "refused") else "")
    report(f"{name}.in_the_waiting_room", "1", in_room)
    before, then = percentile(quiet, 0.5), percentile(during, 0.5)
    report(f"{name}.ingest_p50", "ms", then, peer="before", peer_value=before)
    report(f"{name}.ingest_refused", "1", flow.refused, goal="0")


async def _sign_ins(base: str, cookie: str, sites: list[str], size: Size) -> None:
    stop, inside = asyncio.Event(), list[float]()

    async def look() -> None:
        with contextlib.closing(_person(base, cookie)) as person:
            number = 0
            while not stop.is_set():
                number += 1
                inside.append((await _open(person, sites[number % len(sites)]))[0])
                await asyncio.sleep(0.1)

    looking = asyncio.create_task(look())
    await asyncio.sleep(2)
    before, inside = inside, []
    async with httpx.AsyncClient(base_url=base, timeout=PATIENCE_S) as web:
        token = await _form(web)
        csrf = "; ".join(f"{name}={value}" for name, value in web.cookies.items())
    began = time.perf_counter()
    done: list[tuple[int, float]] = []

    async def one(at_s: float) -> None:
        await asyncio.sleep(at_s)
        came = time.perf_counter()
        async with _form_client(base, csrf) as person:
            status = await sign_in(person, token)
        done.append((status, time.perf_counter() - came))

    await asyncio.gather(*(one(10.0 * number / size.sign_ins) for number in range(size.sign_ins)))
    all_s = time.perf_counter() - began
    stop.set()
    await looking
    name = f"crowd.{size.sign_ins}_sign_ins_in_10_s"
    report(f"{name}.served", "1", sum(status == 303 for status, _ in done), goal=str(size.sign_ins))
    report(f"{name}.last_one_in", "s", all_s, goal="<= 60")
    report(f"{name}.waited_p95", "s", percentile([took_s for _, took_s in done], 0.95), goal="<= 60")
    p95 = percentile(inside, 0.95)
    report(f"{name}.inside_p95", "ms", p95, peer="before", peer_value=percentile(before, 0.95), goal="<= 300")


def _senders(running: server.Server, key: str, size: Size) -> None:
    before, acknowledged = _stored(running.port, key), 0
    runs: list[tuple[int, Sent]] = []
    for times in (1, 5, 1, 50, 1):
        found = _load(running.port, 64 * times, size.ingest_s)
        acknowledged += found.statuses.get("202", 0)
        runs.append((times, found))
    for at, (times, found) in enumerate(runs):
        # What came before is summed up meanwhile, so the peer is the peak just before and just after.
        near = [runs[other][1].per_s for other in (at - 1, at + 1)] if times > 1 else [runs[0][1].per_s]
        name = f"crowd.senders_{64 * times}" + (f".again_{at // 2}" if times == 1 and at else "")
        goal = ">= 0.9 of peak" if times > 1 else ""
        report(f"{name}.acks", "1/s", found.per_s, peer="64 senders", peer_value=sum(near) / len(near), goal=goal)
        report(f"{name}.p99", "ms", found.p99_ms, goal="<= 250" if times == 5 else "")
        report(f"{name}.refused", "1", sum(found.statuses.values()) - found.statuses.get("202", 0))
    give_up = time.monotonic() + PATIENCE_S
    while (stored := _stored(running.port, key) - before) < acknowledged and time.monotonic() < give_up:
        time.sleep(0.5)
    report("crowd.acknowledged_and_not_stored", "1", acknowledged - stored, goal="<= 0; more may be stored than told")


def _load(port: int, connections: int, seconds: float) -> Sent:
    words = ["--port", str(port), "--connections", str(connections), "--seconds", str(seconds), "--site", server.SITE]
    warm_up_s = 1 + connections / 640  # until all are connected
    command = [sys.executable, "-m", "benchmarks.load", *words, "--warm-up", str(warm_up_s)]
    out = subprocess.run(command, capture_output=True, text=True, timeout=seconds + 120, check=True).stdout
    found = json.loads(out)
    return Sent(found["per_s"], found["p99_ms"], found["statuses"])


def _stored(port: int, key: str) -> int:
    question = {"site_id": server.SITE, "metrics": ["events"], "date_range": "day"}
    count = server.ask(port, key, question)[0]["metrics"][0]
    assert isinstance(count, int)
    return count


def _ten_times(running: server.Server, cookie: str, size: Size) -> None:
    base = f"http://127.0.0.1:{running.port}"
    peak_per_s = asyncio.run(_peak(base, cookie, size))
    report("crowd.dashboards.peak", "1/s", peak_per_s)
    seconds = size.overload_s
    for times, for_s in ((1, max(5.0, seconds / 4)), (10, seconds)):
        came = arrive(base, cookie, sites=size.sites, per_s=peak_per_s * times, seconds=for_s, run=f"r{times}")
        name = f"crowd.dashboards_{times}_times"
        goal = "" if times == 1 else ">= 0.9 of peak"
        report(f"{name}.good", "1/s", came.good / for_s, peer="peak", peer_value=peak_per_s, goal=goal)
        report(f"{name}.let_in_p99", "ms", came.p99_ms, goal="" if times == 1 else "<= 2 times that at 0.8 times")
        for kind in ("late", "partial", "refused", "failed", "not_sent"):
            goal = "0" if kind in ("failed", "not_sent") else ""
            report(f"{name}.{kind}", "1", getattr(came, kind), goal=goal)
    report("crowd.dashboards_10_times.normal_again", "s", asyncio.run(_normal_again(base, cookie)), goal="<= 1")


async def _peak(base: str, cookie: str, size: Size) -> float:
    """Whole pages a second of eight people who each open one after the other, never the same twice."""
    seconds, whole = max(4.0, size.overload_s / 6), 0
    give_up = time.perf_counter() + seconds

    async def one(number: int) -> None:
        nonlocal whole
        with contextlib.closing(_person(base, cookie)) as person:
            at = 0
            while time.perf_counter() < give_up:
                at += 1
                site = f"site{at % size.sites}.example?f=is,event:page,/peak-{number}-{at}"
                kind = (await _open(person, site))[1]
                whole += kind == "whole"  # not in one: it would be read before the wait, and others' pages lost

    await asyncio.gather(*(one(number) for number in range(8)))
    return whole / seconds


async def _normal_again(base: str, cookie: str) -> float:
    """Seconds until three pages one after the other are whole within a second."""
    began, in_row, number = time.perf_counter(), 0, 0
    with contextlib.closing(_person(base, cookie)) as person:
        while time.perf_counter() - began < PATIENCE_S:
            number += 1
            since_s = time.perf_counter() - began
            took_ms, kind, _ = await _open(person, f"site0.example?f=is,event:page,/after-{number}")
            in_row = in_row + 1 if kind == "whole" and took_ms <= 1000 else 0
            if in_row == 1:
                first_s = since_s
            if in_row == 3:
                return first_s
    return PATIENCE_S


def _person(base: str, cookie: str) -> Person:
    """Somebody with a session."""
    url = httpx.URL(base)
    return Person(url.host, url.port or 80, dict(pair.split("=", 1) for pair in cookie.split("; ")))


def _form_client(base: str, cookie: str) -> httpx.AsyncClient:
    """A browser that sends a form."""
    headers = {"accept": "text/html", "sec-fetch-dest": "document"}
    cookies = dict(pair.split("=", 1) for pair in cookie.split("; "))
    return httpx.AsyncClient(base_url=base, timeout=PATIENCE_S, headers=headers, cookies=cookies)


async def _open(person: Person, site: str) -> tuple[float, str, bool]:
    """Milliseconds; how the page was: whole, not_whole, refused or failed; and whether she was in the waiting room."""
    began, has_waited = time.perf_counter(), False
    path = f"/sites/{site}"
    try:
        async with asyncio.timeout(PATIENCE_S):
            page = await person.get(path)
            while room := ROOM.search(page.body.decode()):
                has_waited = True
                await _wait_in_room(person, path, room[1], float(room[2]))
                page = await person.get(path)
    except (Failed, TimeoutError):
        return (time.perf_counter() - began) * 1000, "failed", has_waited
    took_ms = (time.perf_counter() - began) * 1000
    if page.status in (429, 503):
        return took_ms, "refused", has_waited
    if page.status != 200:
        return took_ms, "failed", has_waited
    return took_ms, "not_whole" if b"data-card-url" in page.body else "whole", has_waited


async def _wait_in_room(person: Person, path: str, cookie: str, look_s: float) -> None:
    """Looks how it stands, as the script of the room's page does, until it is her turn."""
    while True:
        await asyncio.sleep(look_s)
        answer = await person.get(path, looks=cookie)
        if "waiting-room" not in answer.headers:
            return
        now = json.loads(answer.body)
        if now["state"] != "waiting":
            return
        look_s = now["look_s"]


async def _form(web: httpx.AsyncClient) -> str:
    token = re.search(r'name="_csrf_token"\s+value="([^"]+)"', (await web.get("/login")).text)
    if token is None:
        raise SystemExit("no CSRF token in the sign-in form")
    return token.group(1)


async def sign_in(web: httpx.AsyncClient, token: str) -> int:
    """The status of one sign-in, which is sent again after the waiting room; 0 where no answer came."""
    words = {"email": server.EMAIL, "password": server.PASSWORD, "_csrf_token": token}
    try:
        answer = await web.post("/login", data=words)
        while room := ROOM.search(answer.text):
            await asyncio.sleep(float(room[2]))
            answer = await web.post("/login", data=words)
    except (httpx.HTTPError, TimeoutError):
        return 0
    return answer.status_code


if __name__ == "__main__":
    main()
