"""The crowd of Turnout: visitors of a site, and those who look at its numbers.

    flashcrowd run turnout URL --data site=DOMAIN --data email=EMAIL [--data share=SLUG]

The password is taken from FLASHCROWD_PASSWORD, or from `--data password=…`, which others on the machine can read. The
account has to see the site, and to be an operator. Readers need the site public, or a shared link: `share=SLUG`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import quote, urlencode

from flashcrowd.errors import BadInput
from flashcrowd.users.refusal import obey
from flashcrowd.users.response import Response
from flashcrowd.users.user import User, step

DEMO_SITE, DEMO_EMAIL = "demo.example", "demo@turnout.example"
"""What `turnout serve --demo` makes. Its password is in its data directory, in `demo-password`."""
PASSWORD = "FLASHCROWD_PASSWORD"

PAGES = {"/": 40, "/pricing": 14, "/features": 12, "/blog": 9, "/docs": 9, "/blog/five-times-the-crowd": 8, "/signup": 5,
         "/docs/install": 5, "/about": 3}  # fmt: skip
"""How often each page is looked at, relative to the others: a start page, and a long tail behind it."""
SOURCES = {"": 40, "https://www.google.com/": 32, "https://news.ycombinator.com/": 9, "https://github.com/": 7,
           "https://duckduckgo.com/": 5, "https://www.linkedin.com/": 4, "https://www.reddit.com/": 3}  # fmt: skip
BROWSERS = {
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36": 38,
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36":
        27,
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 "
    "Mobile/15E148 Safari/604.1": 21,
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0": 14,
}  # fmt: skip
PERIODS = ("today", "7d", "28d", "month", "12mo")
FILTERS = (
    "contains,event:page,/blog",
    "is,visit:device,Mobile",
    "is_not,visit:source,Google",
    "is,event:page,/pricing",
)

LATE = re.compile(r'data-card-url="([^"]+)"')
LATE_TIMES = 5
"""So often a page's script asks for a section that was late, before it shows a button instead."""


class Visitor(User):
    """Looks at one to five pages of the site, whose tracker tells of each; one in twenty signs up there."""

    weight = 90

    @step
    async def look(self) -> None:
        """Sends what the tracker would. The address tells visitors apart, as behind a proxy; 198.18.0.0/15 is for tests."""
        site = self.data.get("site", DEMO_SITE)
        headers = {
            "User-Agent": self._one_of(BROWSERS),
            "X-Forwarded-For": f"198.{18 + (self.number >> 16) % 2}.{(self.number >> 8) % 256}.{self.number % 256}",
            "Content-Type": "text/plain",
        }
        referrer, page = self._one_of(SOURCES), self._one_of(PAGES)
        await self._tell({"n": "pageview", "u": f"https://{site}{page}", "d": site, "r": referrer or None}, headers)
        while self.random.random() < 0.45 and page != "/signup":
            await self.think((2, 20))
            page = self._one_of(PAGES)
            await self._tell({"n": "pageview", "u": f"https://{site}{page}", "d": site}, headers)
        if page == "/signup":
            await self.think((5, 15))
            event = {"n": "Signup", "u": f"https://{site}{page}", "d": site, "p": {"plan": "free"}}
            await self._tell(event, headers)

    async def _tell(self, event: Mapping[str, object], headers: Mapping[str, str]) -> None:
        answer = await self.post("/api/event", name="event", json=event, headers=headers, expect=202)
        self.check(answer.header("x-plausible-dropped") is None, "the event was dropped, as from a machine")

    def _one_of(self, weighted: Mapping[str, float]) -> str:
        return self.random.choices(list(weighted), list(weighted.values()))[0]


