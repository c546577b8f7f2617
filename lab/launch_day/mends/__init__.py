"""The mends. Each file holds the definitions of the service that it replaces or adds, and nothing else."""
