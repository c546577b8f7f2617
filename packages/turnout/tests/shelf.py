"""The services of accounts and sites over one real SQLite file, on a clock that tests move."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from seawall import ThreadPool
from seawall.testing import ManualClock
from turnout.compose import open_accounts
from turnout.mail import Outbox
from turnout.model.access import Organisation
from turnout.model.site import Principal
from turnout.store.sql.database import AccountsDatabase

PASSWORD = "correct horse battery"
ADDRESS = "https://stats.example"


class Shelf:
    """`reopened` closes the file and opens it again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = ManualClock(time_s=1_800_000_000)
        self.threads = ThreadPool("accounts", max_threads=4)
        self.outbox = Outbox(file.parent / "outbox", smtp_url="", sender="turnout@stats.example", clock=self.clock)
        self._open()

    def _open(self) -> None:
        self.database = AccountsDatabase(self.file)
        people = open_accounts(
            self.database,
            self.outbox,
            "share key",
            hashes=self.threads,
            threads=self.threads,
            clock=self.clock,
            session_days=30,
        )
        self.accounts, self.sessions = people.accounts, people.sessions
        self.second_factors, self.organisations = people.second_factors, people.organisations
        self.directory, self.sites, self.sharing = people.directory, people.sites, people.sharing

    def reopened(self) -> Shelf:
        self.database.close()
        self._open()
        return self

    async def person(self, name: str) -> Principal:
        """A new account, `name@example.org`."""
        await self.accounts.create_user(f"{name}@example.org", PASSWORD)
        return await self.accounts.principal_named(f"{name}@example.org")

    async def own(self, principal: Principal) -> Organisation:
        """The person's own organisation."""
        return await self.organisations.personal(principal)

    async def member(self, owner: Principal, organisation: Organisation, name: str, role: str) -> Principal:
        """A new account that has accepted an invitation."""
        person = await self.person(name)
        link = await self.organisations.invite(owner, organisation.id, person.email, role, ADDRESS)
        assert link is not None
        await self.organisations.accept(person, link.rpartition("/")[2])
        return person

    def letters(self) -> list[tuple[str, str]]:
        """To whom, and what, in order."""
        found = [
            message_from_bytes(path.read_bytes(), policy=default)
            for path in sorted((self.file.parent / "outbox").glob("*.eml"))
        ]
        return [(letter["To"], letter.get_content()) for letter in found]

    def close(self) -> None:
        self.threads.shutdown()
        self.database.close()


def run(body: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await body()

    asyncio.run(whole())
