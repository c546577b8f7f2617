"""The block in which one has a resource: its permit first, then the resource, and both given back however it ends."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Generic, TypeVar, cast

from seawall.runtime.deadline import deadline

if TYPE_CHECKING:
    from seawall.pools.resource_pool import ResourcePool

R = TypeVar("R")


class Borrowed(Generic[R]):
    """What `ResourcePool.borrow` returns: for one `with` or `async with` block."""

    __slots__ = ("_pool", "_resource", "_timeout_s")

    def __init__(self, pool: ResourcePool[R], timeout_s: float | None) -> None:
        self._pool = pool
        self._timeout_s = timeout_s
        self._resource: R | None = None

    def __enter__(self) -> R:
        permits = self._pool.permits
        with deadline(self._timeout_s):
            permits.__enter__()
        try:
            resource = self._resource = self._pool.lend()
        except BaseException:
            permits.__exit__(None, None, None)
            raise
        return resource

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._pool.take_back(cast("R", self._resource), error)
        finally:
            self._pool.permits.__exit__(None, None, None)

    async def __aenter__(self) -> R:
        permits = self._pool.permits
        with deadline(self._timeout_s):
            await permits.__aenter__()
        try:
            resource = self._resource = await self._pool.lend_async()
        except BaseException:
            await permits.__aexit__(None, None, None)
            raise
        return resource

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._pool.take_back(cast("R", self._resource), error)
        finally:
            await self._pool.permits.__aexit__(None, None, None)
