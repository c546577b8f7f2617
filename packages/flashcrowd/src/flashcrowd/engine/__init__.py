"""Sends: connections, sessions, the instants at which users come, and what is counted."""
