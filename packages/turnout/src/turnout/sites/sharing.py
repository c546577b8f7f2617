"""Who else sees a site: guests, and whoever has a shared link, with its password where it has one."""

from __future__ import annotations

import hmac
from hashlib import sha256

from seawall import ThreadPool
from seawall.clock import Clock
from turnout.credentials.passwords import Passwords
from turnout.credentials.secrets import new_secret
from turnout.credentials.throttle import Throttle
from turnout.errors import BadInput
from turnout.model.access import Member, SharedLink
from turnout.model.site import Principal, UserId
from turnout.store.sql.sites import OpenLink, SiteRepository

OPEN_S = 86_400
"""A password given holds this long."""
WINDOW_S = 900.0
WRONG_PASSWORDS_OF_LINK = 100
WRONG_PASSWORDS_OF_PEER = 10


class Sharing:
    """Guests and links of one Turnout's sites. For one event loop; no method blocks it.

    Raises `NotFound` and `NotAllowed` as `Sites` does.
    """

    def __init__(
        self, repository: SiteRepository, passwords: Passwords, key: str, *, threads: ThreadPool, clock: Clock
    ) -> None:
        """`key` signs what a browser keeps of a password that was right."""
        self._repository = repository
        self._passwords = passwords
        self._key = key.encode()
        self._threads = threads
        self._clock = clock
        self._by_link = Throttle(clock, most=WRONG_PASSWORDS_OF_LINK, window_s=WINDOW_S)
        self._by_peer = Throttle(clock, most=WRONG_PASSWORDS_OF_PEER, window_s=WINDOW_S)

    async def guests(self, principal: Principal, domain: str) -> list[Member]:
        """The site's guests, by address."""
        return await self._threads.run(self._repository.guests, principal, domain)

    async def remove_guest(self, principal: Principal, domain: str, user_id: UserId) -> None:
        """Ends a guest's access, or one's own, at once."""
        await self._threads.run(self._repository.remove_guest, principal, domain, user_id, self._now_s())

    async def links(self, principal: Principal, domain: str) -> list[SharedLink]:
        """The site's links, the newest first."""
        return await self._threads.run(self._repository.links, principal, domain)

    async def add_link(self, principal: Principal, domain: str, name: str, password: str) -> str:
        """Makes a link and returns its slug. An empty password: whoever has the link sees the site. Raises `BadInput`."""
        text = " ".join(name.split())
        if not 1 <= len(text) <= 80 or not text.isprintable():
            raise BadInput("name", "expected 1 to 80 characters that say whom the link is for")
        hashed = await self._passwords.hash(password) if password else None
        slug = new_secret()
        await self._threads.run(self._repository.add_link, principal, domain, slug, text, hashed, self._now_s())
        return slug

    async def delete_link(self, principal: Principal, domain: str, number: int) -> None:
        """Ends a link, at once."""
        await self._threads.run(self._repository.delete_link, principal, domain, number, self._now_s())

    async def find(self, slug: str) -> OpenLink:
        """The link of a slug; whether it is open yet is `is_open`'s to say. Raises `NotFound`."""
        return await self._threads.run(self._repository.unscoped_link, slug)

    async def open(self, link: OpenLink, password: str, *, peer: str = "") -> str:
        """What a browser keeps, for the right password. Raises `BadInput`, `TooManyAttempts`."""
        self._by_peer.take(f"{link.id} {peer}")
        self._by_link.take(str(link.id))
        if not await self._passwords.matches(password, link.password_hash):
            raise BadInput("password", "that is not the password of this link")
        self._by_peer.give_back(f"{link.id} {peer}")
        self._by_link.give_back(str(link.id))
        until_s = self._now_s() + OPEN_S
        return f"{until_s}.{self._signature(link, until_s)}"

    def is_open(self, link: OpenLink, kept: str) -> bool:
        """Whether the link has no password, or the browser keeps what `open` gave for it."""
        if link.password_hash is None:
            return True
        until, _, signature = kept.partition(".")
        if not until.isascii() or not until.isdecimal() or len(until) > 12 or int(until) < self._now_s():
            return False
        return hmac.compare_digest(signature.encode(), self._signature(link, int(until)).encode())

    def _signature(self, link: OpenLink, until_s: int) -> str:
        signed = f"{link.slug} {link.password_hash} {until_s}"
        return hmac.new(self._key, signed.encode(), sha256).hexdigest()

    def _now_s(self) -> int:
        return int(self._clock.time())
