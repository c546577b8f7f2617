"""The search for the load that a target holds: one run after the other, each once the target has got over the last."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from flashcrowd.engine.run import Finished
from flashcrowd.result import LimitResult, RunResult
from flashcrowd.verdict.knee import KneeSearch
from flashcrowd.verdict.level import Level, level_of
from flashcrowd.verdict.name import name_bottleneck
from flashcrowd.verdict.of_run import points_of
from flashcrowd.verdict.usl import Point, fit_scalability

RECOVERY_RUN_S = 1.0
LONGEST_RECOVERY_S = 30.0
"""A target that is not well half a minute after the load has gone does not get over it by itself."""
AGAIN_IF_VOID = 1
"""Times that a load is tried again whose run was void: a machine may have been busy with something else."""

Send = Callable[[float, float], Awaitable[Finished]]
"""Sends so many users a second for so many seconds."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the search found, and why it ended where it could not go on."""

    result: LimitResult
    void_reason: str = ""
    """Why the generator could not send what was to be tried next; empty where the search came to its end."""
    unwell_after_per_s: float | None = None
    """The rate of users after which the target did not recover."""


class Search:
    """Tries loads as a `KneeSearch` proposes them. Loads are requests a second; users a second are reckoned from the last
    run that held, since users who fail ask for less."""

    def __init__(
        self,
        send: Send,
        holds: Callable[[RunResult], bool],
        promise: str,
        *,
        knee: KneeSearch,
        from_per_s: float,
        level_s: float,
    ) -> None:
        self._send = send
        self._holds = holds
        self._promise = promise
        self._knee = knee
        self._from_per_s = from_per_s
        self._level_s = level_s
        self._requests_a_user = 1.0
        self._runs: list[RunResult] = []
        self._levels: list[Level] = []
        self._points: list[Point] = []
        self.is_stopped = False

    def stop(self) -> None:
        """Has the run that is on be the last one."""
        self.is_stopped = True

    async def run(self) -> Found:
        """Tries loads until the limit is found, the generator is at its end, or the target does not recover."""
        users_per_s = self._from_per_s
        while True:
            finished = await self._tried(users_per_s)
            run = finished.result
            self._runs.append(run)
            self._points.append(Point(0.0, 0.0))  # until it is known
            if self.is_stopped:  # the run was cut short
                break
            if run.void:
                return Found(self._result(), void_reason=run.void_reason)
            level = level_of(finished.under_load, run.readings, until_s=run.duration_s, one_in=finished.one_in)
            if level is not None:
                self._levels.append(level)
                self._points[-1] = points_of([level])[0]
            held = self._holds(run)
            offered_per_s = run.offered_per_s or 0.0
            if held or len(self._runs) == 1:
                self._requests_a_user = max(offered_per_s / users_per_s, 1e-9)
            self._knee.tell(users_per_s * self._requests_a_user, run.goodput_per_s, promise_held=held)
            following = self._knee.next_load_per_s()
            if following is None:
                break
            if not held and not await self._recovers():
                return Found(self._result(), unwell_after_per_s=users_per_s)
            users_per_s = following / self._requests_a_user
        return Found(self._result())

    async def _tried(self, users_per_s: float) -> Finished:
        finished = await self._send(users_per_s, self._level_s)
        for _ in range(AGAIN_IF_VOID):
            if not finished.result.void or self.is_stopped:
                break
            finished = await self._send(users_per_s, self._level_s)
        return finished

    async def _recovers(self) -> bool:
        """Watches a trickle of users, one second after the other, until the promise holds for them. Where it never held there
        is nothing to compare with, and one second must do."""
        held = self._knee.holds_per_s
        if held is None:
            await self._send(1.0, RECOVERY_RUN_S)
            return True
        trickle_per_s = min(self._from_per_s, held / self._requests_a_user)
        watched_s = 0.0
        while watched_s < LONGEST_RECOVERY_S and not self.is_stopped:
            if self._holds((await self._send(max(1.0, trickle_per_s), RECOVERY_RUN_S)).result):
                return True
            watched_s += RECOVERY_RUN_S
        return self.is_stopped

    def _result(self) -> LimitResult:
        law = fit_scalability(points_of(self._levels))
        verdict = name_bottleneck(self._levels)
        return LimitResult(
            runs=tuple(self._runs),
            promise=self._promise,
            holds_per_s=self._knee.holds_per_s,
            peak_per_s=max((run.goodput_per_s for run in self._runs if not run.void), default=0.0),
            contention=law.contention.value if law is not None else None,
            coherency=law.coherency.value if law is not None else None,
            verdict=verdict,
            alone_per_s=law.alone_per_s if law is not None else None,
            under_way=tuple(point.under_way for point in self._points),
            done_per_s=tuple(point.done_per_s for point in self._points),
        )
