"""Servers for tests that start, kill and fill one of their own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from serving import Turnout


@pytest.fixture
def turnout(tmp_path: Path) -> Iterator[Turnout]:
    """A Turnout that has not been started yet; it is killed at the end where it still runs."""
    made = Turnout(tmp_path / "data")
    yield made
    if made.process is not None:
        made.process.kill()
        made.process.wait()


@pytest.fixture(scope="session")
def make_turnout() -> type[Turnout]:
    """For tests that choose the place or the environment of their server themselves, and stop it themselves."""
    return Turnout


@pytest.fixture
def server(turnout: Turnout) -> Turnout:
    """A running Turnout with one account and one site, `acme.example`."""
    turnout.prepare()
    return turnout.start()
