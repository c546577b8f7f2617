"""Where one request spent its time waiting, for a `Server-Timing` header (https://www.w3.org/TR/server-timing/)."""

from __future__ import annotations

import re
from contextvars import Context, ContextVar, Token
from types import TracebackType

from seawall.clock import SYSTEM_CLOCK
from seawall.runtime.threads import RawRLock

_NOT_IN_TOKEN = re.compile(r"[^A-Za-z0-9!#$%&'*+.^_`|~-]")


class RequestTiming:
    """What one request waited for, by what: `pool.reads`, `lock.accounts`, `flight.pages`. Made by `request_timing`."""

    __slots__ = ("_guard", "_token", "_waits_s")

    def __init__(self) -> None:
        self._guard = RawRLock()
        self._waits_s: dict[str, float] = {}  # guarded by self._guard
        self._token: Token[RequestTiming | None] | None = None

    def __enter__(self) -> RequestTiming:
        self._token = _TIMING.set(self)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._token is not None:
            _TIMING.reset(self._token)
            self._token = None

    def add(self, what: str, waited_s: float) -> None:
        """Count `waited_s` seconds more of waiting for `what`. From any thread; does not block."""
        with self._guard:
            self._waits_s[what] = self._waits_s.get(what, 0.0) + waited_s

    def waits_s(self) -> dict[str, float]:
        """Seconds waited by now, by what, in the order of their first."""
        with self._guard:
            return self._waits_s.copy()

    def header(self) -> str:
        """The value of a `Server-Timing` header, in milliseconds; empty where nothing was waited for."""
        return ", ".join(
            f"{_NOT_IN_TOKEN.sub('_', what)};dur={round(waited_s * 1000, 1):g}"
            for what, waited_s in self.waits_s().items()
        )


_TIMING: ContextVar[RequestTiming | None] = ContextVar("seawall_request_timing", default=None)


def request_timing() -> RequestTiming:
    """Gather what Seawall's waits inside the `with` block cost: admission queues, pools, locks. For operators' eyes.

    It travels with the context, into tasks made inside and into a `ThreadPool`'s threads; waits that run side by side
    add up, so the sum may exceed the request's own time. A wait that ended late or was refused counts, one that was
    cancelled does not. Does not block.

    >>> with request_timing() as timing:
    ...     timing.header()
    ''
    """
    return RequestTiming()


def note_wait(what: str, waited_s: float) -> None:
    """Add to the present request's timing, where there is one. For whatever makes people wait."""
    timing = _TIMING.get()
    if timing is not None:
        timing.add(what, waited_s)


def note_queued(context: Context, kind: str, name: str, since_s: float) -> None:
    """As `note_wait` for work that was queued at `since_s` in another's `context` and begins now. Costs one look."""
    timing = context.get(_TIMING)
    if timing is not None:
        timing.add(f"{kind}.{name}", SYSTEM_CLOCK.monotonic() - since_s)
