"""Leases in Valkey (7.2 or later; Redis 7, too); and its fence. Needs valkey-py 6: `pip install valkey`.

Sources: Valkey's pages on scripting, `TIME` and persistence; for what a lock on one server can and cannot do, M. Kleppmann,
How to do distributed locking (2016), on Redlock.
"""

from __future__ import annotations

from importlib.resources import files
from typing import Any, Protocol, cast

import valkey
from valkey.backoff import NoBackoff
from valkey.exceptions import ValkeyError
from valkey.retry import Retry

from seawall.core.lease_table import Answer, Claim, Granted, Refused
from seawall.dist.store import Store
from seawall.errors import Misuse, StaleToken, StoreUnavailable


class Script(Protocol):
    """A Lua script that runs on a server, under its digest where that knows it already."""

    def __call__(self, keys: list[str], args: list[object], client: object = None) -> object:
        """Run it."""
        ...


class ValkeyStore(Store):
    """Leases on the Valkey server at `url` (`valkey://host:6379/0`, `valkeys://`, `unix://`), each step one Lua script.

    First come, first served. All times are the server's. What it holds is lost with its memory: after a crash without
    `appendonly yes` and `appendfsync always`, a `FLUSHALL`, or a fail-over to a replica that lags, a second holder can
    get in beside the first. Its token is higher all the same, by the server's clock, so that a fence keeps the first one
    out; where that clock went back, too, nothing does. Redlock, which asks several servers, is not here: it does not do
    away with the need for tokens.

    A server that may evict any key (`maxmemory-policy allkeys-…` with `maxmemory`) is refused with `Misuse`.
    """

    def __init__(self, url: str, *, name: str = "valkey", timeout_s: float = 1.0, max_connections: int = 4) -> None:
        super().__init__(
            name, lambda: _Scripts(url, name, timeout_s), timeout_s=timeout_s, max_connections=max_connections
        )


class _Scripts:
    """See `dist.session.Session`."""

    def __init__(self, url: str, store: str, timeout_s: float) -> None:
        self._store = store
        try:
            self._client = valkey.Valkey.from_url(
                url,
                single_connection_client=True,
                socket_timeout=timeout_s,
                socket_connect_timeout=timeout_s,
                retry=Retry(NoBackoff(), 0),
                decode_responses=True,
            )
            memory = cast("dict[str, Any]", self._client.info("memory"))
        except ValkeyError as error:
            raise StoreUnavailable(store, str(error)) from error
        if memory.get("maxmemory") and str(memory.get("maxmemory_policy")).startswith("allkeys"):
            self._client.close()  # type: ignore[no-untyped-call]
            raise Misuse(
                f"store {store}: the server may evict any key (maxmemory-policy {memory['maxmemory_policy']}), also who "
                "holds what; use noeviction or a volatile- policy"
            )
        self._ask = _script(self._client, "ask")
        self._renew = _script(self._client, "renew")
        self._leave = _script(self._client, "leave")
        self._spend = _script(self._client, "spend")

    def ask(self, claim: Claim) -> Answer:
        keys = _keys(claim.name, "token", "holders", "line", "places")
        arguments = [claim.holder, claim.permits, _ms(claim.ttl_s), int(claim.waits), _ms(claim.place_s)]
        answer = cast("list[Any]", self._run(self._ask, keys, arguments))
        return Refused(int(answer[0])) if len(answer) == 1 else Granted(int(answer[0]), int(answer[1]))

    def renew(self, claim: Claim) -> bool:
        return bool(self._run(self._renew, _keys(claim.name, "holders"), [claim.holder, _ms(claim.ttl_s)]))

    def leave(self, claim: Claim) -> bool:
        return bool(self._run(self._leave, _keys(claim.name, "holders", "line", "places"), [claim.holder]))

    def spend(self, name: str, rate_per_s: float, burst: float, cost: float) -> float:
        return float(cast("str", self._run(self._spend, _keys(name, "limit"), [rate_per_s, burst, cost])))

    def close(self) -> None:
        self._client.close()  # type: ignore[no-untyped-call]

    def _run(self, script: Script, keys: list[str], arguments: list[object]) -> object:
        try:
            return script(keys, arguments)
        except ValkeyError as error:
            raise StoreUnavailable(self._store, str(error)) from error


def set_fenced(client: valkey.Valkey, key: str, value: str | bytes, token: int) -> None:
    """Set `key` to `value` unless a newer token has set it; raises StaleToken then. One step on the server.

    The newest token is kept beside it, under `{key}:fence`, for as long as the server keeps its keys.
    """
    _raise_if_stale(key, token, _script(client, "set_fenced")([key, _fence(key)], [value, token]))


async def set_fenced_async(client: valkey.asyncio.Valkey, key: str, value: str | bytes, token: int) -> None:
    """As `set_fenced`, for an asynchronous client."""
    script = cast("Any", client.register_script(_text("set_fenced")))
    _raise_if_stale(key, token, await script(keys=[key, _fence(key)], args=[value, token]))


def _raise_if_stale(key: str, token: int, newest: object) -> None:
    if newest is not None:
        raise StaleToken(key, token, int(cast("str", newest)))


def _fence(key: str) -> str:
    # In a cluster both keys have to hash to one slot: by the part in braces, which is the whole key where it has none.
    return f"{key}:fence" if "{" in key else f"{{{key}}}:fence"


def _script(client: valkey.Valkey, name: str) -> Script:
    return cast("Script", client.register_script(_text(name)))


def _text(name: str) -> str:
    return files("seawall.dist").joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def _keys(name: str, *kinds: str) -> list[str]:
    return [f"seawall:{{{name}}}:{kind}" for kind in kinds]


def _ms(seconds: float) -> int:
    return max(1, round(seconds * 1000))
