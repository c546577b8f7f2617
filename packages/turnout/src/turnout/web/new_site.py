"""Adding a site from the page of sites."""

from __future__ import annotations

from litestar import Request, post
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import SkipValidation
from litestar.response import Redirect, Template

from turnout.errors import BadInput
from turnout.model.site import Principal
from turnout.sites.service import Sites
from turnout.web.dashboard import sites_page


@post("/sites", status_code=303)
async def add_site(
    request: Request[object, object, State],
    principal: NamedDependency[SkipValidation[Principal]],
    sites: NamedDependency[SkipValidation[Sites]],
) -> Template | Redirect:
    """Makes the site and shows it; what can't be used comes back in the form."""
    form = await request.form()
    domain, timezone = str(form.get("domain", "")), str(form.get("timezone", ""))
    try:
        site = await sites.create(principal, domain, timezone)
    except BadInput as bad:
        known = await sites.list(principal)
        return sites_page(principal, known, error=bad, domain=domain, timezone=timezone, status_code=400)
    return Redirect(f"/sites/{site.domain}", status_code=303)
