"""Every setting: one frozen struct, validated at start, from defaults, a TOML file and `TURNOUT_…` variables."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator may set. The name in upper case after `TURNOUT_` is its environment variable."""

    data: Path = Path("turnout-data")
    """The directory that holds everything Turnout keeps."""
    host: str = "127.0.0.1"
    port: int = 8000
    """0 takes any free port; the address printed says which."""
    public_url: str = ""
    """How browsers reach the server. Cookies are `Secure` and `__Host-` where it is https. Empty: http://HOST:PORT."""
    log_format: Literal["text", "json"] = "text"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    journal_max_mb: int = 4096
    """Ingest is refused (503 `journal_full`) when events not yet in the event store take more than this."""
    disk_free_floor_mb: int = 256
    """Ingest is refused (503 `journal_full`) when the data directory's disk has less than this free."""
    query_threads: int = 3
    """Queries that run at once; more wait in order."""
    query_timeout_s: float = 30.0
    store_memory_mb: int = 400
    store_threads: int = 2
    hash_threads: int = 2
    """Threads that check passwords; each check takes about 50 ms of a core."""
    session_days: int = 30
    trusted_proxies: tuple[str, ...] = ()
    """Networks (CIDR) whose X-Forwarded-For is believed for sign-in throttling and access logs."""
    city_database: Path | None = None
    """An mmdb file of yours that names regions and cities; without it only countries are known."""
    drain_s: float = 20.0
    """How long SIGTERM waits for requests in flight and the journal."""
