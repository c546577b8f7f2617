"""A process that holds a lease, for tests: `python lease_holder.py KIND URL NAME TTL_S TIMEOUT_S COMMAND [ARGUMENT …]`.

`hold` takes it, prints its token and then does what each line of its input says. `count` adds to the number in a
file, `append` to a table.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from seawall import LeaseLost, StaleToken
from seawall.dist import Held, Lease, Store


def open_store(kind: str, url: str, timeout_s: float = 1.0) -> Store:
    """A store of that kind. Only the driver that it needs is imported."""
    if kind == "valkey":
        from seawall.dist.valkey import ValkeyStore

        return ValkeyStore(url, timeout_s=timeout_s)
    if kind == "advisory":
        from seawall.dist.advisory import AdvisoryStore

        return AdvisoryStore(url, timeout_s=timeout_s)
    from seawall.dist.postgresql import PostgresqlStore

    return PostgresqlStore(url, timeout_s=timeout_s)


def write(kind: str, url: str, key: str, value: str, token: int) -> None:
    """A fenced write to the server that keeps the leases."""
    if kind == "valkey":
        import valkey

        from seawall.dist.valkey import set_fenced

        with valkey.Valkey.from_url(url) as client:
            set_fenced(client, key, value, token)
        return
    import psycopg

    from seawall.dist.postgresql import pass_fence

    with psycopg.connect(url) as connection:
        pass_fence(connection, key, token)
        connection.execute(
            "INSERT INTO written VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET value = excluded.value", (key, value)
        )


def main() -> None:
    kind, url, name, ttl_s, timeout_s, command, *rest = sys.argv[1:]
    with open_store(kind, url, float(timeout_s)) as store:
        lease = Lease(name, store, ttl_s=float(ttl_s))
        if command == "count":
            count(lease, Path(rest[0]), int(rest[1]))
        elif command == "append":
            append(lease, url, rest[0], int(rest[1]))
        else:
            hold(lease.acquire(timeout_s=120), kind, url)


def count(lease: Lease, file: Path, times: int) -> None:
    for _ in range(times):
        with lease:
            number = int(file.read_text())
            time.sleep(0.002)
            file.write_text(str(number + 1))


def append(lease: Lease, url: str, key: str, times: int) -> None:
    """Write one row under the lease, `times` times, each in a fenced transaction; PostgreSQL only."""
    import psycopg

    from seawall.dist.postgresql import pass_fence

    while times:
        try:
            with lease as held, psycopg.connect(url) as connection:
                time.sleep(0.05)
                pass_fence(connection, key, held.token)
                connection.execute("INSERT INTO appended (key, token) VALUES (%s, %s)", (key, held.token))
                connection.commit()
                times -= 1
        except (LeaseLost, StaleToken):
            pass


def hold(held: Held, kind: str, url: str) -> None:
    say(str(held.token))
    for line in sys.stdin:
        command, *rest = line.split()
        try:
            if command == "write":
                write(kind, url, rest[0], rest[1], held.token)
                say("written")
            elif command == "check":
                held.check()
                say("held")
            else:
                held.release()
                say("released")
                return
        except (LeaseLost, StaleToken) as error:
            say(type(error).__name__)
            if command == "release":
                return


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
