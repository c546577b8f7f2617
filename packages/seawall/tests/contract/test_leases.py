"""The one contract of leases, kept by every store."""

import asyncio
import threading

import pytest

from seawall import DeadlineExceeded, LeaseLost, Misuse, deadline, snapshot
from seawall.dist import Lease, SharedSemaphore

TTL_S = 30.0
"""Long: where a lease is to run out, the test says so."""


def test_one_holds_and_the_others_are_refused(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)
    with lease as held:
        assert held.is_held()
        assert lease.try_acquire() is None
        with pytest.raises(DeadlineExceeded, match=r"lease"):
            lease.acquire(timeout_s=0.2)
    assert not held.is_held()
    again = lease.try_acquire()
    assert again is not None
    again.release()


def test_tokens_only_rise(store, backend, name) -> None:
    lease, tokens = Lease(name, store, ttl_s=TTL_S), []
    for _ in range(10):
        with lease as held:
            tokens.append(held.token)
    if backend.is_shared:
        with backend.open() as other, Lease(name, other, ttl_s=TTL_S) as held:
            tokens.append(held.token)
    assert tokens == sorted(set(tokens))


def test_threads_and_tasks_exclude_each_other(store, name) -> None:
    lease, inside, entries = Lease(name, store, ttl_s=TTL_S), [], []

    def enter(token: int) -> None:
        inside.append(token)
        assert len(inside) == 1
        entries.append(token)

    def in_thread() -> None:
        for _ in range(5):
            with lease as held:
                enter(held.token)
                inside.pop()

    async def in_task() -> None:
        for _ in range(5):
            async with lease as held:
                enter(held.token)
                await asyncio.sleep(0)
                inside.pop()

    async def main() -> None:
        await asyncio.gather(*[in_task() for _ in range(3)])

    threads = [threading.Thread(target=in_thread) for _ in range(3)]
    for thread in threads:
        thread.start()
    asyncio.run(main())
    for thread in threads:
        thread.join()
    assert len(entries) == 30
    assert entries == sorted(entries)


def test_processes_exclude_each_other(shared, name, tmp_path) -> None:
    file = tmp_path / "count"
    file.write_text("0")
    counting = [shared.start(name, TTL_S, "count", file, 5, timeout_s=5.0) for _ in range(2)]
    for process in counting:
        process.communicate(timeout=120)
    assert [process.returncode for process in counting] == [0, 0]
    assert file.read_text() == "10"


def test_whoever_comes_first_is_served_first_and_a_newcomer_overtakes_nobody(store, backend, name) -> None:
    if not backend.is_fifo:
        pytest.skip("keeps no line")
    lease, order = Lease(name, store, ttl_s=TTL_S), []

    def wait(number: int) -> None:
        with lease:
            order.append(number)

    first = lease.acquire()
    waiting = []
    for number in range(3):
        thread = threading.Thread(target=wait, args=(number,))
        thread.start()
        waiting.append(thread)
        eventually_in_line(store, name, number + 1)
    first.release()
    while len(order) < 3:
        taken = lease.try_acquire()  # it may be free already, but only when all who waited have been inside
        if taken is not None:
            taken.release()
            assert len(order) == 3
    for thread in waiting:
        thread.join()
    assert order == [0, 1, 2]


def eventually_in_line(store, name: str, places: int) -> None:
    """Wait until `places` are in line, as a newcomer that does not take a place sees it."""
    from seawall.core.lease_table import Claim, Refused

    while True:
        answer = store.ask(Claim(name, "onlooker", 1, TTL_S))
        assert isinstance(answer, Refused)
        if answer.place == places:
            return


def test_a_lease_that_is_renewed_outlasts_its_ttl(shared, name) -> None:
    with shared.open(timeout_s=1.0) as store:
        lease = Lease(name, store, ttl_s=3.0)
        with lease as held:
            assert not held.wait_lost(timeout_s=3.3)
            assert lease.try_acquire() is None
            assert lease.statistics().renewals_total >= 2
            assert 0 < held.left_s() <= 3.0


def test_release_passes_it_on_to_who_waits(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)
    held = lease.acquire()
    got = []
    thread = threading.Thread(target=lambda: got.append(lease.acquire(timeout_s=100)))
    thread.start()
    while lease.statistics().waiting == 0:
        pass
    held.release()
    thread.join()
    assert got[0].token > held.token
    got[0].release()


def test_release_wakes_the_next_of_this_process_at_once(store, name, monkeypatch) -> None:
    monkeypatch.setattr("seawall.dist.attempt.look_again_s", lambda *_: 1e6)  # nobody looks of its own accord
    lease, got = Lease(name, store, ttl_s=TTL_S), []

    def wait() -> None:
        with lease as held:
            got.append(held.token)

    async def wait_in_tasks() -> None:
        async def wait_in_task() -> None:
            async with lease as held:
                got.append(held.token)

        tasks = [asyncio.ensure_future(wait_in_task()) for _ in range(3)]
        while lease.statistics().waiting < 4:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
        for _ in range(2):
            await asyncio.sleep(0.1)
        await first.release_async()
        await asyncio.gather(*tasks)

    first = lease.acquire()
    thread = threading.Thread(target=wait)
    thread.start()
    asyncio.run(wait_in_tasks())
    thread.join()
    assert len(got) == 4


def test_giving_back_what_one_does_not_hold_is_refused(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)
    held = lease.acquire()
    held.release()
    with pytest.raises(Misuse, match="given back already"):
        held.release()
    with pytest.raises(Misuse, match="given back already"):
        held.check()
    stranger = lease.acquire()
    assert store.leave(held.claim) is False  # as a release that comes a second time, or after the lease ran out
    assert store.renew(held.claim) is False
    assert lease.try_acquire() is None
    stranger.release()


