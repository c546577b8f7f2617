import asyncio
import contextlib
import gc
import threading

import pytest

from seawall import (
    Adaptive,
    DeadlineExceeded,
    Deadlock,
    Fixed,
    Gate,
    Misuse,
    Mutex,
    Overloaded,
    Workload,
    deadline,
    openmetrics,
    request_timing,
    snapshot,
)
from seawall.admission.gate import ASKED
from seawall.core.gate_statistics import WorkloadStatistics
from seawall.observe.waits import TOLD, WAITS
from seawall.testing import Held

PATIENCE_S = 20.0


def a_gate(seats: int = 1, **fields) -> Gate:
    return Gate("pages", Fixed(seats), [Workload("page", **{"deadline_s": PATIENCE_S} | fields)])


def figures(gate: Gate, name: str = "page") -> WorkloadStatistics:
    (found,) = [w for w in gate.statistics().workloads if w.name == name]
    ended = found.done_total + found.refused_total + found.cancelled_total
    assert found.arrivals_total == ended + found.waiting + found.in_flight
    return found


def refused(gate: Gate) -> dict[str, int]:
    return {r.reason: r.total for r in figures(gate).refused}


@contextlib.asynccontextmanager
async def occupied(gate: Gate):
    """Somebody else is inside: entering again oneself would be a deadlock."""
    leave, inside = asyncio.Event(), asyncio.Event()

    async def occupy() -> None:
        async with gate.admit("page") as seat:
            seat.ignore()  # how long a test takes is no measure
            inside.set()
            await leave.wait()

    task = asyncio.ensure_future(occupy())
    await inside.wait()
    try:
        yield
    finally:
        leave.set()
        await task


async def turns(count: int = 5) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_tasks_and_threads_are_let_in_first_come_first_served_in_one_line() -> None:
    gate, order = a_gate(), []

    async def in_task(name: str) -> None:
        async with gate.admit("page"):
            order.append(name)

    def in_thread(name: str) -> None:
        with gate.admit_sync("page"):
            order.append(name)

    async def main() -> None:
        waiters: list[asyncio.Future[None]] = []
        async with gate.admit("page"):
            for number in range(4):
                one = in_task(f"task {number}") if number % 2 else asyncio.to_thread(in_thread, f"thread {number}")
                waiters.append(asyncio.ensure_future(one))
                while figures(gate).waiting <= number:  # noqa: ASYNC110 - a thread's coming sets no event
                    await asyncio.sleep(0.001)
        await asyncio.wait_for(asyncio.gather(*waiters), PATIENCE_S)

    asyncio.run(main())
    assert order == ["thread 0", "task 1", "thread 2", "task 3"]
    assert figures(gate).done_total == 5


def test_a_full_queue_refuses_at_once_with_a_reason_and_a_time_to_come_back() -> None:
    gate = a_gate(queue_limit=0)
    with gate.admit_sync("page"), pytest.raises(Overloaded) as caught:
        gate.admit_sync("page").__enter__()
    assert caught.value.reason == "full"
    assert 1.0 <= caught.value.retry_after_s <= 2.0
    assert refused(gate) == {"full": 1}


def test_who_waits_too_long_leaves_with_deadline_exceeded() -> None:
    gate = a_gate(deadline_s=0.01)

    async def main() -> None:
        async with occupied(gate):
            with pytest.raises(DeadlineExceeded) as caught:
                async with gate.admit("page"):
                    pass
        assert caught.value.resource == "gate pages"

    asyncio.run(main())
    held, errors = Held(None), []

    def occupy() -> None:
        with gate.admit_sync("page"):
            held()

    occupier = threading.Thread(target=occupy)
    occupier.start()
    held.wait_begun()
    try:
        gate.admit_sync("page").__enter__()
    except DeadlineExceeded as error:
        errors.append(error)
    held.let_go()
    occupier.join(PATIENCE_S)
    assert errors
    assert refused(gate) == {"late": 2}


def test_the_ambient_deadline_bounds_the_wait_too() -> None:
    gate = a_gate()

    async def main() -> None:
        async with occupied(gate):
            with deadline(0.01), pytest.raises(DeadlineExceeded):
                await gate.admit("page").__aenter__()

    asyncio.run(main())
    assert refused(gate) == {"late": 1}


