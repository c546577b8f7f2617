"""The command line."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from dataclasses import asdict
from pathlib import Path

import click
import uvloop

from flashcrowd import __version__
from flashcrowd.arrivals import parse as arrivals
from flashcrowd.engine import target
from flashcrowd.engine.plan import Limits, Plan
from flashcrowd.engine.run import Finished, Run
from flashcrowd.errors import BadInput, FlashcrowdError
from flashcrowd.result import RunResult
from flashcrowd.users import crowd

EXIT_THRESHOLD, EXIT_BAD_INPUT, EXIT_VOID = 1, 2, 3
DEFAULT_RATE = "10/s"


def main() -> None:
    """Runs the command line. Exit status: 0, 1 where a threshold does not hold, 2 for bad input, 3 for a void run."""
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


@flashcrowd.command()
@click.argument("file_or_name")
@click.argument("url")
@click.option(
    "--rate",
    help=f"Users who arrive: 200/s, 30/m. Open: they come whether or not URL keeps up.  [default: {DEFAULT_RATE}]",
)
@click.option("--users", type=int, help="Closed: so many users at once; whoever is through begins anew.")
@click.option("--arrivals", "form", metavar="FORM", help=f"Other arrivals, one of: {arrivals.FORMS}")
@click.option("--for", "duration", metavar="DURATION", help="How long users come: 30s, 2m.  [default: 30s]")
@click.option("--seed", type=int, default=1, show_default=True, help="Of all that is left to chance.")
@click.option(
    "--data", "data", multiple=True, metavar="NAME=VALUE", help="For users, as self.data['NAME']. Repeatable."
)
@click.option("--json", "json_file", type=click.Path(path_type=Path, dir_okay=False), help="Write the result here.")
@click.option("--lateness", default="10ms", show_default=True, help="The run is void if p99 of sending is later.")
@click.option("--most-users", type=click.IntRange(1), default=10_000, show_default=True, help="Under way at once.")
@click.option("--connections", type=click.IntRange(1), default=10_000, show_default=True, help="Open at once.")
@click.option("--insecure", is_flag=True, help="Take any certificate.")
def run(
    file_or_name: str,
    url: str,
    rate: str | None,
    users: int | None,
    form: str | None,
    duration: str | None,
    seed: int,
    data: tuple[str, ...],
    json_file: Path | None,
    lateness: str,
    most_users: int,
    connections: int,
    insecure: bool,
) -> int:
    """Send users of FILE_OR_NAME to URL, and say what came of it."""
    if sum(option is not None for option in (rate, users, form)) > 1:
        raise BadInput("--rate, --users, --arrivals", "expected one of them")
    for_s = arrivals.duration(duration, "--for") if duration is not None else None
    if form is None:
        form = f"closed:{users}" if users is not None else f"constant:{rate or DEFAULT_RATE}"
    option = "--users" if users is not None else "--rate" if rate is not None else "--arrivals"
    plan = Plan(
        target=target.parse(url),
        url=url,
        users=crowd.load(file_or_name),
        users_name=file_or_name,
        arrivals=arrivals.parse(form, for_s, option),
        seed=seed,
        data=dict(_pair(text) for text in data),
        limits=Limits(most_users, connections, arrivals.duration(lateness, "--lateness")),
        verify=not insecure,
    )
    finished = uvloop.run(_execute(plan))
    result = finished.result
    print(_summary(result))
    if json_file is not None:
        json_file.write_text(json.dumps(asdict(result), indent=1) + "\n", encoding="utf-8")
    return EXIT_VOID if result.void else 0


async def _execute(plan: Plan) -> Finished:
    running = Run(plan)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, running.stop)
    loop.add_signal_handler(signal.SIGTERM, running.stop)
    return await running.execute()


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise BadInput("--data", f"expected NAME=VALUE, not {text!r}")
    return name, value


def _summary(result: RunResult) -> str:
    latency = result.latency_ms
    lines = [
        f"{result.arrivals}: {result.requests} requests, {result.goodput_per_s:g} right answers a second",
        f"latency p50 {latency.p50:g} ms, p95 {latency.p95:g} ms, p99 {latency.p99:g} ms, max {latency.max:g} ms",
        "errors: " + (", ".join(f"{kind} {count}" for kind, count in result.errors.items()) or "none"),
        *(f"  {count} × {reason}" for reason, count in result.reasons.items()),
        f"sent late by p99 {result.lateness_ms.p99:g} ms",
    ]
    return "\n".join([*lines, f"VOID: {result.void_reason}"] if result.void else lines)
