"""Who holds the data directory, and how the command line speaks to them."""
