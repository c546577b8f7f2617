"""The thread that asks the server about statements that take long, and ends what can never end."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from weakref import WeakValueDictionary

from seawall.clock import SYSTEM_CLOCK
from seawall.integrations.postgresql.asking import Blocked, Spare
from seawall.integrations.postgresql.backends import BACKENDS, Backend, Server, Statement
from seawall.observe.events import EVENTS, DeadlockFound
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS, Sighting
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawLock, Thread, spawn_beside

EVERY_S = 0.1
"""How often it looks at its own table: a deadlock is to be broken within 1.2 s, and such a look costs microseconds."""

ASKS_EVERY_S = 0.25
"""How often it asks the server at most."""

LINGERS_S = 2.0
"""How long it outlasts the last statement."""


class Lookout:
    """Of one engine. Its thread runs while statements do, and its connection is open while some take long."""

    def __init__(self, name: str, after_s: float) -> None:
        self._name = name
        self._after_s = after_s
        self._backends: WeakValueDictionary[int, Backend] = WeakValueDictionary()
        self.is_running = False  # guarded by self._guard where it is set
        self._guard = RawLock()
        self._is_stopped = False
        self._parker = Parker()
        self.thread: Thread | None = None
        self._spares: dict[Server, Spare] = {}  # the thread's, as is all below
        self._asked_s = 0.0
        self._rests_s = 0.0
        self.asks_total = 0
        self.failures_total = 0
        self.last_error: str | None = None

    def add(self, backend: Backend) -> None:
        """Look after `backend` for as long as it lives."""
        self._backends[id(backend)] = backend

    def start(self) -> None:
        """Have the thread run. For whoever has begun a statement and found that it does not."""
        if not self._claim():
            return
        try:
            self.thread = spawn_beside(f"seawall-postgresql-{self._name}", self._run)
        except RuntimeError:  # no more threads: the next statement tries again
            self.is_running = False

    def rest(self) -> None:
        """Have the thread end as soon as no statement runs. Does not block; the next statement starts it anew."""
        self._rests_s = 0.0
        self._parker.unpark()

    def stop(self) -> tuple[Statement, ...]:
        """Have the thread end for good. Does not block. Returns the statements that are no more looked after."""
        self._is_stopped = True
        self._parker.unpark()
        return tuple(self._statements())

    def _claim(self) -> bool:
        with self._guard:
            if self.is_running or self._is_stopped:
                return False
            self.is_running = True
            return True

    def _run(self) -> None:
        while True:
            self._rests_s = SYSTEM_CLOCK.monotonic() + LINGERS_S
            while not self._is_stopped and SYSTEM_CLOCK.monotonic() < self._rests_s:
                try:
                    self._look()
                except Exception as error:  # noqa: BLE001 - it must outlive a look that went wrong; the count shows
                    self.failures_total += 1
                    self.last_error = f"{type(error).__name__}: {error}"
                    self._close_spares()
                    self._asked_s = SYSTEM_CLOCK.monotonic() + LINGERS_S  # no hurry to fail again
                self._parker.park(EVERY_S)
            self._close_spares()
            self.is_running = False
            # Who has begun a statement just before has seen it running, and counts on it.
            if not self._statements() or not self._claim():
                return

    def _statements(self) -> list[Statement]:
        # `valuerefs` reads the table in one step, whoever adds to it meanwhile.
        backends = [backend for ref in self._backends.valuerefs() if (backend := ref()) is not None]
        return [statement for backend in backends if (statement := backend.statement) is not None]

    def _look(self) -> None:
        now_s = SYSTEM_CLOCK.monotonic()
        running = self._statements()
        if running:
            self._rests_s = now_s + LINGERS_S
        slow = [statement for statement in running if now_s - statement.since_s >= self._after_s]
        if not slow:
            if self._spares and now_s - self._asked_s > LINGERS_S:
                self._close_spares()
            return
        if now_s - self._asked_s < ASKS_EVERY_S:
            return
        self._asked_s = now_s
        blocked = self._ask(slow)
        for statement in blocked:
            if not statement.is_noted:
                statement.is_noted = True
                WAITS.begin_for(statement, statement.need, statement.loans)
                if statement.is_decided():
                    WAITS.end(statement)
        sightings = [(s, sighting) for s in blocked if (sighting := WAITS.sight(s)) is not None]
        if not sightings:
            return
        self._ask(_statements(wait for _, sighting in sightings for wait in sighting.waits_seen()))
        for statement, before in sightings:
            # What both say, and nobody moved in between, was true all at once when the server was asked again.
            sighting = WAITS.sight(statement)
            if sighting is not None and sighting.agrees_with(before) and self._tell(statement, sighting):
                return

    def _ask(self, statements: Sequence[Statement]) -> list[Statement]:
        """Have the server say who blocks `statements`, note it, and return those that are blocked."""
        found: list[Statement] = []
        for server in {statement.backend.server for statement in statements}:
            asked = [statement for statement in statements if statement.backend.server == server]
            spare = self._spare(asked[0].backend)
            self.asks_total += 1
            answer = spare.who_blocks([statement.backend.pid for statement in asked])
            blocked = [statement for statement in asked if statement.backend.pid in answer]
            for statement in asked:
                _note(statement, answer.get(statement.backend.pid))
            unnamed = {statement.backend.pid: statement for statement in blocked if not statement.kind}
            if unnamed:
                for pid, kind in spare.for_what(unnamed).items():
                    unnamed[pid].kind = kind
            found += blocked
        return found

    def _spare(self, backend: Backend) -> Spare:
        spare = self._spares.get(backend.server)
        if spare is None:
            spare = Spare(backend)
            if spare.server != backend.server:
                spare.close()
                raise ConnectionError(f"asked {spare.server} about a process of {backend.server}")
            self._spares[backend.server] = spare
        return spare

    def _tell(self, statement: Statement, sighting: Sighting) -> bool:
        """Do what the policy says about the deadlock. True where a statement of it is being cancelled."""
        if SETTINGS.on_deadlock == "off":
            return False
        members = _statements(sighting.waits_in_knot())
        if _is_seen_by_server(statement):
            if not statement.seen:
                cycle = sighting.cycle()
                for member in members:  # the server ends one of them, and that one is to know all
                    member.seen = cycle
            return False
        if SETTINGS.on_deadlock == "report":
            if not any(member.is_told for member in members):
                statement.is_told = True
                EVENTS.emit(DeadlockFound(sighting.cycle(), was_raised=False))
            return False
        victim = next((member for member in members if member.verdict), statement)
        victim.verdict = victim.verdict or sighting.cycle()
        self._spares[victim.backend.server].cancel(victim.backend.pid, victim.query_start)
        return True

    def _close_spares(self) -> None:
        for spare in self._spares.values():
            try:
                spare.close()
            except Exception:  # noqa: BLE001 - it is given up either way
                self.failures_total += 1
        self._spares.clear()


def _note(statement: Statement, blocked: Blocked | None) -> None:
    if blocked is None:
        statement.blockers, statement.outsiders = (), ()
        return
    server = statement.backend.server
    ours = {pid: backend for pid in blocked.blockers if (backend := BACKENDS.find(server, pid)) is not None}
    statement.query_start = blocked.query_start
    statement.outsiders = tuple(name for pid, name in blocked.blockers.items() if pid not in ours)
    statement.blockers = tuple(ours.values())


def _statements(waits: Iterable[object]) -> list[Statement]:
    return [wait for wait in dict.fromkeys(waits) if isinstance(wait, Statement)]


def _is_seen_by_server(statement: Statement) -> bool:
    """Whether it waits, in the end, for itself by locks of the server alone: then the server breaks it."""
    line: list[Statement] = [statement]
    for one in line:  # grows while it is walked
        for backend in one.blockers:
            if backend is statement.backend:
                return True
            if backend.statement is not None and backend.statement not in line:
                line.append(backend.statement)
    return False
