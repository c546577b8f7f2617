"""Every setting: one frozen struct, validated at start, from defaults, a TOML file and `TURNOUT_…` variables."""

from __future__ import annotations

import difflib
import logging
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from typing import Any, Literal, get_args, get_type_hints
from urllib.parse import urlsplit

import msgspec

from turnout.errors import SettingsInvalid
from turnout.without import VARIABLE

_LOG = logging.getLogger("turnout")

PREFIX = "TURNOUT_"
FILE = "turnout.toml"


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
    """A query that takes longer, its wait included, is given up."""
    ingest_in_flight: int = 1000
    """Events on their way to the journal at once; the rest wait for up to 2 s (4 in a burst), or are refused (503)."""
    max_connections: int = 10_000
    """With so many open connections the server takes no new one until some are closed; they wait in the system's queue."""
    health_port: int = 0
    """A port for health checks and metrics alone, answered while the other one takes no connection. 0: there is none."""
    page_seats: int = 0
    """Pages drawn at once; more wait in line. 0: two for each core."""
    page_wait_s: float = 0.7
    """Who would wait longer than this for a page is told to come back, while more come than can be served."""
    page_burst_s: float = 2.0
    """… and longer than this, where a crowd has come just now: it may pass by itself."""
    answer_seats: int = 0
    """API answers, late sections and exports at once; most of them wait for the store. 0: 16 for each core."""
    live_streams: int = 500
    """Streams of live counts at once, one for each open dashboard; without one it shows the count it was drawn with."""
    store_memory_mb: int = 400
    """What the event store's engine may take; more is spilled to the data directory."""
    store_threads: int = 2
    """Threads of the event store's engine."""
    hash_threads: int = 0
    """Threads that check passwords; each check takes about 50 ms of a core. 0: one for every two cores."""
    sign_ins_waiting: int = 2000
    """Sign-ins that may wait in line; each keeps a connection."""
    sign_in_wait_s: float = 60.0
    """Who would wait longer than this to sign in is told to come back."""
    exports_max_mb: int = 1024
    """Files of exports, all together: the oldest goes first, and all go after a day. No single one may be larger."""
    session_days: int = 30
    """A sign-in lasts this long."""
    city_database: Path | None = None
    """An mmdb file of yours that names regions and cities; without it only countries are known."""
    smtp_url: str = ""
    """The server that takes mail: `smtp://[user:password@]host[:port]` (with STARTTLS) or `smtps://…`.

    Empty: letters stay as files in the data directory's `outbox`, and links are shown to whoever may pass them on."""
    mail_from: str = "turnout@localhost"
    """The sender of mail."""
    trusted_proxies: str = "127.0.0.0/8, ::1"
    """Networks whose `X-Forwarded-For` names the peer that failed sign-ins are counted against."""
    drain_s: float = 20.0
    """How long SIGTERM waits for requests in flight and the journal."""


_RANGES: dict[str, tuple[float, float]] = {
    "port": (0, 65_535),
    "journal_max_mb": (1, 10_000_000),
    "disk_free_floor_mb": (0, 10_000_000),
    "query_threads": (1, 64),
    "query_timeout_s": (0.1, 3_600),
    "ingest_in_flight": (1, 1_000_000),
    "max_connections": (10, 60_000),
    "health_port": (0, 65_535),
    "page_seats": (0, 10_000),
    "page_wait_s": (0.1, 60),
    "page_burst_s": (0, 60),
    "answer_seats": (0, 10_000),
    "live_streams": (1, 100_000),
    "store_memory_mb": (64, 1_000_000),
    "store_threads": (1, 64),
    "hash_threads": (0, 64),
    "sign_ins_waiting": (1, 100_000),
    "sign_in_wait_s": (1, 600),
    "exports_max_mb": (1, 1_000_000),
    "session_days": (1, 3_650),
    "drain_s": (0, 3_600),
}


_BY_CORES: dict[str, float] = {"page_seats": 2, "answer_seats": 16, "hash_threads": 0.5}


def for_cores(settings: Settings, cores: int | None = None) -> Settings:
    """The settings with a number in each place where 0 leaves it to the cores, which are this machine's unless given."""
    cores = cores or len(os.sched_getaffinity(0))
    found = {name: max(1, int(each * cores)) for name, each in _BY_CORES.items() if not getattr(settings, name)}
    return msgspec.structs.replace(settings, **found)


