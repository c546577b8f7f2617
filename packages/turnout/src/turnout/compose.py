"""Builds every object once; the only file that knows them all: `Core` for whoever changes data, `Server` for HTTP."""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import dataclass
from pathlib import Path

from seawall import (
    Batcher,
    Fixed,
    Gate,
    LoopLag,
    Stop,
    ThreadPool,
    Watchdog,
    Worker,
    add_observer,
    remove_observer,
    snapshot,
)
from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.accounts.known import Known
from turnout.accounts.organisations import Organisations, Repositories
from turnout.accounts.second_factor import SecondFactors
from turnout.accounts.service import Accounts
from turnout.accounts.sessions import Sessions
from turnout.control.commands import Commands, Progress
from turnout.credentials.passwords import Passwords
from turnout.ingest.journal import Journal
from turnout.ingest.pipeline import Pipeline
from turnout.ingest.place import Places
from turnout.ingest.visitor import Salts
from turnout.ingest.writer import Writer
from turnout.jobs.deletion import Deletions
from turnout.jobs.derive import Derivation
from turnout.jobs.exports import Exports
from turnout.jobs.findings import FindingsLog
from turnout.jobs.giving_way import BustleAtGates
from turnout.mail import Outbox
from turnout.model.event import Event
from turnout.query.line import AtHand, Line, make_query_gate
from turnout.query.recent import RecentReader, SharedFor
from turnout.query.run import QueryRunner
from turnout.settings import Settings, for_cores
from turnout.sites.service import SiteDirectory, Sites
from turnout.sites.sharing import Sharing
from turnout.store.duckdb.database import EventDatabase
from turnout.store.duckdb.reader import Reader
from turnout.store.protocols import EventReader
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.invitations import InvitationRepository
from turnout.store.sql.keys import KeyRepository
from turnout.store.sql.organisations import OrganisationRepository
from turnout.store.sql.people import PeopleRepository
from turnout.store.sql.second_factors import SecondFactorRepository
from turnout.store.sql.sessions import SessionRepository
from turnout.store.sql.sites import SiteRepository
from turnout.web.app import Services, make_app
from turnout.web.collect import Collect
from turnout.web.edge import Edge
from turnout.web.gates import make_classify, make_gates
from turnout.web.live_hub import LiveHub
from turnout.web.ops import Operations
from turnout.web.ops_history import OpsHistory
from turnout.web.room import make_room
from turnout.web.site_export import ExportBuilder
from turnout.without import SEATS, THREADS, Protection

_LOG = logging.getLogger("turnout")

MB = 1024 * 1024
BATCH_EVENTS = 4_000
"""Events of one group commit at the most."""
PENDING_EVENTS = 20_000
"""Events that may wait for the journal; beyond that senders wait, and then are told to come back."""
TEND_SALTS_S = 900.0
DERIVE_END_S = 2.0
"""What derives days may finish those it is at; after this long it lets go of them."""
END_S = 10.0
"""What has nothing long to do gets this to end, whatever the time for draining is."""


@dataclass(frozen=True, slots=True)
class People:
    """The services over one accounts database."""

    accounts: Accounts
    sessions: Sessions
    second_factors: SecondFactors
    organisations: Organisations
    directory: SiteDirectory
    sites: Sites
    sharing: Sharing


def open_accounts(
    database: AccountsDatabase,
    outbox: Outbox,
    share_key: str,
    *,
    hashes: ThreadPool,
    threads: ThreadPool,
    clock: Clock,
    session_days: int,
) -> People:
    """Puts the services together: `hashes` checks passwords, `threads` runs statements."""
    people, site_rows, known = PeopleRepository(database), SiteRepository(database), Known(clock)
    passwords, directory = Passwords(hashes), SiteDirectory()
    second_factors = SecondFactors(SecondFactorRepository(database), threads=threads, clock=clock)
    sessions = Sessions(
        SessionRepository(database),
        people,
        second_factors,
        passwords,
        known,
        threads=threads,
        clock=clock,
        session_days=session_days,
    )
    rows = Repositories(OrganisationRepository(database), InvitationRepository(database), KeyRepository(database))
    return People(
        Accounts(people, sessions, passwords, known, outbox, threads=threads, clock=clock),
        sessions,
        second_factors,
        Organisations(rows, sessions, passwords, known, outbox, threads=threads, clock=clock),
        directory,
        Sites(site_rows, directory, threads=threads, clock=clock),
        Sharing(site_rows, passwords, share_key, threads=threads, clock=clock),
    )


