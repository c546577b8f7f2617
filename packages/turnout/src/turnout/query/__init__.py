"""A query: parse → plan → run → shape."""
