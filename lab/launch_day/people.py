"""Who comes on launch day, for Flashcrowd: nine of ten open a dashboard, the tenth signs in.

`k6.js` is the same crowd, for the cross-check.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import ClassVar

from flashcrowd import Response, User, give_up, step
from lab.launch_day.requests import PATIENCE_S
from lab.launch_day.seed import Crowd, Visit


class Person(User):
    """Asks one thing, and leaves with the answer, when refused, or when their patience is over."""

    timeout_s = PATIENCE_S
    on_refusal = give_up()
    own_connection = True
    crowd: ClassVar[Crowd] = Crowd((), ())

    @classmethod
    async def prepare(cls, user: User) -> None:
        """Reads who may come."""
        told = json.loads(Path(user.data["crowd"]).read_text())  # noqa: ASYNC240 - before the run
        visits = tuple(Visit(**visit) for visit in told["visits"])
        cls.crowd = Crowd(visits, tuple(told["emails"]), told["password"])

    @step
    async def come(self) -> None:
        """The number says what for, so that every crowd of one size asks the same."""
        await (self._sign_in() if self.number % 10 == 9 else self._look())

    async def _look(self) -> None:
        visit = self.crowd.visits[self.number % len(self.crowd.visits)]
        begins = b'{"site":%d,' % visit.site_id

        def is_right(answer: Response) -> bool:
            return answer.status == 200 and answer.body.startswith(begins) and b'"views":' in answer.body

        cookie = {"Cookie": f"session={visit.token}"}
        await self.get(f"/dashboard/{visit.site_id}", name="dashboard", headers=cookie, expect=is_right)

    async def _sign_in(self) -> None:
        form = {"email": self.crowd.emails[self.number % len(self.crowd.emails)], "password": self.crowd.password}
        await self.post("/sign-in", name="sign-in", json=form, expect=_has_session)


def _has_session(answer: Response) -> bool:
    return answer.status == 200 and "session=" in (answer.header("set-cookie") or "")
