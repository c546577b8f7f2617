"""The data that every run begins with: users, sessions, sites, who may see what, and 30 days of page views."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from random import Random

from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, insert, text

from lab.launch_day.schema import Base, Day, Login, Permission, Site, User

TODAY = date(2026, 11, 20)
DAYS = 30
USERS = 50
SITES_OF_A_USER = 8
PASSWORD = "correct horse battery staple"
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

SITES = 20
EVENTS_PER_SITE = 42_000
"""So that each query of a dashboard takes about 20 ms on an idle core of 2026 (PostgreSQL 18)."""

SPREAD = 2_654_435_761  # Knuth's multiplicative hash: numbers without a pattern, the same in every database


@dataclass(frozen=True, slots=True)
class Visit:
    """What the crowd needs for one dashboard: whose session, and a site that they may see."""

    token: str
    site_id: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """Who comes: pairs of session and site, and the addresses of those who sign in."""

    visits: tuple[Visit, ...]
    emails: tuple[str, ...]
    password: str = PASSWORD


def fill(engine: Engine, seed: int, events_per_site: int = EVENTS_PER_SITE) -> Crowd:
    """Make the tables and fill them. The same seed gives the same rows."""
    random = Random(seed)
    Base.metadata.create_all(engine)
    password_hash = HASHER.hash(PASSWORD)  # one hash serves all: checking it costs the same
    users = [{"id": n, "email": f"user{n}@example.org", "password_hash": password_hash} for n in range(1, USERS + 1)]
    domains = [f"site-{n:02}.example" for n in range(1, SITES + 1)]
    random.shuffle(domains)
    sites = [
        {"id": n, "domain": domain, "days_shown": DAYS, "top_rows": 10, "dashboard_views": 0, "visitors_today": 0}
        for n, domain in enumerate(domains, 1)
    ]
    logins = [{"token": random.randbytes(24).hex(), "user_id": n} for n in range(1, USERS + 1)]
    allowed = [
        {"user_id": user, "site_id": site}
        for user in range(1, USERS + 1)
        for site in random.sample(range(1, SITES + 1), SITES_OF_A_USER)
    ]
    days = [
        {"site_id": site["id"], "day": TODAY - timedelta(days=n), "dashboard_views": 0, "visitors": 0, "page_views": 0}
        for site in sites
        for n in range(DAYS)
    ]
    with engine.begin() as connection:
        for table, rows in ((User, users), (Site, sites), (Login, logins), (Permission, allowed), (Day, days)):
            connection.execute(insert(table), rows)
        _fill_events(connection, seed, events_per_site)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE" if engine.dialect.name == "postgresql" else "ANALYZE"))
    tokens = {n: str(login["token"]) for n, login in enumerate(logins, 1)}
    visits = tuple(Visit(tokens[pair["user_id"]], pair["site_id"]) for pair in allowed)
    return Crowd(tuple(random.sample(visits, len(visits))), tuple(str(user["email"]) for user in users))


def _fill_events(connection: Connection, seed: int, events_per_site: int) -> None:
    """Rows come in the order of time, so those of one site lie apart, as they do in life."""
    per_day = events_per_site // DAYS * SITES
    rows = (
        (
            n + 1,
            n % SITES + 1,
            TODAY - timedelta(days=DAYS - 1 - n // per_day),
            mixed % (events_per_site // 3),
            f"/page/{(mixed >> 7) % 97 * ((mixed >> 3) % 13)}",
            f"{'ABCDEFGHIJ'[(mixed >> 5) % 10]}{'XYZ'[(mixed >> 11) % 3]}",
        )
        for n in range(per_day * DAYS)
        for mixed in [(n + seed) * SPREAD % 2**32]
    )
    if connection.dialect.name == "postgresql":
        with (
            connection.connection.cursor() as cursor,  # type: ignore[attr-defined]
            cursor.copy("COPY events (id, site_id, day, visitor, path, country) FROM STDIN") as copy,
        ):
            for row in rows:
                copy.write_row(row)
        return
    while batch := [(*row[:2], row[2].isoformat(), *row[3:]) for row in islice(rows, 10_000)]:
        connection.exec_driver_sql(
            "INSERT INTO events (id, site_id, day, visitor, path, country) VALUES (?, ?, ?, ?, ?, ?)", batch
        )
