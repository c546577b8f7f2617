"""Names what limits a target, from what was seen of it. Knows nothing of who sent the load."""
