"""Accounts, sites, sessions and keys in SQLite through SQLAlchemy. Every read is scoped here, and only here."""
