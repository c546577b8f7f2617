"""A small real service under many times its load: behind a gate, and behind what else there is."""
