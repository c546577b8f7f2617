"""The tables of the launch-day service, the same in every step."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """The tables."""


class User(Base):
    """Somebody with a password."""

    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class Login(Base):
    """A session: who has this token in a cookie is that user."""

    __tablename__ = "logins"
    token: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))


class Site(Base):
    """A web site whose visitors are counted, how often its dashboard was opened, and its settings."""

    __tablename__ = "sites"
    id: Mapped[int] = mapped_column(primary_key=True)
    domain: Mapped[str] = mapped_column(unique=True)
    days_shown: Mapped[int]
    top_rows: Mapped[int]
    dashboard_views: Mapped[int] = mapped_column(default=0)
    visitors_today: Mapped[int] = mapped_column(default=0)


class Permission(Base):
    """A user may see a site."""

    __tablename__ = "permissions"
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), primary_key=True)
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)


class Day(Base):
    """What is summed up of one site and one day."""

    __tablename__ = "days"
    site_id: Mapped[int] = mapped_column(ForeignKey("sites.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    dashboard_views: Mapped[int] = mapped_column(default=0)
    visitors: Mapped[int] = mapped_column(default=0)
    page_views: Mapped[int] = mapped_column(default=0)
    site: Mapped[Site] = relationship()


class Event(Base):
    """One page view."""

    __tablename__ = "events"
    id: Mapped[int] = mapped_column(primary_key=True)
    site_id: Mapped[int]
    day: Mapped[date]
    visitor: Mapped[int]
    path: Mapped[str]
    country: Mapped[str]
    __table_args__ = (Index("events_by_site_and_day", "site_id", "day"),)