def test_who_would_be_late_by_what_is_known_is_refused_on_arrival() -> None:
    gate = a_gate(deadline_s=1.0)
    gate._control.works["page"].service_s = 5.0

    async def main() -> None:
        async with gate.admit("page"):
            with pytest.raises(Overloaded, match="wait"):
                await gate.admit("page").__aenter__()
            assert gate.refuse("page").reason == "wait"
        assert gate.refuse("page") is None

    asyncio.run(main())
    assert refused(gate) == {"wait": 2}


def test_a_cancelled_waiter_leaves_at_once_and_passes_on_what_it_was_given() -> None:
    gate = a_gate()

    async def main() -> None:
        async with gate.admit("page"):
            first, second = [asyncio.ensure_future(gate.admit("page").__aenter__()) for _ in range(2)]
            await turns()
            assert figures(gate).waiting == 2
        # The first has its seat now and does not know yet.
        first.cancel()
        seat = await asyncio.wait_for(second, PATIENCE_S)
        assert first.cancelled()
        assert figures(gate).in_flight == 1
        await seat.__aexit__(None, None, None)

    asyncio.run(main())
    assert (figures(gate).cancelled_total, figures(gate).done_total) == (1, 2)


def test_a_waiter_whose_loop_is_closed_is_skipped_and_counted_as_cancelled() -> None:
    gate = a_gate()
    with gate.admit_sync("page"):
        loop = asyncio.new_event_loop()
        task = loop.create_task(gate.admit("page").__aenter__())
        loop.run_until_complete(turns())
        loop.close()
    assert (figures(gate).waiting, figures(gate).cancelled_total) == (0, 1)
    with gate.admit_sync("page"):
        assert figures(gate).in_flight == 1
    with contextlib.suppress(RuntimeError):
        task._log_destroy_pending = False
    del task
    gc.collect()


def test_how_a_block_ends_is_its_outcome() -> None:
    gate = a_gate()
    errors = [None, ValueError(), Overloaded("db", 1), DeadlineExceeded("db", 1), TimeoutError(), KeyboardInterrupt()]
    for error in errors:
        with contextlib.suppress(type(error) if error else ()):
            with gate.admit_sync("page"):
                if error:
                    raise error
    with gate.admit_sync("page") as seat:
        seat.ignore()
    with gate.admit_sync("page") as seat:
        seat.drop()
    found = figures(gate)
    assert (found.done_total, found.ignored_total, found.dropped_total, found.cancelled_total) == (7, 2, 4, 1)


def test_an_ignored_one_is_no_sample_of_how_long_it_takes() -> None:
    gate = a_gate()
    with gate.admit_sync("page") as seat:
        seat.ignore()
    assert figures(gate).service_s is None
    with gate.admit_sync("page"):
        pass
    assert figures(gate).service_s is not None


def test_an_exempt_workload_is_let_in_though_all_seats_are_taken_and_takes_none() -> None:
    gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=0), Workload("health", exempt=True)])

    async def main() -> None:
        async with gate.admit("page"):
            async with gate.admit("health"), gate.admit("health"):
                assert gate.statistics().seats_taken == 1
                assert figures(gate, "health").in_flight == 2
            with gate.admit_sync("health"):
                pass
            assert figures(gate).spare_seats == 0
            gate.close()
            with gate.admit_sync("health"):  # who drains must still say that it is well
                pass
            assert gate.statistics() in snapshot().gates

    asyncio.run(main())
    assert figures(gate, "health").done_total == 4
    assert gate.statistics() not in snapshot().gates


def test_in_shadow_everybody_is_let_in_and_it_tells_what_would_have_been_shed() -> None:
    gate = Gate("pages", Fixed(1), [Workload("page", queue_limit=1)], is_shadow=True)

    async def main() -> None:
        async with gate.admit("page"), gate.admit("page"), gate.admit("page"):
            with gate.admit_sync("page"):
                assert gate.refuse("page") is None
        assert {r.reason: r.total for r in figures(gate).shed} == {"full": 2}
        assert figures(gate).done_total == 4
        gate.shadow(False)
        async with gate.admit("page"):
            assert not gate.is_shadow

    asyncio.run(main())
    assert figures(gate).refused == ()


