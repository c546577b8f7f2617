"""Mend 1: what lives in memory by a `Mutex` and one order, the counter in one statement, rows in one order."""

from __future__ import annotations

from collections.abc import Iterable

from fastapi import HTTPException
from sqlalchemy import distinct, func, select, update
from sqlalchemy.orm import Session

from lab.launch_day.schema import Day, Event, Site
from lab.launch_day.step0_as_it_was import (
    TODAY,
    Settings,
    load_permissions,
    load_settings,
    new_session,
    permissions,
    settings,
)
from seawall import Mutex

settings_lock = Mutex("settings")
permissions_lock = Mutex("permissions")


def settings_for(db: Session, site_id: int, user_id: int) -> Settings:
    """The settings of a site, for a user who may see it."""
    if not may_see(db, site_id, user_id):
        raise HTTPException(403, "You may not see this site.")
    with settings_lock:
        known = settings.get(site_id)
    if known is None:
        known = load_settings(db, site_id)  # two may load the same; nobody waits for a database inside a lock
        with settings_lock:
            settings[site_id] = known
    return known


def may_see(db: Session, site_id: int, user_id: int) -> bool:
    """Whether a user may see a site."""
    with permissions_lock:
        known = permissions.get(user_id)
    if known is None:
        known = load_permissions(db, user_id)
        with permissions_lock:
            permissions[user_id] = known
    return site_id in known


def refresh_caches() -> None:
    """Have what was changed elsewhere seen here: drop what is known of settings and permissions."""
    with settings_lock, permissions_lock:  # wherever both are taken, in this order
        settings.clear()
        permissions.clear()


def count_view(db: Session, site_id: int) -> int:
    """Count that this dashboard was opened, in all and today."""
    one_more = update(Site).where(Site.id == site_id).values(dashboard_views=Site.dashboard_views + 1)
    views = db.execute(one_more.returning(Site.dashboard_views)).scalar_one()
    is_today = (Day.site_id == site_id, Day.day == TODAY)
    db.execute(update(Day).where(*is_today).values(dashboard_views=Day.dashboard_views + 1))
    db.commit()
    return views


def roll_up(site_ids: Iterable[int]) -> None:
    """Sum up today's events of these sites."""
    with new_session.begin() as db:
        for site_id in sorted(site_ids):  # rows in one order everywhere: by site, and Site before Day
            today = (Event.site_id == site_id, Event.day == TODAY)
            visitors, views = db.execute(select(func.count(distinct(Event.visitor)), func.count()).where(*today)).one()
            db.execute(update(Site).where(Site.id == site_id).values(visitors_today=visitors))
            is_today = (Day.site_id == site_id, Day.day == TODAY)
            db.execute(update(Day).where(*is_today).values(visitors=visitors, page_views=views))
