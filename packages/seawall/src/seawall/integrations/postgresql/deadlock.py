"""A deadlock that a database takes part in, as the caller gets it."""

from __future__ import annotations

import re

from sqlalchemy.exc import DBAPIError, OperationalError

from seawall.errors import Deadlock, Wait
from seawall.integrations.postgresql.backends import BACKENDS, Statement
from seawall.runtime.stacks import stack_of
from seawall.runtime.who import name_of

_DETAIL = re.compile(r"Process (\d+) waits for (.+?); blocked by process (\d+)\.")


class DatabaseDeadlock(Deadlock, OperationalError):
    """Raised when a statement could never have ended. Roll back, which lets the others go on; then it may be tried again.

    Also SQLAlchemy's OperationalError, with the driver's error as `orig`, so that what tries again after a deadlock goes
    on doing so: `orig.sqlstate` is 40P01 where the server found it, and 57014 where Seawall cancelled the statement,
    since the server could not know.
    """

    def __init__(self, cycle: tuple[Wait, ...], error: DBAPIError) -> None:
        OperationalError.__init__(
            self,
            error.statement,
            error.params,
            error.orig,  # type: ignore[arg-type]
            hide_parameters=error.hide_parameters,
            connection_invalidated=error.connection_invalidated,
            ismulti=error.ismulti,
        )
        self.cycle = cycle
        self._error = error

    def __str__(self) -> str:
        return f"{Deadlock.__str__(self)}\n{OperationalError.__str__(self)}"

    def __reduce__(self) -> tuple[type[DatabaseDeadlock], tuple[tuple[Wait, ...], DBAPIError]]:
        return type(self), (self.cycle, self._error)


def cycle_told_by_server(statement: Statement, detail: str | None) -> tuple[Wait, ...]:
    """The deadlock as the server tells it, for one that was broken before the lookout saw it; our own stacks are added."""
    mine = statement.backend.pid
    edges = [(int(waiter), lock, int(holder)) for waiter, lock, holder in _DETAIL.findall(detail or "")]
    edges.sort(key=lambda edge: edge[0] != mine)
    if not edges:  # told in another language
        return (Wait(statement.resource, statement.who(), (), stack_of(statement.owner)),)
    database = statement.backend.database
    parties = {pid: _party(statement, pid) for waiter, _, holder in edges for pid in (waiter, holder)}
    return tuple(
        Wait(
            resource=f"PostgreSQL {database}: {lock}",
            waiter=parties[waiter][0],
            holders=(parties[holder][0],),
            waiter_stack=parties[waiter][1],
            holder_stacks=(parties[holder][1],),
        )
        for waiter, lock, holder in edges
    )


def _party(statement: Statement, pid: int) -> tuple[str, tuple[str, ...]]:
    if pid == statement.backend.pid:
        return statement.who(), stack_of(statement.owner)
    backend = BACKENDS.find(statement.backend.server, pid)
    if backend is None:
        return f"PostgreSQL process {pid}", ()
    user = backend.user()
    if user is None:  # with the deadlock broken it went on, and may have given the connection back by now
        return backend.last_user or f"PostgreSQL process {pid}", ()
    return name_of(user), stack_of(user)
