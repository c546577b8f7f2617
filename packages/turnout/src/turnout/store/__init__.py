"""Where things are kept: events in DuckDB, accounts in SQLite. `protocols.py` says what may be asked of them."""
