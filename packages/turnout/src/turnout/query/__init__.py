"""One question: parse, plan, run, shape; each step one file."""
