"""What came of it, in the terminal after the end: the verdict in a sentence first. Plain where there is no terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from flashcrowd.report import compare, sentence
from flashcrowd.report.figures import count, milliseconds, rate, share
from flashcrowd.report.thresholds import Condition, met
from flashcrowd.result import LimitResult, RunResult, StepResult
from flashcrowd.samples import Verdict

WIDTH = 110
"""Of what is no terminal: wide enough for the tables, since nobody wraps a log."""
REASONS = 5
ADVICE = "Send less, or from a machine that does nothing else; a larger --lateness takes figures that are so much off."
STYLES = {"better": "green", "worse": "red", "within chance": "dim", "not known": "dim"}


def console(*, to_stderr: bool = False) -> Console:
    """Where reports are printed: as wide as the terminal, or `WIDTH` where there is none."""
    made = Console(stderr=to_stderr, highlight=False)
    return made if made.is_terminal else Console(stderr=to_stderr, highlight=False, width=WIDTH)


def show_run(result: RunResult, out: Console, *, fail_if: Sequence[Condition] = ()) -> None:
    """One run."""
    _head(result, out)
    _evidence(result.verdict, out)
    grid = Table.grid(padding=(0, 2))
    of = f" of {rate(result.offered_per_s)} asked for" if result.offered_per_s is not None else ""
    grid.add_row("[dim]outcome", sentence.outcomes(result) + _users(result))
    grid.add_row("[dim]goodput", f"{rate(result.goodput_per_s)}{of}, in {result.duration_s:g} s")
    if result.latency_ms.count:
        grid.add_row("[dim]latency", _latencies(result))
    for n, (why, times) in enumerate([*result.reasons.items()][:REASONS]):
        grid.add_row("" if n else "[dim]why not right", Text(f"{times:,} × {why}"))
    grid.add_row("[dim]lateness", f"p99 {milliseconds(result.lateness_ms.p99)}, of sending, by the generator itself")
    out.print(Padding(grid, (0, 0, 1, 2), expand=False))
    _steps(result.steps, out)
    _conditions(fail_if, result, out)


def show_limit(result: LimitResult, out: Console) -> None:
    """A search for the limit: one line a load, by load."""
    _head(result, out)
    _evidence(result.verdict, out)
    table = _table("offered", "goodput", "p50", "p95", "p99", "no right answer", "")
    for run in sorted(result.runs, key=lambda run: run.offered_per_s or 0):
        failed = share((run.requests - run.good) / run.requests) if run.requests else "–"
        latencies = [
            milliseconds(value) if run.latency_ms.count else "–"
            for value in (run.latency_ms.p50, run.latency_ms.p95, run.latency_ms.p99)
        ]
        mark = "[yellow]void" if run.void else _held(run, result)
        table.add_row(
            rate(run.offered_per_s) if run.offered_per_s is not None else "–",
            rate(run.goodput_per_s),
            *latencies,
            failed,
            mark,
        )
    out.print(Padding(table, (0, 0, 1, 2), expand=False))
    told = f"promise {result.promise}  ·  peak {rate(result.peak_per_s)}"
    if result.contention is not None and result.coherency is not None:
        told += f"  ·  contention σ {result.contention:.3g}  ·  coherency κ {result.coherency:.3g}"
    out.print(Padding(f"[dim]{told}", (0, 0, 0, 2), expand=False))


def show_comparison(before: RunResult, after: RunResult, names: tuple[str, str], out: Console) -> None:
    """Two runs side by side, with what keeps them from being compared before it."""
    for warning in compare.warnings(before, after):
        out.print(Text(f"! {warning}", style="yellow"))
    table = _table("", *(Text(name) for name in names), "change", "")
    for one in compare.differences(before, after):
        measure = one.measure
        table.add_row(
            measure.name,
            measure.shown(one.before),
            measure.shown(one.after),
            _change(one),
            Text(one.verdict, style=STYLES[one.verdict]),
        )
    out.print(Padding(table, (1, 0, 1, 2), expand=False))
    for name, run in zip(names, (before, after), strict=True):
        out.print(Text.assemble((f"{name}: ", "dim"), sentence.verdict(run)))
    out.print(
        "\n[dim]better and worse: the seconds of the runs differ by more than they scatter, at 99 %. Two starts of one "
        "service can differ too: repeat both runs before you trust a small difference."
    )


def _head(result: RunResult | LimitResult, out: Console) -> None:
    void = isinstance(result, RunResult) and result.void
    style = "bold yellow" if void else "bold"
    out.print(Padding(Text(sentence.verdict(result), style=style), (0, 0, 1, 0), expand=False))
    if void:
        out.print(Padding(f"[dim]{ADVICE}", (0, 0, 1, 2), expand=False))


def _evidence(verdict: Verdict | None, out: Console) -> None:
    if verdict is None:
        return
    lines = Text("\n".join(f"· {line}" for line in verdict.evidence))
    lines.append(f"\n  confidence {share(verdict.confidence)}", style="dim")
    out.print(Padding(lines, (0, 0, 1, 2), expand=False))


def _users(result: RunResult) -> str:
    told = f" · {count(result.arrived, 'user')} came" if result.arrived else ""
    return told + (f" · {result.unfinished:,} cut off at the end" if result.unfinished else "")


def _latencies(result: RunResult | StepResult) -> str:
    of = result.latency_ms
    return (
        f"p50 {milliseconds(of.p50)}, p95 {milliseconds(of.p95)}, p99 {milliseconds(of.p99)}, max {milliseconds(of.max)}"
        ", from when users meant to send"
    )


def _steps(steps: Sequence[StepResult], out: Console) -> None:
    if not steps:
        return
    table = _table("request", "sent", "right", "p50", "p95", "p99", "max", "no right answer")
    for step in steps:
        of = step.latency_ms
        latencies = [milliseconds(value) if of.count else "–" for value in (of.p50, of.p95, of.p99, of.max)]
        table.add_row(Text(step.name), f"{step.requests:,}", f"{step.good:,}", *latencies, _errors(step.errors))
    out.print(Padding(table, (0, 0, 1, 2), expand=False))


def _errors(errors: Mapping[str, int]) -> str:
    return ", ".join(f"{number:,} {kind.replace('_', ' ')}" for kind, number in errors.items() if number) or "–"


def _conditions(fail_if: Sequence[Condition], result: RunResult, out: Console) -> None:
    if not fail_if:
        return
    failed = met(fail_if, result)
    for condition in fail_if:
        style, mark = ("bold red", "FAILED") if condition in failed else ("green", "passed")
        out.print(Text.assemble((f"{mark}  ", style), condition.told(result)))
    if failed:
        out.print(f"[bold red]{count(len(failed), 'condition')} of {len(fail_if)} came true: exit status 1.")


def _change(one: compare.Difference) -> str:
    if one.measure.shown is share:
        return f"{100 * (one.after - one.before):+.2g} points" if one.before != one.after else ""
    if not one.before:
        return ""
    times = one.after / one.before
    return f"{times:,.1f} times" if times >= 3 else f"{100 * (times - 1):+.1f} %"


def _held(run: RunResult, result: LimitResult) -> str:
    if result.holds_per_s is None or run.offered_per_s is None or run.offered_per_s > result.holds_per_s:
        return ""
    return "[green]held"


def _table(*heads: str | Text) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    for n, head in enumerate(heads):
        table.add_column(head, justify="left" if n == 0 or not str(head) else "right", overflow="fold")
    return table
