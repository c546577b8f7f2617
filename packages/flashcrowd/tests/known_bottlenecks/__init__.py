"""Services with one planted bottleneck each, written before the analyser that has to name it. See README.md."""
