"""Runs queries: equal ones share one run while the data stay the same, runs go through the read pool, and a run nobody
waits for stops."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Generic, TypeVar, cast
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from seawall import DeadlineExceeded, SingleFlight, ThreadPool, deadline
from seawall.clock import SYSTEM_CLOCK
from seawall.observe.server_timing import note_wait
from turnout.errors import QueryCancelled, StoreUnavailable
from turnout.model.query import Days, Instants, Query, Result
from turnout.model.site import Site, SiteId
from turnout.query.across import first_day_plan, visitors_by_day_plan, visitors_now_plan
from turnout.query.line import Line, Spot, note_spot
from turnout.query.plan import Plan, make_plan
from turnout.query.properties import property_names_plan, shape_names
from turnout.query.shape import shape
from turnout.query.spans import days_of
from turnout.store.protocols import EventReader

_INTERRUPT_AGAIN_S = 0.02
KEPT_ANSWERS = 500
KEPT_ROWS = 500
"""An answer of more rows is not kept, which bounds what the kept ones take to some tens of megabytes at the worst."""

T = TypeVar("T")
A = TypeVar("A")


class QueryRunner:
    """Answers queries from one event store.

    `pool` bounds how many statements run at once; the rest wait in order, in `line` where it is given, with equal right
    for every organisation, else in the pool. `timeout_s` bounds a whole `answer` or
    `answer_all`, waiting included, within the ambient deadline. `shares` is False in the lab alone: every question is
    then asked of the store, and no answer is kept.
    """

    def __init__(
        self,
        reader: EventReader,
        pool: ThreadPool,
        *,
        timeout_s: float = 30.0,
        name: str = "queries",
        line: Line | None = None,
        shares: bool = True,
    ) -> None:
        self._reader = reader
        self._pool = pool
        self._timeout_s = timeout_s
        self._line = line
        self._shares = shares
        self._spots: WeakValueDictionary[tuple[object, ...], Spot] = WeakValueDictionary()
        self._flights = SingleFlight(name)
        # The latest answers, by question and data version: right for as long as nothing new is stored.
        self._kept: OrderedDict[tuple[object, ...], object] = OrderedDict()

    async def answer(self, site: Site, query: Query) -> Result:
        """The answer to one query. Does not block the loop.

        Equal queries of one site at the same data version share one run, and its answer while it is kept. A run whose
        last asker has gone is interrupted within 200 ms. Raises `StoreUnavailable` when the store can't answer or time
        runs out, `seawall.Overloaded` when too many wait already.
        """
        # The version first: a day that newer events have touched is then gone from what is derived, or is read as it
        # was at the version.
        version = self._reader.version()
        plan = make_plan(site, query, self._reader.derived(site.id))
        zone = ZoneInfo(site.timezone)
        key = (site.id, site.timezone, query.range, query.time_labels, plan.sql, plan.parameters, version)
        return await self._shared(site, key, plan, lambda rows: shape(plan, rows, query, zone))

    async def answer_all(self, site: Site, queries: Sequence[Query]) -> list[Result]:
        """The answers to a batch, in its order, all asked at once. Raises what the first failing `answer` raises."""
        tasks: list[asyncio.Task[Result]] = []
        try:
            async with asyncio.TaskGroup() as group:
                tasks += [group.create_task(self.answer(site, query)) for query in queries]
        except BaseExceptionGroup as failed:
            raise _first_error(failed) from failed
        return [task.result() for task in tasks]

    async def first_day(self, site: Site) -> date | None:
        """The local day of the site's first event, None where it has none. Raises as `answer` does."""
        version = self._reader.version()
        plan = first_day_plan(site, self._reader.derived(site.id))

        def first(rows: Sequence[tuple[object, ...]]) -> date | None:
            day = rows[0][0]
            return day if isinstance(day, date) else None

        return await self._shared(site, (plan.sql, plan.parameters, version), plan, first)

    async def visitors_by_day(self, spans: Sequence[tuple[Site, Days]]) -> dict[SiteId, list[int]]:
        """Each site's visitors on each day of its span, in order, by one statement for all. Raises as `answer` does.

        Spans are of local days, so at one moment those of different sites may differ.
        """
        if not spans:
            return {}
        version = self._reader.version()
        plan = visitors_by_day_plan([(site, span, self._reader.derived(site.id)) for site, span in spans])

        def by_day(rows: Sequence[tuple[object, ...]]) -> dict[SiteId, list[int]]:
            found = {(site_id, day): visitors for site_id, day, visitors in rows}
            return {site.id: [_count(found.get((site.id, day), 0)) for day in days_of(span)] for site, span in spans}

        return await self._shared(spans[0][0], (plan.sql, tuple(spans), version), plan, by_day)

    async def visitors_now(self, site: Site, since: datetime) -> int:
        """How many visitors of the site had an event at or after `since` (aware), to the second. Raises as `answer` does."""
        plan = visitors_now_plan(site, since.replace(microsecond=0))
        key = (plan.sql, plan.parameters, self._reader.version())
        # Not kept: another second is another question, and it would push out what pages ask again.
        return await self._shared(site, key, plan, lambda rows: _count(rows[0][0]), is_kept=False)

    async def aside(self, work: Callable[[A], T], argument: A) -> T:
        """What `work` returns, done where statements run and bounded as they are: for what is too long for the loop."""
        try:
            with deadline(self._timeout_s):
                return await self._pool.run(work, argument)
        except DeadlineExceeded as error:
            raise StoreUnavailable("the query took too long; ask for less, or come back when it is quieter") from error

    def version(self) -> int:
        """The position up to which answers are complete. Does not block."""
        return self._reader.version()

    def state(self) -> object:
        """What stays equal for as long as every answer stays the same; equal to nothing where answers are not shared."""
        return self._reader.version() if self._shares else object()

    async def rows(self, site: Site, plan: Plan) -> list[tuple[object, ...]]:
        """The rows of a statement that is no `Query`, as they are. Raises as `answer` does."""
        key = (plan.sql, plan.parameters, self._reader.version())
        return await self._shared(site, key, plan, list, is_kept=False)

    async def property_names(self, site: Site, span: Days | Instants, event: str) -> tuple[str, ...]:
        """The names of an event's properties in a range, most frequent first, 30 at most. Raises as `answer` does."""
        plan = property_names_plan(site, span, event)
        return await self._shared(site, (plan.sql, plan.parameters, self._reader.version()), plan, shape_names)

    async def _shared(
        self,
        site: Site,
        key: tuple[object, ...],
        plan: Plan,
        finish: Callable[[list[tuple[object, ...]]], T],
        *,
        is_kept: bool = True,
    ) -> T:
        """What `finish` makes of the plan's rows; one run for all who ask for `key`, which names the data's version."""
        if not self._shares:
            key, is_kept = (*key, object()), False
        if key in self._kept:
            self._kept.move_to_end(key)
            return cast("T", self._kept[key])
        spot = self._spots.get(key)
        if spot is None:
            spot = self._spots[key] = Spot()
        note_spot(spot)

        async def run() -> T:
            rows = 0

            def work(ticket: object) -> T:
                nonlocal rows
                began_s = SYSTEM_CLOCK.monotonic()
                try:
                    found = self._reader.rows(plan.sql, plan.parameters, ticket=ticket)
                finally:
                    took_s = SYSTEM_CLOCK.monotonic() - began_s
                    note_wait("db.events", took_s)
                    if self._line is not None and self._line.limit is not None:
                        self._line.limit.ran(took_s)
                rows = len(found)
                return finish(found)

            answer = await self._run_in_turn(site, spot, work)
            if is_kept and rows <= KEPT_ROWS:
                self._keep(key, answer)
            return answer

        try:
            with deadline(self._timeout_s):
                return await self._flights.run(key, run)
        except DeadlineExceeded as error:
            raise StoreUnavailable("the query took too long; ask for less, or come back when it is quieter") from error
        except QueryCancelled as error:
            # Its asker is still here, so it was stopped from outside: the store is closing.
            raise StoreUnavailable("the query was stopped") from error

    def _keep(self, key: tuple[object, ...], answer: object) -> None:
        self._kept[key] = answer
        if len(self._kept) > KEPT_ANSWERS:
            self._kept.popitem(last=False)

    async def _run_in_turn(self, site: Site, spot: Spot, work: Callable[[object], T]) -> T:
        if self._line is None:
            return await self._run(work)
        line = self._line
        spot.admitted = line.gate.admit(line.workload, tenant=f"organisation {site.organisation_id}")
        async with spot.admitted:
            return await self._run(work)

    async def _run(self, work: Callable[[object], T]) -> T:
        run = _Run(work, self._reader)
        try:
            return await self._pool.run(run.carry_out)
        except (asyncio.CancelledError, DeadlineExceeded):
            run.leave()
            raise


class _Run(Generic[T]):
    """One statement in the pool. `leave` is called on the loop, `carry_out` on a thread of the pool.

    Each writes its own flag before it reads the other's, so at least one of them sees that the asker has left.
    """

    def __init__(self, work: Callable[[object], T], reader: EventReader) -> None:
        self._work = work
        self._reader = reader
        self._has_begun = False
        self._is_over = False
        self._is_left = False

    def carry_out(self) -> T:
        self._has_begun = True
        try:
            if self._is_left:
                raise QueryCancelled("nobody waits for this query")
            return self._work(self)
        finally:
            self._is_over = True

    def leave(self) -> None:
        self._is_left = True
        if self._has_begun and not self._is_over:
            self._reader.interrupt(self)
            # The engine forgets an interrupt that comes a moment before the statement begins: until it is over, again.
            asyncio.get_running_loop().call_later(_INTERRUPT_AGAIN_S, self.leave)


def _count(value: object) -> int:
    assert isinstance(value, int)
    return value


def _first_error(failed: BaseExceptionGroup[BaseException]) -> BaseException:
    error = failed.exceptions[0]
    return _first_error(error) if isinstance(error, BaseExceptionGroup) else error