def test_a_lease_that_the_store_forgot_is_told_lost_when_it_is_given_back(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)
    held = lease.acquire()
    assert store.leave(held.claim)
    with pytest.raises(LeaseLost, match="the store did not know it any more") as caught:
        held.release()
    assert (caught.value.name, caught.value.token) == (name, held.token)
    assert lease.statistics().lost_total == 1


def test_a_late_or_cancelled_acquire_leaves_nothing_behind(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)
    held = lease.acquire()
    with pytest.raises(DeadlineExceeded), deadline(0.1):
        lease.acquire()

    async def main() -> None:
        waiting = [asyncio.ensure_future(lease.acquire_async()) for _ in range(3)]
        while lease.statistics().waiting < 3:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        with pytest.raises(DeadlineExceeded):
            await lease.acquire_async(timeout_s=0.1)

    asyncio.run(main())
    assert lease.statistics().waiting == 0
    held.release()
    again = lease.try_acquire()  # nobody is in line before it, and no grant lies about
    assert again is not None
    again.release()


def test_acquires_cancelled_at_any_moment_leave_nothing_behind(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)

    async def main() -> None:
        for number in range(30):
            task = asyncio.ensure_future(lease.acquire_async())
            await asyncio.sleep(number / 10_000)
            task.cancel()
            try:
                await (await task).release_async()
            except asyncio.CancelledError:
                pass
        assert lease.statistics().tokens == ()
        again = await lease.try_acquire_async()
        assert again is not None
        await again.release_async()

    asyncio.run(main())


def test_a_lost_lease_cancels_the_task_and_tells_the_thread(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)

    async def lose_it() -> None:
        async with lease as held:
            held.lose("taken away")
            await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(LeaseLost, match="taken away"):
            await lose_it()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    def lose_it_in_a_thread() -> None:
        with lease as held:
            threading.Timer(0.05, held.lose, ["taken away"]).start()
            assert held.wait_lost(timeout_s=100)
            with pytest.raises(LeaseLost):
                held.check()

    asyncio.run(main())
    with pytest.raises(LeaseLost, match="taken away"):
        lose_it_in_a_thread()
    assert lease.statistics().lost_total == 2
    assert next(s for s in snapshot().leases if s.name == name).lost_total == 2


def test_a_task_that_somebody_else_cancels_too_stays_cancelled_and_an_error_of_the_work_is_kept(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)

    async def work(entered: asyncio.Event) -> None:
        async with lease as held:
            entered.set()
            held.lose("taken away")
            await asyncio.Event().wait()

    async def main() -> None:
        entered = asyncio.Event()
        task = asyncio.ensure_future(work(entered))
        await entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(ValueError, match="mine"):
            await fail()

    async def fail() -> None:
        async with lease as held:
            held.lose("taken away")
            raise ValueError("mine")

    def fail_in_a_thread() -> None:
        with lease as held:
            held.lose("taken away")
            raise ValueError("mine")

    asyncio.run(main())
    with pytest.raises(ValueError, match="mine"):
        fail_in_a_thread()


def test_a_semaphore_has_so_many_slots_each_with_rising_tokens(store, name) -> None:
    exports = SharedSemaphore(name, store, ttl_s=TTL_S, permits=3)
    held = [exports.acquire() for _ in range(3)]
    assert sorted(each.slot for each in held) == [0, 1, 2]
    assert {each.resource for each in held} == {f"{name}#{slot}" for slot in range(3)}
    assert exports.try_acquire() is None
    middle = held.pop(1)
    middle.release()
    again = exports.acquire(timeout_s=100)
    assert (again.slot, again.token > middle.token) == (middle.slot, True)
    for each in (*held, again):
        each.release()


def test_entering_again_is_told_at_once(store, name) -> None:
    lease = Lease(name, store, ttl_s=TTL_S)
    with lease, pytest.raises(Misuse, match="inside already"), lease:
        pass

    async def main() -> None:
        async with lease:
            with pytest.raises(Misuse, match="inside already"):
                async with lease:
                    pass
        with pytest.raises(Misuse, match="event loop"):
            lease.acquire()
        with pytest.raises(Misuse, match="event loop"):
            lease.try_acquire()

    asyncio.run(main())


@pytest.mark.parametrize("bad", ["", "x" * 201, "a{b", "a\x00b", "a\nb"])
def test_a_bad_name_is_told(store, bad) -> None:
    with pytest.raises(Misuse, match="name must be 1 to 200 characters"):
        Lease(bad, store, ttl_s=TTL_S)


@pytest.mark.parametrize("ttl_s", [0, -1, 14.9, float("inf"), float("nan")])
def test_a_bad_ttl_is_told(store, name, ttl_s) -> None:
    with pytest.raises(Misuse, match=r"ttl_s must be 3 × the store's timeout_s \(5 s\) or more"):
        Lease(name, store, ttl_s=ttl_s)


@pytest.mark.parametrize("permits", [0, -1, 1001])
def test_a_bad_number_of_permits_is_told(store, name, permits) -> None:
    with pytest.raises(Misuse, match="permits must be from 1 to 1000"):
        SharedSemaphore(name, store, ttl_s=TTL_S, permits=permits)


def test_a_store_that_closes_loses_what_is_held(backend, name) -> None:
    store = backend.open()
    held = Lease(name, store, ttl_s=TTL_S).acquire()
    store.close()
    with pytest.raises(LeaseLost, match="its store was closed"):
        held.check()
