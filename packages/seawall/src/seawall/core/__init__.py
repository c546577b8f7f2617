"""Decisions as plain data: no thread, no clock, no I/O."""
