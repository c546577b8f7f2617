"""The number of visitors now, as server-sent events."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Hashable
from contextlib import aclosing

import msgspec
from litestar.response import Stream

from seawall.clock import Clock
from turnout.model.site import Site
from turnout.web.live_hub import LiveHub

CHECK_AGAIN_S = 10.0
"""How long whoever may no longer see a site is still told its count."""


def live_response(
    site: Site, hub: LiveHub, clock: Clock, *, person: Hashable, may_watch: Callable[[], Awaitable[bool]]
) -> Stream:
    """The answer to whoever watches a site. `person`: whose streams are counted together; `may_watch`: asked again and
    again whether they still may. Raises `seawall.Overloaded` where there is no room."""
    hub.check_room(person)
    return Stream(
        live_stream(site, hub, clock, person=person, may_watch=may_watch),
        media_type="text/event-stream",
        # The second for nginx, which would keep events back until its buffer is full.
        headers={"cache-control": "no-store", "x-accel-buffering": "no"},
    )


async def live_stream(
    site: Site, hub: LiveHub, clock: Clock, *, person: Hashable, may_watch: Callable[[], Awaitable[bool]]
) -> AsyncGenerator[bytes, None]:
    """The events as they go over the wire; ends when the hub's does, and when `may_watch` says no."""
    checked_s = clock.monotonic()
    async with aclosing(hub.follow(site, person)) as counts:
        async for now in counts:
            if clock.monotonic() - checked_s >= CHECK_AGAIN_S:
                if not await may_watch():
                    return
                checked_s = clock.monotonic()
            yield b": still here\n\n" if now is None else b"data: " + msgspec.json.encode(now) + b"\n\n"
