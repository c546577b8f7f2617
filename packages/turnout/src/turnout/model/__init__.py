"""The nouns of Turnout: frozen structs that carry data between rooms, and nothing else."""
