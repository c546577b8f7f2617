"""Locks that serve threads and tasks alike."""
