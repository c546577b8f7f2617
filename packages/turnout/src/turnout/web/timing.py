"""`Server-Timing`, for operators: what their request waited for. Names of locks and pools are nobody else's business."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from seawall import RequestTiming
from seawall.clock import SYSTEM_CLOCK
from turnout.web.scope import Admission

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]


def timed_for_operators(send: Send, scope: Message, timing: RequestTiming, began_s: float) -> Send:
    """A `send` that adds the header where the guard has admitted an operator by then. `scope` needs its `state`."""

    async def timed(message: Message) -> None:
        if message["type"] == "http.response.start" and is_operators(scope["state"].get("admission")):
            timing.add("total", SYSTEM_CLOCK.monotonic() - began_s)
            header = (b"server-timing", timing.header().encode())
            message["headers"] = [*message.get("headers", ()), header]
        await send(message)

    return timed


def is_operators(admission: Admission | None) -> bool:
    """Whether an operator in a browser was admitted, or a key of scope `ops`. An operator's other keys are not enough."""
    principal = None if admission is None else admission.principal
    if principal is None:
        return False
    is_key = bool(principal.scopes) or principal.only_organisation is not None
    return "ops" in principal.scopes if is_key else principal.is_operator
