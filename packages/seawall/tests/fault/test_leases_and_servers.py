"""The server is killed, paused, slow or out of reach, and forgets."""

import asyncio
import threading
import time

import pytest

from seawall import DeadlineExceeded, LeaseLost, StaleToken, StoreUnavailable
from seawall.clock import SystemClock
from seawall.dist import Fence, Lease, MemoryStore, SharedLimit
from seawall.testing import ManualClock

LONG_S = 60.0
SHORT_S = 1.5
"""For leases that are to be lost. Their store has half a second for a round trip."""


def test_tokens_rise_over_a_kill_of_the_server_and_its_connections_are_made_anew(mortal, name) -> None:
    backend, server = mortal
    with backend.open(timeout_s=5.0) as store:
        lease = Lease(name, store, ttl_s=LONG_S)
        held = [lease.acquire()]
        held[0].release()
        server.kill()
        server.start()
        held.append(lease.acquire(timeout_s=100))
        held[1].release()
    assert held[1].token > held[0].token


def test_a_lease_outlives_a_short_absence_of_the_server_unless_it_hangs_on_the_connection(mortal, name) -> None:
    backend, server = mortal
    with backend.open(timeout_s=5.0) as store:
        lease = Lease(name, store, ttl_s=LONG_S)
        held = lease.acquire()
        server.kill()
        server.start()
        if backend.runs_out:
            assert store.renew(held.claim)
            assert lease.try_acquire() is None
            held.release()
        else:
            second = lease.acquire(timeout_s=100)
            assert second.token > held.token
            with pytest.raises(LeaseLost):
                held.release()
            second.release()


def test_a_holder_whose_server_stands_still_takes_itself_for_lost_and_all_goes_on_afterwards(mortal, name) -> None:
    backend, server = mortal
    with backend.open(timeout_s=0.5) as store:
        lease, other = Lease(name, store, ttl_s=SHORT_S), Lease(f"{name} other", store, ttl_s=SHORT_S)

        async def stand_still() -> None:
            async with lease:
                server.pause()
                await asyncio.Event().wait()  # until it is cancelled: the server tells nobody anything

        try:
            with pytest.raises(LeaseLost, match=r"renewed in time|does not know"):
                asyncio.run(stand_still())
            with pytest.raises(DeadlineExceeded) as caught:
                other.acquire(timeout_s=0.1)
            assert isinstance(caught.value.__cause__, StoreUnavailable)
        finally:
            server.resume()
    with backend.open(timeout_s=5.0) as store:
        held = Lease(name, store, ttl_s=LONG_S).acquire(timeout_s=100)
        held.release()


def test_who_waits_while_the_server_is_away_gets_in_when_it_is_back(mortal, name) -> None:
    backend, server = mortal
    with backend.open(timeout_s=5.0) as store:
        lease = Lease(name, store, ttl_s=LONG_S)
        server.kill()
        with pytest.raises(StoreUnavailable):
            lease.acquire()
        with pytest.raises(StoreUnavailable):
            lease.try_acquire()
        with pytest.raises(StoreUnavailable):
            SharedLimit(name, store, rate_per_s=1).spend()
        got = []
        waiting = threading.Thread(target=lambda: got.append(lease.acquire(timeout_s=100)))
        waiting.start()
        while lease.statistics().waiting == 0:
            pass
        server.start()
        waiting.join()
        got[0].release()


def test_a_slow_line_costs_nobody_a_lease_and_a_cut_one_is_made_anew(mortal, mortal_servers, name) -> None:
    backend, server = mortal
    with mortal_servers.Line(server.port) as line:
        with backend.open(timeout_s=2.0, url=server.url(line.port)) as store:
            lease = Lease(name, store, ttl_s=6.0)
            line.delay_s = 0.05
            held = lease.acquire(timeout_s=100)
            assert store.renew(held.claim)
            line.delay_s = 0.0
            line.cut()
            if backend.runs_out:
                assert store.renew(held.claim)
                assert held.is_held()
                held.release()
            else:
                with pytest.raises(LeaseLost):
                    held.release()
            line.is_open = False
            line.cut()
            with pytest.raises(StoreUnavailable):
                lease.try_acquire()
            line.is_open = True
            lease.acquire(timeout_s=100).release()


def test_a_release_that_the_server_cannot_hear_does_not_fail_the_work_and_the_lease_runs_out(mortal, name) -> None:
    backend, server = mortal
    if not backend.runs_out:
        pytest.skip("there the connection is closed, and the lock with it")
    with backend.open(timeout_s=0.5) as store:
        lease = Lease(name, store, ttl_s=SHORT_S)
        held = lease.acquire(timeout_s=100)
        server.kill()
        if held.is_held():
            held.release()
            assert lease.statistics().failures_total >= 1
        server.start()
        again = lease.acquire(timeout_s=100)
        assert again.token > held.token


def test_a_loop_that_stands_still_for_longer_than_the_ttl_keeps_its_lease(mortal_valkey, leases, name) -> None:
    with leases.Backend("valkey", mortal_valkey.url()).open(timeout_s=1.0) as store:
        lease = Lease(name, store, ttl_s=3.0)

        async def stall() -> None:
            async with lease as held:
                time.sleep(3.3)  # noqa: ASYNC251 - on purpose
                assert held.is_held()

        asyncio.run(stall())


def test_no_client_asks_for_the_time_of_day(mortal, name, monkeypatch) -> None:
    def time_of_day() -> float:
        raise AssertionError("the time of day may jump")

    backend, _ = mortal
    monkeypatch.setattr(SystemClock, "time", staticmethod(time_of_day))
    with backend.open(timeout_s=5.0) as store:
        lease = Lease(name, store, ttl_s=LONG_S)
        with lease as held:
            assert store.renew(held.claim)
            with pytest.raises(DeadlineExceeded):
                lease.acquire(timeout_s=0.05)
        SharedLimit(name, store, rate_per_s=1).spend()


def test_a_server_that_forgets_everything_lets_a_second_one_in_with_a_higher_token(mortal_valkey, leases, name) -> None:
    import valkey

    fence = Fence(name)
    with leases.Backend("valkey", mortal_valkey.url()).open(timeout_s=5.0) as store:
        lease = Lease(name, store, ttl_s=LONG_S)
        first = lease.acquire()
        with valkey.Valkey.from_url(mortal_valkey.url()) as client:
            client.flushall()
        second = lease.acquire()
        with fence.passing(second.token):
            pass
        with pytest.raises(StaleToken), fence.passing(first.token):
            pass
        with pytest.raises(LeaseLost):
            first.release()
        second.release()


def test_a_server_clock_that_jumps_ends_leases_early_or_late_but_tokens_rise() -> None:
    clock = ManualClock(time_s=1e9)
    with MemoryStore(clock=clock) as store:
        lease = Lease("jumps", store, ttl_s=LONG_S)
        first = lease.acquire()
        clock.set_time(1e9 + 3600)
        second = lease.try_acquire()
        assert second is not None
        clock.set_time(1e9 - 3600)
        assert lease.try_acquire() is None
        second.release()
        third = lease.acquire()
        assert first.token < second.token < third.token
        third.release()
        with pytest.raises(LeaseLost):
            first.release()
