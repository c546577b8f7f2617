"""Seawall under other libraries, each in a module of its name that imports it. Seawall itself needs none of them."""
