"""A run while it goes on: a view that is drawn anew in a terminal, or a line now and then where output is no terminal.

Drawing takes Rich about two milliseconds, on the loop that sends: once a second is as often as the run's own lateness
allows. No thread draws, since it would take the interpreter from the generator at moments that nobody chose.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flashcrowd.report.figures import clock, milliseconds, number, rate
from flashcrowd.report.filling import filling
from flashcrowd.result import Second
from flashcrowd.samples import Reading

REMEMBERED = 60
"""Seconds in the small curves."""
LINES = 30
"""About so many lines a run, where output is no terminal."""
BLOCKS = "▁▂▃▄▅▆▇█"


class Progress(Protocol):
    """A run at one moment, as the engine tells it (`flashcrowd.engine.run.Progress`)."""

    @property
    def at_s(self) -> float:
        """Since the run began; below 0 before it."""
        ...

    @property
    def duration_s(self) -> float:
        """How long users come."""
        ...

    @property
    def users(self) -> int:
        """Under way."""
        ...

    @property
    def requests(self) -> int:
        """That have ended."""
        ...

    @property
    def errors(self) -> Mapping[str, int]:
        """By outcome, since the run began."""
        ...

    @property
    def last(self) -> Second | None:
        """The last second that is over."""
        ...

    @property
    def reading(self) -> Reading | None:
        """What the target said last."""
        ...


class Watched:
    """Shows runs while they go on. Enter it before the first; `show` is quick, and may be called as often as one likes."""

    def __init__(self, title: str, arrivals: str, *, console: Console | None = None) -> None:
        self._title, self._arrivals = title, arrivals
        self._console = console or Console(stderr=True)
        self._seconds: deque[Second] = deque(maxlen=REMEMBERED)
        self._readings: deque[Reading] = deque(maxlen=2)
        self._line_at_s = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live = Live(console=self._console, auto_refresh=False, transient=True)
            self._live.start()
        else:
            self._console.print(f"{self._title}\n{self._arrivals}", markup=False, soft_wrap=True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, arrivals: str) -> None:
        """Another run begins, as in a search for the limit."""
        self._arrivals = arrivals
        self._seconds.clear()
        self._readings.clear()
        self._line_at_s = 0.0
        if self._live is None:
            self._console.print(arrivals, markup=False, soft_wrap=True)

    def show(self, progress: Progress) -> None:
        """Draws where a second is over that was not drawn yet."""
        if progress.reading is not None and (not self._readings or self._readings[-1] is not progress.reading):
            self._readings.append(progress.reading)
        last = progress.last
        if last is None or (self._seconds and self._seconds[-1].at_s >= last.at_s):
            return
        self._seconds.append(last)
        if self._live is not None:
            self._live.update(self._drawn(progress, last), refresh=True)
        elif last.at_s >= self._line_at_s:
            self._line_at_s = last.at_s + max(1.0, progress.duration_s / LINES)
            self._console.print(self._line(progress, last), markup=False, soft_wrap=True)

    def _drawn(self, progress: Progress, last: Second) -> RenderableType:
        at_s = max(0.0, progress.at_s)
        left_s = progress.duration_s - at_s
        bar = Table.grid(padding=(0, 2))
        bar.add_row(
            ProgressBar(progress.duration_s, min(at_s, progress.duration_s), width=40),
            f"{clock(at_s)} of {clock(progress.duration_s)}, {clock(left_s)} left"
            if left_s > 0
            else f"{clock(progress.duration_s)} are over, waiting for those under way",
        )
        figures = Table.grid(padding=(0, 3))
        for _ in range(6):
            figures.add_column(min_width=9)  # lest figures push each other about
        figures.add_row("[dim]arrivals", "[dim]goodput", "[dim]p50", "[dim]p95", "[dim]p99", "[dim]users under way")
        figures.add_row(
            rate(last.arrived),
            f"[bold]{rate(last.good)}",
            *(_latency(last, value) for value in (last.latency_ms.p50, last.latency_ms.p95, last.latency_ms.p99)),
            f"{progress.users:,}",
        )
        curves = Table.grid(padding=(0, 2))
        curves.add_row("[dim]goodput", f"[cyan]{sparkline([second.good for second in self._seconds])}")
        curves.add_row("[dim]p95", f"[yellow]{sparkline([second.latency_ms.p95 for second in self._seconds])}")
        if progress.errors:
            told = "   ".join(f"{count:,} {kind.replace('_', ' ')}" for kind, count in progress.errors.items())
            curves.add_row("[dim]no answer", f"[red]{told}")
        full = filling(tuple(self._readings))
        if full:
            curves.add_row("[dim]filling", f"[magenta]{escape(full)}")
        head = Text.assemble((self._title, "bold"), "\n", (self._arrivals, "dim"), overflow="ellipsis")
        return Group(head, bar, "", figures, "", curves)

    def _line(self, progress: Progress, last: Second) -> str:
        parts = [
            f"{clock(last.at_s + 1):>6}",
            f"arrived {rate(last.arrived)}",
            f"good {rate(last.good)}",
            *(
                f"{name} {_latency(last, value)}"
                for name, value in (("p50", last.latency_ms.p50), ("p95", last.latency_ms.p95))
            ),
            *(f"{kind.replace('_', ' ')} {rate(count)}" for kind, count in last.errors.items()),
            f"users {number(progress.users)}",
        ]
        full = filling(tuple(self._readings))
        return "  ".join([*parts, f"filling: {full}"] if full else parts)


def sparkline(values: list[int] | list[float]) -> str:
    """One block for each value, the highest as high as the line.

    >>> sparkline([0, 1, 2, 4])
    '▁▃▅█'
    """
    top = max(values, default=0)
    return "".join(BLOCKS[round(value / top * (len(BLOCKS) - 1))] if top else BLOCKS[0] for value in values)


def _latency(second: Second, value: float) -> str:
    return milliseconds(value) if second.latency_ms.count else "–"
