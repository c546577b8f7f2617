"""Exports: the line, the files, and what becomes of both; built from a real store by the real worker."""

from __future__ import annotations

import asyncio
import csv
import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

import pytest
from serving import until

from seawall import Overloaded, ThreadPool, Worker
from seawall.testing import ManualClock
from turnout.errors import NotFound, StoreUnavailable
from turnout.jobs.export_shelf import Export
from turnout.jobs.exports import KEPT_S, WAITING_OF_A_SITE, Exports, Going
from turnout.jobs.giving_way import Nobody
from turnout.model.event import Event
from turnout.model.site import OrganisationId, Site, SiteId
from turnout.query.run import QueryRunner
from turnout.web.site_export import ExportBuilder

SITE = Site(SiteId(7), "acme.example", "UTC", OrganisationId(1))
NOW_S = 1_795_527_600.0  # 2026-11-24, 13:40 UTC


def fill(file: Path, content: bytes) -> None:
    file.write_bytes(content)


class Slow:
    """A builder whose files are done when a test says so."""

    def __init__(self, content: bytes = b"a file") -> None:
        self.content = content
        self.go_on = threading.Event()
        self.begun: list[str] = []
        self.fails: Exception | None = None

    async def __call__(self, export: Export, file: Path, going: Going) -> str:
        self.begun.append(export.question)
        going.tell(3, 7)
        fill(file, b"half")
        while not self.go_on.is_set():  # noqa: ASYNC110 (a test sets it, from another thread)
            await asyncio.sleep(0.01)
        if self.fails is not None:
            raise self.fails
        fill(file, self.content)
        return f"{export.domain}.zip"


class Desk:
    """Exports on a folder, with what they need."""

    def __init__(self, folder: Path, build: object = None, most_mb: int = 10, bustle: object = None) -> None:
        self.clock = ManualClock(time_s=NOW_S)
        self.threads = ThreadPool("export-tests", max_threads=2)
        self.slow = Slow()
        self.exports = Exports(
            folder,
            build or self.slow,  # type: ignore[arg-type]
            threads=self.threads,
            clock=self.clock,
            bustle=bustle or Nobody(),  # type: ignore[arg-type]
            most_mb=most_mb,
        )
        self.worker = Worker("exports", self.exports.run)
        self.exports.on_ask = self.worker.wake

    def ask(self, question: str = "", kind: str = "report", asked_by: str = "person 1") -> Export:
        return asyncio.run(self.exports.ask(SITE, kind, question, asked_by))  # type: ignore[arg-type]

    def cancel(self, export: Export) -> None:
        asyncio.run(self.exports.cancel(export.token, SITE.id))

    def state(self, export: Export) -> str:
        return self.exports.find(export.token, SITE.id).export.state

    def wait_for(self, export: Export, state: str) -> None:
        until(lambda: self.state(export) == state, f"the export to be {state}")


@contextmanager
def running(desk: Desk) -> Iterator[Desk]:
    desk.worker.start()
    try:
        yield desk
    finally:
        desk.worker.stop(30)
        desk.threads.shutdown()


def test_exports_are_built_one_after_the_other_and_say_where_they_stand(tmp_path: Path) -> None:
    with running(Desk(tmp_path / "exports")) as desk:
        first, second, third = (desk.ask(f"period={number}") for number in range(3))
        desk.wait_for(first, "building")
        until(lambda: desk.exports.find(first.token, SITE.id).total == 7, "it to tell how far it is")
        assert desk.exports.find(first.token, SITE.id)[1:] == (None, 3, 7)
        assert [desk.exports.find(one.token, SITE.id).place for one in (second, third)] == [2, 3]
        desk.slow.go_on.set()
        desk.wait_for(third, "done")
        assert desk.slow.begun == ["period=0", "period=1", "period=2"]
        done = desk.exports.find(first.token, SITE.id).export
        assert desk.exports.file(done).read_bytes() == b"a file"
        assert (done.name, done.size_bytes) == ("acme.example.zip", 6)
        assert desk.exports.file(done).stat().st_mode & 0o077 == 0


