"""A disk that fills up: events are refused with a reason, never lied about, and come again when there is room."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from serving import Turnout

DOMAIN = "acme.example"


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 48 MB of its own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip(f"no file system of its own without root: {mounted.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def event(number: int) -> dict[str, object]:
    # Properties that do not compress, so that the disk fills after some thousand events.
    return {"n": "order", "u": f"https://{DOMAIN}/{number}", "d": DOMAIN, "p": {"text": f"{number:08d}" * 240}}


def test_a_full_disk_refuses_events_and_loses_none_that_it_acknowledged(
    small_disk: Path, make_turnout: type[Turnout]
) -> None:
    server = make_turnout(small_disk / "data", {"TURNOUT_DISK_FREE_FLOOR_MB": "0"}).prepare().start()
    ballast = small_disk / "ballast"
    acknowledged = 0
    try:
        free = 12 * 1024 * 1024
        with ballast.open("wb") as filled:
            filled.write(b"\0" * max(0, _free_bytes(small_disk) - free))
        answer = server.send(event(0))
        while answer.status_code == 202:
            acknowledged += 1
            answer = server.send(event(acknowledged))
        assert answer.status_code == 503, answer.text
        assert answer.json()["error"] == "journal_full"
        assert int(answer.headers["retry-after"]) > 0
        ballast.unlink()
        server.wait_for_status(202, event(acknowledged))
        acknowledged += 1
        server.wait_for("events", acknowledged)
    finally:
        server.stop()
    assert acknowledged > 10


def test_the_free_space_floor_refuses_before_the_disk_is_full(small_disk: Path, make_turnout: type[Turnout]) -> None:
    server = make_turnout(small_disk / "data", {"TURNOUT_DISK_FREE_FLOOR_MB": "1000"}).prepare().start()
    try:
        answer = server.send(event(0))
        assert (answer.status_code, answer.json()["error"]) == (503, "journal_full")
        assert server.total("events") == 0
    finally:
        server.stop()


def _free_bytes(place: Path) -> int:
    found = os.statvfs(place)
    return found.f_bavail * found.f_frsize
