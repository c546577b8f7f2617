"""Gates: who is let in, who waits, and who is told to come back."""
