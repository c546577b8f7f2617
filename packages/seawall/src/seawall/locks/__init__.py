"""Locks for threads and tasks at once."""

# Importing them is what gives each lock its sibling classes.
from seawall.locks import mutex_levels, read_write_levels, semaphore_levels

__all__ = ["mutex_levels", "read_write_levels", "semaphore_levels"]
