"""Durable acknowledgements a second: the whole server on one core, the generator on another, 64 and 512 connections.

Beside it in the same run: a server that answers 202 and does nothing. While events come, somebody keeps a dashboard's
numbers open. Afterwards every acknowledged event must be in the store. Run: `uv run python -m benchmarks.ingest`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks import server
from benchmarks.report import report

GOAL = ">= 6000/s (bar of the first version: 4000/s)"


def main() -> None:
    """Prints one line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=15.0)
    seconds = parser.parse_args().seconds
    cores = sorted(os.sched_getaffinity(0))
    server_core, load_core = cores[0], cores[-1]
    for connections in (64, 512):
        bare = _bare(connections, seconds, server_core, load_core)
        with tempfile.TemporaryDirectory() as directory:
            _measure(Path(directory), connections, seconds, server_core, load_core, bare)


def _measure(data: Path, connections: int, seconds: float, core: int, load_core: int, bare: dict[str, float]) -> None:
    key = server.prepare(data)
    with server.serving(data, cores=[core]) as running:
        stop = threading.Event()
        viewer = threading.Thread(target=_view, args=(running.port, key, stop))
        viewer.start()
        cpu_s = running.cpu_s()
        found = _load(running.port, connections, seconds, load_core)
        cpu_s = running.cpu_s() - cpu_s
        stop.set()
        viewer.join()
        accepted = sum(found["statuses"].values())
        name = f"ingest.{connections}_connections"
        report(f"{name}.acks", "1/s", found["per_s"], peer="bare 202", peer_value=bare["per_s"], goal=GOAL)
        report(f"{name}.p50", "ms", found["p50_ms"], peer="bare 202", peer_value=bare["p50_ms"])
        report(f"{name}.p99", "ms", found["p99_ms"], peer="bare 202", peer_value=bare["p99_ms"])
        report(f"{name}.not_202", "1", accepted - found["statuses"].get("202", 0), goal="0")
        report(f"{name}.memory", "MB", running.rss_mb())
        behind_s = _until_all_are_seen(running.port, key)
        report(f"{name}.store_behind_at_end", "s", behind_s, goal="<= 10 in a spike")


def _load(port: int, connections: int, seconds: float, core: int) -> dict[str, object]:
    words = ["--port", str(port), "--connections", str(connections), "--seconds", str(seconds), "--site", server.SITE]
    command = [sys.executable, "-m", "benchmarks.load", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    os.sched_setaffinity(process.pid, [core])
    out, _ = process.communicate(timeout=seconds + 30)
    found: dict[str, object] = json.loads(out)
    return found


def _bare(connections: int, seconds: float, core: int, load_core: int) -> dict[str, float]:
    port = server.free_port()
    command = [sys.executable, "-m", "benchmarks.bare", str(port)]
    with server.running(command, port, "/", Path(), cores=[core]):
        return _load(port, connections, seconds, load_core)


def _view(port: int, key: str, stop: threading.Event) -> None:
    """Somebody who keeps the site's numbers open, once a second."""
    metrics = ["visitors", "visits", "pageviews", "bounce_rate"]
    while not stop.wait(1):
        server.ask(port, key, {"site_id": server.SITE, "metrics": metrics, "date_range": "day"})


def _until_all_are_seen(port: int, key: str) -> float:
    """Seconds from now until the store's count stands still, that is until every event is in."""
    start = time.monotonic()
    last, since = -1, start
    while time.monotonic() - since < 3:
        query = {"site_id": server.SITE, "metrics": ["pageviews"], "date_range": "day"}
        seen = int(str(server.ask(port, key, query)[0]["metrics"][0]))
        if seen != last:
            last, since = seen, time.monotonic()
        time.sleep(0.2)
    return since - start


if __name__ == "__main__":
    main()
