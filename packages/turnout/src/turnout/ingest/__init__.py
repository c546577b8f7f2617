"""One event: decode, screen, enrich, journal, writer; each step one file."""
