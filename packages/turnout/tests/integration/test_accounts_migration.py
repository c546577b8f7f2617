"""An accounts file of the first version becomes one of this version, and loses nothing."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from shelf import PASSWORD, Shelf, run
from sqlalchemy import create_engine

from turnout.credentials.passwords import HASHER
from turnout.credentials.secrets import hash_secret
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.tables import metadata


def old_file(path: Path) -> None:
    """What `turnout` 0.1 kept: two accounts, each with a site, a session and a key; one site was deleted."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", "turnout.store.sql:migrations")
    config.set_main_option("path_separator", "os")
    with engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
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
