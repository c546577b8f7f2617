"""What an event store must do. DuckDB's is in `duckdb/`; the contract suite in `tests/contract/` runs against each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import msgspec

from turnout.model.event import StoredEvent, VisitFacts


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

    def rows(self, sql: str, parameters: Sequence[object], *, ticket: object = None) -> list[tuple[object, ...]]:
        """All rows of one statement. Blocks. `ticket` names the run, so that `interrupt` can stop it.

        Raises `StoreUnavailable`, and `QueryCancelled` after `interrupt`.
        """
        ...

    def interrupt(self, ticket: object) -> None:
        """Stop the statement that runs under `ticket`, from any thread; nothing where none does."""
        ...
