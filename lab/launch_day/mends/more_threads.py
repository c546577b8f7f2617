"""Mend 2a, which mends nothing: ten times the threads."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from lab.launch_day.step0_as_it_was import engine, keep_caches_fresh


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Beside the server runs the thread that keeps the caches fresh."""
    anyio.to_thread.current_default_thread_limiter().total_tokens = 400
    threading.Thread(target=keep_caches_fresh, name="refresher", daemon=True).start()
    yield
    engine.dispose()
