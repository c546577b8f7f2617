"""A virtual user: a class whose steps are done in the order in which they are written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from random import Random
from typing import ClassVar, Protocol, TypeVar

from flashcrowd.users.refusal import OnRefusal, obey
from flashcrowd.users.response import Response

Expected = int | Collection[int] | Callable[[Response], object] | None
"""A status, several, or what says of a response whether it is right; None is any status from 200 to 299."""

Form = Mapping[str, str] | bytes | str
Act = Callable[["User"], Awaitable[object]]
Method = TypeVar("Method", bound=Callable[..., Awaitable[object]])

MARK = "__flashcrowd_step__"


def step(method: Method) -> Method:
    """Marks an `async` method of a `User` as a step. Steps are done once each, in the order in which they are written.

    class Visitor(User):
        @step
        async def look(self):
            await self.get("/")
    """
    setattr(method, MARK, True)
    return method


class Session(Protocol):
    """What carries out a user's wishes: the engine's, or a test's."""

    @property
    def cookies(self) -> Mapping[str, str]:
        """The user's cookies, by name."""
        ...

    def request(
        self,
        method: str,
        path: str,
        name: str | None,
        json: object,
        data: Form | None,
        headers: Mapping[str, str] | None,
        expect: Expected,
        timeout_s: float | None,
    ) -> Awaitable[Response]:
        """See `User.request`."""
        ...

    def think(self, seconds: float) -> Awaitable[None]:
        """See `User.think`."""
        ...

    def check(self, condition: object, message: str) -> None:
        """See `User.check`."""
        ...


class User:
    """Someone who comes, does the steps of the class, and leaves. Write a class of your own from it.

    Each user has cookies of its own. A request that gets no right answer raises `RequestFailed`, and who does not catch it
    leaves. Never wait by other means than `think`: the run counts that as its own lateness.
    """

    weight: ClassVar[float] = 1.0
    """How many of this class come, relative to the other classes of the file. 0: none."""
    timeout_s: ClassVar[float] = 10.0
    """Patience: seconds from the moment the user means to send until the whole answer is there."""
    on_refusal: ClassVar[OnRefusal] = obey()
    """What it does after 429 or 503."""
    headers: ClassVar[Mapping[str, str]] = {}
    """Sent with every request, over those that are sent anyway (`Host`, `User-Agent`, `Accept`, `Accept-Encoding`)."""
    own_connection: ClassVar[bool] = False
    """True: connections of its own, opened when it comes and closed when it leaves, as a browser does. False: it takes
    connections that are open, as behind a proxy that keeps them; this costs generator and target less."""
    steps: ClassVar[tuple[Act, ...]] = ()
    """The steps, found by their mark."""

    def __init_subclass__(cls, **kwargs: object) -> None:
        super().__init_subclass__(**kwargs)
        named: dict[str, Act] = {}
        for owner in reversed(cls.__mro__):
            for name, member in vars(owner).items():
                if getattr(member, MARK, False):
                    named[name] = getattr(cls, name)
        cls.steps = tuple(named.values())

    def __init__(self, session: Session, number: int, seed: int, data: Mapping[str, str]) -> None:
        self._session = session
        self._seed = seed
        self._random: Random | None = None
        self.number = number
        """Of this user in the run, from 0 in the order of arrival."""
        self.data = data
        """What the command was given by `--data NAME=VALUE`."""

    @classmethod
    async def prepare(cls, user: User) -> None:
        """Called once before the run, with a user whose requests are not counted: to sign in, or look up what all users of
        the class share (keep it on `cls`). An exception ends the run before it began."""

    @property
    def random(self) -> Random:
        """This user's own source of chance: the same for the same seed and number, whatever the others do."""
        if self._random is None:
            self._random = Random((self._seed << 40) + self.number)
        return self._random

    @property
    def cookies(self) -> Mapping[str, str]:
        """This user's cookies, by name."""
        return self._session.cookies

    def request(
        self,
        method: str,
        path: str,
        *,
        name: str | None = None,
        json: object = None,
        data: Form | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expected = None,
        timeout_s: float | None = None,
    ) -> Awaitable[Response]:
        """Sends a request when it is awaited, and returns the right answer; redirects within the target are followed.

        `path` is below the target's address. `name` is what reports call it (the method and the path without its query).
        `json` or `data` (a form's fields, or raw bytes) is the body. `expect` says which answer is right; `timeout_s` is the
        patience for this one. Raises `RequestFailed` where no right answer came. Cancellation drops the connection.
        """
        return self._session.request(method, path, name, json, data, headers, expect, timeout_s)

    def get(
        self,
        path: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expected = None,
        timeout_s: float | None = None,
    ) -> Awaitable[Response]:
        """GET, as `request`."""
        return self._session.request("GET", path, name, None, None, headers, expect, timeout_s)

    def post(
        self,
        path: str,
        *,
        name: str | None = None,
        json: object = None,
        data: Form | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expected = None,
        timeout_s: float | None = None,
    ) -> Awaitable[Response]:
        """POST, as `request`."""
        return self._session.request("POST", path, name, json, data, headers, expect, timeout_s)

    def put(
        self,
        path: str,
        *,
        name: str | None = None,
        json: object = None,
        data: Form | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expected = None,
        timeout_s: float | None = None,
    ) -> Awaitable[Response]:
        """PUT, as `request`."""
        return self._session.request("PUT", path, name, json, data, headers, expect, timeout_s)

    def delete(
        self,
        path: str,
        *,
        name: str | None = None,
        headers: Mapping[str, str] | None = None,
        expect: Expected = None,
        timeout_s: float | None = None,
    ) -> Awaitable[Response]:
        """DELETE, as `request`."""
        return self._session.request("DELETE", path, name, None, None, headers, expect, timeout_s)

    def think(self, seconds: float | tuple[float, float]) -> Awaitable[None]:
        """Waits so many seconds, or somewhere between the two by chance. The next request is meant for the end of it."""
        if isinstance(seconds, tuple):
            seconds = self.random.uniform(*seconds)
        return self._session.think(seconds)

    def check(self, condition: object, message: str) -> None:
        """Where `condition` does not hold, the request before it counts as wrong, for the reason `message`, and the user
        goes on. A `message` without figures of its own can be counted."""
        self._session.check(condition, message)
