"""What is counted of a run while it runs: constant work for a request, and bounded memory for any length."""

from __future__ import annotations

from flashcrowd.clock import RunClock, monotonic
from flashcrowd.engine.attempt import Attempt
from flashcrowd.engine.histogram import Histogram, bucket
from flashcrowd.probe.server_timing import parse_server_timing
from flashcrowd.result import Second, StepResult
from flashcrowd.samples import Sample

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

    def __init__(self, clock: RunClock, duration_s: float) -> None:
        self._clock = clock
        self._ends_s = clock.began_s + duration_s
        self._second = _Second(0)
        self._second_ends_s = clock.began_s + 1.0
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
        self.one_in = 1
        """`samples` are every so-manieth request."""

    def add(self, ended: Attempt) -> None:
        """One attempt at a request, once it is over."""
        ended_s, intended_s, outcome = ended.ended_s, ended.intended_s, ended.outcome
        if ended_s >= self._second_ends_s:
            self.roll()
        tally = self.tallies.get(ended.name) or self._tally(ended.name)
        second = self._second
        tally.requests += 1
        second.requests += 1
        self.requests += 1
        self.lateness.add(ended.sent_s - intended_s)
        if ended.attempt == 1 and intended_s < self._ends_s:
            self.meant += 1
        if outcome == "good":
            latency_s = ended_s - intended_s
            micros = bucket(latency_s)
            tally.good += 1
            tally.latency.add_to(micros, latency_s)
            second.good += 1
            second.latency.add_to(micros, latency_s)
            if ended_s < self._ends_s:
                self.good_in_time += 1
        else:
            tally.errors[outcome] = tally.errors.get(outcome, 0) + 1
            second.errors[outcome] = second.errors.get(outcome, 0) + 1
            reason = ended.reason
            if reason and (reason in self.reasons or len(self.reasons) < MOST_REASONS):
                self.reasons[reason] = self.reasons.get(reason, 0) + 1
        if self.requests % self.one_in == 0:
            self._keep(ended)

    def _tally(self, name: str) -> Tally:
        if len(self.tallies) >= MOST_NAMES:
            name = OTHER
        return self.tallies.setdefault(name, Tally())

    def _keep(self, ended: Attempt) -> None:
        began_s, first_byte_s = self._clock.began_s, ended.first_byte_s
        timing = ended.response.header("server-timing") if ended.response is not None else None
        self.samples.append(
            Sample(
                ended.name,
                ended.intended_s - began_s,
                ended.sent_s - began_s,
                None if first_byte_s is None else first_byte_s - began_s,
                ended.ended_s - began_s,
                ended.status,
                ended.outcome,
                ended.attempt,
                ended.retry_after_s,
                parse_server_timing(timing) if timing else None,
            )
        )
        if len(self.samples) >= MOST_SAMPLES:
            del self.samples[::2]
            self.one_in *= 2

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
        now = monotonic()
        while now >= self._second_ends_s:
            self.seconds.append(self._second.closed(self.users))
            self._second = _Second(len(self.seconds))
            self._second_ends_s += 1.0

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

    __slots__ = ("arrived", "at_s", "errors", "good", "latency", "requests")

    def __init__(self, at_s: int) -> None:
        self.at_s = at_s
        self.arrived = 0
        self.requests = 0
        self.good = 0
        self.errors: dict[str, int] = {}
        self.latency = Histogram()

    def closed(self, users: int) -> Second:
        latency = self.latency.latency()
        return Second(float(self.at_s), self.arrived, self.requests, self.good, self.errors, latency, users)
