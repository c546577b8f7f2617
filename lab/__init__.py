"""The outage of a launch day, rebuilt and mended step by step. Nothing imports this."""
