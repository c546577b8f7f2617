"""Pages of a signed-in person: what all of them are given."""

from __future__ import annotations

from litestar.response import Template

from turnout.errors import BadInput
from turnout.model.site import Principal
from turnout.web.forms import PageRequest

PRIVATE = {"cache-control": "private, no-store"}
"""A page is its reader's alone, and old as soon as it is drawn."""

DONE = {
    "password": "Your password is changed. Your other sessions have ended.",
    "session": "The session has ended.",
    "sessions": "Your other sessions have ended.",
    "factor_off": "Codes are no longer asked for.",
    "created": "The organisation is there. Invite its members.",
    "renamed": "The name is changed.",
    "role": "The role is changed.",
    "removed": "The member is out.",
    "left": "You have left the organisation.",
    "withdrawn": "The invitation no longer works.",
    "invited": "The invitation is on its way by mail.",
    "key_deleted": "The key no longer works.",
    "organisation_deleted": "The organisation and its sites are deleted.",
    "site_deleted": "The site is deleted. Its events go in the background.",
    "timezone": "The time zone is changed, for events from now on.",
    "public": "Everybody may see this site’s numbers now.",
    "private": "Only members, guests and holders of a link see this site’s numbers.",
    "link": "The link is made.",
    "link_deleted": "The link no longer works.",
    "guest_removed": "The guest is out.",
    "guest_left": "You are no longer a guest of that site.",
    "joined": "Welcome. You are in.",
    "reset": "Your new password is set. Sign in with it.",
    "deleted": "Your account is deleted.",
}
"""What a page says about what was just done, by the word in its address."""


def page(
    request: PageRequest,
    template: str,
    principal: Principal | None,
    *,
    error: BadInput | None = None,
    form: str = "",
    status_code: int = 200,
    headers: dict[str, str] = PRIVATE,
    **context: object,
) -> Template:
    """A page. `form` says which of its forms the `error` belongs to."""
    done = DONE.get(request.query_params.get("done", ""), "") if error is None else ""
    given = {"principal": principal, "error": error, "form": form, "done": done, **context}
    return Template(template, context=given, status_code=status_code, headers=headers)
