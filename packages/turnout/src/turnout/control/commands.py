"""The commands that change something, once: the server runs them for the command line, or the command line itself does."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime

from msgspec.structs import replace

from seawall import Batcher, ThreadPool
from seawall.clock import Clock
from turnout.accounts.organisations import Organisations
from turnout.accounts.service import Accounts
from turnout.errors import BadInput, NotFound
from turnout.jobs.demo import fill
from turnout.model.event import Event
from turnout.sites.service import Sites

Progress = Callable[[int], None]
Arguments = Mapping[str, object]

MOST_DEMO_EVENTS = 100_000_000


class Commands:
    """`run(name, arguments, progress)` carries one out and returns the line it has to say."""

    def __init__(
        self,
        accounts: Accounts,
        organisations: Organisations,
        sites: Sites,
        *,
        journal: Batcher[Event],
        jobs: ThreadPool,
        clock: Clock,
    ) -> None:
        self._accounts = accounts
        self._organisations = organisations
        self._sites = sites
        self._journal = journal
        self._jobs = jobs
        self._clock = clock
        self._commands: dict[str, Callable[[Arguments, Progress], Awaitable[str]]] = {
            "user create": self._create_user,
            "site create": self._create_site,
            "key create": self._create_key,
            "demo": self._fill_demo,
        }

    async def run(self, name: str, arguments: Arguments, progress: Progress) -> str:
        """Raises what the command raises: `BadInput`, `NotFound`, `AlreadyExists` …"""
        command = self._commands.get(name)
        if command is None:
            raise BadInput("command", f"there is no command {name!r}")
        return await command(arguments, progress)

    async def _create_user(self, arguments: Arguments, progress: Progress) -> str:
        email, password = _text(arguments, "email"), _text(arguments, "password")
        is_operator = arguments.get("is_operator") is True
        await self._accounts.create_user(email, password, is_operator=is_operator)
        return f"created the account {email}"

    async def _create_site(self, arguments: Arguments, progress: Progress) -> str:
        owner = await self._accounts.principal_named(_text(arguments, "owner"))
        own = await self._organisations.personal(owner)
        site = await self._sites.create(owner, own.id, _text(arguments, "domain"), _text(arguments, "timezone"))
        return f"created the site {site.domain} ({site.timezone})"

    async def _create_key(self, arguments: Arguments, progress: Progress) -> str:
        owner = await self._accounts.principal_named(_text(arguments, "owner"))
        own = await self._organisations.personal(owner)
        # Whoever is at the command line operates this server.
        maker = replace(owner, is_operator=True)
        return await self._organisations.create_key(maker, own.id, _text(arguments, "scope"))

    async def _fill_demo(self, arguments: Arguments, progress: Progress) -> str:
        events, seed = _number(arguments, "events", MOST_DEMO_EVENTS), _number(arguments, "seed", 2**63)
        owner = await self._accounts.principal_named(_text(arguments, "owner"))
        domain = _text(arguments, "site")
        try:
            site = await self._sites.get(owner, domain)
        except NotFound:
            own = await self._organisations.personal(owner)
            site = await self._sites.create(owner, own.id, domain, "Europe/Berlin")
        now = datetime.fromtimestamp(self._clock.time(), UTC)
        done = await self._jobs.run(fill, site, events, seed, self._journal.put_many_sync, now, progress)
        return f"filled {site.domain} with {done} events"


def _text(arguments: Arguments, name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str):
        raise BadInput(name, "expected a text")
    return value


def _number(arguments: Arguments, name: str, most: int) -> int:
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= most:
        raise BadInput(name, f"expected a whole number from 0 to {most}")
    return value
