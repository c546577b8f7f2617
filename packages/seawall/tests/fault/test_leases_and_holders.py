"""The process that holds is killed, or paused for longer than its lease, and goes on as if nothing had happened."""

import random
import signal
import time

import pytest

from seawall.dist import Lease

TTL_S = 1.5
"""Short, as it is waited for. The holders' stores have half a second for a round trip."""


@pytest.fixture(params=["postgresql", "advisory", "valkey"])
def backend(request, leases):
    server = "lease_valkey" if request.param == "valkey" else "lease_postgres"
    return leases.Backend(request.param, request.getfixturevalue(server))


def test_what_a_killed_process_held_is_free_again_and_tokens_rise(backend, leases, name) -> None:
    with backend.open(timeout_s=5.0) as store, leases.Holder(backend, name, TTL_S, timeout_s=0.5) as holder:
        holder.kill()
        held = Lease(name, store, ttl_s=60).acquire(timeout_s=100)
        assert held.token > holder.token
        held.release()


@pytest.mark.soak
def test_a_place_in_line_of_a_killed_process_runs_out(lease_valkey, leases, name) -> None:
    backend = leases.Backend("valkey", lease_valkey)
    with backend.open(timeout_s=5.0) as store:
        lease = Lease(name, store, ttl_s=60)
        held = lease.acquire()
        waiting = backend.start(name, 60, "hold", timeout_s=5.0)
        try:
            leases.eventually(lambda: in_line(store, name))
        finally:
            waiting.kill()
            waiting.communicate()
        held.release()
        lease.acquire(timeout_s=100).release()


def in_line(store, name: str) -> bool:
    from seawall.core.lease_table import Claim

    return store.ask(Claim(name, "onlooker", 1, 60)).place > 0


def test_a_paused_holder_finds_its_lease_lost_and_its_write_refused(backend, leases, name) -> None:
    with (
        backend.open(timeout_s=0.5) as store,
        leases.Holder(backend, name, TTL_S, timeout_s=0.5) as first,
    ):
        assert first.tell(f"write {leases.key(name)} first") == "written"
        first.pause()
        if not backend.runs_out:
            end_sessions(backend.url, name)
        second = Lease(name, store, ttl_s=60).acquire(timeout_s=100)
        assert second.token > first.token
        leases.write(backend.kind, backend.url, leases.key(name), "second", second.token)
        first.resume()
        assert first.tell(f"write {leases.key(name)} late") == "StaleToken"
        leases.eventually(lambda: first.tell("check") == "LeaseLost")
        assert first.tell("release") == "LeaseLost"
        assert leases.read(backend.kind, backend.url, leases.key(name)) == "second"
        second.release()


def end_sessions(url: str, name: str) -> None:
    """What a failed network does to a lock of a session: the server ends it, and the holder does not know."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
            " AND (classid::bigint << 32 | objid::bigint) = seawall.slot_key(%s, 0)",
            (name,),
        )


@pytest.mark.soak
def test_holders_paused_at_random_never_write_out_of_order(backend, leases, name) -> None:
    pause_at_random(backend, leases, name, rounds=40)


def pause_at_random(backend, leases, name: str, rounds: int) -> None:
    """Each holder is paused past its lease before its write; then all late ones and the newest one write, in any order."""
    choose, key, newest, written = random.Random(rounds), leases.key(name), 0, 0
    late: list = []
    try:
        for number in range(rounds):
            holder = leases.Holder(backend, name, TTL_S, timeout_s=0.5)
            assert holder.token > newest
            newest = holder.token
            holder.pause()
            late.append(holder)
            if not backend.runs_out:
                end_sessions(backend.url, name)
            if number % 3 < 2:
                continue
            choose.shuffle(late)
            for writer in late:
                writer.resume()
                told = writer.tell(f"write {key} {writer.token}")
                assert told == ("written" if writer.token >= written else "StaleToken")
                written = max(written, writer.token)
                assert leases.read(backend.kind, backend.url, key) == str(written)
            while late:
                late.pop().__exit__()
    finally:
        for holder in late:
            holder.__exit__()
    assert written == newest or rounds % 3


def test_two_processes_that_are_stopped_again_and_again_write_in_the_order_of_their_tokens(
    lease_postgres, leases, name
) -> None:
    """Each takes the lease and writes under it as often as it can; what is refused is tried again under a new one."""
    import psycopg

    backend = leases.Backend("postgresql", lease_postgres)
    writing = [backend.start(name, TTL_S, "append", leases.key(name), 3, timeout_s=0.5) for _ in range(2)]
    try:
        turn = 0
        while any(process.poll() is None for process in writing):
            stop_for(writing[turn % 2], TTL_S)
            turn += 1
    finally:
        for process in writing:
            process.kill()
            process.communicate()
    with psycopg.connect(lease_postgres) as connection:
        rows = connection.execute("SELECT token FROM appended WHERE key = %s ORDER BY number", (leases.key(name),))
        tokens = [row[0] for row in rows]
    assert [process.returncode for process in writing] == [0, 0]
    assert len(tokens) == 6
    assert tokens == sorted(tokens)


def stop_for(process, for_s: float) -> None:
    process.send_signal(signal.SIGSTOP)
    time.sleep(for_s)
    process.send_signal(signal.SIGCONT)
    time.sleep(0.2)
