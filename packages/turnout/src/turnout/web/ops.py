"""Health and metrics. They read figures from memory and answer whatever the load is."""

from __future__ import annotations

import resource
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from seawall import Snapshot, openmetrics, snapshot
from seawall.console.reading import Reading
from seawall.observe.openmetrics import CONTENT_TYPE
from turnout.ingest.journal import Journal
from turnout.ingest.pipeline import Pipeline
from turnout.ingest.writer import Writer
from turnout.web.page.ops_table import Figures, read

BEHIND_S = 60.0
"""A writer further behind than this is stuck rather than busy: `/health/ready` says so."""


@dataclass(slots=True)
class Operations:
    """What is asked for health and metrics. `is_draining` is set when the server begins to stop."""

    pipeline: Pipeline
    journal: Journal
    writer: Writer
    queries_in_flight: Callable[[], int]
    writer_is_alive: Callable[[], bool]
    days_waiting: Callable[[], int]
    gave_way_s: Callable[[], float]
    sites_swept: Callable[[], int]
    exports_waiting: Callable[[], int]
    is_draining: bool = False

    def ready(self) -> tuple[bool, bytes]:
        """Whether requests should be sent here, and JSON that says why not."""
        journal, writer = self.journal.figures(), self.writer.figures()
        problems = []
        if self.is_draining:
            problems.append("the server is stopping")
        if not self.writer_is_alive():
            problems.append("the writer does not run")
        if writer.last_error is not None:
            problems.append(f"the event store can't be written: {writer.last_error}")
        if journal.age_s > BEHIND_S:
            problems.append(f"the event store is {journal.age_s:.0f} s behind the journal")
        state = {
            "ready": not problems,
            "problems": problems,
            "journal": {"depth_events": journal.depth_events, "age_s": round(journal.age_s, 3)},
        }
        return not problems, msgspec.json.encode(state)

    def readings(self, found: Snapshot | None = None) -> list[Reading]:
        """How everything stands, for the page of operations; in `found`, or now."""
        journal = self.journal.figures()
        figures = Figures(
            journal_depth=journal.depth_events, journal_age_s=journal.age_s, days_waiting=self.days_waiting()
        )
        return read(snapshot() if found is None else found, figures)

    def snapshot(self, at_s: float) -> dict[str, object]:
        """Everything as plain data, for tools: Seawall's snapshot, the journal, the process, the store."""
        journal = self.journal.figures()
        found = snapshot()
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return {
            **asdict(found),
            "journal": {
                "depth_events": journal.depth_events,
                "age_s": round(journal.age_s, 3),
                "size_bytes": journal.size_bytes,
            },
            "process": {
                "cpu_s": round(usage.ru_utime + usage.ru_stime, 3),
                "rss_bytes": _rss_bytes(),
                "threads": _threads(),
                "loop_lag_ms": round(max((loop.lag_s for loop in found.loops), default=0.0) * 1000, 3),
            },
            "store": {"queries_in_flight": self.queries_in_flight(), "position": self.writer.position},
            "at": datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds"),
        }

    def metrics(self) -> tuple[str, bytes]:
        """Content type and text of `/metrics`, in OpenMetrics."""
        journal = self.journal.figures()
        lines = [
            "# TYPE turnout_events counter",
            "# HELP turnout_events Events by what became of them.",
            f'turnout_events_total{{outcome="accepted",reason=""}} {self.pipeline.accepted_total}',
            *(
                f'turnout_events_total{{outcome="dropped",reason="{reason.value}"}} {count}'
                for reason, count in self.pipeline.dropped_total.items()
            ),
            *_gauge(
                "turnout_journal_depth_events", "events", "Events not in the event store yet.", journal.depth_events
            ),
            *_gauge("turnout_journal_age_seconds", "seconds", "Age of the oldest of them.", journal.age_s),
            *_gauge("turnout_journal_size_bytes", "bytes", "What the journal takes on the disk.", journal.size_bytes),
            *_gauge("turnout_queries_in_flight", "", "Queries that run now.", self.queries_in_flight()),
            *_gauge("turnout_days_waiting", "", "Days that are over and not summed up yet.", self.days_waiting()),
            "# TYPE turnout_derivation_gave_way_seconds counter",
            "# UNIT turnout_derivation_gave_way_seconds seconds",
            "# HELP turnout_derivation_gave_way_seconds How long summing up days has rested because others were served.",
            f"turnout_derivation_gave_way_seconds_total {self.gave_way_s():.3f}",
            *_gauge("turnout_exports_waiting", "", "Exports in line or being built.", self.exports_waiting()),
            "# TYPE turnout_deleted_sites_swept counter",
            "# HELP turnout_deleted_sites_swept Times that a deleted site's events were cleared away.",
            f"turnout_deleted_sites_swept_total {self.sites_swept()}",
            "# EOF\n",
        ]
        return CONTENT_TYPE, (openmetrics(snapshot(), eof=False) + "\n".join(lines)).encode()


def _gauge(name: str, unit: str, help_text: str, value: float) -> list[str]:
    unit_line = [f"# UNIT {name} {unit}"] if unit else []
    return [f"# TYPE {name} gauge", *unit_line, f"# HELP {name} {help_text}", f"{name} {value}"]


def _rss_bytes() -> int:
    """Resident memory; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    except (OSError, ValueError, IndexError):
        return 0


def _threads() -> int:
    """Threads of the process; 0 where the system does not say."""
    try:
        return len(list(Path("/proc/self/task").iterdir()))
    except OSError:
        return 0
