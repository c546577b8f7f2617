"""What an event store must do. DuckDB's is in `duckdb/`; the contract suite in `tests/contract/` runs against each."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Protocol

import msgspec

from turnout.model.derived import Derived
from turnout.model.event import StoredEvent, VisitFacts
from turnout.store.ledger import Group


class OpenVisit(msgspec.Struct):
    """A visit that may still go on, as the writer knows it. `interactions`: interactive events but pageviews."""

    visitor: int
    facts: VisitFacts
    last_ms: int
    pageviews: int
    interactions: int


class EventWriter(Protocol):
    """The one door through which events enter the store. Used by the writer thread alone."""

    def position(self) -> int:
        """The journal position of the last event stored; 0 where there is none."""
        ...

    def append(self, rows: Sequence[StoredEvent]) -> None:
        """Add rows and the position of the last one, durably, in one transaction: all or none.

        Raises `StoreUnavailable` when nothing could be written; the same rows may be appended again.
        """
        ...

    def open_visits(self, site_id: int, since_ms: int) -> list[OpenVisit]:
        """Each visitor's latest visit of the site (by `visit_id`) that had an event at or after `since_ms`."""
        ...

    def checkpoint(self) -> None:
        """Fold the store's own log into its file. Called when idle."""
        ...


class EventReader(Protocol):
    """Runs read-only SQL on the event store, from any thread of the read pool."""

    def version(self) -> int:
        """The position up to which answers are complete. Part of the key by which equal queries share one run."""
        ...

    def derived(self, site_id: int) -> Derived:
        """The site's days that are derived and complete for the version read before. Never blocks."""
        ...

    def rows(self, sql: str, parameters: Sequence[object], *, ticket: object = None) -> list[tuple[object, ...]]:
        """All rows of one statement. Blocks. `ticket` names the run, so that `interrupt` can stop it.

        Raises `StoreUnavailable`, and `QueryCancelled` after `interrupt`.
        """
        ...

    def interrupt(self, ticket: object) -> None:
        """Stop the statement that runs under `ticket`, from any thread; nothing where none does."""
        ...


class EventDeriver(Protocol):
    """Keeps what is derived of whole days: one row a visit, and sums by each dimension's values. From any thread."""

    def find_days(self) -> None:
        """Look through the store for days that are not derived: once, after it was opened. Raises `StoreUnavailable`."""
        ...

    def next_group(self, over_before: date, quiet_s: float) -> Group | None:
        """Days of one site to derive now, or None.

        Those that lie before `over_before` or before a later day with events of the site, and to which nothing was added
        for `quiet_s` seconds.
        """
        ...

    def waiting_days(self, over_before: date) -> int:
        """How many days are over and not derived."""
        ...

    def postpone(self, group: Group) -> None:
        """Have other groups come first for a while."""
        ...

    def derive(self, group: Group) -> bool:
        """Derive these days, all or none. False when an event was added to one of them meanwhile: try it later.

        Raises `StoreUnavailable`; they are then as they were.
        """
        ...

    def delete_site(self, site_id: int) -> None:
        """Delete all that is kept of a site, in short transactions. Blocks until done, and can be begun anew.

        To be called when nothing more of the site is accepted; events of it that are still in the journal come into the
        store afterwards, so call it again once they have. Raises `StoreUnavailable`.
        """
        ...
