"""Fences refuse an older token, and let the others through one after the other."""

import asyncio
import threading

import pytest

from seawall import Misuse, StaleToken
from seawall.dist import Fence, Lease


def test_a_fence_refuses_what_is_older_than_the_newest_and_takes_the_same_again() -> None:
    fence = Fence("file")
    for token in (3, 3, 7):
        with fence.passing(token):
            pass
    with pytest.raises(StaleToken) as caught, fence.passing(6):
        pass
    assert (caught.value.resource, caught.value.token, caught.value.newest) == ("file", 6, 7)
    with pytest.raises(StaleToken), Fence("file", newest=10).passing(9):
        pass
    for bad in (0, -1, True, "7", 1.0):
        with pytest.raises(Misuse, match="a token is an int above 0"):
            fence.passing(bad)


def test_a_fence_holds_newer_writers_off_until_a_write_is_done() -> None:
    fence, order, begun = Fence("file"), [], threading.Event()

    def newer() -> None:
        begun.set()
        with fence.passing(2):
            order.append(2)

    with fence.passing(1):
        thread = threading.Thread(target=newer)
        thread.start()
        begun.wait()
        order.append(1)
    thread.join()
    assert order == [1, 2]

    async def main() -> None:
        async with fence.passing(5):
            pass
        with pytest.raises(StaleToken):
            async with fence.passing(4):
                pass

    asyncio.run(main())


def test_a_stale_token_rolls_the_whole_transaction_back(lease_postgres, leases, name) -> None:
    import psycopg

    from seawall.dist.postgresql import pass_fence, pass_fence_async

    leases.write("postgresql", lease_postgres, name, "second", 2)

    def write_late() -> None:
        with psycopg.connect(lease_postgres) as connection:
            connection.execute("UPDATE written SET value = 'late' WHERE key = %s", (name,))
            pass_fence(connection, name, 1)

    with pytest.raises(StaleToken) as caught:
        write_late()
    assert caught.value.newest == 2
    assert leases.read("postgresql", lease_postgres, name) == "second"
    with psycopg.connect(lease_postgres, autocommit=True) as connection:
        with pytest.raises(Misuse, match="open one"):
            pass_fence(connection, name, 3)
        with connection.transaction():
            pass_fence(connection, name, 3)

    async def main() -> None:
        async with await psycopg.AsyncConnection.connect(lease_postgres) as connection:
            await pass_fence_async(connection, name, 4)
            await connection.commit()
            with pytest.raises(StaleToken):
                await pass_fence_async(connection, name, 3)
            await connection.rollback()

    asyncio.run(main())


def test_an_older_writer_that_comes_while_a_newer_one_is_at_it_waits_and_is_refused(lease_postgres, name) -> None:
    import psycopg

    from seawall.dist.postgresql import pass_fence

    told = []

    def come_late() -> None:
        with psycopg.connect(lease_postgres) as connection:
            try:
                pass_fence(connection, name, 1)
            except StaleToken as error:
                told.append(error.newest)

    with psycopg.connect(lease_postgres) as newer:
        pass_fence(newer, name, 2)
        late = threading.Thread(target=come_late)
        late.start()
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
        while newer.execute(waiting).fetchone() == (0,):
            newer.execute("SELECT pg_stat_clear_snapshot()")
        assert told == []
        newer.commit()
        late.join()
    assert told == [2]


def test_a_stale_token_leaves_the_key_as_it_is(lease_valkey, name) -> None:
    import valkey

    from seawall.dist.valkey import set_fenced, set_fenced_async

    with valkey.Valkey.from_url(lease_valkey, decode_responses=True) as client:
        for key in (name, f"{{{name}}}:part"):
            set_fenced(client, key, "second", 1_700_000_000_000_002)
            set_fenced(client, key, "again", 1_700_000_000_000_002)
            with pytest.raises(StaleToken) as caught:
                set_fenced(client, key, "late", 1_700_000_000_000_001)
            assert caught.value.newest == 1_700_000_000_000_002
            assert client.get(key) == "again"

    async def main() -> None:
        async with valkey.asyncio.Valkey.from_url(lease_valkey) as client:
            await set_fenced_async(client, name, "third", 1_700_000_000_000_003)
            with pytest.raises(StaleToken):
                await set_fenced_async(client, name, "late", 1_700_000_000_000_002)
            assert await client.get(name) == b"third"

    asyncio.run(main())


def test_the_token_of_a_lease_passes_the_fence_of_its_resource(store, backend, name) -> None:
    lease, fence = Lease(name, store, ttl_s=30), Fence(name)
    tokens = []
    for _ in range(2):
        with lease as held, fence.passing(held.token):
            tokens.append(held.token)
    assert fence.newest == tokens[1]
    with pytest.raises(StaleToken), fence.passing(tokens[0]):
        pass
