"""Read-only statements on the event store, each on a cursor of its own; a run can be stopped from another thread."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import duckdb

from seawall import Mutex
from turnout.errors import QueryCancelled, StoreUnavailable
from turnout.model.derived import NOTHING_DERIVED, Derived


class Reader:
    """Runs read-only SQL on one open DuckDB database (`EventReader` in `store/protocols.py`).

    `connect` makes a connection to the database; they are made as they are needed, one for each statement that runs at
    once, and kept, but for those that a failed or reopened database has ended. `position` tells how far the store is
    complete, `derived` which days of a site are derived; neither may block.
    """

    def __init__(
        self,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        position: Callable[[], int],
        derived: Callable[[int], Derived] = lambda site_id: NOTHING_DERIVED,
    ) -> None:
        self._connect = connect
        self._position = position
        self._derived = derived
        self._mutex = Mutex("store.cursors")
        self._idle: list[duckdb.DuckDBPyConnection] = []  # guarded by self._mutex
        self._running: dict[object, duckdb.DuckDBPyConnection] = {}  # guarded by self._mutex

    def version(self) -> int:
        """The position up to which answers are complete. Does not block."""
        return self._position()

    def derived(self, site_id: int) -> Derived:
        """The site's days that are derived and complete for the version read before. Does not block."""
        return self._derived(site_id)

    def rows(self, sql: str, parameters: Sequence[object], *, ticket: object = None) -> list[tuple[object, ...]]:
        """All rows of one statement. Blocks. `ticket` names the run for `interrupt`.

        Raises `QueryCancelled` when it was interrupted, and `StoreUnavailable` when the engine could not answer.
        """
        if ticket is None:
            ticket = object()
        cursor = self._check_out(ticket)
        is_dead = False
        try:
            return cursor.execute(sql, list(parameters)).fetchall()
        except duckdb.InterruptException:
            raise QueryCancelled("the query was interrupted") from None
        except duckdb.OutOfMemoryException as error:
            raise StoreUnavailable("the query needs more memory than the event store may use") from error
        except duckdb.Error as error:
            is_dead = isinstance(error, duckdb.FatalException | duckdb.ConnectionException)
            raise StoreUnavailable(f"the event store could not answer: {type(error).__name__}") from error
        finally:
            self._check_in(ticket, cursor, is_dead=is_dead)

    def interrupt(self, ticket: object) -> None:
        """Stop the statement that runs under `ticket`, from any thread; nothing where none does.

        The engine forgets an interrupt that reaches it just before a statement begins, so who must be sure repeats it.
        """
        # Under the mutex, so that the cursor can't have gone to another statement meanwhile; it only sets a flag.
        with self._mutex:
            cursor = self._running.get(ticket)
            if cursor is not None:
                cursor.interrupt()

    def close(self) -> None:
        """Close the idle cursors. Statements that run end first; call it when none does."""
        with self._mutex:
            idle, self._idle = self._idle, []
        for cursor in idle:
            cursor.close()

    def _check_out(self, ticket: object) -> duckdb.DuckDBPyConnection:
        with self._mutex:
            cursor = self._idle.pop() if self._idle else None
        if cursor is None:
            cursor = self._connect()
        with self._mutex:
            self._running[ticket] = cursor
        return cursor

    def _check_in(self, ticket: object, cursor: duckdb.DuckDBPyConnection, *, is_dead: bool) -> None:
        with self._mutex:
            del self._running[ticket]
            if not is_dead:
                self._idle.append(cursor)
        if is_dead:
            cursor.close()