def test_who_asks_twice_gets_the_same_and_somebody_else_an_own(tmp_path: Path) -> None:
    with running(Desk(tmp_path / "exports")) as desk:
        first = desk.ask("period=7d")
        assert desk.ask("period=7d").token == first.token
        assert desk.ask("period=7d", asked_by="person 2").token != first.token
        assert desk.ask("period=30d").token != first.token
        desk.slow.go_on.set()
        desk.wait_for(first, "done")
        assert desk.ask("period=7d").token == first.token
        desk.clock.advance(61)
        assert desk.ask("period=7d").token != first.token


def test_one_site_can_have_so_many_wait_and_no_more(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "exports")
    for number in range(WAITING_OF_A_SITE):
        desk.ask(f"period={number}")
    with pytest.raises(Overloaded):
        desk.ask("period=more")
    desk.threads.shutdown()


@pytest.mark.parametrize("when", ["waiting", "building", "done"])
def test_an_export_can_be_ended_at_any_time_and_leaves_nothing(tmp_path: Path, when: str) -> None:
    folder = tmp_path / "exports"
    with running(Desk(folder)) as desk:
        first = desk.ask("first")
        desk.wait_for(first, "building")
        export = desk.ask("second") if when == "waiting" else first
        if when == "done":
            desk.slow.go_on.set()
            desk.wait_for(first, "done")
        desk.cancel(export)
        if when == "done":
            with pytest.raises(NotFound):
                desk.state(export)
        else:
            desk.wait_for(export, "cancelled")
        assert not [path for path in folder.iterdir() if path.stem == export.token and path.suffix != ".json"]
        desk.slow.go_on.set()
        last = desk.ask("last")
        desk.wait_for(last, "done")
    assert desk.slow.begun == ["first", "last"]


def test_what_fails_says_why_and_the_next_is_built(tmp_path: Path) -> None:
    with running(Desk(tmp_path / "exports")) as desk:
        desk.slow.go_on.set()
        desk.slow.fails = StoreUnavailable("the event store is away")
        first = desk.ask("first")
        desk.wait_for(first, "failed")
        assert desk.exports.find(first.token, SITE.id).export.why == "the event store is away"
        desk.slow.fails = ZeroDivisionError("of ours")
        second = desk.ask("second")
        desk.wait_for(second, "failed")
        assert "our mistake" in desk.exports.find(second.token, SITE.id).export.why
        desk.slow.fails = None
        desk.wait_for(desk.ask("third"), "done")


def test_what_was_not_done_when_the_server_ended_is_built_after_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    with running(Desk(folder)) as desk:
        first = desk.ask("first")
        desk.clock.advance(1)
        second = desk.ask("second")
        desk.wait_for(first, "building")
    (folder / "left.part").write_bytes(b"of a server that was killed")
    (folder / "broken.json").write_bytes(b"{")
    again = Desk(folder)
    assert [again.state(one) for one in (first, second)] == ["waiting", "waiting"]
    again.slow.go_on.set()
    with running(again):
        again.wait_for(second, "done")
    assert again.slow.begun == ["first", "second"]
    assert sorted(path.suffix for path in folder.iterdir()) == [".json", ".json", ".zip", ".zip"]
    third = Desk(folder)
    assert third.exports.file(third.exports.find(first.token, SITE.id).export).read_bytes() == b"a file"
    third.threads.shutdown()
    again.threads.shutdown()


