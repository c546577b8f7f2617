"""How many connections of a crowd are accepted in one turn of the loop."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter

import uvloop

from turnout.serve import ACCEPTED_A_TURN, listeners

CROWD = 100
PATIENCE_S = 60


async def most_accepted_in_one_turn(count: int) -> int:
    """Of a crowd that is there at once, by a server that listens on `count` of the same socket."""
    loop = asyncio.get_running_loop()
    turn, turns, all_in = 0, Counter[int](), asyncio.Event()

    class Door(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            turns[turn] += 1
            transport.close()
            if turns.total() == CROWD:
                all_in.set()

    def next_turn() -> None:
        nonlocal turn
        turn += 1
        if not all_in.is_set():
            loop.call_soon(next_turn)

    with socket.create_server(("127.0.0.1", 0), backlog=2 * CROWD) as listening:
        doors = listeners(listening)
        for spare in doors[count:]:
            spare.close()
        servers = [await loop.create_server(Door, sock=one, backlog=2 * CROWD) for one in doors[:count]]
        crowd = [socket.create_connection(listening.getsockname()) for _ in range(CROWD)]
        next_turn()
        await asyncio.wait_for(all_in.wait(), PATIENCE_S)
        for one in crowd:
            one.close()
        for server in servers:
            server.close()
            await server.wait_closed()
    return max(turns.values())


def test_a_crowd_is_accepted_many_at_once() -> None:
    """If both are the same, uvloop takes many by itself, and `listeners` may go: docs/decisions/accept-many.md."""
    one_listener = uvloop.run(most_accepted_in_one_turn(1))
    all_listeners = uvloop.run(most_accepted_in_one_turn(ACCEPTED_A_TURN))
    assert all_listeners > 2 * one_listener
