"""Turnout: self-hosted analytics that stays up when everyone turns up at once."""
