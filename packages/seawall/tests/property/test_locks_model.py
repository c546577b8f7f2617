"""Each lock on one loop against a slow, obvious model: a list of who is inside and a list of who waits, in order.

Tasks come, are cancelled and leave as Hypothesis says; after each step the loop runs until nobody has anything to do.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from seawall import Mutex, ReadWriteLock, Semaphore, configure
from seawall.observe.settings import Level

steps = st.lists(
    st.one_of(
        st.tuples(st.just("come"), st.booleans()),
        st.tuples(st.just("try"), st.booleans()),
        st.tuples(st.just("leave"), st.integers(0, 9)),
        st.tuples(st.just("cancel"), st.integers(0, 9)),
        st.tuples(st.just("leave and cancel"), st.integers(0, 9)),
    ),
    max_size=40,
)
levels = st.sampled_from(get_args(Level))


@dataclass
class Model:
    """Who is inside and who waits, with the side each is on (True: shares it)."""

    permits: int
    inside: dict[int, bool] = field(default_factory=dict)
    line: list[tuple[int, bool]] = field(default_factory=list)

    def has_room_for(self, shares: bool) -> bool:
        if shares:
            return all(self.inside.values())
        return len(self.inside) < self.permits

    def settle(self) -> None:
        while self.line and self.has_room_for(self.line[0][1]):
            number, shares = self.line.pop(0)
            self.inside[number] = shares


@dataclass
class Visitor:
    task: asyncio.Task[None]
    may_leave: asyncio.Event
    is_inside: bool = False


class Room:
    """The real lock, and the tasks that visit it."""

    def __init__(self, side: Callable[[bool], Mutex]) -> None:
        self.side = side
        self.visitors: dict[int, Visitor] = {}

    def come(self, number: int, shares: bool) -> None:
        may_leave = asyncio.Event()

        async def visit() -> None:
            async with self.side(shares):
                visitor.is_inside = True
                try:
                    await may_leave.wait()
                finally:
                    visitor.is_inside = False

        visitor = Visitor(asyncio.create_task(visit()), may_leave)
        self.visitors[number] = visitor

    def inside(self) -> set[int]:
        return {number for number, visitor in self.visitors.items() if visitor.is_inside}


async def settle() -> None:
    for _ in range(12):
        await asyncio.sleep(0)


async def compare(
    side: Callable[[bool], Mutex], model: Model, moves: list[tuple[str, object]], has_sides: bool
) -> None:
    room = Room(side)
    for number, (move, detail) in enumerate(moves):
        if move in ("come", "try"):
            shares = has_sides and bool(detail)
            if move == "try" and not (model.has_room_for(shares) and not model.line):
                assert not side(shares).try_acquire()
                continue
            room.come(number, shares)
            model.line.append((number, shares))
        elif move == "cancel" and model.line:
            leaver, _ = model.line.pop(int(str(detail)) % len(model.line))
            room.visitors[leaver].task.cancel()
        elif move.startswith("leave") and model.inside:
            leaver = list(model.inside)[int(str(detail)) % len(model.inside)]
            del model.inside[leaver]
            room.visitors[leaver].may_leave.set()
            if move == "leave and cancel" and model.line:
                # The first in line is cancelled in the very turn in which it may be given what was left.
                first, _ = model.line.pop(0)
                await asyncio.sleep(0)
                room.visitors[first].task.cancel()
        model.settle()
        await settle()
        assert room.inside() == set(model.inside)
    for visitor in room.visitors.values():
        visitor.task.cancel()
    await asyncio.gather(*[visitor.task for visitor in room.visitors.values()], return_exceptions=True)


@settings(deadline=None)
@given(moves=steps, level=levels)
def test_a_mutex_lets_in_whom_the_model_does(moves, level) -> None:
    configure(level=level)
    mutex = Mutex("m")
    asyncio.run(compare(lambda _: mutex, Model(1), moves, has_sides=False))
    assert mutex.try_acquire()


@settings(deadline=None)
@given(moves=steps, level=levels, permits=st.integers(1, 3))
def test_a_semaphore_lets_in_whom_the_model_does(moves, level, permits: int) -> None:
    configure(level=level)
    slots = Semaphore("s", permits)
    asyncio.run(compare(lambda _: slots, Model(permits), moves, has_sides=False))
    assert slots.statistics().free == permits


@settings(deadline=None)
@given(moves=steps, level=levels)
def test_a_read_write_lock_lets_in_whom_the_model_does(moves, level) -> None:
    configure(level=level)
    lock = ReadWriteLock("rw")
    asyncio.run(compare(lambda shares: lock.read if shares else lock.write, Model(1), moves, has_sides=True))
    assert lock.write.try_acquire()
