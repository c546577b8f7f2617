"""Statements on sites, their guests and shared links. Scoped by `scoping.py`. All block."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import and_, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from turnout.errors import AlreadyExists, BadInput, NotFound
from turnout.model.access import Member, Right, SharedLink, SiteAccess, as_role
from turnout.model.site import OrganisationId, Principal, Site, SiteId, UserId
from turnout.store.sql.database import AccountsDatabase
from turnout.store.sql.scoping import (
    SITE_COLUMNS,
    organisation_access,
    record,
    rights_in,
    select_seen_sites,
    site_access,
    site_of,
)
from turnout.store.sql.tables import shared_links, site_deletions, site_guests, sites, users

MOST_LINKS = 100
"""Shared links of one site."""


class OpenLink(NamedTuple):
    """A shared link as whoever follows it meets it."""

    id: int
    slug: str
    name: str
    site: Site
    password_hash: str | None


class SiteRepository:
    """Statements on one accounts database."""

    def __init__(self, database: AccountsDatabase) -> None:
        self._database = database

    @property
    def rights_version(self) -> int:
        """See `AccountsDatabase.rights_version`."""
        return self._database.rights_version

    def sites(self, principal: Principal) -> list[SiteAccess]:
        """The sites that the principal may see, by domain, with what they may do there."""
        with self._database.read() as connection:
            rows = connection.execute(select_seen_sites(principal)).all()
        found = [SiteAccess(site_of(row), rights_in(principal, row)) for row in rows]
        return [access for access in found if access.rights]

    def site(self, principal: Principal | None, domain: str, right: Right = "see_site") -> SiteAccess:
        """One of them, or a public one. Raises `NotFound`, also for one that is somebody else's, and `NotAllowed`."""
        with self._database.read() as connection:
            return site_access(connection, principal, domain, right)

    def unscoped_sites(self) -> list[Site]:
        """Every site: for the directory by which events find theirs."""
        with self._database.read() as connection:
            return [site_of(row) for row in connection.execute(select(*SITE_COLUMNS))]

    def add_site(
        self, principal: Principal, organisation_id: OrganisationId, domain: str, timezone: str, now_s: int
    ) -> Site:
        """Makes a site of the organisation's. Raises `AlreadyExists`."""
        values = {
            "domain": domain,
            "timezone": timezone,
            "organisation_id": organisation_id,
            "created_s": now_s,
            "is_public": False,
        }
        try:
            with self._database.write() as connection:
                organisation_access(connection, principal, organisation_id, "add_site")
                row = connection.execute(insert(sites).values(values).returning(*SITE_COLUMNS)).one()
                record(connection, principal, now_s, "site.created", domain, organisation_id)
        except IntegrityError:
            raise AlreadyExists("domain", f"{domain} is taken") from None
        return site_of(row)

    def set_timezone(self, principal: Principal, domain: str, timezone: str, now_s: int) -> Site:
        """Changes by which zone days begin and end, for events from now on."""
        return self._change(principal, domain, "edit_site", now_s, "site.timezone", {"timezone": timezone})

    def set_public(self, principal: Principal, domain: str, is_public: bool, now_s: int) -> Site:
        """Shows the site's numbers to everybody, or ends that."""
        action = "site.made_public" if is_public else "site.made_private"
        return self._change(principal, domain, "share_site", now_s, action, {"is_public": is_public})

    def delete_site(self, principal: Principal, domain: str, now_s: int) -> Site:
        """Deletes the site; its events are put down to go."""
        with self._database.write() as connection:
            site = site_access(connection, principal, domain, "delete_site").site
            connection.execute(delete(sites).where(sites.c.id == site.id))
            connection.execute(insert(site_deletions).values(site_id=site.id, created_s=now_s))
            record(connection, principal, now_s, "site.deleted", domain, site.organisation_id)
        return site

    def unscoped_deletions(self) -> list[tuple[SiteId, int]]:
        """The deleted sites whose events are still to go, and since when: for the job that deletes these."""
        with self._database.read() as connection:
            return [(SiteId(row.site_id), row.created_s) for row in connection.execute(select(site_deletions))]

    def unscoped_end_deletion(self, site_id: SiteId) -> None:
        """A deleted site's events are gone."""
        with self._database.write() as connection:
            connection.execute(delete(site_deletions).where(site_deletions.c.site_id == site_id))

    def guests(self, principal: Principal, domain: str) -> list[Member]:
        """The site's guests, by address."""
        with self._database.read() as connection:
            site = site_access(connection, principal, domain, "manage_members").site
            wanted = (
                select(users.c.id, users.c.email, site_guests.c.role, site_guests.c.created_s)
                .join(site_guests, site_guests.c.user_id == users.c.id)
                .where(site_guests.c.site_id == site.id)
                .order_by(users.c.email)
            )
            return [
                Member(UserId(row.id), row.email, as_role(row.role), row.created_s)
                for row in connection.execute(wanted)
            ]

    def remove_guest(self, principal: Principal, domain: str, user_id: UserId, now_s: int) -> None:
        """Ends a guest's access, or one's own; nothing where there is no such guest."""
        is_self = user_id == principal.user_id
        with self._database.write() as connection:
            site = site_access(connection, principal, domain, "see_site" if is_self else "manage_members").site
            mine = and_(site_guests.c.site_id == site.id, site_guests.c.user_id == user_id)
            if connection.execute(delete(site_guests).where(mine)).rowcount:
                email = connection.execute(select(users.c.email).where(users.c.id == user_id)).scalar_one()
                action, target = ("guest.left", domain) if is_self else ("guest.removed", f"{email} from {domain}")
                record(connection, principal, now_s, action, target, site.organisation_id)

    def links(self, principal: Principal, domain: str) -> list[SharedLink]:
        """The site's shared links, the newest first."""
        with self._database.read() as connection:
            site = site_access(connection, principal, domain, "share_site").site
            wanted = select(shared_links).where(shared_links.c.site_id == site.id).order_by(shared_links.c.id.desc())
            return [
                SharedLink(row.id, row.slug, row.name, site.id, row.password_hash is not None, row.created_s)
                for row in connection.execute(wanted)
            ]

    def add_link(
        self, principal: Principal, domain: str, slug: str, name: str, password_hash: str | None, now_s: int
    ) -> None:
        """Makes a link by which others see the site."""
        with self._database.write() as connection:
            site = site_access(connection, principal, domain, "share_site").site
            count = select(func.count()).select_from(shared_links).where(shared_links.c.site_id == site.id)
            if connection.execute(count).scalar_one() >= MOST_LINKS:
                raise BadInput("name", f"expected at most {MOST_LINKS} links a site; delete some first")
            values = {
                "slug": slug,
                "name": name,
                "site_id": site.id,
                "password_hash": password_hash,
                "created_s": now_s,
            }
            connection.execute(insert(shared_links).values(values))
            record(connection, principal, now_s, "link.created", f"{name} of {domain}", site.organisation_id)

    def delete_link(self, principal: Principal, domain: str, number: int, now_s: int) -> None:
        """Ends a link; nothing where there is none of that number."""
        with self._database.write() as connection:
            site = site_access(connection, principal, domain, "share_site").site
            mine = and_(shared_links.c.site_id == site.id, shared_links.c.id == number)
            name = connection.execute(select(shared_links.c.name).where(mine)).scalar_one_or_none()
            if name is not None:
                connection.execute(delete(shared_links).where(mine))
                record(connection, principal, now_s, "link.deleted", f"{name} of {domain}", site.organisation_id)

    def unscoped_link(self, slug: str) -> OpenLink:
        """The link of a slug: having it is what opens it. Raises `NotFound`."""
        wanted = (
            select(*SITE_COLUMNS, shared_links.c.id.label("link_id"), shared_links.c.name, shared_links.c.password_hash)
            .join(shared_links, shared_links.c.site_id == sites.c.id)
            .where(shared_links.c.slug == slug)
        )
        with self._database.read() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotFound("there is no such link, or it has been ended")
        return OpenLink(row.link_id, slug, row.name, site_of(row), row.password_hash)

    def _change(
        self,
        principal: Principal,
        domain: str,
        right: Right,
        now_s: int,
        action: str,
        values: dict[str, object],
    ) -> Site:
        with self._database.write() as connection:
            site = site_access(connection, principal, domain, right).site
            changed = update(sites).where(sites.c.id == site.id).values(values).returning(*SITE_COLUMNS)
            row = connection.execute(changed).one()
            record(connection, principal, now_s, action, domain, site.organisation_id)
        return site_of(row)
