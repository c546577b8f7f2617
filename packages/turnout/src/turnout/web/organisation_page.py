"""What every handler below `/organisations/{organisation_id}` needs, and the page that it draws."""

from __future__ import annotations

from dataclasses import dataclass

from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from turnout.accounts.organisations import Organisations
from turnout.errors import BadInput
from turnout.model.access import ROLES, Organisation, may_manage
from turnout.model.site import OrganisationId, Principal
from turnout.settings import Settings
from turnout.sites.service import Sites
from turnout.web.auth import own_address
from turnout.web.forms import PageRequest
from turnout.web.pages import page


@dataclass(frozen=True, slots=True)
class OrganisationPage:
    """One request to one organisation, by somebody whom the route's scope has admitted."""

    request: PageRequest
    principal: Principal
    organisation: Organisation
    organisations: Organisations
    sites: Sites
    settings: Settings

    @property
    def id(self) -> OrganisationId:
        """Which organisation."""
        return self.organisation.id

    @property
    def address(self) -> str:
        """This server's, for links in letters."""
        return own_address(self.request, self.settings)

    def back(self, done: str) -> Redirect:
        """To the page, which then says what was done."""
        return Redirect(f"/organisations/{self.id}?done={done}", status_code=303)

    async def draw(
        self, *, error: BadInput | None = None, form: str = "", link: str = "", key: str = "", email: str = ""
    ) -> Template:
        """All of it that the person's role shows. `link` and `key` are new, and shown this once."""
        shown = await self.sites.list(self.principal)
        return page(
            self.request,
            "organisation.html",
            self.principal,
            organisation=self.organisation,
            rights=self.organisation.rights,
            members=await self.organisations.members(self.principal, self.id),
            invitations=await self.organisations.invitations(self.principal, self.id),
            keys=await self.organisations.keys(self.principal, self.id),
            org_sites=[site for site in shown if site.organisation_id == self.id],
            roles=[role for role in ROLES if may_manage(self.organisation.role, role)],
            may_manage=may_manage,
            link=link,
            key=key,
            email=email,
            error=error,
            form=form,
            status_code=400 if error else 200,
        )


def organisation_page(
    request: PageRequest,
    principal: NamedDependency[SkipValidation[Principal]],
    organisation: NamedDependency[SkipValidation[Organisation]],
    organisations: NamedDependency[SkipValidation[Organisations]],
    sites: NamedDependency[SkipValidation[Sites]],
    settings: NamedDependency[SkipValidation[Settings]],
) -> OrganisationPage:
    """The dependency `organisation_page` of an organisation's routes."""
    return OrganisationPage(request, principal, organisation, organisations, sites, settings)
