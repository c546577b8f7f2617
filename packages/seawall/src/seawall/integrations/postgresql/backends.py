"""The server's processes that work for this one (*backends*), who uses each, and the statement that each runs now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType
from weakref import WeakValueDictionary

from psycopg import AsyncConnection, Connection

from seawall.clock import SYSTEM_CLOCK
from seawall.core.wait_graph import Need
from seawall.errors import Wait
from seawall.observe.loans import Loan, Loans, loans_here
from seawall.observe.waits import WAITS, OwnerNeed
from seawall.runtime.who import Loop, Owner, get_ident, name_of, running_loop, this_task

Server = NewType("Server", str)
"""One start of one server. Process ids mean something only together with it."""


@dataclass(eq=False)
class Backend:
    """One process of the server. Written by whoever uses its connection; read by the lookout."""

    server: Server
    pid: int
    database: str
    connection: Connection[object] | AsyncConnection[object]
    loan: Loan | None = None
    statement: Statement | None = None
    last_user: str = ""
    """Who had it last, for people: the server lets go of a transaction's locks before anybody here hears of it."""

    def user(self) -> Owner | None:
        """Who uses it and will end its transaction; None where nobody has it or that is not known."""
        loan = self.loan
        return None if loan is None else WAITS.stands_for(loan)


class Backends:
    """Those of all engines that are watched, as engines of one server meet in it. Held by their connections only."""

    def __init__(self) -> None:
        self._backends: WeakValueDictionary[tuple[Server, int], Backend] = WeakValueDictionary()

    def add(self, backend: Backend) -> None:
        """Note a new connection."""
        self._backends[backend.server, backend.pid] = backend

    def remove(self, backend: Backend) -> None:
        """Forget one that is closed, or that nobody knows of any more."""
        backend.loan = backend.statement = None
        self._backends.pop((backend.server, backend.pid), None)

    def find(self, server: Server, pid: int) -> Backend | None:
        """The one with this process id."""
        return self._backends.get((server, pid))


BACKENDS = Backends()
"""The backends of this process."""


class Statement:
    """One statement that runs, as a wait of its owner: a wait as far as the server has said that it is blocked."""

    __slots__ = (
        "backend", "blockers", "is_noted", "is_told", "kind", "loans", "loop", "outsiders", "over", "owner",
        "query_start", "seen", "since_s", "verdict",
    )  # fmt: skip

    def __init__(self, backend: Backend, is_async: bool) -> None:
        loop = running_loop()
        self.owner: Owner = this_task() if is_async else get_ident()
        self.loop: Loop | None = None if is_async else loop  # it stands still meanwhile
        self.loans: Loans = loans_here()
        self.backend = backend
        self.since_s = SYSTEM_CLOCK.monotonic()
        self.over = False
        self.is_noted = False
        # What the lookout writes.
        self.blockers: tuple[Backend, ...] = ()
        self.outsiders: tuple[str, ...] = ()
        self.kind = ""
        self.query_start: object = None
        self.is_told = False
        self.seen: tuple[Wait, ...] = ()  # the deadlock it was seen in, which the server is expected to break
        self.verdict: tuple[Wait, ...] = ()  # the deadlock for which it is cancelled

    def is_decided(self) -> bool:
        """See `observe.waits.Waiting`."""
        return self.over

    def need(self) -> OwnerNeed | None:
        """All who are in its way must let go. Where it is not known who that is, it is somebody who can."""
        blockers, outsiders = self.blockers, list(self.outsiders)
        owners: dict[Owner, None] = {}
        for backend in blockers:
            user = backend.user()
            if user is None:
                outsiders.append(f"PostgreSQL process {backend.pid}, in nobody's hands")
            else:
                owners[user] = None
        if not owners and not outsiders:
            return None
        return Need(self.resource, tuple(owners), len(owners), None, tuple(outsiders), is_hearsay=True)

    @property
    def resource(self) -> str:
        """What it waits for, for people."""
        return f"PostgreSQL {self.backend.database}: {self.kind or 'a lock'}"

    def who(self) -> str:
        """Its owner, for people."""
        return name_of(self.owner)
