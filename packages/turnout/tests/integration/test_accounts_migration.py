"""An accounts file of the first version becomes one of this version, and loses nothing."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from shelf import PASSWORD, Shelf, run
from sqlalchemy import create_engine

from turnout.credentials.passwords import HASHER
from turnout.credentials.secrets import hash_secret
from turnout.errors import StoreUnavailable
from turnout.store.sql.database import VERSION, AccountsDatabase
from turnout.store.sql.migrations.upgrade import config
from turnout.store.sql.tables import metadata


def old_file(path: Path) -> None:
    """What `turnout` 0.1 kept: two accounts, each with a site, a session and a key; one site was deleted."""
    engine = create_engine(f"sqlite:///{path}")
    asked = config()
    with engine.connect() as connection:
        asked.attributes["connection"] = connection
        command.upgrade(asked, "0001")
        connection.commit()
    engine.dispose()
    with sqlite3.connect(path) as file:
        hashed = HASHER.hash(PASSWORD)
        for number, name in ((1, "ada"), (2, "bob")):
            file.execute(
                "INSERT INTO users (id, email, password_hash, is_operator, created_s) VALUES (?, ?, ?, 0, 100)",
                (number, f"{name}@example.org", hashed),
            )
            file.execute(
                "INSERT INTO sessions VALUES (?, ?, 100, 4000000000)", (hash_secret(f"session of {name}"), number)
            )
            file.execute(
                "INSERT INTO api_keys (key_hash, prefix, scope, user_id, created_s) VALUES (?, 'tk_x', 'stats', ?, 1)",
                (hash_secret(f"key of {name}"), number),
            )
        sites = [(3, "ada.example", 1), (5, "bob.example", 2), (9, "gone.example", 2)]
        file.executemany(
            "INSERT INTO sites (id, domain, timezone, owner_id, created_s) VALUES (?, ?, 'UTC', ?, 1)", sites
        )
        file.execute("DELETE FROM sites WHERE id = 9")
    file.close()


def test_everybody_keeps_what_was_theirs(tmp_path: Path) -> None:
    old_file(tmp_path / "accounts.sqlite")
    shelf = Shelf(tmp_path / "accounts.sqlite")

    async def body() -> None:
        for name in ("ada", "bob"):
            person = await shelf.sessions.principal_of_session(f"session of {name}")
            assert person is not None
            assert person.email == f"{name}@example.org"
            assert [site.domain for site in await shelf.sites.list(person)] == [f"{name}.example"]
            (own,) = await shelf.organisations.of(person)
            assert (own.name, own.role) == (person.email, "owner")
            key = await shelf.sessions.principal_of_key(f"key of {name}")
            assert key is not None
            assert [site.domain for site in await shelf.sites.list(key)] == [f"{name}.example"]
        ada = await shelf.accounts.principal_named("ada@example.org")
        # The number of a site deleted before is not given to another.
        assert (await shelf.sites.create(ada, (await shelf.own(ada)).id, "new.example", "UTC")).id == 10

    run(body)
    shelf.close()


def test_the_migrations_make_the_tables_that_the_code_knows(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    AccountsDatabase(path).close()
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_the_version_that_needs_no_migration_is_the_newest_one() -> None:
    assert ScriptDirectory.from_config(config()).get_current_head() == VERSION


def test_a_file_of_the_newest_version_is_opened_without_alembic(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    AccountsDatabase(path).close()
    program = (
        "import sys; from pathlib import Path; from turnout.store.sql.database import AccountsDatabase; "
        "AccountsDatabase(Path(sys.argv[1])).close(); print('alembic' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_a_file_of_a_later_version_is_refused_and_says_why(tmp_path: Path) -> None:
    path = tmp_path / "accounts.sqlite"
    AccountsDatabase(path).close()
    with sqlite3.connect(path) as file:
        file.execute("UPDATE alembic_version SET version_num = '9999'")
    file.close()
    with pytest.raises(StoreUnavailable, match=r"accounts\.sqlite are of version 9999.*up to 0002"):
        AccountsDatabase(path)
