"""Five times the crowd: the mended service against the service as it was, and Turnout whole and with a protection off."""
