"""Who holds one name and who is next: what every store of leases decides, in the same steps, as plain arithmetic.

`dist/postgresql.sql` and `dist/valkey/*.lua` are this file in the languages of their servers, and a test holds them to
it. Time comes in as an argument, and is the server's own.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Claim:
    """What a client asks for: one of `permits` slots of `name` for `ttl_s` seconds, under an id of its own choice.

    `waits` says whether to take a place in line where none is free; the place lasts `place_s` seconds from the last
    time it was asked for. Asking again under the same `holder` is harmless: it finds itself inside, or at its place.
    """

    name: str
    holder: str
    permits: int
    ttl_s: float
    waits: bool = False
    place_s: float = 5.0


@dataclass(frozen=True, slots=True)
class Granted:
    """The claim is in. `token` is above every token given out for the name before; `slot` is from 0 to `permits` - 1."""

    token: int
    slot: int


@dataclass(frozen=True, slots=True)
class Refused:
    """The claim is not in. `place` counts those before it in line, from 0."""

    place: int


Answer = Granted | Refused


@dataclass(slots=True)
class _Held:
    token: int
    slot: int
    until_s: float


@dataclass(slots=True)
class LeaseTable:
    """The state of one name: the last token, who is inside until when, and who waits until when, in order of coming."""

    last_token: int = 0
    inside: dict[str, _Held] = field(default_factory=dict)
    line: dict[str, float] = field(default_factory=dict)

    def ask(self, claim: Claim, now_s: float) -> Answer:
        """Let the claim in where a slot is free for it and everyone before it, else note its place if it `waits`."""
        self._sweep(now_s)
        held = self.inside.get(claim.holder)
        if held is not None:
            held.until_s = now_s + claim.ttl_s
            return Granted(held.token, held.slot)
        line = list(self.line)
        place = line.index(claim.holder) if claim.holder in self.line else len(line)
        if place < claim.permits - len(self.inside):
            self.line.pop(claim.holder, None)
            # The server's clock lifts the counter, so that tokens also rise where the counter is lost: after a flush, a
            # restart without persistence, a fail-over to a replica that lags, an older backup.
            self.last_token = max(self.last_token + 1, int(now_s * 1e6))
            slot = min(set(range(claim.permits)) - {other.slot for other in self.inside.values()})
            self.inside[claim.holder] = _Held(self.last_token, slot, now_s + claim.ttl_s)
            return Granted(self.last_token, slot)
        # A place that has more than half of its time is left alone: a store need not write at each look.
        if claim.waits and self.line.get(claim.holder, now_s) - now_s < claim.place_s / 2:
            self.line[claim.holder] = now_s + claim.place_s
        return Refused(place)

    def renew(self, holder: str, ttl_s: float, now_s: float) -> bool:
        """Let `holder` stay for `ttl_s` seconds from now. False where it is not inside any more."""
        self._sweep(now_s)
        held = self.inside.get(holder)
        if held is not None:
            held.until_s = now_s + ttl_s
        return held is not None

    def leave(self, holder: str, now_s: float) -> bool:
        """Forget `holder`, inside or in line. True where it was inside."""
        self._sweep(now_s)
        self.line.pop(holder, None)
        return self.inside.pop(holder, None) is not None

    def _sweep(self, now_s: float) -> None:
        self.inside = {holder: held for holder, held in self.inside.items() if held.until_s > now_s}
        self.line = {holder: until_s for holder, until_s in self.line.items() if until_s > now_s}
