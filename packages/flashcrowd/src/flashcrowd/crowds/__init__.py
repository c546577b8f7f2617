"""Ready-made crowds, by name: `flashcrowd run NAME URL`."""