class Core:
    """Everything that keeps data: accounts, journal, event store, and the commands on them. Close it with `close`."""

    def __init__(self, settings: Settings, *, without: Protection | None = None) -> None:
        """Opens everything; `without` is for the lab. Blocks.

        Raises `StoreUnavailable`, `JournalCorrupt`, `SettingsInvalid`.
        """
        settings = for_cores(settings)
        data = settings.data
        self.clock = SYSTEM_CLOCK
        self.accounts_database = AccountsDatabase(data / "accounts.sqlite", in_turn=without != "locks")
        self.hashes = ThreadPool("hashes", max_threads=THREADS if without == "pool" else settings.hash_threads)
        self.statements = ThreadPool("accounts", max_threads=THREADS if without == "pool" else 4)
        self.jobs = ThreadPool("jobs", min_threads=0, max_threads=2)
        self.outbox = Outbox(data / "outbox", smtp_url=settings.smtp_url, sender=settings.mail_from, clock=self.clock)
        people = open_accounts(
            self.accounts_database,
            self.outbox,
            kept_secret(data / "share.key"),
            hashes=self.hashes,
            threads=self.statements,
            clock=self.clock,
            session_days=settings.session_days,
        )
        self.people, self.accounts, self.organisations = people, people.accounts, people.organisations
        self.directory, self.sites = people.directory, people.sites
        self.events = EventDatabase(
            data / "events.duckdb",
            memory_mb=settings.store_memory_mb,
            threads=settings.store_threads,
            derive_floor_bytes=2 * settings.disk_free_floor_mb * MB,
        )
        store = self.events.writer()
        self.journal = Journal(
            data / "journal.sqlite",
            max_bytes=settings.journal_max_mb * MB,
            disk_floor_bytes=settings.disk_free_floor_mb * MB,
            clock=self.clock,
            not_before=store.position(),
            in_turn=without != "locks",
        )
        self.writer = Writer(self.journal, store, self.clock)
        self.writing = Worker("writer", self.writer.run)
        self.journal.on_append = self.writing.wake
        self.batches: Batcher[Event] = Batcher(
            "journal", self.journal.append, max_items=BATCH_EVENTS, capacity=PENDING_EVENTS
        )
        self.commands = Commands(
            self.accounts, self.organisations, self.sites, journal=self.batches, jobs=self.jobs, clock=self.clock
        )
        self.derivation = Derivation(self.events.deriver(), self.clock)
        self.deriving = Worker("derive", self.derivation.run)
        self.deletions = Deletions(
            SiteRepository(self.accounts_database),
            self.events.deriver(),
            accepted=lambda: self.journal.last_position,
            stored=lambda: self.writer.position,
            clock=self.clock,
        )
        self.deleting = Worker("delete", self.deletions.run)
        self.sites.on_deleted = self.deleting.wake
        self.writing.start()

    async def load(self) -> None:
        """Reads what must be in memory before the first event."""
        await self.sites.load()

    def close(self, timeout_s: float = 30.0) -> None:
        """Makes everything that was accepted durable, stores what is in the journal, and closes. Blocks.

        What can't be stored in time stays in the journal, and is stored after the next start.
        """
        self.jobs.shutdown()
        for worker in (self.deriving, self.deleting):
            try:
                worker.stop(DERIVE_END_S)
            except TimeoutError:
                self.events.deriver().interrupt()
                worker.stop()
        self.batches.close(END_S)
        try:
            self.writing.stop(timeout_s)
        except TimeoutError:
            _LOG.warning("the event store is behind; what it lacks is in the journal and follows at the next start")
            self.writer.hurry()
            self.writing.stop()
        self.journal.close()
        self.events.close()
        self.hashes.shutdown()
        self.statements.shutdown()
        self.accounts_database.close()


