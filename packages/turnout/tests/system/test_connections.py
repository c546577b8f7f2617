"""More connections than the server takes: those that come wait, and are served when others have gone; checks do not wait."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx
import pytest
from serving import WAIT_S, Turnout, free_port, until


def test_with_too_many_connections_the_next_waits_until_some_are_closed(
    tmp_path: Path, make_turnout: type[Turnout]
) -> None:
    lane = free_port()
    settings = {"TURNOUT_MAX_CONNECTIONS": "10", "TURNOUT_HEALTH_PORT": str(lane)}
    server = make_turnout(tmp_path / "data", settings).start()
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
            # Whoever checks on the lane of its own is answered all the same.
            for path in ("/health/live", "/health/ready", "/metrics"):
                assert httpx.get(f"http://127.0.0.1:{lane}{path}", timeout=WAIT_S).status_code == 200
            assert httpx.get(f"http://127.0.0.1:{lane}/login", timeout=WAIT_S).status_code == 404
            for one in idle:
                one.close()
            idle.clear()
            until(lambda: _is_answered(server), "a new connection to be answered")
    finally:
        for one in idle:
            one.close()
        assert server.stop() == 0
    for port in (server.port, lane):
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"http://127.0.0.1:{port}/health/live")


def test_a_lane_that_is_taken_keeps_the_server_from_starting(tmp_path: Path, make_turnout: type[Turnout]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = make_turnout(tmp_path / "data", {"TURNOUT_HEALTH_PORT": port}).try_command("serve", "--port", "0")
    assert done.returncode == 2
    assert f"can't listen on 127.0.0.1:{port}" in done.stderr
    assert "health_port" in done.stderr


def _is_answered(server: Turnout) -> bool:
    try:
        return httpx.get(f"{server.url}/health/live", timeout=0.5).status_code == 200
    except httpx.TimeoutException:
        return False