def test_a_closed_gate_refuses_newcomers_and_drains() -> None:
    gate = a_gate()

    async def main() -> None:
        seat = await gate.admit("page").__aenter__()
        waiter = asyncio.ensure_future(gate.admit("page").__aenter__())
        await turns()
        drained = asyncio.ensure_future(gate.drain_async())
        in_thread = asyncio.ensure_future(asyncio.to_thread(gate.drain, timeout_s=PATIENCE_S))
        await turns()
        with pytest.raises(Overloaded, match="closed"):
            await gate.admit("page").__aenter__()
        with pytest.raises(DeadlineExceeded):
            await gate.drain_async(timeout_s=0.001)
        await seat.__aexit__(None, None, None)
        last = await asyncio.wait_for(waiter, PATIENCE_S)
        assert not drained.done()
        await last.__aexit__(None, None, None)
        await asyncio.wait_for(asyncio.gather(drained, in_thread), PATIENCE_S)

    asyncio.run(main())
    gate.drain(timeout_s=0)
    assert refused(gate) == {"closed": 1}
    assert gate.statistics().is_closed
    assert gate.statistics() not in snapshot().gates


def test_its_place_and_what_it_will_wait_can_be_asked_while_it_waits() -> None:
    gate = a_gate(seats=2)

    async def main() -> None:
        async with gate.admit("page"), gate.admit("page"):
            gate._control.works["page"].service_s = 2.0
            waiting = [gate.admit("page") for _ in range(3)]
            tasks = [asyncio.ensure_future(one.__aenter__()) for one in waiting]
            await turns()
            assert [one.place() for one in waiting] == [1, 2, 3]
            assert [one.expected_wait_s() for one in waiting] == [1.0, 2.0, 3.0]
            assert gate.spare_seats("page") == 0
            for task in tasks:
                task.cancel()
            await turns()
        assert gate.spare_seats("page") == 2
        assert waiting[0].place() is None

    asyncio.run(main())


def test_the_wait_is_in_the_requests_timing() -> None:
    gate = a_gate()

    async def main() -> str:
        seat = await gate.admit("page").__aenter__()
        with request_timing() as timing:
            waiter = asyncio.ensure_future(gate.admit("page").__aenter__())
            await turns()
            await seat.__aexit__(None, None, None)
            inside = await waiter
        assert inside.waited_s > 0
        await inside.__aexit__(None, None, None)
        return timing.header()

    assert asyncio.run(main()).startswith("queue;dur=")


def test_a_ring_through_a_gate_and_a_mutex_is_found(watched) -> None:
    gate, mutex = a_gate(), Mutex("accounts")

    async def main() -> None:
        has_mutex = asyncio.Event()

        async def other() -> None:
            async with mutex:
                has_mutex.set()
                async with gate.admit("page"):
                    pass

        async with gate.admit("page"):
            task = asyncio.ensure_future(other())
            await has_mutex.wait()
            await turns()
            with pytest.raises(Deadlock) as caught:
                await mutex.acquire_async()
        assert {wait.resource for wait in caught.value.cycle} == {"gate pages", "accounts"}
        await asyncio.wait_for(task, PATIENCE_S)

    asyncio.run(main())


def test_entering_again_where_one_has_the_only_seat_is_deadlock(watched) -> None:
    gate = a_gate()
    with gate.admit_sync("page"), pytest.raises(Deadlock):
        gate.admit_sync("page").__enter__()
    assert figures(gate).cancelled_total == 1


@pytest.mark.parametrize("seats", [ASKED - 1, ASKED, 3 * ASKED])
@pytest.mark.parametrize("can_one_go_on", [False, True])
def test_of_many_seats_all_must_be_stuck(watched, seats: int, can_one_go_on: bool) -> None:
    """The last of them to come is not among those that are asked first."""
    gate, mutex, go_on = a_gate(seats), Mutex("accounts"), asyncio.Event()

    async def enter_both() -> None:
        async with gate.admit("page"), mutex:
            pass

    async def go_on_later() -> None:
        async with gate.admit("page"):
            await go_on.wait()

    async def main() -> None:
        async with mutex:
            tasks = [asyncio.create_task(enter_both()) for _ in range(seats - can_one_go_on)]
            tasks += [asyncio.create_task(go_on_later()) for _ in range(can_one_go_on)]
            await turns()
            entering = gate.admit("page").__aenter__()
            if can_one_go_on:
                waiting = asyncio.create_task(entering)
                await turns()
                (told,) = (wait for wait in snapshot().waits if wait.resource == "gate pages")
                assert len(told.holders) == min(seats, TOLD + 1)
                go_on.set()
                await (await asyncio.wait_for(waiting, PATIENCE_S)).__aexit__(None, None, None)
            else:
                with pytest.raises(Deadlock) as caught:
                    await entering
                assert {wait.resource for wait in caught.value.cycle} == {"gate pages", "accounts"}
        await asyncio.wait_for(asyncio.gather(*tasks), PATIENCE_S)
        assert figures(gate).in_flight == 0

    asyncio.run(main())