def test_files_go_after_a_day_and_the_oldest_when_there_is_no_room(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    desk = Desk(folder, most_mb=1)
    desk.slow.content = b"x" * 400_000
    desk.slow.go_on.set()
    with running(desk):
        made = []
        for number in range(4):
            desk.clock.advance(1)
            made.append(desk.ask(f"period={number}"))
            desk.wait_for(made[-1], "done")
        until(lambda: len(list(folder.glob("*.zip"))) == 2, "the oldest to be gone")
        assert [desk.state(one) for one in made[2:]] == ["done", "done"]
        with pytest.raises(NotFound):
            desk.state(made[0])
        desk.clock.advance(KEPT_S + 1)
        desk.worker.wake()
        until(lambda: not list(folder.iterdir()), "all to be gone")


class Crowd:
    """A bustle that a test ends."""

    def __init__(self) -> None:
        self.is_there = True
        self.asked = 0

    def is_busy(self) -> bool:
        self.asked += 1
        return self.is_there


def test_an_export_rests_while_others_wait(
    tmp_path: Path, runner: QueryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnout.jobs.giving_way.give_way_async.__defaults__", (3600.0,))
    crowd = Crowd()
    desk = Desk(tmp_path / "exports", builder(runner), bustle=crowd)
    with running(desk):
        export = desk.ask("", kind="events")
        until(lambda: crowd.asked > 3, "it to look whether others wait")
        assert desk.state(export) == "building"
        crowd.is_there = False
        desk.wait_for(export, "done")


def builder(runner: QueryRunner, find: Callable[[str], object] | None = None) -> ExportBuilder:
    known = {SITE.domain: SITE}
    return ExportBuilder(runner, find or known.get, ManualClock(time_s=NOW_S), has_cities=False)  # type: ignore[arg-type]


def built(folder: Path, runner: QueryRunner, question: str, kind: str) -> tuple[str, ZipFile]:
    desk = Desk(folder, builder(runner))
    with running(desk):
        export = desk.ask(question, kind=kind)
        desk.wait_for(export, "done")
        done = desk.exports.find(export.token, SITE.id).export
        return done.name, ZipFile(io.BytesIO(desk.exports.file(done).read_bytes()))


def test_the_archive_holds_every_report(tmp_path: Path, runner: QueryRunner) -> None:
    name, archive = built(tmp_path / "e", runner, "period=7d&f=is,visit:country,DE&event=Signup", "report")
    assert name == "acme.example-2026-11-17_to_2026-11-24.zip"
    names = archive.namelist()
    assert names[0] == "numbers-by-day.csv"
    assert {"sources-source.csv", "pages-exit.csv", "devices-os_version.csv", "events.csv"} <= set(names)
    assert "property-1-plan.csv" in names
    assert not [name for name in names if "map" in name or "cit" in name]
    assert len(archive.read(names[0]).splitlines()) == 1 + 8
    about = archive.read("about.txt").decode()
    assert "17–24 Nov 2026" in about
    assert "Country is Germany" in about
    assert "first of" not in about


def test_every_event_is_in_its_file_once_and_in_order(
    tmp_path: Path, runner: QueryRunner, month: list[Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("turnout.web.export_events.PAGE", 70)
    name, archive = built(tmp_path / "e", runner, "", "events")
    assert name == "acme.example-events.zip"
    rows = list(csv.DictReader(io.StringIO(archive.read("events.csv").decode(), newline="")))
    assert [int(row["position"]) for row in rows] == list(range(1, len(month) + 1))
    assert [(row["page"], row["country"]) for row in rows] == [(event.page, event.country) for event in month]
    assert {row["props"] for row in rows if row["name"] == "Signup"} <= {
        '{"plan":"free"}',
        '{"plan":"team"}',
        '{"plan":"free","seats":"3"}',
        '{"plan":"team","seats":"3"}',
    }
    assert "visitor" not in rows[0]
    assert f"{len(month):,} rows" in archive.read("about.txt").decode()


def test_events_of_some_days_are_those_of_these_days(tmp_path: Path, runner: QueryRunner, month: list[Event]) -> None:
    name, archive = built(tmp_path / "e", runner, "first=2026-11-03&last=2026-11-04", "events")
    assert name == "acme.example-events-2026-11-03_to_2026-11-04.zip"
    rows = list(csv.DictReader(io.StringIO(archive.read("events.csv").decode(), newline="")))
    assert {row["local_at"][:10] for row in rows} == {"2026-11-03", "2026-11-04"}


def test_a_file_that_would_be_too_large_is_not_made(
    tmp_path: Path, runner: QueryRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path / "exports", builder(runner))
    desk.exports._most_bytes = 1000
    with running(desk):
        export = desk.ask("period=7d")
        desk.wait_for(export, "failed")
    assert "ask for fewer days" in desk.exports.find(export.token, SITE.id).export.why
    assert not list((tmp_path / "exports").glob("*.zip"))


def test_an_export_of_a_site_that_is_deleted_says_so(tmp_path: Path, runner: QueryRunner) -> None:
    desk = Desk(tmp_path / "exports", builder(runner, lambda domain: None))
    with running(desk):
        export = desk.ask("period=7d")
        desk.wait_for(export, "failed")
    assert desk.exports.find(export.token, SITE.id).export.why == "the site is deleted"
