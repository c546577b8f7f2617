import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from seawall import configure, forget_lock_order
from seawall.observe.settings import SETTINGS


def _loaded(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"seawall_tests_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def planting() -> ModuleType:
    """What brings threads and tasks into a deadlock."""
    return _loaded("planting")


@pytest.fixture(scope="session")
def servers() -> ModuleType:
    """What starts real servers."""
    return _loaded("servers")


@pytest.fixture(scope="session")
def postgres(servers) -> Iterator[object]:
    """A running PostgreSQL, the same for the whole session: a `servers.Postgres`."""
    skip_without(servers.missing())
    with servers.running_postgres("max_connections=200", "deadlock_timeout=1s") as server:
        yield server


@pytest.fixture
def postgres_database(postgres) -> Iterator[str]:
    """The name of a fresh database of that server; `postgres.url(postgres_database)` leads there."""
    with postgres.fresh_database() as name:
        yield name


@pytest.fixture(scope="session")
def orders() -> ModuleType:
    """Small scenarios for the scripted scheduler."""
    return _loaded("orders")


@pytest.fixture(scope="session")
def legal() -> ModuleType:
    """Work over every kind of resource that never is a deadlock."""
    return _loaded("legal")


@pytest.fixture(scope="session")
def mortal_servers() -> ModuleType:
    """Servers that may be killed and paused, and lines to them that may be slow."""
    return _loaded("mortal_servers")


@pytest.fixture(scope="session")
def leases() -> ModuleType:
    """The back ends of leases, and processes that hold one."""
    return _loaded("leases")


@pytest.fixture(scope="session")
def lease_postgres(postgres, leases) -> Iterator[str]:
    """Where a database with the schema for leases is, and a table `written`, the same for the whole session."""
    with postgres.fresh_database() as name:
        prepare_postgres(leases, postgres.url(name))
        yield postgres.url(name)


@pytest.fixture(scope="session")
def lease_valkey(mortal_servers) -> Iterator[str]:
    """Where a Valkey is, the same for the whole session."""
    skip_without(mortal_servers.missing_valkey())
    with mortal_servers.mortal_valkey() as server:
        yield server.url()


@pytest.fixture(scope="session")
def mortal_postgres(servers, mortal_servers, leases) -> Iterator[object]:
    """A PostgreSQL that a test may kill and pause, prepared as `lease_postgres`. The test leaves it running."""
    skip_without(servers.missing())
    with mortal_servers.mortal_postgres(servers) as server:
        prepare_postgres(leases, server.url())
        yield server


@pytest.fixture(scope="session")
def mortal_valkey(mortal_servers) -> Iterator[object]:
    """A Valkey that a test may kill and pause. The test leaves it running."""
    skip_without(mortal_servers.missing_valkey())
    with mortal_servers.mortal_valkey() as server:
        yield server


def prepare_postgres(leases: ModuleType, url: str) -> None:
    import psycopg

    with leases.Backend("postgresql", url).open() as store:
        store.install()
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE written (key text PRIMARY KEY, value text)")
        connection.execute("CREATE TABLE appended (number bigint GENERATED ALWAYS AS IDENTITY, key text, token bigint)")


def skip_without(missing: list[str]) -> None:
    if missing and not os.environ.get("REQUIRE_ALL_TESTS"):
        pytest.skip(f"needs a real server: {', '.join(missing)} not installed (uv sync --group servers)")


@pytest.fixture(autouse=True)
def settings_as_they_were():
    level, on_deadlock, on_inversion = SETTINGS.level, SETTINGS.on_deadlock, SETTINGS.on_inversion
    forget_lock_order()
    yield
    configure(level=level, on_deadlock=on_deadlock, on_inversion=on_inversion)
    forget_lock_order()


@pytest.fixture
def watched() -> None:
    configure(level="watched", on_deadlock="raise")


@pytest.fixture
def ordered() -> None:
    configure(level="ordered", on_deadlock="raise", on_inversion="raise")
