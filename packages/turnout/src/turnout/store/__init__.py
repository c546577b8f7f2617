"""Where things are kept: events in DuckDB, accounts in SQLite. `protocols.py` says what the rest of Turnout may ask of them."""
