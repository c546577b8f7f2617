"""The command line."""

from __future__ import annotations

import asyncio
import functools
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Self

import click
import uvloop

from flashcrowd import __version__
from flashcrowd.arrivals import parse as arrivals
from flashcrowd.arrivals.constant import Constant
from flashcrowd.engine import target
from flashcrowd.engine.plan import Limits, Plan
from flashcrowd.engine.run import Finished, Run
from flashcrowd.engine.search import Found, Search
from flashcrowd.errors import BadInput, FlashcrowdError
from flashcrowd.probe.probe import Probe
from flashcrowd.report import html, summary, thresholds
from flashcrowd.report import json as report_json
from flashcrowd.report.terminal import Watched
from flashcrowd.result import LimitResult, RunResult
from flashcrowd.users import crowd
from flashcrowd.verdict.knee import KneeSearch
from flashcrowd.verdict.of_run import name_in_run

EXIT_THRESHOLD, EXIT_BAD_INPUT, EXIT_VOID = 1, 2, 3
DEFAULT_RATE = "10/s"
DEFAULT_PROMISE = "p95<=500ms,errors<=0.1%"
DEFAULT_LEVEL = "10s"

LIMITS = Limits()
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Runs the command line. Exit status: 0, 1 where a threshold is passed, 2 for bad input, 3 for a void run."""
    try:
        status = flashcrowd(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(EXIT_BAD_INPUT)
    except click.Abort:
        sys.exit(130)
    except FlashcrowdError as error:
        print(f"flashcrowd: {error}", file=sys.stderr)
        sys.exit(EXIT_BAD_INPUT)
    sys.exit(status if isinstance(status, int) else 0)


@click.group()
@click.version_option(__version__, prog_name="flashcrowd")
def flashcrowd() -> None:
    """Sends the crowd beforehand, and names what breaks."""


@dataclass(frozen=True)
class Common:
    """The options that `run` and `limit` have in common, as they were given."""

    file_or_name: str
    url: str
    seed: int
    data: tuple[str, ...]
    json_file: Path | None
    html_file: Path | None
    snapshot: str
    key: str
    lateness: str
    most_users: int
    connections: int
    insecure: bool

    def plan(self, how: arrivals.Arrivals) -> Plan:
        """What to run. Raises `BadInput`."""
        for option, file in (("--json", self.json_file), ("--html", self.html_file)):
            if file is not None and not (file.parent.is_dir() and os.access(file.parent, os.W_OK)):
                raise BadInput(option, f"expected a file in a folder that can be written to, not {file}")
        return Plan(
            target=target.parse(self.url),
            url=self.url,
            users=crowd.load(self.file_or_name),
            users_name=self.file_or_name,
            arrivals=how,
            seed=self.seed,
            data=dict(_pair(text) for text in self.data),
            limits=Limits(self.most_users, self.connections, arrivals.duration(self.lateness, "--lateness")),
            verify=not self.insecure,
        )

    def write(self, result: RunResult | LimitResult, fail_if: tuple[thresholds.Condition, ...] = ()) -> None:
        """The files that were asked for."""
        if self.json_file is not None:
            self.json_file.write_text(report_json.written(result), encoding="utf-8")
        if self.html_file is not None:
            self.html_file.write_text(html.drawn(result, fail_if=fail_if), encoding="utf-8")


FILE = click.Path(path_type=Path, dir_okay=False)
OPTIONS = (
    click.option("--seed", type=int, default=1, show_default=True, help="Of all that is left to chance."),
    click.option("--data", multiple=True, metavar="NAME=VALUE", help="For users, as self.data['NAME']. Repeatable."),
    click.option("--json", "json_file", type=FILE, help="Write the result as JSON."),
    click.option("--html", "html_file", type=FILE, help="Write the result as one HTML page."),
    click.option(
        "--snapshot",
        default="",
        metavar="URL",
        help="Where the target tells of itself: Seawall's or Turnout's snapshot, or OpenMetrics; an address, or a path. "
        "Without it, the usual paths are tried.",
    ),
    click.option(
        "--key", default="", envvar="FLASHCROWD_KEY", help="Sent to --snapshot as a bearer token. [env FLASHCROWD_KEY]"
    ),
    click.option(
        "--lateness",
        default="10ms",
        show_default=True,
        metavar="DURATION",
        help="The run is void if the generator itself sent later than this at the 99th percentile.",
    ),
    click.option(
        "--most-users",
        type=click.IntRange(1),
        default=LIMITS.users,
        show_default=True,
        help="Under way at once; the run is void if there would be more.",
    ),
    click.option(
        "--connections",
        type=click.IntRange(1),
        default=LIMITS.connections,
        show_default=True,
        help="Open at once; the run is void if there would be more.",
    ),
    click.option("--insecure", is_flag=True, help="Take any certificate."),
)


def common(command: Callable[..., int]) -> Callable[..., int]:
    """Has `command` take a `Common` in place of the options it is made of."""

    @functools.wraps(command)
    def taken(**given: object) -> int:
        own = {name: given.pop(name) for name in list(given) if name not in Common.__dataclass_fields__}
        return command(Common(**given), **own)  # type: ignore[arg-type]

    for option in reversed(OPTIONS):
        taken = option(taken)
    taken = click.argument("url")(taken)
    return click.argument("file_or_name")(taken)


@flashcrowd.command()
@click.option(
    "--rate",
    help=f"Users who arrive: 200/s, 30/m. Open: they come whether or not URL keeps up. [default: {DEFAULT_RATE}]",
)
@click.option(
    "--users", type=int, help="Closed: so many users at once; whoever is through begins anew, as somebody else."
)
@click.option("--arrivals", "form", metavar="FORM", help=f"Other arrivals: {arrivals.FORMS}.")
@click.option("--for", "duration", metavar="DURATION", help="How long users come: 30s, 2m. [default: 30s]")
@click.option(
    "--fail-if",
    multiple=True,
    metavar="CONDITION",
    help="Exit 1 if so: 'p95>500ms', 'errors>1%', 'p99[GET /]>1s'. Repeatable.",
)
@common
def run(
    common: Common,
    rate: str | None,
    users: int | None,
    form: str | None,
    duration: str | None,
    fail_if: tuple[str, ...],
) -> int:
    """Send users of FILE_OR_NAME to URL, and say what came of it.

    FILE_OR_NAME is a Python file with classes from flashcrowd.User, or the name of a ready-made crowd. Each user does the
    steps of its class once, in order. Exit status: 0; 1 if a condition of --fail-if is true; 2 for bad input; 3 if the run
    is void, since the generator was the limit. Ctrl-C ends the run, and reports it.
    """
    given = [
        name for name, option in (("--rate", rate), ("--users", users), ("--arrivals", form)) if option is not None
    ]
    if len(given) > 1:
        raise BadInput(" and ".join(given), "expected one of them")
    for_s = arrivals.duration(duration, "--for") if duration is not None else None
    if form is None:
        form = f"closed:{users}" if users is not None else f"constant:{rate or DEFAULT_RATE}"
    conditions = tuple(thresholds.parse(text) for text in fail_if)
    plan = common.plan(arrivals.parse(form, for_s, given[0] if given else "--rate"))
    finished = uvloop.run(_run(common, plan))
    result = finished.result
    if not result.void:
        verdict = name_in_run(finished.under_load, result.readings, one_in=finished.one_in)
        result = replace(result, verdict=verdict)
    common.write(result, () if result.void else conditions)
    summary.show_run(result, summary.console(), fail_if=() if result.void else conditions)
    if result.void:
        return EXIT_VOID
    return EXIT_THRESHOLD if thresholds.met(conditions, result) else 0


@flashcrowd.command()
@click.option("--promise", default=DEFAULT_PROMISE, show_default=True, help="What must hold, apart by commas.")
@click.option(
    "--from", "first", default=DEFAULT_RATE, show_default=True, metavar="RATE", help="The first load, in users."
)
@click.option(
    "--up-to", "last", default="100000/s", show_default=True, metavar="RATE", help="The highest to try, in requests."
)
@click.option(
    "--for",
    "duration",
    default=DEFAULT_LEVEL,
    show_default=True,
    metavar="DURATION",
    help="How long each load is kept up.",
)
@common
def limit(common: Common, promise: str, first: str, last: str, duration: str) -> int:
    """Find the highest load of users of FILE_OR_NAME for which URL keeps the promise, and what stands in the way of more.

    The load rises in steps until the promise breaks or right answers stop to become more, then the gap is halved; after a
    load that was too much, the target's recovery is awaited. Exit status: 0; 2 for bad input; 3 if the generator could not
    send what was to be tried.
    """
    conditions = thresholds.parse_promise(promise)
    from_per_s, to_per_s = arrivals.rate(first, "--from"), arrivals.rate(last, "--up-to")
    if from_per_s > to_per_s:
        raise BadInput("--from", f"expected a rate below that of --up-to, {last}; not {first}")
    plan = common.plan(Constant(from_per_s, arrivals.duration(duration, "--for")))
    found = uvloop.run(_limit(common, plan, conditions, promise, from_per_s, to_per_s))
    common.write(found.result)
    summary.show_limit(found.result, summary.console())
    if found.unwell_after_per_s is not None:
        print(
            f"The target did not recover after {found.unwell_after_per_s:g} users/s; the search ended there.",
            file=sys.stderr,
        )
    if found.void_reason:
        print(f"flashcrowd: the search ended early: {found.void_reason}", file=sys.stderr)
        return EXIT_VOID
    return 0


@flashcrowd.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
def compare(before: Path, after: Path) -> int:
    """Show two runs side by side, from what --json wrote, and which differences are more than chance."""
    found: list[RunResult] = []
    for file in (before, after):
        result = report_json.read(file)
        if not isinstance(result, RunResult):
            raise BadInput(str(file), "expected the result of flashcrowd run, not of flashcrowd limit")
        found.append(result)
    summary.show_comparison(found[0], found[1], (before.name, after.name), summary.console())
    return 0


class Sender:
    """Sends plans, one after the other, while the terminal shows them, the probe looks, and Ctrl-C ends them in order."""

    def __init__(self, common: Common, plan: Plan) -> None:
        self.on_stop: list[Callable[[], None]] = []
        self._sent = False
        self._run = Run(plan)
        self._watched = Watched(f"{common.file_or_name} against {common.url}", str(plan.arrivals))
        self._probe = Probe(
            common.url,
            now=lambda: self._run.clock.now(),
            tell=lambda problem: print(f"flashcrowd: {problem}", file=sys.stderr),
            snapshot=common.snapshot,
            key=common.key,
        )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        for number in SIGNALS:
            self._loop.add_signal_handler(number, self._stop)
        await self._probe.find()
        self._watched.__enter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._watched.__exit__(kind, error, at)
        self._probe.close()

    async def send(self, plan: Plan) -> Finished:
        """One run."""
        if self._sent:
            self._watched.begin(str(plan.arrivals))
        self._sent = True
        self._probe.readings.clear()
        self._run = Run(plan, watch=self._watched.show, probe=self._probe)
        return await self._run.execute()

    def _stop(self) -> None:
        for number in SIGNALS:
            self._loop.remove_signal_handler(number)  # the next one ends it at once
        for stop in (*self.on_stop, self._run.stop):
            stop()


async def _run(common: Common, plan: Plan) -> Finished:
    async with Sender(common, plan) as sender:
        return await sender.send(plan)


async def _limit(
    common: Common,
    plan: Plan,
    conditions: tuple[thresholds.Condition, ...],
    promise: str,
    from_per_s: float,
    to_per_s: float,
) -> Found:
    async with Sender(common, plan) as sender:
        search = Search(
            lambda users_per_s, seconds: sender.send(replace(plan, arrivals=Constant(users_per_s, seconds))),
            lambda result: thresholds.holds(conditions, result),
            promise,
            knee=KneeSearch(start_per_s=from_per_s, max_per_s=to_per_s, min_per_s=min(0.1, from_per_s)),
            from_per_s=from_per_s,
            level_s=plan.arrivals.duration_s,
        )
        sender.on_stop.append(search.stop)
        return await search.run()


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput("--data", f"expected NAME=VALUE, not {text!r}")
    return name, value
