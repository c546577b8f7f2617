"""What connects an engine with the graph of waiting: who has each connection, and which statement it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry

from seawall.clock import SYSTEM_CLOCK
from seawall.errors import DeadlineExceeded, Misuse
from seawall.integrations.postgresql.asking import who_am_i
from seawall.integrations.postgresql.backends import BACKENDS, Backend, Statement
from seawall.integrations.postgresql.deadlock import DatabaseDeadlock, cycle_told_by_server
from seawall.integrations.postgresql.lookout import Lookout
from seawall.observe.events import EVENTS, DeadlockFound
from seawall.observe.loans import Loan, loans_here
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.threads import join
from seawall.runtime.who import get_ident, name_of, this_task

_KEY = "seawall.backend"
_DEADLOCK_DETECTED = "40P01"
_QUERY_CANCELED = "57014"


def watch_postgresql(engine: Engine | AsyncEngine, *, name: str | None = None, after_s: float = 0.1) -> PostgresWatch:
    """Have row, table and advisory locks of `engine`'s database take part in deadlock detection. Does not block.

    From now on a statement that has run for `after_s` seconds is looked at: a thread asks the server, over a connection
    of its own, who blocks it. Where that is a transaction of another thread or task of this process, it becomes an edge
    of the graph of waiting. So a deadlock of a mutex and a row lock, of which the server cannot know, is found, and
    broken by cancelling the statement: it raises `DatabaseDeadlock`. A deadlock among the server's locks alone is left
    to the server to break, and its error becomes a `DatabaseDeadlock` that names threads, tasks and their stacks too.
    `name` stands for the database in reports. Policies and levels are those of `configure`.

    Blockers in other processes are named in snapshots and are never part of a deadlock. Only statements are seen: not
    a wait in COMMIT, in fetching from a server-side cursor, in COPY, or on the driver's own connection. Behind a pooler
    that gives each transaction another server process nothing is seen. One connection more than the pool's is used.

    Raises Misuse where the engine is not PostgreSQL on psycopg 3. Needs SQLAlchemy and psycopg.

    >>> engine = create_engine("postgresql+psycopg://…", poolclass=SeawallPool)  # doctest: +SKIP
    >>> watch = watch_postgresql(engine)  # doctest: +SKIP
    """
    return PostgresWatch(engine, name=name, after_s=after_s)


class PostgresWatch:
    """What `watch_postgresql` returns. It ends with its engine; `stop` ends it before."""

    def __init__(self, engine: Engine | AsyncEngine, *, name: str | None, after_s: float) -> None:
        sync = engine.sync_engine if isinstance(engine, AsyncEngine) else engine
        if sync.dialect.name != "postgresql" or sync.dialect.driver not in ("psycopg", "psycopg_async"):
            raise Misuse(f"watch_postgresql: needs postgresql+psycopg, not {sync.dialect.name}+{sync.dialect.driver}")
        if after_s <= 0:
            raise Misuse(f"watch_postgresql: after_s must be above 0, not {after_s}")
        self.name = name or sync.url.database or "postgresql"
        self._engine = sync
        self._is_async = sync.dialect.is_async
        self._lookout = Lookout(self.name, after_s)
        self._listeners: list[tuple[str, Callable[..., object]]] = [
            ("checkout", self._on_checkout),
            ("checkin", self._on_checkin),
            ("detach", self._on_end),
            ("invalidate", self._on_invalidate),
            ("close", self._on_end),
            ("before_cursor_execute", self._on_begin),
            ("after_cursor_execute", self._on_done),
            ("handle_error", self._on_error),
            ("engine_disposed", self._on_disposed),
        ]
        for what, listener in self._listeners:
            event.listen(sync, what, listener)

    @property
    def asks_total(self) -> int:
        """How often the server was asked."""
        return self._lookout.asks_total

    @property
    def failures_total(self) -> int:
        """How often asking failed; `last_error` says why the last time."""
        return self._lookout.failures_total

    @property
    def last_error(self) -> str | None:
        """Why asking failed the last time, in words."""
        return self._lookout.last_error

    def stop(self, timeout_s: float | None = None) -> None:
        """Watch no more. Blocks for at most `timeout_s` seconds, and within the ambient deadline, for the thread's end.

        Raises DeadlineExceeded when it still runs then. Harmless when repeated.
        """
        listeners, self._listeners = self._listeners, []
        for what, listener in listeners:
            event.remove(self._engine, what, listener)
        for statement in self._lookout.stop():
            _end(statement.backend)
        thread, began_s = self._lookout.thread, SYSTEM_CLOCK.monotonic()
        if thread is not None and not join(thread, wait_limit_s(timeout_s)):
            raise DeadlineExceeded(f"watch of {self.name}", SYSTEM_CLOCK.monotonic() - began_s)

    def _on_checkout(self, connection: Any, record: ConnectionPoolEntry, proxy: object) -> None:
        backend = record.info.get(_KEY)
        if backend is None:
            backend = self._backend_of(connection, record)
        backend.loan = Loan(this_task() if self._is_async else get_ident())

    def _backend_of(self, connection: Any, record: ConnectionPoolEntry) -> Backend:
        driver: Any = record.driver_connection
        pid, server = who_am_i(connection)
        backend = record.info[_KEY] = Backend(server, pid, self.name, driver)
        if pid == driver.info.backend_pid:  # or a pooler is in between, and it may be another one the next time
            BACKENDS.add(backend)
            self._lookout.add(backend)
        return backend

    def _on_checkin(self, connection: object, record: ConnectionPoolEntry) -> None:
        backend = record.info.get(_KEY)
        if backend is not None:
            _end(backend)
            if backend.loan is not None:
                backend.last_user = "" if backend.loan.owner is None else name_of(backend.loan.owner)
                backend.loan.end()
            backend.loan = None

    def _on_end(self, connection: object, record: ConnectionPoolEntry) -> None:
        backend = record.info.pop(_KEY, None)
        if backend is not None:
            _end(backend)
            BACKENDS.remove(backend)

    def _on_invalidate(self, connection: object, record: ConnectionPoolEntry, error: object) -> None:
        self._on_end(connection, record)

    def _on_begin(self, connection: Connection, *of_no_interest: object) -> None:
        backend: Backend | None = connection.info.get(_KEY)
        if backend is None or SETTINGS.level == "named":
            return
        if backend.loan not in loans_here():  # handed on: now it is in the hands of whoever uses it
            if backend.loan is not None:
                backend.loan.end()
            backend.loan = Loan(this_task() if self._is_async else get_ident())
        statement = backend.statement = Statement(backend, self._is_async)
        if statement.loop is not None:
            WAITS.block_loop(statement.loop)
        if not self._lookout.is_running:
            self._lookout.start()

    def _on_done(self, connection: Connection, *of_no_interest: object) -> None:
        backend: Backend | None = connection.info.get(_KEY)
        if backend is not None:
            _end(backend)

    def _on_error(self, context: ExceptionContext) -> DatabaseDeadlock | None:
        if context.connection is None or context.connection.closed or context.connection.invalidated:
            return None
        backend: Backend | None = context.connection.info.get(_KEY)
        statement = None if backend is None else _end(backend)
        error = context.sqlalchemy_exception
        if statement is None or error is None:
            return None
        cycle = _cycle_behind(statement, context.original_exception)
        cycle = tuple(sorted(cycle, key=lambda wait: wait.waiter != statement.who()))  # its own wait first
        if not cycle or SETTINGS.on_deadlock == "off":
            return None
        is_raised = SETTINGS.on_deadlock == "raise"
        EVENTS.emit(DeadlockFound(cycle, was_raised=is_raised))
        return DatabaseDeadlock(cycle, error) if is_raised else None  # type: ignore[arg-type]

    def _on_disposed(self, engine: Engine) -> None:
        self._lookout.rest()


def _end(backend: Backend) -> Statement | None:
    """Note that its statement, if it runs one, is over."""
    statement = backend.statement
    if statement is None:
        return None
    backend.statement = None
    statement.over = True
    if statement.is_noted or statement.loop is not None:
        WAITS.end(statement, statement.loop)
    return statement


def _cycle_behind(statement: Statement, error: BaseException) -> tuple[Any, ...]:
    state = getattr(error, "sqlstate", None)
    if state == _DEADLOCK_DETECTED:
        return statement.seen or cycle_told_by_server(statement, getattr(error.diag, "message_detail", None))  # type: ignore[attr-defined]
    return statement.verdict if state == _QUERY_CANCELED else ()
