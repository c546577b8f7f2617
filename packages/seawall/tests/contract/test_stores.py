"""What only one kind of store has to get right."""

import pytest

from seawall import LeaseLost, Misuse
from seawall.dist import Lease, MemoryStore, SharedSemaphore, Store


def test_a_database_without_the_schema_is_told_what_to_do(postgres, postgres_database) -> None:
    from seawall.dist.advisory import AdvisoryStore
    from seawall.dist.postgresql import PostgresqlStore

    url = postgres.url(postgres_database)
    for make in (PostgresqlStore, AdvisoryStore):
        with make(url, timeout_s=5.0) as store:
            with pytest.raises(Misuse, match=r"lacks the schema `seawall`; call install\(\) once"):
                Lease("x", store, ttl_s=15).acquire()
    with PostgresqlStore(url, timeout_s=5.0) as store:
        store.install()
        store.install()
        Lease("x", store, ttl_s=15).acquire().release()


def test_tokens_are_committed_before_they_are_given_out_also_where_the_database_is_set_otherwise(
    postgres, postgres_database
) -> None:
    import psycopg

    from seawall.dist.postgresql import Connection

    url = postgres.url(postgres_database)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {postgres_database} SET synchronous_commit TO off")
        connection.execute(f"ALTER DATABASE {postgres_database} SET default_transaction_isolation TO serializable")
    connection = Connection.open(url, "postgresql", 5.0)
    assert connection.execute("SELECT current_setting('synchronous_commit')") == ("on",)
    assert connection.execute("SELECT current_setting('transaction_isolation')") == ("read committed",)
    connection.close()


def test_a_valkey_that_may_evict_any_key_is_refused(mortal_servers) -> None:
    missing = mortal_servers.missing_valkey()
    if missing:
        pytest.skip(f"not installed: {missing}")
    from seawall.dist.valkey import ValkeyStore

    with mortal_servers.mortal_valkey("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru") as server:
        with ValkeyStore(server.url(), timeout_s=5.0) as store, pytest.raises(Misuse, match="may evict any key"):
            Lease("x", store, ttl_s=15).acquire()


def test_nothing_but_the_last_token_stays_in_valkey_for_ever(lease_valkey, leases, name) -> None:
    import valkey

    with leases.Backend("valkey", lease_valkey).open(timeout_s=5.0) as store:
        held = Lease(name, store, ttl_s=15).acquire()
        assert Lease(name, store, ttl_s=15).try_acquire() is None
        with pytest.raises(TimeoutError):
            Lease(name, store, ttl_s=15).acquire(timeout_s=0.05)
        with valkey.Valkey.from_url(lease_valkey, decode_responses=True) as client:
            lasting = {key: client.ttl(key) for key in client.scan_iter("seawall:{" + name.replace("[", "\\[") + "}:*")}
        held.release()
    assert {key.rpartition(":")[2] for key, ttl in lasting.items() if ttl == -1} == {"token"}
    assert len(lasting) >= 2


def test_more_advisory_locks_than_connections_wait_for_one(lease_postgres, name) -> None:
    from seawall.dist.advisory import AdvisoryStore

    with AdvisoryStore(lease_postgres, timeout_s=1.0, max_connections=2) as store:
        slots = SharedSemaphore(name, store, ttl_s=15, permits=3)
        held = [slots.acquire(), slots.acquire()]
        with pytest.raises(TimeoutError):
            slots.acquire(timeout_s=0.2)
        held.pop().release()
        held.append(slots.acquire(timeout_s=100))
        for each in held:
            each.release()


@pytest.mark.parametrize(("timeout_s", "max_connections"), [(0, 4), (-1, 4), (float("inf"), 4), (1.0, 0)])
def test_a_bad_limit_of_a_store_is_told(timeout_s, max_connections) -> None:
    with pytest.raises(Misuse, match="timeout_s must be above 0"):
        Store("x", lambda: pytest.fail("not asked"), timeout_s=timeout_s, max_connections=max_connections)


def test_a_closed_store_is_told() -> None:
    store = MemoryStore()
    lease = Lease("x", store, ttl_s=15)
    held = lease.acquire()
    store.close()
    with pytest.raises(LeaseLost):
        held.check()
    with pytest.raises(RuntimeError):  # Closed
        lease.acquire()
