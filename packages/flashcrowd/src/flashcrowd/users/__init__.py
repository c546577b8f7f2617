"""Virtual users: what they do, how patient they are, and what they do when they are refused."""
