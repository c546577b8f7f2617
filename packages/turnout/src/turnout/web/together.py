"""Those who ask for the same page at once come in together: the first stands at the gate for all.

Their questions share one run each, so who follows adds hardly any work to what was let in; and were they let in one after
the other, each would ask of newer data, and nothing would be shared. Where the page was drawn just before, who follows does
not wait for the first at all, but is shown that (stale-while-revalidate, RFC 5861).
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any

from seawall.clock import SYSTEM_CLOCK, Clock

Scope = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Key = tuple[str, bytes]

LONGEST_S = 60.0
"""How long somebody follows one who is not let in; longer than any gate has one wait."""
REMEMBERED = 100
"""Pages of which is known when they were drawn; as many drawings are kept (`fragments.py`)."""


class Lead:
    """The first who asks for a page, as those who follow see it."""

    __slots__ = ("began_s", "is_drawn", "is_in")

    def __init__(self, now_s: float) -> None:
        self.began_s = now_s
        self.is_in: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.is_drawn = False
        """Whether there is a whole drawing of it, for others too."""


class Together:
    """Stands in front of the gates' `app`. For one event loop; holds next to nothing of a page that nobody asks for.

    `shared_s` tells how old a drawing may be, in seconds, that is shown while it is made anew.
    """

    def __init__(self, app: Application, shared_s: Callable[[], float], clock: Clock = SYSTEM_CLOCK) -> None:
        self._app = app
        self._shared_s = shared_s
        self._clock = clock
        self._leading: dict[Key, Lead] = {}
        self._drawn_s: OrderedDict[Key, float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Hands one request on, once it is known whether it leads or follows; see `follows` and `begun`."""
        key = (scope["path"], scope["query_string"])
        now_s = self._clock.monotonic()
        ahead = self._leading.get(key)
        if ahead is not None:
            takes_last = now_s - self._drawn_s.get(key, float("-inf")) <= self._shared_s()
            if not takes_last:
                await asyncio.wait({ahead.is_in}, timeout=LONGEST_S)
            scope["turnout.takes_last"] = takes_last
            scope["turnout.follows"] = takes_last or (ahead.is_in.done() and ahead.is_in.result())
            await self._app(scope, receive, send)
            return
        lead = scope["turnout.leads"] = self._leading[key] = Lead(now_s)
        try:
            await self._app(scope, receive, send)
        finally:
            del self._leading[key]
            if not lead.is_in.done():
                lead.is_in.set_result(False)  # it was refused, or has left: each for themselves
            if lead.is_drawn:
                self._remember(key, lead.began_s)

    def _remember(self, key: Key, drawn_s: float) -> None:
        self._drawn_s[key] = drawn_s
        self._drawn_s.move_to_end(key)
        if len(self._drawn_s) > REMEMBERED:
            self._drawn_s.popitem(last=False)


def follows(scope: Scope) -> bool:
    """Whether somebody who asks for the same was let in, and is not done, or it was drawn just before."""
    return bool(scope.get("turnout.follows"))


def takes_last(scope: Mapping[str, object]) -> bool:
    """Whether to show what was drawn last, while somebody else has it drawn anew."""
    return bool(scope.get("turnout.takes_last"))


def begun(scope: Scope) -> None:
    """It was let in: so are those who follow it."""
    lead = scope.get("turnout.leads")
    if lead is not None and not lead.is_in.done():
        lead.is_in.set_result(True)


def drawn(scope: Mapping[str, object]) -> None:
    """There is a whole drawing of it, which those who follow the next one may be shown."""
    lead = scope.get("turnout.leads")
    if isinstance(lead, Lead):
        lead.is_drawn = True
