"""Organisations: members, invitations, API keys, the audit log."""

from __future__ import annotations

from typing import NamedTuple

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.accounts.known import Known
from turnout.accounts.letters import invitation_letter
from turnout.accounts.rules import KEY_PREFIX, check_email, check_name, check_role, check_scope
from turnout.accounts.sessions import Sessions
from turnout.credentials.passwords import Passwords
from turnout.credentials.secrets import hash_secret, new_secret
from turnout.credentials.throttle import Throttle
from turnout.mail import Outbox
from turnout.model.access import GUEST_ROLES, ApiKey, AuditEntry, Invitation, Member, Organisation, Right
from turnout.model.site import OrganisationId, Principal, SiteId, UserId
from turnout.store.sql.invitations import InvitationRepository, Invited
from turnout.store.sql.keys import KeyRepository
from turnout.store.sql.organisations import OrganisationRepository

INVITATION_S = 14 * 86_400
LETTERS_OF_INVITER = 100
LETTERS_TO_ADDRESS = 5
WINDOW_S = 3_600.0


class Repositories(NamedTuple):
    """The statements that organisations are made of."""

    organisations: OrganisationRepository
    invitations: InvitationRepository
    keys: KeyRepository


class Organisations:
    """The organisations of one Turnout. For one event loop; no method blocks it.

    Each method asks the repository with the principal, which raises `NotFound` where that person may not know of the
    thing, and `NotAllowed` where the role does not allow it.
    """

    def __init__(
        self,
        repositories: Repositories,
        sessions: Sessions,
        passwords: Passwords,
        known: Known,
        outbox: Outbox,
        *,
        threads: ThreadPool,
        clock: Clock,
    ) -> None:
        """`threads` runs statements."""
        self._organisations, self._invitations, self._keys = repositories
        self._sessions = sessions
        self._passwords = passwords
        self._known = known
        self._outbox = outbox
        self._threads = threads
        self._clock = clock
        self._by_inviter = Throttle(clock, most=LETTERS_OF_INVITER, window_s=WINDOW_S)
        self._by_address = Throttle(clock, most=LETTERS_TO_ADDRESS, window_s=WINDOW_S)

    async def of(self, principal: Principal) -> list[Organisation]:
        """Those of the principal, by name."""
        return await self._threads.run(self._organisations.organisations, principal)

    async def get(
        self, principal: Principal, organisation_id: OrganisationId, right: Right = "see_organisation"
    ) -> Organisation:
        """One of them, in which the principal has the right."""
        return await self._threads.run(self._organisations.organisation, principal, organisation_id, right)

    async def personal(self, principal: Principal) -> Organisation:
        """The oldest that the principal owns. Raises `NotFound`."""
        return await self._threads.run(self._organisations.personal_organisation, principal)

    async def create(self, principal: Principal, name: str) -> Organisation:
        """Makes one that the principal owns. Raises `BadInput`."""
        return await self._threads.run(self._organisations.add_organisation, principal, check_name(name), self._now_s())

    async def rename(self, principal: Principal, organisation_id: OrganisationId, name: str) -> None:
        """Gives it another name. Raises `BadInput`."""
        name = check_name(name)
        await self._threads.run(self._organisations.rename, principal, organisation_id, name, self._now_s())

    async def delete(self, principal: Principal, organisation_id: OrganisationId) -> list[SiteId]:
        """Deletes it with its sites, and returns these."""
        gone = await self._threads.run(self._organisations.delete, principal, organisation_id, self._now_s())
        self._known.forget()
        return gone

    async def members(self, principal: Principal, organisation_id: OrganisationId) -> list[Member]:
        """All members, by address."""
        return await self._threads.run(self._organisations.members, principal, organisation_id)

    async def set_role(self, principal: Principal, organisation_id: OrganisationId, user_id: UserId, role: str) -> None:
        """Changes a member's role. Raises `BadInput`, also for the last owner's."""
        await self._threads.run(
            self._organisations.set_role, principal, organisation_id, user_id, check_role(role), self._now_s()
        )
        self._known.forget()

    async def remove_member(self, principal: Principal, organisation_id: OrganisationId, user_id: UserId) -> None:
        """Takes a member out, or oneself, at once. Raises `BadInput` for the last owner."""
        await self._threads.run(self._organisations.remove_member, principal, organisation_id, user_id, self._now_s())
        self._known.forget()

    async def invite(
        self, principal: Principal, organisation_id: OrganisationId, email: str, role: str, address: str
    ) -> str | None:
        """Invites somebody. `address` is this server's.

        The link goes out by mail, which proves whose address it is; where this server sends none, it is returned for the
        inviter to pass on. Raises `BadInput`, and `TooManyAttempts`: nobody is to be buried in letters.
        """
        email, checked, token, now_s = check_email(email), check_role(role), new_secret(), self._now_s()
        self._take_letter(principal, email)
        name = await self._threads.run(
            self._invitations.invite,
            principal,
            organisation_id,
            email,
            checked,
            hash_secret(token),
            now_s,
            now_s + INVITATION_S,
        )
        return await self._post(principal, email, name, checked, f"{address}/invitations/{token}")

    async def invite_guest(self, principal: Principal, domain: str, email: str, role: str, address: str) -> str | None:
        """Invites somebody to one site only; otherwise as `invite`."""
        email, checked = check_email(email), check_role(role, GUEST_ROLES)
        token, now_s = new_secret(), self._now_s()
        self._take_letter(principal, email)
        await self._threads.run(
            self._invitations.invite_guest,
            principal,
            domain,
            email,
            checked,
            hash_secret(token),
            now_s,
            now_s + INVITATION_S,
        )
        return await self._post(principal, email, domain, checked, f"{address}/invitations/{token}")

    async def invitations(self, principal: Principal, organisation_id: OrganisationId) -> list[Invitation]:
        """Those still open; none for whoever may not invite."""
        return await self._threads.run(self._invitations.invitations, principal, organisation_id, self._now_s())

    async def withdraw(self, principal: Principal, organisation_id: OrganisationId, number: int) -> None:
        """Ends an invitation."""
        await self._threads.run(self._invitations.withdraw, principal, organisation_id, number, self._now_s())

    async def invited(self, token: str) -> Invited:
        """What a link invites to. Raises `NotFound`."""
        return await self._threads.run(self._invitations.unscoped_invited, hash_secret(token), self._now_s())

    async def accept(self, principal: Principal, token: str) -> None:
        """Accepts with the account that one has. Raises `NotFound`."""
        await self._threads.run(self._invitations.accept, principal, hash_secret(token), self._now_s())
        self._known.forget()

    async def accept_as_new(self, token: str, password: str, *, client: str = "") -> str:
        """Makes the account that the invitation is for, accepts with it, and returns a session's token.

        Raises `BadInput`, `NotFound`, and `AlreadyExists`: whoever has the link has the letter, or got it from an admin.
        """
        invited = await self.invited(token)
        hashed = await self._passwords.hash(password)
        user_id = await self._threads.run(
            self._invitations.unscoped_accept_as_new, hash_secret(token), invited.email, hashed, self._now_s()
        )
        return await self._sessions.begin(user_id, client)

    async def keys(self, principal: Principal, organisation_id: OrganisationId) -> list[ApiKey]:
        """Its API keys; none for whoever may not manage them."""
        return await self._threads.run(self._keys.keys, principal, organisation_id)

    async def create_key(
        self, principal: Principal, organisation_id: OrganisationId, scope: str, name: str = ""
    ) -> str:
        """Makes an API key and returns it; it can't be shown again. Raises `BadInput`."""
        check_scope(scope)
        name = check_name(name) if name.strip() else ""
        key = KEY_PREFIX + new_secret()
        await self._threads.run(
            self._keys.add_key, principal, organisation_id, hash_secret(key), key[:8], scope, name, self._now_s()
        )
        return key

    async def delete_key(self, principal: Principal, organisation_id: OrganisationId, number: int) -> None:
        """Ends a key, at once."""
        await self._threads.run(self._keys.delete_key, principal, organisation_id, number, self._now_s())
        self._known.forget()

    async def audit(self, principal: Principal, organisation_id: OrganisationId) -> list[AuditEntry]:
        """Who did what, the latest first; nothing for whoever may not see it."""
        return await self._threads.run(self._keys.audit, principal, organisation_id)

    def _take_letter(self, principal: Principal, email: str) -> None:
        self._by_inviter.take(str(principal.user_id))
        self._by_address.take(email)

    async def _post(self, principal: Principal, email: str, what: str, role: str, link: str) -> str | None:
        await self._threads.run(self._outbox.post, invitation_letter(email, principal.email, what, role, link))
        return None if self._outbox.sends else link

    def _now_s(self) -> int:
        return int(self._clock.time())