def test_who_was_given_a_seat_and_has_not_been_told_yet_is_no_deadlock_with_itself(watched, monkeypatch) -> None:
    gate, untold = a_gate(), []

    async def main() -> None:
        async with occupied(gate):
            visit = gate.admit("page")
            task = asyncio.ensure_future(visit.__aenter__())
            await turns()
            monkeypatch.setattr(gate, "_tell", untold.extend)  # whoever leaves is interrupted before it tells
        assert untold == [visit]
        WAITS.refuse_deadlock(visit.waiter)
        monkeypatch.undo()
        gate._tell(untold)
        await (await asyncio.wait_for(task, PATIENCE_S)).__aexit__(None, None, None)

    asyncio.run(main())


def test_a_plain_with_on_a_loops_thread_never_waits() -> None:
    gate = a_gate()

    async def main() -> None:
        async with gate.admit("page"):
            with pytest.raises(Misuse, match="event loop"):
                gate.admit_sync("page").__enter__()

    asyncio.run(main())
    assert figures(gate).arrivals_total == 1


def test_what_makes_no_sense_is_misuse() -> None:
    gate = a_gate()
    with pytest.raises(Misuse, match="no workload 'pgae'"):
        gate.admit("pgae")
    for ask in (gate.refuse, gate.spare_seats, lambda name: gate.expected_wait_s(name, 0)):
        with pytest.raises(Misuse, match="no workload 'pgae'"):
            ask("pgae")
    with pytest.raises(Misuse, match="cost"):
        gate.admit("page", cost=0)
    seat = gate.admit_sync("page")
    with seat:
        pass
    with pytest.raises(Misuse, match="one block only"):
        seat.__enter__()
    assert figures(gate).arrivals_total == 1


def test_a_coroutine_that_the_collector_ends_in_the_middle_of_a_decision_gives_its_seat_back() -> None:
    gate = a_gate()

    async def inside() -> None:
        async with gate.admit("page"):
            await asyncio.Future()

    async def main() -> None:
        task = asyncio.ensure_future(inside())
        await turns()
        waiter = asyncio.ensure_future(gate.admit("page").__aenter__())
        await turns()
        coroutine = task.get_coro()
        gate._decide(lambda _: coroutine.close() or [])  # as the collector would, within a step
        assert figures(gate).in_flight == 1
        seat = await asyncio.wait_for(waiter, PATIENCE_S)
        await seat.__aexit__(None, None, None)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(main())
    assert figures(gate).cancelled_total == 1


def test_an_adaptive_limit_hears_how_late_those_let_in_begin_and_what_others_measure() -> None:
    gate = Gate("pages", Adaptive(initial=20, target_delay_s=0.001, interval_s=1e-9), [Workload("page")])
    for _ in range(3):
        gate.observe_delay(1.0)
    assert gate.statistics().limit < 20
    assert gate.statistics().delay_s == pytest.approx(1.0)

    async def main() -> None:
        slow = Gate("slow", Adaptive(initial=1), [Workload("page")])
        seat = await slow.admit("page").__aenter__()
        waiter = asyncio.ensure_future(slow.admit("page").__aenter__())
        await turns()
        await seat.__aexit__(None, None, None)
        await (await waiter).__aexit__(None, None, None)
        assert slow.statistics().delay_s > 0

    asyncio.run(main())


def test_a_gate_is_in_the_snapshot_and_in_the_metrics_by_workload_and_reason() -> None:
    gate = Gate("observed", Fixed(1), [Workload("page", queue_limit=0)])
    with gate.admit_sync("page"):
        with pytest.raises(Overloaded):
            gate.admit_sync("page").__enter__()
        (found,) = [g for g in snapshot().gates if g.name == "observed"]
        text = openmetrics(snapshot())
    assert (found.limit, found.seats_taken, found.in_flight, found.waiting) == (1, 1, 1, 0)
    assert found.holders == ("thread MainThread",)
    assert 'seawall_gate_refused_total{gate="observed",workload="page",reason="full"} 1\n' in text
    assert 'seawall_gate_in_flight{gate="observed",workload="page"} 1\n' in text
    assert 'seawall_gate_wait_seconds_bucket{gate="observed",workload="page",le="+Inf"} 0\n' in text
