"""A hundred people open twenty dashboards at the same moment, while events flow to all of them.

Each has a connection and a session of their own; a page is timed from the moment all begin to its last byte. A page that
still waits for a section somewhere is counted apart: it is no error, but not whole. Each round is cold, since events came.
The peer is one person who opens one dashboard, in the same run.
Run: `uv run python -m benchmarks.opening [--people 100 --sites 20 --events-per-site 100000 --rounds 5]`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import re
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import httpx

from benchmarks import server, synthetic
from benchmarks.report import percentile, report
from turnout.jobs.derive import Derivation
from turnout.store.duckdb.database import EventDatabase

EVENTS_PER_S = 200
GOAL = "100 people, 20 dashboards: p95 <= 1000 ms, 0 errors"


def main() -> None:
    """Prints one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=100)
    parser.add_argument("--sites", type=int, default=20)
    parser.add_argument("--events-per-site", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory)
        sites = prepare_sites(data, asked.sites, asked.events_per_site)
        with server.serving(data) as running:
            asyncio.run(_measure(running, sites, asked.people, asked.rounds))


def prepare_sites(data: Path, count: int, events: int) -> list[str]:
    """Fills `count` sites with so many events each, of days that are derived; returns their names."""
    server.prepare(data)
    sites = [f"site{number}.example" for number in range(count)]
    for site in sites:
        server.turnout(data, "site", "create", site, "--owner", server.EMAIL, "--timezone", "Europe/Berlin")
    for number, site in enumerate(sites):
        # The first site of the account is the one that `prepare` makes.
        synthetic.fill(data / "events.duckdb", number + 2, site, events, before=number * events)
    database = EventDatabase(data / "events.duckdb")
    derivation = Derivation(database.deriver(), quiet_s=0)
    while derivation.step():
        pass
    database.close()
    return sites


async def _measure(running: server.Server, sites: list[str], people: int, rounds: int) -> None:
    base = f"http://127.0.0.1:{running.port}"
    async with contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(httpx.AsyncClient(base_url=base, timeout=60)) for _ in range(people)]
        for client in clients:
            await _sign_in(client)
        flowing = asyncio.create_task(_send_events(base, sites))
        alone: list[float] = []
        for number in range(10):
            await asyncio.sleep(0.2)
            alone.append((await _open(clients[0], sites[number % len(sites)]))[0])
        taken: list[float] = []
        errors, unfinished = 0, 0
        for _ in range(rounds):
            await asyncio.sleep(2)
            opened = await asyncio.gather(
                *(_open(client, sites[number % len(sites)]) for number, client in enumerate(clients))
            )
            taken += [page[0] for page in opened]
            errors += sum(not page[1] for page in opened)
            unfinished += sum(page[2] for page in opened)
        flowing.cancel()
    for name, share in (("p50", 0.5), ("p95", 0.95)):
        report(
            f"opening.{people}_people.{name}",
            "ms",
            percentile(taken, share),
            peer="one person alone",
            peer_value=percentile(alone, share),
            goal=GOAL if name == "p95" else "",
        )
    report(f"opening.{people}_people.errors", "", errors, goal="0")
    report(f"opening.{people}_people.not_whole", "", unfinished)
    report(f"opening.{people}_people.memory", "MB", running.rss_mb(), goal="<= 600")


async def _open(client: httpx.AsyncClient, site: str) -> tuple[float, bool, bool]:
    """Milliseconds, whether it was answered well, and whether some of it was still being counted."""
    began = time.perf_counter()
    try:
        page = await client.get(f"/sites/{site}")
    except httpx.HTTPError as error:
        print(f"{site}: {type(error).__name__}: {error}", file=sys.stderr)
        return (time.perf_counter() - began) * 1000, False, False
    took = (time.perf_counter() - began) * 1000
    if page.status_code != 200:
        print(f"{site}: {page.status_code} {page.headers.get('location', '')} {page.text[:300]}", file=sys.stderr)
    return took, page.status_code == 200, "data-card-url" in page.text


async def _sign_in(client: httpx.AsyncClient) -> None:
    token = re.search(r'name="_csrf_token"\s+value="([^"]+)"', (await client.get("/login")).text)
    if token is None:
        raise SystemExit("no CSRF token in the sign-in form")
    words = {"email": server.EMAIL, "password": server.PASSWORD, "_csrf_token": token.group(1)}
    if (await client.post("/login", data=words)).status_code != 303:
        raise SystemExit("could not sign in")


async def _send_events(base: str, sites: list[str]) -> None:
    random = Random(1)
    headers = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"}
    async with httpx.AsyncClient(base_url=base, timeout=60, headers=headers) as client:
        while True:
            site = random.choice(sites)
            address = f"203.0.{random.randrange(256)}.{random.randrange(256)}"
            body = {"n": "pageview", "u": f"https://{site}/page-{random.randrange(50)}", "d": site}
            answer = await client.post("/api/event", json=body, headers={"X-Forwarded-For": address})
            if answer.status_code != 202:
                raise SystemExit(f"an event was answered with {answer.status_code}")
            await asyncio.sleep(1 / EVENTS_PER_S)


if __name__ == "__main__":
    main()