class Reader(User):
    """Opens a site's public page or shared link, waits for what is late, and looks at another period."""

    weight = 5

    @classmethod
    async def prepare(cls, user: User) -> None:
        """Makes sure that the page can be seen by whoever comes."""
        page = await user.get(_shown(user), expect=(200, 401, 403, 404))
        if page.status != 200 or "/login" in page.url:
            raise BadInput(
                "--data share=SLUG", f"expected a shared link of the server, as {_shown(user)} is not public"
            )

    @step
    async def open(self) -> None:
        """The page, whole."""
        await _open(self, _shown(self), "public page")
        await self.think((5, 30))
        await _open(self, f"{_shown(self)}?{urlencode({'period': self.random.choice(PERIODS)})}", "public page, period")


class Member(User):
    """Somebody with an account. Its classes share a session, which is begun before the run."""

    weight = 0
    session: ClassVar[Mapping[str, str]] = {}
    """The header that says who it is."""

    @classmethod
    async def prepare(cls, user: User) -> None:
        """Signs in."""
        await sign_in(user)
        cls.session = {"Cookie": "; ".join(f"{name}={value}" for name, value in user.cookies.items())}


class Analyst(Member):
    """Opens a dashboard and asks it: another period, a filter, all rows of a card."""

    weight = 3

    @step
    async def ask(self) -> None:
        """Four views, with time to read each."""
        site, period = _dashboard(self), self.random.choice(PERIODS)
        wanted = self.random.choice(FILTERS)
        card = self.random.choice(("sources", "pages", "locations", "devices"))
        await _open(self, site, "dashboard", self.session)
        await self.think((3, 15))
        await _open(
            self, f"{site}?{urlencode({'period': period, 'compare': 'previous'})}", "dashboard, period", self.session
        )
        await self.think((3, 15))
        await _open(self, f"{site}?{urlencode({'period': period, 'f': wanted})}", "dashboard, filter", self.session)
        await self.think((3, 15))
        await _open(self, f"{site}/details/{card}?{urlencode({'period': period})}", "details", self.session)


class Newcomer(User):
    """Signs in, which costs the server some 50 ms of a core, and opens the dashboard. Patient: a minute."""

    weight = 1
    timeout_s = 60.0
    on_refusal = obey(3)

    @step
    async def come_in(self) -> None:
        """The form, the password, the page."""
        await sign_in(self)
        await _open(self, _dashboard(self), "dashboard")


class Operator(Member):
    """Watches how the server stands, as long as it stands."""

    weight = 1

    @step
    async def watch(self) -> None:
        """The page, and the figures behind it as a tool reads them."""
        await _open(self, "/ops", "operations", self.session)
        await self.think((5, 10))
        await self.get("/ops/snapshot", name="operations, snapshot", headers=self.session)


async def sign_in(user: User) -> None:
    """Fills in the form. Raises `BadInput` where there is no password, or it is not taken before the run."""
    password = user.data.get("password") or os.environ.get(PASSWORD)
    if not password:
        raise BadInput(
            PASSWORD, "expected the password of --data email=…; or run the crowd turnout_visitors, without account"
        )
    form = await user.get("/login", name="sign-in form")
    words = {
        "email": user.data.get("email", DEMO_EMAIL),
        "password": password,
        "next": "/sites",
        "_csrf_token": form.hidden_input("_csrf_token"),
    }
    await user.post("/login", name="sign in", data=words)


async def _open(user: User, path: str, name: str, session: Mapping[str, str] | None = None) -> None:
    """A page, and then its late sections, each as often as a browser would ask for it."""
    page = await user.get(path, name=name, headers=session)
    user.check("/login" not in page.url, "sent to the sign-in form")
    for address in LATE.findall(page.text):
        await _late(user, address.replace("&amp;", "&"), session)


async def _late(user: User, path: str, session: Mapping[str, str] | None) -> None:
    section: Response | None = None
    for _ in range(LATE_TIMES):
        await user.think(1.0)
        section = await user.get(path, name="late section", headers=session)
        if LATE.search(section.text) is None:
            return
    user.check(section is None, "a section never came")


def _dashboard(user: User) -> str:
    return f"/sites/{quote(user.data.get('site', DEMO_SITE), safe='')}"


def _shown(user: User) -> str:
    share = user.data.get("share")
    return f"/share/{quote(share, safe='')}" if share else _dashboard(user)
