"""One ordinary service, the crowd of its launch day, and the mends: `uv run --group lab python -m lab.launch_day`."""
