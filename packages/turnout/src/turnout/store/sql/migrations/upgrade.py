"""Brings a database to the newest version, or says by which migration it can't be."""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config() -> Config:
    """Where the migrations are."""
    found = Config()
    found.set_main_option("script_location", "turnout.store.sql:migrations")
    found.set_main_option("path_separator", "os")
    return found


def upgrade(connection: Connection) -> None:
    """Applies what is missing, in the transaction of `connection`. Raises what SQLAlchemy raises."""
    asked = config()
    asked.attributes["connection"] = connection
    command.upgrade(asked, "head")