def load(
    options: Mapping[str, object], environment: Mapping[str, str] = os.environ, file: Path | None = None
) -> Settings:
    """Puts the settings together: defaults, then the TOML file, then `TURNOUT_…`, then the command line's `options`.

    `file` is read where it is given; else `turnout.toml` in the data directory, where there is one. Raises
    `SettingsInvalid` with every problem found, each naming the setting, where it came from and what was expected.
    """
    problems: list[str] = []
    values: dict[str, object] = {}
    from_environment = {
        name.removeprefix(PREFIX).lower(): (text, f"${name}")
        for name, text in environment.items()
        if name.startswith(PREFIX) and name != VARIABLE
    }
    from_options = {name: (value, f"--{name}") for name, value in options.items() if value is not None}
    data = (from_options.get("data") or from_environment.get("data") or (Settings().data, ""))[0]
    found = file or Path(str(data)) / FILE
    from_file = _read(found, problems) if file is not None or os.path.exists(found) else {}
    for source in (from_file, from_environment, from_options):
        for name, (value, where) in source.items():
            if name not in Settings.__struct_fields__:
                near = difflib.get_close_matches(name, Settings.__struct_fields__, 1)
                hint = f"; did you mean {near[0]}?" if near else ""
                unknown = f"{where}: there is no setting {name}{hint}"
                if source is from_environment:  # orchestrators add variables of their own, named after the service
                    _LOG.warning("%s", unknown)
                else:
                    problems.append(unknown)
                continue
            try:
                values[name] = _converted(name, value)
            except ValueError as error:
                problems.append(f"{where}: {name} is {value!r}, but {error}")
    if problems:
        raise SettingsInvalid("\n".join(problems))
    return Settings(**values)  # type: ignore[arg-type]  # each was converted to its field's type


def _read(file: Path, problems: list[str]) -> dict[str, tuple[object, str]]:
    try:
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        problems.append(f"{file}: can't be read as TOML: {error}")
        return {}
    return {name: (value, str(file)) for name, value in content.items()}


def _converted(name: str, value: object) -> object:
    """The value as its field's type. Raises ValueError that says what was expected."""
    kind = get_type_hints(Settings)[name]
    try:
        str(value).encode()
    except UnicodeEncodeError:
        raise ValueError("text in UTF-8 was expected") from None
    if kind is int or kind is float:
        return _number(name, kind, value)
    if kind is str:
        return _CHECKED.get(name, str)(str(value))
    if choices := get_args(kind):
        if type(None) in choices:
            return Path(str(value)) if str(value) else None
        if value not in choices:
            raise ValueError(f"one of {', '.join(choices)} was expected")
        return value
    return Path(str(value))


def _number(name: str, kind: type[Any], value: object) -> object:
    least, most = _RANGES[name]
    expected = f"a {'whole ' if kind is int else ''}number from {least:g} to {most:g} was expected"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(expected)
    try:
        number = kind(value)
    except (ValueError, OverflowError):
        raise ValueError(expected) from None
    if not least <= number <= most or number != float(value):
        raise ValueError(expected)
    return number


def _smtp_url(value: str) -> str:
    expected = "smtp://[user:password@]host[:port] or smtps://… was expected"
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in ("smtp", "smtps") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if value and (not is_good or parts.path not in ("", "/") or parts.query or parts.fragment):
        raise ValueError(expected)
    return value


def _address(value: str) -> str:
    if not re.fullmatch(r"[^\s@<>]+@[^\s@<>]+", value):
        raise ValueError("an address such as turnout@example.org was expected")
    return value


def _networks(value: str) -> str:
    for each in filter(None, (part.strip() for part in value.split(","))):
        try:
            ip_network(each)
        except ValueError:
            raise ValueError(f"networks such as 10.0.0.0/8, ::1 were expected, and {each[:60]!r} is none") from None
    return value


def _url(value: str) -> str:
    expected = "a URL without a path was expected, such as https://stats.example.org"
    try:
        parts = urlsplit(value)
        is_good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise ValueError(expected) from None
    if value and (not is_good or parts.path not in ("", "/") or parts.query or parts.fragment):
        raise ValueError(expected)
    return f"{parts.scheme}://{parts.netloc}" if value else ""


_CHECKED: dict[str, Callable[[str], str]] = {
    "public_url": _url,
    "smtp_url": _smtp_url,
    "mail_from": _address,
    "trusted_proxies": _networks,
}
