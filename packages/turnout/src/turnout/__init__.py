"""Turnout: self-hosted analytics that stays up when everyone turns up at once."""

__version__ = "0.1.0"
