"""Passwords, secrets, and how often they may be guessed at."""
