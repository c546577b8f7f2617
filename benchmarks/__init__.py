"""Benchmarks: each prints one JSON object a line, beside a peer or its own peak measured in the same run."""
