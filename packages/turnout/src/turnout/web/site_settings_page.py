"""What every handler below `/sites/{domain}/settings` needs, and the page that it draws."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput
from turnout.model.access import SiteAccess
from turnout.model.site import Principal
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.sites.sharing import Sharing
from turnout.web.auth import own_address
from turnout.web.forms import PageRequest
from turnout.web.pages import page
from turnout.web.timezones import timezones


@dataclass(frozen=True, slots=True)
class SettingsPage:
    """One request to one site's settings, by somebody whom the route's scope has admitted."""

    request: PageRequest
    principal: Principal
    access: SiteAccess
    sites: Sites
    sharing: Sharing
    organisations: Organisations
    settings: Settings

    @property
    def domain(self) -> str:
        """Which site."""
        return self.access.site.domain

    @property
    def address(self) -> str:
        """This server's, for links and the line to install."""
        return own_address(self.request, self.settings)

    def back(self, done: str) -> Redirect:
        """To the page, which then says what was done."""
        return Redirect(f"/sites/{self.domain}/settings?done={done}", status_code=303)

    async def draw(self, *, error: BadInput | None = None, form: str = "", link: str = "", email: str = "") -> Template:
        """All of it that the person's rights show. `link` is a guest's, and shown this once."""
        rights = self.access.rights
        return page(
            self.request,
            "site_settings.html",
            self.principal,
            site=self.access.site,
            rights=rights,
            links=await self.sharing.links(self.principal, self.domain) if "share_site" in rights else (),
            guests=await self.sharing.guests(self.principal, self.domain) if "manage_members" in rights else (),
            timezones=timezones(),
            address=self.address,
            link=link,
            email=email,
            error=error,
            form=form,
            status_code=400 if error else 200,
        )


def settings_page(
    request: PageRequest,
    principal: NamedDependency[SkipValidation[Principal]],
    access: NamedDependency[SkipValidation[SiteAccess]],
    sites: NamedDependency[SkipValidation[Sites]],
    sharing: NamedDependency[SkipValidation[Sharing]],
    organisations: NamedDependency[SkipValidation[Organisations]],
    settings: NamedDependency[SkipValidation[Settings]],
) -> SettingsPage:
    """The dependency `settings_page` of the routes of a site's settings."""
    return SettingsPage(request, principal, access, sites, sharing, organisations, settings)
