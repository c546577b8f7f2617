"""A small analytics service, as it was on launch day.

The server is `uvicorn step0_as_it_was:app`, the worker that sums up `python step0_as_it_was.py`.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from fastapi import BackgroundTasks, Cookie, Depends, FastAPI, HTTPException, Response
from pydantic import BaseModel
from sqlalchemy import create_engine, distinct, func, select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from lab.launch_day.schema import Day, Event, Login, Permission, Site, User

DATABASE_URL = os.environ.get("DATABASE_URL", "sqlite:///launch-day.db")
TODAY = date.fromisoformat(os.environ.get("TODAY", "2026-11-20"))
REFRESH_S = 10.0
ROLL_UP_S = 1.0

log = logging.getLogger("service")
hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
engine = create_engine(DATABASE_URL)
new_session = sessionmaker(engine)


@dataclass(frozen=True)
class Settings:
    """How a site's dashboard is shown."""

    days_shown: int
    top_rows: int


settings: dict[int, Settings] = {}
settings_lock = threading.Lock()
permissions: dict[int, set[int]] = {}
permissions_lock = threading.Lock()


def settings_for(db: Session, site_id: int, user_id: int) -> Settings:
    """The settings of a site, for a user who may see it."""
    with settings_lock:
        if site_id not in settings:
            settings[site_id] = load_settings(db, site_id)
        if not may_see(db, site_id, user_id):
            raise HTTPException(403, "You may not see this site.")
        return settings[site_id]


def may_see(db: Session, site_id: int, user_id: int) -> bool:
    """Whether a user may see a site."""
    with permissions_lock:
        if user_id not in permissions:
            permissions[user_id] = load_permissions(db, user_id)
        return site_id in permissions[user_id]


def load_settings(db: Session, site_id: int) -> Settings:
    """The settings of a site, from the database."""
    row = db.execute(select(Site.days_shown, Site.top_rows).where(Site.id == site_id)).one_or_none()
    if row is None:
        raise HTTPException(404, "There is no such site.")
    return Settings(row.days_shown, row.top_rows)


def load_permissions(db: Session, user_id: int) -> set[int]:
    """The sites that a user may see, from the database."""
    return set(db.scalars(select(Permission.site_id).where(Permission.user_id == user_id)))


def refresh_caches() -> None:
    """Have what was changed elsewhere seen here: drop what is known of settings and permissions."""
    with permissions_lock:
        permissions.clear()
        with settings_lock:
            settings.clear()


def keep_caches_fresh() -> None:
    """Refresh the caches every few seconds, for ever."""
    while True:
        time.sleep(REFRESH_S)
        refresh_caches()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Beside the server runs the thread that keeps the caches fresh."""
    threading.Thread(target=keep_caches_fresh, name="refresher", daemon=True).start()
    yield
    engine.dispose()


app = FastAPI(lifespan=lifespan)


def get_db() -> Iterator[Session]:
    """A database session for one request."""
    with new_session() as db:
        yield db


Db = Annotated[Session, Depends(get_db)]


def current_user(db: Db, session: Annotated[str, Cookie()] = "") -> int:
    """Who asks, by their cookie."""
    user_id = db.scalar(select(Login.user_id).where(Login.token == session))
    if user_id is None:
        raise HTTPException(401, "Please sign in.")
    return user_id


class SignIn(BaseModel):
    """What the form sends."""

    email: str
    password: str


@app.post("/sign-in")
def sign_in(form: SignIn, response: Response, background: BackgroundTasks, db: Db) -> dict[str, str]:
    """Check the password, begin a session, and have the numbers of this user's sites ready."""
    token, sites = begin_session(db, form)
    background.add_task(roll_up, sites)
    response.set_cookie("session", token, httponly=True, samesite="lax")
    return {"user": form.email}


def begin_session(db: Session, form: SignIn) -> tuple[str, Sequence[int]]:
    """A session's token for whoever knows the password, and the sites that they may see."""
    user = db.scalar(select(User).where(User.email == form.email))
    try:
        if user is None or not hasher.verify(user.password_hash, form.password):
            raise HTTPException(401, "Wrong address or password.")
    except VerificationError:
        raise HTTPException(401, "Wrong address or password.") from None
    token = secrets.token_urlsafe(32)
    db.add(Login(token=token, user_id=user.id))
    sites = db.scalars(
        select(Site.id).join(Permission).where(Permission.user_id == user.id).order_by(Site.domain)
    ).all()
    db.commit()
    return token, sites


@app.get("/dashboard/{site_id}")
def dashboard(site_id: int, user_id: Annotated[int, Depends(current_user)], db: Db) -> dict[str, object]:
    """A site's numbers: by day, its pages, its countries; and how often they were looked at."""
    shown = settings_for(db, site_id, user_id)
    return {"site": site_id, **numbers(db, site_id, shown), "views": count_view(db, site_id)}


def numbers(db: Session, site_id: int, shown: Settings) -> dict[str, list[tuple[object, ...]]]:
    """The three cards of a dashboard."""
    in_time = (Event.site_id == site_id, Event.day > TODAY - timedelta(days=shown.days_shown))
    visitors = func.count(distinct(Event.visitor))
    by_day = select(Event.day, func.count(), visitors).where(*in_time).group_by(Event.day).order_by(Event.day)
    pages = select(Event.path, func.count()).where(*in_time).group_by(Event.path)
    countries = select(Event.country, visitors).where(*in_time).group_by(Event.country)
    return {
        "days": [tuple(row) for row in db.execute(by_day)],
        "pages": [tuple(row) for row in db.execute(pages.order_by(func.count().desc()).limit(shown.top_rows))],
        "countries": [tuple(row) for row in db.execute(countries.order_by(visitors.desc()).limit(shown.top_rows))],
    }


def count_view(db: Session, site_id: int) -> int:
    """Count that this dashboard was opened, in all and today."""
    site = db.get_one(Site, site_id)
    day = db.get_one(Day, (site_id, TODAY))
    site.dashboard_views += 1
    day.dashboard_views += 1
    views = site.dashboard_views
    db.commit()
    return views


def roll_up(site_ids: Iterable[int]) -> None:
    """Sum up today's events of these sites."""
    with new_session.begin() as db:
        for site_id in site_ids:
            today = (Event.site_id == site_id, Event.day == TODAY)
            visitors, views = db.execute(select(func.count(distinct(Event.visitor)), func.count()).where(*today)).one()
            is_today = (Day.site_id == site_id, Day.day == TODAY)
            db.execute(update(Day).where(*is_today).values(visitors=visitors, page_views=views))
            db.execute(update(Site).where(Site.id == site_id).values(visitors_today=visitors))


def roll_up_for_ever() -> None:
    """The worker: sum up all sites, the busiest first, again and again."""
    while True:
        try:
            with new_session() as db:
                busiest = db.scalars(select(Site.id).order_by(Site.dashboard_views.desc())).all()
            roll_up(busiest)
        except OperationalError:
            log.exception("not summed up")
        time.sleep(ROLL_UP_S)


if __name__ == "__main__":
    roll_up_for_ever()
