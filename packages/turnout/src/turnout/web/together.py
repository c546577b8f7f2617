"""Those who ask for the same page at once come in together: the first stands at the gate for all.

Their questions share one run each, so who follows adds hardly any work to what was let in; and were they let in one after
the other, each would ask of newer data, and nothing would be shared.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Application = Callable[[Any, Any, Any], Awaitable[None]]
Key = tuple[str, bytes]

LONGEST_S = 60.0
"""How long somebody follows one who is not let in; longer than any gate has one wait."""


class Together:
    """Stands in front of the gates' `app`. For one event loop; holds nothing of a page that nobody asks for."""

    def __init__(self, app: Application) -> None:
        self._app = app
        self._leading: dict[Key, asyncio.Future[bool]] = {}

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Hands one request on, once it is known whether it leads or follows; see `follows` and `begun`."""
        key = (scope["path"], scope["query_string"])
        ahead = self._leading.get(key)
        if ahead is not None:
            await asyncio.wait({ahead}, timeout=LONGEST_S)
            scope["turnout.follows"] = ahead.done() and ahead.result()
            await self._app(scope, receive, send)
            return
        leads = self._leading[key] = asyncio.get_running_loop().create_future()
        scope["turnout.leads"] = leads
        try:
            await self._app(scope, receive, send)
        finally:
            del self._leading[key]
            if not leads.done():
                leads.set_result(False)  # it was refused, or has left: each for themselves


def follows(scope: Scope) -> bool:
    """Whether somebody who asks for the same was let in, and is not done."""
    return bool(scope.get("turnout.follows"))


def begun(scope: Scope) -> None:
    """It was let in: so are those who follow it."""
    leads = scope.get("turnout.leads")
    if leads is not None and not leads.done():
        leads.set_result(True)
