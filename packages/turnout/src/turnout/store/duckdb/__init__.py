"""Events in one embedded DuckDB file: a writing connection for the writer thread, cursors for the read pool."""