class Server:
    """A core with its HTTP edge. `files` is for what libraries do on threads: reading the pages' files, names in DNS."""

    def __init__(self, settings: Settings, *, without: Protection | None = None) -> None:
        """As `Core`; also makes the files of secrets where they are missing."""
        settings = for_cores(settings)
        self.core = core = Core(settings, without=without)
        self.places = Places(settings.city_database)
        self.salts = Salts(settings.data / "salts.json", core.clock)
        query_threads = THREADS if without == "pool" else settings.query_threads
        self.queries = ThreadPool("queries", max_threads=query_threads)
        self.files = ThreadPool("files", min_threads=0, max_threads=4)
        self.reader = Reader(core.events.connect, lambda: core.writer.position, core.events.derived)
        at_hand = AtHand(query_threads)
        self.query_gate = make_query_gate(Fixed(SEATS) if without == "gate" else at_hand, settings.query_timeout_s)
        self._shares = without != "sharing"

        def runner_of(reader: EventReader, workload: str) -> QueryRunner:
            line = Line(self.query_gate, workload, at_hand)
            return QueryRunner(
                reader, self.queries, timeout_s=settings.query_timeout_s, name=workload, line=line, shares=self._shares
            )

        runner = runner_of(self.reader, "api")
        shared_s = SharedFor(
            core.clock,
            is_crowd=lambda: self.gates.pages.capacity("dashboard").waiting > 0,
            is_busy=lambda: not self.queries.is_idle,
        )
        recent = RecentReader(self.reader, core.clock, shared_s=shared_s if self._shares else lambda: 0.0)
        page_runner = runner_of(recent, "dashboard")
        self.pipeline = Pipeline(
            core.directory.find, core.batches.put_many, salts=self.salts, places=self.places, clock=core.clock
        )
        self.operations = Operations(
            self.pipeline,
            core.journal,
            core.writer,
            queries_in_flight=lambda: self.queries.statistics().busy,
            writer_is_alive=lambda: core.writing.statistics().is_running,
            days_waiting=lambda: core.derivation.figures().days_waiting,
            gave_way_s=lambda: core.derivation.figures().gave_way_s,
            sites_swept=lambda: core.deletions.swept_total,
            exports_waiting=lambda: self.exports.waiting(),
        )
        self.history = OpsHistory(snapshot, self.operations.readings)
        self.live = LiveHub(runner_of(self.reader, "live"), core.clock, streams=settings.live_streams)
        people = core.people
        self.lag = LoopLag("main")
        self.gates = make_gates(settings, self.lag.lag_s, seats=SEATS if without == "gate" else None)
        bustle = BustleAtGates(self._gates_of_people())
        core.derivation.bustle = core.deletions.bustle = bustle
        self.exports = Exports(
            settings.data / "exports",
            ExportBuilder(
                runner_of(self.reader, "export"),
                core.directory.find,
                core.clock,
                has_cities=settings.city_database is not None,
            ),
            threads=core.statements,
            clock=core.clock,
            bustle=bustle,
            most_mb=settings.exports_max_mb,
        )
        self._exporting = Worker("exports", self.exports.run)
        self.exports.on_ask = self._exporting.wake
        services = Services(
            people.accounts,
            people.sessions,
            people.second_factors,
            people.organisations,
            people.sites,
            people.sharing,
            runner,
            page_runner,
            self.exports,
            core.clock,
            settings,
            self.operations,
            self.history,
            self.live,
        )
        self.application = Edge(
            collect=Collect(self.pipeline, self.gates.ingest),
            app=make_app(services, kept_secret(settings.data / "csrf.key")),
            gates=self.gates,
            classify=make_classify(settings, core.directory.find, people.sessions.known_holder_of_key),
            room=make_room(kept_secret(settings.data / "room.key")),
            operations=self.operations,
            script=Path(__file__).parent / "web" / "static" / "script.js",
            settings=settings,
            shared_s=shared_s if self._shares else None,
        )
        self._tending = Worker("salts", self._tend_salts)
        self._tending.start()
        self._mailing = Worker("mail", core.outbox.run)
        self._mailing.start()
        self._remembering = Worker("history", self.history.run)
        self._remembering.start()
        self.findings = FindingsLog(core.clock)
        self._telling = Worker("findings", self.findings.run)
        self.findings.on_note = self._telling.wake
        self._telling.start()
        add_observer(self.findings.note)
        self._watchdog = Watchdog()
        self._watchdog.start()
        core.deriving.start()
        core.deleting.start()

    async def load(self) -> None:
        """As `Core.load`; then goes on with exports that were asked for before: until now no site is known."""
        await self.core.load()
        self._exporting.start()

    def drain(self) -> None:
        """Takes in nothing that lasts, and ends what does: called on the loop, once or more, when the server is to stop."""
        self.operations.is_draining = True
        self.live.stop()

    def close(self, timeout_s: float) -> None:
        """Closes everything, the core last. Blocks."""
        self.gates.close()
        self.query_gate.close()
        self._tending.stop(END_S)
        self._mailing.stop(END_S)
        self._exporting.stop(END_S)
        self._remembering.stop(END_S)
        self._watchdog.stop(END_S)
        remove_observer(self.findings.note)
        self._telling.stop(END_S)
        self.queries.shutdown()
        self.files.shutdown()
        self.reader.close()
        self.core.close(timeout_s)
        self.places.close()

    def _gates_of_people(self) -> tuple[Gate, ...]:
        gates = self.gates
        return (gates.pages, gates.answers, gates.sign_ins, gates.ingest, self.query_gate)

    def _tend_salts(self, stop: Stop) -> None:
        while not stop.wait(timeout_s=TEND_SALTS_S):
            self.salts.tend()


def run_command(settings: Settings, name: str, arguments: dict[str, object], progress: Progress) -> str:
    """Carries out a command on files that no server holds. Blocks."""

    async def carry_out() -> str:
        await core.load()
        return await core.commands.run(name, arguments, progress)

    core = Core(settings)
    try:
        return asyncio.run(carry_out())
    finally:
        core.close(3_600.0)


def kept_secret(file: Path, size_bytes: int = 32) -> str:
    """Random text that is made at the first start and the same at every later one; only the owner can read the file."""
    kept = file.read_text().strip() if file.exists() else ""
    if kept:
        return kept
    secret = secrets.token_urlsafe(size_bytes)
    fresh = file.with_suffix(".new")  # replaced whole: a crash must not leave an empty secret
    fresh.touch(mode=0o600)
    fresh.write_text(secret)
    fresh.replace(file)
    return secret
