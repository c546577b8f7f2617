"""The command line. Each command works beside a running server, through its socket, and without one."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import click

from seawall.clock import SYSTEM_CLOCK
from turnout import __version__
from turnout.control.socket import ask_server
from turnout.errors import BadInput, DirectoryHeld, TurnoutError
from turnout.settings import Settings, load
from turnout.without import allowed

STARTING_S = 10.0
"""How long a command waits for a server that holds the directory but does not listen yet, or has just ended."""

data_option = click.option(
    "--data", type=click.Path(path_type=Path, file_okay=False), help="The data directory.  [default: ./turnout-data]"
)


def main() -> None:
    """Runs the command line; errors go to standard error, with exit status 2."""
    try:
        _refuse_bytes(sys.argv[1:])
        turnout(standalone_mode=False)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except click.Abort:
        sys.exit(130)
    except TurnoutError as error:
        print(f"turnout: {error}", file=sys.stderr)
        sys.exit(2)


def _refuse_bytes(words: list[str]) -> None:
    """Raises `BadInput` for a word that is not UTF-8: Python keeps its bytes as halves of characters, which nothing takes."""
    for word in words:
        try:
            word.encode()
        except UnicodeEncodeError:
            raise BadInput("", f"{word!r} is not text in UTF-8") from None


@click.group()
@click.version_option(__version__, prog_name="turnout")
def turnout() -> None:
    """Self-hosted web and product analytics."""


@turnout.command()
@click.option("--host", help="The address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=int, help="The port; 0 takes any free one.  [default: 8000]")
@data_option
@click.option(
    "--config", type=click.Path(path_type=Path, dir_okay=False), help="Settings in TOML.  [default: DIR/turnout.toml]"
)
@click.option("--demo", is_flag=True, help="With an account, a site, a year of visits and live traffic.")
@click.option("--lab-without", metavar="PROTECTION", hidden=True)
def serve(
    host: str | None, port: int | None, data: Path | None, config: Path | None, demo: bool, lab_without: str | None
) -> None:
    """Serve until SIGTERM, then drain."""
    without = allowed(lab_without, os.environ)
    from turnout.serve import serve as serve_until_stopped

    serve_until_stopped(load({"host": host, "port": port, "data": data}, file=config), demo=demo, without=without)


@turnout.group()
def user() -> None:
    """Accounts."""


@user.command("create")
@click.argument("email")
@click.option("--password-stdin", is_flag=True, help="Read the password, one line, from standard input.")
@click.option("--operator", is_flag=True, help="May see operations, and everybody's figures there.")
@data_option
def create_user(email: str, password_stdin: bool, operator: bool, data: Path | None) -> None:
    """Make an account."""
    if password_stdin:
        try:
            password = sys.stdin.buffer.readline().decode().removesuffix("\n").removesuffix("\r")
        except UnicodeDecodeError:
            raise BadInput("password", "expected text in UTF-8") from None
    else:
        password = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    _say(_run(data, "user create", {"email": email, "password": password, "is_operator": operator}))


@turnout.group()
def site() -> None:
    """Sites."""


@site.command("create")
@click.argument("domain")
@click.option("--owner", required=True, metavar="EMAIL", help="Whose it is.")
@click.option("--timezone", default="UTC", show_default=True, help="Its days begin and end by this zone.")
@data_option
def create_site(domain: str, owner: str, timezone: str, data: Path | None) -> None:
    """Add a site."""
    _say(_run(data, "site create", {"domain": domain, "owner": owner, "timezone": timezone}))


@turnout.group()
def key() -> None:
    """API keys."""


@key.command("create")
@click.option("--owner", required=True, metavar="EMAIL", help="Whose sites it reads.")
@click.option("--scope", type=click.Choice(["stats", "ops"]), default="stats", show_default=True)
@data_option
def create_key(owner: str, scope: str, data: Path | None) -> None:
    """Print a new API key. It can't be shown again."""
    print(_run(data, "key create", {"owner": owner, "scope": scope}))


@turnout.command()
@click.option("--owner", required=True, metavar="EMAIL", help="Whose site it is, where it has to be made.")
@click.option("--site", default="demo.example", show_default=True, metavar="DOMAIN")
@click.option("--events", type=click.IntRange(0), default=1_000_000, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The same seed tells the same year.")
@data_option
def demo(owner: str, site: str, events: int, seed: int, data: Path | None) -> None:
    """Fill a site with a year of realistic visits; make it where it is missing."""
    with click.progressbar(length=events, label="events", file=sys.stderr) as bar:
        arguments = {"owner": owner, "site": site, "events": events, "seed": seed}
        said = _run(data, "demo", arguments, lambda done: bar.update(done - bar.pos))
    _say(said)


def _run(
    data: Path | None, command: str, arguments: dict[str, object], progress: Callable[[int], None] = lambda done: None
) -> str:
    """Has the server carry the command out, or does it here where no server holds the directory."""
    settings = load({"data": data})
    give_up_s = SYSTEM_CLOCK.monotonic() + STARTING_S
    while True:
        said = ask_server(settings.data, command, arguments, progress) if os.path.isdir(settings.data) else None
        if said is not None:
            return said
        try:
            return _run_here(settings, command, arguments, progress)
        except DirectoryHeld:
            if SYSTEM_CLOCK.monotonic() > give_up_s:
                raise
            time.sleep(0.1)


def _run_here(settings: Settings, command: str, arguments: dict[str, object], progress: Callable[[int], None]) -> str:
    from turnout.compose import run_command
    from turnout.control.holding import Holding

    with Holding(settings.data, purpose=f"turnout {command}"):
        return run_command(settings, command, arguments, progress)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
