"""What is measured, in which order, and what is said about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from benchmarks.admission.bench import Bench, Result
from benchmarks.admission.crowd import WARM_UP_S, Stream, Visit
from benchmarks.admission.service import TENANTS
from benchmarks.report import commit, machine, percentile, report

GOALS = {1.0: 0.95, 2.0: 0.98, 5.0: 0.95, 10.0: 0.90, 20.0: 0.80}
PEERS = ("bare", "limit-concurrency", "CapacityLimiter")
CALM = 0.8
"""Of the peak: a load that is borne without thought."""

NOISY = 50
"""Times its share that one tenant sends."""

CRITICAL_PER_S = 20.0
SATURATED = 0.9
"""The sweep ends where less than this part of what is asked for is answered well."""

MOST_RATES = 10
SECOND_TRIES = 6
"""How many void runs of all are tried again."""

Document = dict[str, object]


class Plan:
    """The measuring of one bench, and what came out so far."""

    def __init__(self, bench: Bench, is_quick: bool) -> None:
        self._bench = bench
        self._seconds = 4.0 if is_quick else 10.0
        self._is_quick = is_quick
        self._again = SECOND_TRIES
        self.results: list[tuple[str, Result]] = []
        self.peak_per_s = self.peak_work = 0.0

    def sweep(self) -> None:
        """Find the peak: the highest goodput of rising rates, with the gate in shadow."""
        rate_per_s, found = 0.6 / self._bench.mean_cost_s, list[Result]()
        while len(found) < MOST_RATES:
            found.append(self.run("sweep", "shadow", rate_per_s))
            if found[-1].goodput_per_s < SATURATED * rate_per_s:
                break
            rate_per_s *= 1.2 if self._is_quick else 1.12
        best = max(found, key=lambda result: result.goodput_per_s)
        self.peak_per_s, self.peak_work = best.goodput_per_s, max(result.work for result in found)
        report("peak, gate in shadow", "good answers/s", self.peak_per_s, note=_note(best))
        report("... CPU time of good answers", "s/s", self.peak_work)

    def factors(self) -> None:
        """The gate and its peers under rising load, in turn, so that what else the machine does meets all alike."""
        for factor, goal in GOALS.items():
            if self._is_quick and factor in (2.0, 20.0):
                continue
            own = self.run("load", "gate", factor * self.peak_per_s, factor=factor)
            peers = [self.run("load", door, factor * self.peak_per_s, factor=factor) for door in PEERS]
            for unit, value_of in self._measures():
                for peer in peers:
                    report(
                        f"goodput at {factor:g} x", unit, value_of(own), peer=peer.door, peer_value=value_of(peer),
                        goal=f">= {goal:g}", note=_note(own, peer),
                    )  # fmt: skip
            report(
                f"events accepted at {factor:g} x", "share", _accepted(own), peer="bare", peer_value=_accepted(peers[0])
            )

    def retries(self) -> None:
        """Who is refused comes back twice, at 5 x."""
        for door in ("gate", "limit-concurrency"):
            result = self.run("two retries", door, 5 * self.peak_per_s, factor=5.0, retries=2)
            for unit, value_of in self._measures():
                report(
                    f"goodput at 5 x, two retries, {door}", unit, value_of(result), goal=">= 0.9", note=_note(result)
                )

    def one_tenant(self) -> None:
        """One tenant sends 50 times its share; then the long load, which is compared with the same calm run."""
        seconds = 2 * self._seconds
        calm = self.run("calm", "gate", CALM * self.peak_per_s, seconds=seconds, factor=CALM)
        noise = Stream("noisy", NOISY * CALM * self.peak_per_s / TENANTS, WARM_UP_S + seconds)
        for door in ("gate",) if self._is_quick else ("gate", "CapacityLimiter"):
            noisy = self.run("noisy", door, CALM * self.peak_per_s, seconds=seconds, factor=CALM, others=[noise])
            before, beside = _others(calm), _others(noisy)
            name = f"one tenant at {NOISY} x its share, {door}: the other {TENANTS - 1}"
            report(name, "Jain's index of good answers", jain(beside), goal=">= 0.98", note=_note(noisy))
            report(
                name, "p99 ms", _p99_ms(beside), peer="without it", peer_value=_p99_ms(before), goal="<= 1.2 x",
                note=_note(noisy, calm),
            )  # fmt: skip
        self.long(calm)

    def long(self, calm: Result) -> None:
        """A long time at 10 x, with critical requests among it, and what comes after."""
        seconds = 12.0 if self._is_quick else 60.0
        end_s = WARM_UP_S + seconds
        after = Stream("after", CALM * self.peak_per_s, 10.0, end_s)
        critical = Stream("critical", CRITICAL_PER_S, end_s)
        rate_per_s = 10 * self.peak_per_s
        result = self.run("long", "gate", rate_per_s, seconds=seconds, factor=10.0, others=[critical, after])
        note = _note(result)
        name = f"{seconds:g} s at 10 x"
        for unit, value_of in self._measures():
            report(f"{name}: goodput", unit, value_of(result), goal=">= 0.9", note=note)
        report(
            f"{name}: p99 of dashboards let in", "ms", result.p99_ms(), peer="at 0.8 x", peer_value=calm.p99_ms(),
            goal="<= 2 x", note=_note(result, calm),
        )  # fmt: skip
        chosen = result.met.of("critical", WARM_UP_S)
        good = sum(visit.is_good for visit in chosen) / max(1, len(chosen))
        report(f"{name}: critical, {len(chosen)} requests", "share good", good, goal=">= 0.999", note=note)
        report(f"{name}: back to 95 % good", "s", recovery_s(result.met.of("after")), goal="<= 1", note=note)
        report(f"{name}: memory at most", "MB", result.most_mb, peer="idle", peer_value=result.idle_mb, note=note)
        if not self._is_quick:
            bare = self.run("long", "bare", rate_per_s, seconds=20.0, factor=10.0, others=[
                Stream("after", CALM * self.peak_per_s, 15.0, WARM_UP_S + 20.0)
            ])  # fmt: skip
            back_s = recovery_s(bare.met.of("after"))
            report("20 s at 10 x, bare: back to 95 % good", "s", back_s, goal="", note=_note(bare))
            report("20 s at 10 x, bare: memory at most", "MB", bare.most_mb, peer="idle", peer_value=bare.idle_mb)

    def peak_again(self) -> None:
        """The peak once more, to know how far the machine has drifted meanwhile."""
        again = self.run("peak again", "shadow", self.peak_per_s, factor=1.0)
        report(
            "peak again, at the end", "good answers/s", again.goodput_per_s, peer="at the beginning",
            peer_value=self.peak_per_s, note=_note(again),
        )  # fmt: skip

    def run(
        self, part: str, door: str, rate_per_s: float, *, seconds: float = 0.0, factor: float = 0.0, retries: int = 0,
        others: Sequence[Stream] = (),
    ) -> Result:  # fmt: skip
        """One run, and another one where it is void and that may be put down to chance."""
        while True:
            result = self._bench.run(
                door, rate_per_s, seconds or self._seconds, factor=factor, retries=retries, others=others
            )
            if not result.met.is_void or self._again <= 0:
                break
            self._again -= 1
        self.results.append((part, result))
        return result

    def document(self) -> Document:
        """All of it, to be kept."""
        return {
            "machine": machine(),
            "commit": commit(),
            "is_quick": self._is_quick,
            "seconds": self._seconds,
            "events_per_s": self._bench.events_per_s,
            "cost_s": self._bench.cost_s,
            "peak_per_s": self.peak_per_s,
            "peak_work": self.peak_work,
            "runs": [_kept(part, result) for part, result in self.results],
        }

    def _measures(self) -> list[tuple[str, Callable[[Result], float]]]:
        return [
            ("share of peak, by CPU time of good answers", lambda result: result.work / self.peak_work),
            ("share of peak, by number of good answers", lambda result: result.goodput_per_s / self.peak_per_s),
        ]


def measure(bench: Bench, is_quick: bool) -> Document:
    """Measure everything, print it, and return it."""
    plan = Plan(bench, is_quick)
    for step in (plan.sweep, plan.factors, plan.retries, plan.one_tenant, plan.peak_again):
        step()
    return plan.document()


def jain(visits: Sequence[Visit]) -> float:
    """Jain's index over tenants of the share of each one's requests that was good: 1 where all fare alike."""
    sent = Counter(visit.tenant for visit in visits)
    good = Counter(visit.tenant for visit in visits if visit.is_good)
    shares = [good[tenant] / sent[tenant] for tenant in sent]
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 0.0


def recovery_s(after: Sequence[Visit]) -> float:
    """From which moment on 95 % of those who come within each second are served well; all of the time where never."""
    if not after:
        return 0.0
    times = [(visit.intended - after[0].intended) / 1000 for visit in after]
    last_s = int(times[-1])
    bad_until_s = 0.0
    for tenth in range(last_s * 10 - 9):
        window = [v for v, at_s in zip(after, times, strict=True) if tenth / 10 <= at_s < tenth / 10 + 1]
        if sum(visit.is_good for visit in window) < 0.95 * len(window):
            bad_until_s = (tenth + 1) / 10
    return bad_until_s


def _others(result: Result) -> list[Visit]:
    return [visit for visit in result.visits if visit.tenant != 0]


def _p99_ms(visits: Sequence[Visit]) -> float:
    return percentile([v.took for v in visits if v.right and v.kind == "dashboard"], 0.99)


def _accepted(result: Result) -> float:
    events = result.met.events
    return events["accepted"] / max(1, events["accepted"] + events["lost"])


def _note(*results: Result) -> str:
    """Why not to believe it."""
    return "; ".join(
        f"void, {result.door}: sent {result.met.late_p99_ms:.0f} ms late (p99), {result.met.dropped} not at all"
        for result in results
        if result.met.is_void
    )


def _kept(part: str, result: Result) -> Document:
    return {
        "part": part,
        "door": result.door,
        "factor": result.factor,
        "goodput_per_s": round(result.goodput_per_s, 2),
        "work": round(result.work, 4),
        "shares": {outcome: round(result.share_of(outcome), 4) for outcome in ("good", "refused", "late", "lost")},
        "p99_ms": {kind: round(result.p99_ms(kind)) for kind in ("dashboard", "cached", "sign-in")},
        "events": result.met.events,
        "late_p99_ms": result.met.late_p99_ms,
        "dropped": result.met.dropped,
        "is_void": result.met.is_void,
        "most_mb": round(result.most_mb),
    }
