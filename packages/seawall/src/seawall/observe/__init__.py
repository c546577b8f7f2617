"""The registry of named resources, snapshots of it, and their text for monitoring."""
