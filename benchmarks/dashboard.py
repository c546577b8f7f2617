"""The dashboard page of one site whose events all lie in the days shown: cold, the same again, and with one filter.

Cold is the first page after the data changed: a new event is sent and waited for before each. A page is timed as a
browser sees it, from request to last byte, signed in. What is over is derived first, as it is on a server that has run
for a while; today is a whole day of raw rows. The same pages without any derived day are the peer.
Run: `uv run python -m benchmarks.dashboard [--events 1000000 10000000]`.
"""

from __future__ import annotations

import argparse
import re
import tempfile
import time
from pathlib import Path

import httpx

from benchmarks import server, synthetic
from benchmarks.report import percentile, report
from turnout.jobs.derive import Derivation
from turnout.store.duckdb.database import EventDatabase

GOALS = {
    "cold": "p95 <= 150 ms",
    "again": "",
    "device": "p95 <= 700 ms",
    "page": "p95 <= 700 ms",
    "exit": "p95 <= 700 ms",
}
PATHS = {
    "cold": "",
    "again": "",
    "device": "?f=is,visit:device,Desktop",
    "page": "?f=is,event:page,/page-7",
    "exit": "?f=is,visit:exit_page,/page-7",
}
"""By kind. `Desktop` has half of all visits, `/page-7` a hundredth of all pageviews."""


def main() -> None:
    """Prints one line for each size and kind of page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, nargs="+", default=[1_000_000, 10_000_000])
    parser.add_argument("--pages", type=int, default=20)
    asked = parser.parse_args()
    for events in asked.events:
        with tempfile.TemporaryDirectory() as directory:
            _measure(Path(directory), events, asked.pages)


def _measure(data: Path, events: int, pages: int) -> None:
    key = server.prepare(data)
    synthetic.fill(data / "events.duckdb", 1, server.SITE, events)
    raw, _ = _pages(data, key, max(3, pages // 4), "benchmarks.underived")
    report(f"dashboard.{events}_events.derive", "s", _derive(data))
    taken, rss_mb = _pages(data, key, pages, "turnout")
    for kind, times in taken.items():
        for name, share in (("p50", 0.5), ("p95", 0.95)):
            report(
                f"dashboard.{events}_events.{kind}.{name}",
                "ms",
                percentile(times, share),
                peer="own without derived days",
                peer_value=percentile(raw[kind], share),
                goal=GOALS[kind] if name == "p95" else "",
            )
    report(f"dashboard.{events}_events.memory", "MB", rss_mb, goal="<= 600")


def _derive(data: Path) -> float:
    """Derives what is over, as fast as it goes. Seconds."""
    database = EventDatabase(data / "events.duckdb")
    began = time.perf_counter()
    derivation = Derivation(database.deriver(), quiet_s=0)
    while derivation.step():
        pass
    took = time.perf_counter() - began
    database.close()
    return took


def _pages(data: Path, key: str, pages: int, module: str) -> tuple[dict[str, list[float]], float]:
    """What each kind of page took, in milliseconds, and the server's memory at the end."""
    taken: dict[str, list[float]] = {kind: [] for kind in PATHS}
    with (
        server.serving(data, module=module) as running,
        httpx.Client(base_url=f"http://127.0.0.1:{running.port}", timeout=120) as web,
    ):
        _sign_in(web)
        for _ in range(pages):
            _change_data(web, running.port, key)
            for kind, query in PATHS.items():
                start = time.perf_counter()
                page = web.get(f"/sites/{server.SITE}{query}")
                taken[kind].append((time.perf_counter() - start) * 1000)
                page.raise_for_status()
        return taken, running.rss_mb()


def _sign_in(web: httpx.Client) -> None:
    form = web.get("/login").text
    token = re.search(r'name="_csrf_token"\s+value="([^"]+)"', form)
    if token is None:
        raise SystemExit("no CSRF token in the sign-in form")
    words = {"email": server.EMAIL, "password": server.PASSWORD, "_csrf_token": token.group(1)}
    if web.post("/login", data=words).status_code not in (200, 302, 303):
        raise SystemExit("could not sign in")


def _change_data(web: httpx.Client, port: int, key: str) -> None:
    """Sends one event and waits until the store has it."""
    query: dict[str, object] = {"site_id": server.SITE, "metrics": ["events"], "date_range": "all"}
    before = server.ask(port, key, query)
    body = {"n": "pageview", "u": f"https://{server.SITE}/", "d": server.SITE}
    web.post("/api/event", json=body, headers={"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/132.0"})
    while server.ask(port, key, query) == before:
        time.sleep(0.02)


if __name__ == "__main__":
    main()
