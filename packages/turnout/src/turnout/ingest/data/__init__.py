"""Data files that ship with the package; NOTICE names their origin and licence."""
