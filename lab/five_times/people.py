"""Who comes to Turnout, for Flashcrowd: of twenty, ten are visitors whose tracker sends an event, nine open a dashboard, and
one signs in. Everybody asks one thing, and leaves."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar, TextIO

from flashcrowd import Response, User, give_up, step
from lab.five_times.crowd import EMAIL, PAGES, PASSWORD, PATIENCE_S, SITES, kind_of, path_of

INSIDE = "/health/live"
"""Where a sign-in leads: to next to nothing, so that what is measured is the sign-in."""
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


class Person(User):
    """Asks what their number says, on a connection of their own."""

    timeout_s = PATIENCE_S["sign-in"]
    on_refusal = give_up()
    own_connection = True
    form: ClassVar[dict[str, str]] = {}
    form_cookie: ClassVar[str] = ""
    session: ClassVar[str] = ""
    acknowledged: ClassVar[TextIO]

    @classmethod
    async def prepare(cls, user: User) -> None:
        """Fills in the form once: for the form's own token, and for the session of those who open dashboards."""
        page = await user.get("/login")
        cls.form_cookie = _cookie(user)
        token = page.hidden_input("_csrf_token")
        cls.form = {"email": EMAIL, "password": PASSWORD, "next": INSIDE, "_csrf_token": token}
        await user.post("/login", data=cls.form)
        cls.session = _cookie(user)
        directory = Path(user.data["directory"])
        (directory / "session").write_text(cls.session)
        for page_of_a_site in PAGES:  # as in a server that has been up for a while
            await user.get(page_of_a_site, headers={"Cookie": cls.session, "Accept": "text/html"})
        descriptor = os.open(directory / "acknowledged", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        cls.acknowledged = os.fdopen(descriptor, "w", buffering=1)

    @step
    async def come(self) -> None:
        """One request."""
        kind = kind_of(self.number)
        if kind == "event":
            await self._visit()
        elif kind == "dashboard":
            await self._look()
        else:
            await self._sign_in()

    async def _visit(self) -> None:
        site = SITES[self.number // 2 % len(SITES)]
        event = {"n": "pageview", "u": f"https://{site}{path_of(self.number)}", "d": site}
        headers = {
            "User-Agent": FIREFOX,
            "X-Forwarded-For": f"198.18.{self.number // 250 % 250}.{self.number % 250 + 1}",
            "Content-Type": "text/plain",
        }
        timeout_s = PATIENCE_S["event"]
        await self.post("/api/event", name="event", json=event, headers=headers, expect=_is_kept, timeout_s=timeout_s)
        self.acknowledged.write(f"{self.number}\n")

    async def _look(self) -> None:
        # Not as a browser would: it would be shown the waiting room, and this crowd never comes back from there.
        headers = {"Cookie": self.session}
        timeout_s = PATIENCE_S["dashboard"]
        path = PAGES[self.number // 2 % len(PAGES)]
        await self.get(path, name="dashboard", headers=headers, expect=_is_whole, timeout_s=timeout_s)

    async def _sign_in(self) -> None:
        headers = {"Cookie": self.form_cookie, "Accept": "text/html"}
        await self.post("/login", name="sign-in", data=self.form, headers=headers, expect=_is_inside)
        self.check(self.cookies, "there is no session after signing in")


def _cookie(user: User) -> str:
    return "; ".join(f"{name}={value}" for name, value in user.cookies.items())


def _is_whole(answer: Response) -> bool:
    return answer.status == 200 and b"data-card-url" not in answer.body and b"</html>" in answer.body


def _is_kept(answer: Response) -> bool:
    return answer.status == 202 and answer.header("x-plausible-dropped") is None


def _is_inside(answer: Response) -> bool:
    return answer.status == 200 and answer.url == INSIDE
