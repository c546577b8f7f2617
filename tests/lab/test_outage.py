"""What fell in step 0 and does not in step 1, on a real PostgreSQL, the interleaving that it takes being forced."""

from __future__ import annotations

import faulthandler
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from lab.launch_day import standstill
from lab.launch_day.database import Database
from lab.launch_day.seed import Crowd

COMES_S = 60.0
"""A deadline for what does come, on the slowest machine."""

STANDS_S = 1.0
"""How long something is given before it is held to stand."""

Service = Callable[..., ModuleType]


def count_at_once(service: ModuleType, people: int) -> None:
    """Have so many people open the dashboard of site 1 at once."""
    with ThreadPoolExecutor(people) as threads:
        for opened in [threads.submit(opening(service, 1).run) for _ in range(people)]:
            opened.result(COMES_S)


def test_step_0_loses_an_update_when_two_read_before_either_writes(service: Service, server: Database) -> None:
    as_it_was = service()
    both_have_read = threading.Barrier(2)
    event.listen(as_it_was.new_session, "before_flush", lambda *_: both_have_read.wait(COMES_S))
    count_at_once(as_it_was, 2)
    assert server.views() == 1


def test_step_1_counts_everybody(service: Service, server: Database) -> None:
    count_at_once(service("locks"), 12)
    assert server.views() == 12


@dataclass(frozen=True, slots=True)
class Work:
    """Something that writes rows, and which of its UPDATEs goes to a row that the other may hold."""

    run: Callable[[], object]
    second_row: int


def rolling_up(service: ModuleType, *sites: int) -> Work:
    """Summing up these sites: two UPDATEs each."""
    return Work(lambda: service.roll_up(sites), 2 * len(sites) - 1 if len(sites) > 1 else 2)


def opening(service: ModuleType, site: int) -> Work:
    """Counting one opened dashboard: two UPDATEs."""

    def run() -> None:
        with service.new_session() as db:
            service.count_view(db, site)

    return Work(run, 2)


def meet_in_the_middle(service: ModuleType, *works: Work) -> list[Future[object]]:
    """Run two works, each waiting for the other before its second row, unless the other cannot come that far."""
    halfway = threading.Barrier(2)
    here = threading.local()

    def before(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("UPDATE"):
            here.updates += 1
            if here.updates == here.second_row:
                with suppress(threading.BrokenBarrierError):
                    halfway.wait(STANDS_S)

    def run(work: Work) -> object:
        here.updates, here.second_row = 0, work.second_row
        return work.run()

    event.listen(service.engine, "before_cursor_execute", before)
    with ThreadPoolExecutor(len(works)) as threads:
        return [threads.submit(run, work) for work in works]


def test_step_0_deadlocks_when_two_sum_up_the_same_sites_in_two_orders(service: Service) -> None:
    as_it_was = service()
    done = meet_in_the_middle(as_it_was, rolling_up(as_it_was, 1, 2), rolling_up(as_it_was, 2, 1))
    errors = [future.exception(COMES_S) for future in done]
    assert sum(isinstance(error, OperationalError) and "deadlock" in str(error) for error in errors) == 1


def test_step_0_deadlocks_when_a_dashboard_is_opened_while_its_site_is_summed_up(service: Service) -> None:
    as_it_was = service()
    done = meet_in_the_middle(as_it_was, rolling_up(as_it_was, 1), opening(as_it_was, 1))
    errors = [future.exception(COMES_S) for future in done]
    assert sum(isinstance(error, OperationalError) and "deadlock" in str(error) for error in errors) == 1


def test_step_1_sums_up_in_one_order(service: Service) -> None:
    mended = service("locks")
    for future in meet_in_the_middle(mended, rolling_up(mended, 1, 2), rolling_up(mended, 2, 1)):
        assert future.exception(COMES_S) is None


def test_step_1_counts_a_view_in_the_order_in_which_it_sums_up(service: Service) -> None:
    mended = service("locks")
    for future in meet_in_the_middle(mended, rolling_up(mended, 1), opening(mended, 1)):
        assert future.exception(COMES_S) is None


def look_while_refreshed(service: ModuleType, crowd: Crowd, monkeypatch: pytest.MonkeyPatch) -> list[threading.Thread]:
    """Someone looks up settings, which takes a while; meanwhile the caches are refreshed. Their threads."""
    loading, refreshing = threading.Event(), threading.Event()
    load = service.load_settings

    def slow_load(*arguments: object) -> object:
        loading.set()
        refreshing.wait(STANDS_S)
        return load(*arguments)

    def look() -> None:
        with service.new_session() as db, suppress(RuntimeError):  # what is released from outside at the end
            user_id = db.scalar(service.select(service.Login.user_id).where(service.Login.token == visit.token))
            service.settings_for(db, visit.site_id, user_id)

    def refresh() -> None:
        assert loading.wait(COMES_S)
        with suppress(RuntimeError):
            service.refresh_caches()

    visit = crowd.visits[0]
    monkeypatch.setattr(service, "load_settings", slow_load)
    threads = [threading.Thread(target=look, daemon=True), threading.Thread(target=refresh, daemon=True)]
    for thread in threads:
        thread.start()
    return threads


def test_step_0_hangs_when_its_caches_are_refreshed_while_one_is_filled(
    service: Service, crowd: Crowd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    as_it_was = service()
    threads = look_while_refreshed(as_it_was, crowd, monkeypatch)
    ring: tuple[str, ...] = ()
    for _ in range(int(COMES_S)):
        threads[0].join(STANDS_S)
        with (tmp_path / "stacks").open("w+") as stacks:
            faulthandler.dump_traceback(stacks)
            stacks.seek(0)
            source = Path(str(as_it_was.__file__))
            ring = standstill.cycle_in(stacks.read(), source.read_text(), str(source))
        if ring:
            break
    assert set(ring) == {"settings_lock", "permissions_lock"}
    assert all(thread.is_alive() for thread in threads)
    as_it_was.settings_lock.release()  # of one that it does not hold: so both come to an end
    for thread in threads:
        thread.join(COMES_S)
        assert not thread.is_alive()


def test_step_1_refreshes_its_caches_at_any_time(
    service: Service, crowd: Crowd, monkeypatch: pytest.MonkeyPatch
) -> None:
    for thread in look_while_refreshed(service("locks"), crowd, monkeypatch):
        thread.join(COMES_S)
        assert not thread.is_alive()
