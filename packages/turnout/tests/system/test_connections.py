"""More connections than the server takes: those that come wait, and are served when others have gone."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from serving import WAIT_S, Turnout, until


def test_with_too_many_connections_the_next_waits_until_some_are_closed(
    tmp_path: Path, make_turnout: type[Turnout]
) -> None:
    server = make_turnout(tmp_path / "data", {"TURNOUT_MAX_CONNECTIONS": "10"}).start()
    idle = []
    try:
        with httpx.Client(base_url=server.url, timeout=WAIT_S) as web:
            # One that is in keeps its connection, and is answered all the time.
            assert web.get("/health/live").status_code == 200

            def is_kept_out() -> bool:
                idle.append(socket.create_connection(("127.0.0.1", server.port), timeout=WAIT_S))
                assert web.get("/health/live").status_code == 200
                return not _is_answered(server)

            until(is_kept_out, "a connection to be kept out")
            for one in idle:
                one.close()
            idle.clear()
            until(lambda: _is_answered(server), "a new connection to be answered")
    finally:
        for one in idle:
            one.close()
        assert server.stop() == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(server.url)


def _is_answered(server: Turnout) -> bool:
    try:
        return httpx.get(f"{server.url}/health/live", timeout=0.5).status_code == 200
    except httpx.TimeoutException:
        return False
