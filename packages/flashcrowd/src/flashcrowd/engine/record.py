"""What is counted of a run while it runs: constant work for a request, and bounded memory for any length."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flashcrowd.clock import RunClock
from flashcrowd.engine.histogram import Histogram
from flashcrowd.result import Second, StepResult
from flashcrowd.samples import Outcome, Sample

MOST_NAMES = 200
"""Requests of more names than this are counted as one: a name that holds an id is a mistake, and no reason to fail."""
OTHER = "(other names)"
MOST_REASONS = 50
MOST_SAMPLES = 50_000
"""When there are more, every second one is dropped and from then on half as many are kept: always every n-th."""


class Tally:
    """Of the requests of one name."""

    __slots__ = ("errors", "good", "latency", "requests")

    def __init__(self) -> None:
        self.requests = 0
        self.good = 0
        self.errors: dict[str, int] = {}
        self.latency = Histogram()


class Record:
    """Of a whole run. One writer: the generator's loop."""

    def __init__(self, clock: RunClock, duration_s: float, waits: Callable[[str], Mapping[str, float]]) -> None:
        self._clock = clock
        self._began_s = clock.began_s
        self._duration_s = duration_s
        self._waits = waits
        self._second = _Second(0)
        self.tallies: dict[str, Tally] = {}
        self.seconds: list[Second] = []
        self.samples: list[Sample] = []
        self.lateness = Histogram()
        self.reasons: dict[str, int] = {}
        """Why answers were wrong or connections broke, in words; the first `MOST_REASONS` of them."""
        self.requests = 0
        self.good_in_time = 0
        """Right answers that were whole before users stopped to come."""
        self.meant = 0
        """Requests that users meant to send before then, retries left out."""
        self.users = 0
        """Under way."""
        self.arrived = 0
        self.unstarted = 0
        self.unfinished = 0
        self.full: str = ""
        """Why the generator could not send, once it could not."""
        self.crashes = 0
        self.crash: str = ""
        self._one_in = 1

    def add(
        self,
        name: str,
        intended_s: float,
        sent_s: float,
        first_byte_s: float | None,
        ended_s: float,
        status: int,
        outcome: Outcome,
        attempt: int,
        retry_after_s: float | None,
        server_timing: str | None,
        reason: str,
    ) -> None:
        """One request that ended. Instants are of `flashcrowd.clock.monotonic`."""
        since = ended_s - self._began_s
        if since >= self._second.ends_s:
            self.roll()
        tally = self.tallies.get(name)
        if tally is None:
            tally = self._tally(name)
        second = self._second
        tally.requests += 1
        second.requests += 1
        self.requests += 1
        self.lateness.add(sent_s - intended_s)
        if attempt == 1 and intended_s - self._began_s < self._duration_s:
            self.meant += 1
        if outcome == "good":
            latency_s = ended_s - intended_s
            tally.good += 1
            tally.latency.add(latency_s)
            second.good += 1
            second.latency.add(latency_s)
            if since < self._duration_s:
                self.good_in_time += 1
        else:
            tally.errors[outcome] = tally.errors.get(outcome, 0) + 1
            second.errors[outcome] = second.errors.get(outcome, 0) + 1
            if reason and (reason in self.reasons or len(self.reasons) < MOST_REASONS):
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if self.requests % self._one_in == 0:
            self._keep(
                Sample(
                    name,
                    intended_s - self._began_s,
                    sent_s - self._began_s,
                    first_byte_s and first_byte_s - self._began_s,
                    since,
                    status,
                    outcome,
                    attempt,
                    retry_after_s,
                    self._waits(server_timing) if server_timing else None,
                )
            )

    def _tally(self, name: str) -> Tally:
        if len(self.tallies) >= MOST_NAMES:
            name = OTHER
        return self.tallies.setdefault(name, Tally())

    def _keep(self, sample: Sample) -> None:
        self.samples.append(sample)
        if len(self.samples) >= MOST_SAMPLES:
            del self.samples[::2]
            self._one_in *= 2

    def come(self) -> None:
        """A user has come."""
        self.arrived += 1
        self.users += 1
        self._second.arrived += 1

    def leave(self) -> None:
        """A user has left."""
        self.users -= 1

    def roll(self) -> None:
        """Closes the seconds that are over. To be called now and then also when nothing ends."""
        now = self._clock.now()
        while now >= self._second.ends_s:
            self.seconds.append(self._second.closed(self.users))
            self._second = _Second(len(self.seconds))

    def finish(self) -> None:
        """Closes the last second, if anything was in it."""
        self.roll()
        if self._second.requests or self._second.arrived:
            self.seconds.append(self._second.closed(self.users))

    def steps(self) -> tuple[StepResult, ...]:
        """By name, in the order in which they first ended."""
        return tuple(
            StepResult(name, tally.requests, tally.good, dict(tally.errors), tally.latency.latency())
            for name, tally in self.tallies.items()
        )

    def errors(self) -> dict[str, int]:
        """By outcome, of all."""
        found: dict[str, int] = {}
        for tally in self.tallies.values():
            for outcome, count in tally.errors.items():
                found[outcome] = found.get(outcome, 0) + count
        return found

    def latency(self) -> Histogram:
        """Of all right answers."""
        merged = Histogram()
        for tally in self.tallies.values():
            merged.merge(tally.latency)
        return merged


class _Second:
    """The second that is running."""

    __slots__ = ("arrived", "at_s", "ends_s", "errors", "good", "latency", "requests")

    def __init__(self, at_s: int) -> None:
        self.at_s = at_s
        self.ends_s = at_s + 1.0
        self.arrived = 0
        self.requests = 0
        self.good = 0
        self.errors: dict[str, int] = {}
        self.latency = Histogram()

    def closed(self, users: int) -> Second:
        latency = self.latency.latency()
        return Second(float(self.at_s), self.arrived, self.requests, self.good, self.errors, latency, users)
