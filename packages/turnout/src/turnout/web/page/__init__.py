"""A site's page, as pure functions: its address to a `View`, a `View` to queries, their results to what is drawn."""
