"""Reads a target while the crowd is there: what it tells of itself, and its process where that is on this machine."""
