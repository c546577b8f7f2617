"""What a run is shown as: in the terminal, as one HTML file, as JSON; judged by thresholds, and beside another run."""
