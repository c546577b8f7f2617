"""Work that is shared, gathered or repeated."""
