"""A fence: what stands before a resource and refuses whoever comes with an older token than somebody before."""

from __future__ import annotations

from types import TracebackType

from seawall.errors import Misuse, StaleToken
from seawall.locks.mutex import Mutex


class Fence:
    """Lets through writes whose token is not below the newest seen. For a resource that one process guards.

    `with fence.passing(token):` around the write holds other writers off until it is done, first come, first served, so
    that no write with an older token can end after one with a newer; `async with` in a task. Give it what the
    resource knows as `newest` where it outlives the process, and keep `fence.newest` with the resource. For what is in
    PostgreSQL or Valkey use `postgresql.pass_fence` and `valkey.set_fenced`, which hold among all processes.

    Source: M. Kleppmann, How to do distributed locking (2016).

    >>> from seawall.dist import Fence
    >>> fence = Fence("report.pdf")
    >>> with fence.passing(34):
    ...     pass  # write
    >>> with fence.passing(33):
    ...     pass
    Traceback (most recent call last):
    seawall.errors.StaleToken: report.pdf: token 33 is refused, token 34 has written already
    """

    def __init__(self, resource: str, *, newest: int = 0) -> None:
        self.resource = resource
        self.newest = newest  # written while self._mutex is held
        self._mutex = Mutex(f"fence {resource}")

    def passing(self, token: int) -> Passing:
        """For a `with` or `async with` block around one write. Entering blocks until other writes are done.

        Entering raises StaleToken, DeadlineExceeded at the ambient deadline, Misuse where `token` is not an int above 0.
        """
        if type(token) is not int or token < 1:
            raise Misuse(f"fence {self.resource}: a token is an int above 0, not {token!r}")
        return Passing(self, self._mutex, token)


class Passing:
    """What `Fence.passing` returns."""

    def __init__(self, fence: Fence, mutex: Mutex, token: int) -> None:
        self._fence = fence
        self._mutex = mutex
        self._token = token

    def __enter__(self) -> None:
        self._mutex.__enter__()
        if self._is_stale():
            self._mutex.__exit__(None, None, None)
            raise self._stale()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mutex.__exit__(kind, error, trace)

    async def __aenter__(self) -> None:
        await self._mutex.__aenter__()
        if self._is_stale():
            await self._mutex.__aexit__(None, None, None)
            raise self._stale()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._mutex.__aexit__(kind, error, trace)

    def _is_stale(self) -> bool:
        if self._token < self._fence.newest:
            return True
        self._fence.newest = self._token
        return False

    def _stale(self) -> StaleToken:
        return StaleToken(self._fence.resource, self._token, self._fence.newest)
