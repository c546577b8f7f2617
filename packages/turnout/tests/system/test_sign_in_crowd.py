"""A crowd that signs in: all get in, one after the other, and those who are in already go on."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING

import httpx
from serving import EMAIL, PASSWORD

if TYPE_CHECKING:
    from serving import Turnout

CROWD = 40
PATIENCE_S = 120.0


def test_a_crowd_of_sign_ins_is_served_in_turn_beside_those_who_are_in(server: Turnout) -> None:
    inside = server.signed_in()

    async def sign_in(web: httpx.AsyncClient) -> int:
        form = await web.get("/login")
        token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', form.text)
        assert token is not None
        fields = {"email": EMAIL, "password": PASSWORD, "_csrf_token": token.group(1)}
        return (await web.post("/login", data=fields)).status_code

    async def crowd() -> tuple[list[int], int]:
        clients = [httpx.AsyncClient(base_url=server.url, timeout=PATIENCE_S) for _ in range(CROWD)]
        tasks = [asyncio.create_task(sign_in(web)) for web in clients]
        served = 0
        while not all(task.done() for task in tasks):
            answer = await asyncio.to_thread(inside.get, "/sites")
            assert answer.status_code == 200
            served += 1
        statuses = [await task for task in tasks]
        for web in clients:
            await web.aclose()
        return statuses, served

    statuses, served = asyncio.run(crowd())
    inside.close()
    assert statuses == [303] * CROWD
    assert served > 0
