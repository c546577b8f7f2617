"""Every request writes to one SQLite file, where one writes at a time; the service says how long its database took."""

import asyncio
import os
import sqlite3
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, Timings, ordinary

PLANTED = Planted(kind="database", names=frozenset({"db"}), exposes="server timing")


def build(sizes: Sizes) -> Application:
    path = Path(tempfile.mkdtemp(dir=os.environ.get("KNOWN_BOTTLENECKS_FOLDER"))) / "hits.db"
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE hits (at REAL)")
    connection.close()
    threads = ThreadPoolExecutor(100)

    def write() -> float:
        began_s = time.perf_counter()
        connection = sqlite3.connect(path, timeout=30, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("INSERT INTO hits VALUES (1)")
        time.sleep(0.7 / sizes.capacity_per_s)  # the rest of the transaction; the lock's polling takes its share
        connection.execute("COMMIT")
        connection.close()
        return time.perf_counter() - began_s

    async def work() -> Timings:
        began_s = time.perf_counter()
        await asyncio.sleep(0.004)
        in_database_s = await asyncio.get_running_loop().run_in_executor(threads, write)
        return {"db": in_database_s, "total": time.perf_counter() - began_s}

    return ordinary(work)
