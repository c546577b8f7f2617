"""Mend 2b: as many threads as connections, a queue with an end, and figures of both."""

from __future__ import annotations

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse
from sqlalchemy import create_engine

from lab.launch_day.step0_as_it_was import DATABASE_URL, lifespan
from seawall import Overloaded, ThreadPool, openmetrics, snapshot
from seawall.integrations import fastapi as seawall_fastapi
from seawall.integrations.sqlalchemy import SeawallPool

# The database has two cores: more than four at work only wait for each other. The queue holds who has not begun; since
# a request's first step is short, some ten more get in beside it, and all of them are half a second's work. A request
# keeps its connection from the check of its cookie to its commit, so there are more of them than people inside.
THREADS = 4
QUEUE_LIMIT = 2
CONNECTIONS = 32

engine = create_engine(DATABASE_URL, poolclass=SeawallPool, pool_size=CONNECTIONS, max_overflow=0, pool_timeout=5)
handlers = ThreadPool("handlers", max_threads=THREADS, queue_limit=QUEUE_LIMIT)
app = FastAPI(lifespan=seawall_fastapi.lifespan(handlers, lifespan))
app.add_exception_handler(Overloaded, seawall_fastapi.answer_overloaded)


@app.get("/metrics")
async def metrics() -> PlainTextResponse:
    """What is busy, what waits and for how long; on the loop, so that it answers also when no thread is free."""
    return PlainTextResponse(openmetrics(snapshot()))
