"""Flashcrowd: sends the crowd beforehand, and names what breaks."""
