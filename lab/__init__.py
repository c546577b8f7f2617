"""The outage of a launch day, rebuilt and mended step by step; and five times the crowd. Nothing imports this."""
