"""Tells who waits to sign in the place in line: the form's script asks, while the browser waits for the form's answer."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import msgspec

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

# Made up by the form's script, at random and long, so that nobody asks for somebody else's place.
NAMED = re.compile(rb"line=([0-9a-f]{32})")


class InLine(msgspec.Struct, frozen=True):
    """What the script is told. `place` counts from 1; None for who does not wait, or not any more."""

    place: int | None
    wait_s: float


class SignInLine:
    """The sign-ins that wait, by the name their form gave them. For one event loop."""

    def __init__(self) -> None:
        self._scopes: dict[bytes, Scope] = {}

    @contextmanager
    def noting(self, scope: Scope) -> Iterator[None]:
        """Can tell of this request while the block runs; where it has no name nothing is noted."""
        found = NAMED.fullmatch(scope["query_string"])
        if found is None or found[1] in self._scopes:
            yield
            return
        self._scopes[found[1]] = scope
        try:
            yield
        finally:
            del self._scopes[found[1]]

    def find(self, query: bytes) -> InLine:
        """The place of the request whose name is in `query`. Does not block."""
        found = NAMED.fullmatch(query)
        scope = None if found is None else self._scopes.get(found[1])
        waits = None if scope is None else scope.get("seawall.waiting")
        place = None if waits is None else waits.place()
        if waits is None or place is None:
            return InLine(None, 0.0)
        return InLine(place, round(waits.expected_wait_s(), 1))
