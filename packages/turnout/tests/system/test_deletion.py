"""A deleted site's events are deleted too: in the background, and after a kill."""

from __future__ import annotations

import re
import signal
from contextlib import closing
from pathlib import Path

import duckdb
import httpx
from serving import DOMAIN, Turnout, until

PAGEVIEW = {"n": "pageview", "u": f"https://{DOMAIN}/", "d": DOMAIN}


def events(data: Path) -> int:
    """How many events a stopped server's store holds, of whichever site."""
    with duckdb.connect(str(data / "events.duckdb"), read_only=True) as store:
        row = store.execute("SELECT count(*) FROM events").fetchone()
    assert row is not None
    return int(row[0])


def swept(server: Turnout) -> int:
    found = re.search(
        r"^turnout_deleted_sites_swept_total (\d+)$", httpx.get(f"{server.url}/metrics").text, re.MULTILINE
    )
    assert found is not None
    return int(found.group(1))


def delete_site(server: Turnout) -> None:
    with closing(server.signed_in()) as web:
        page = web.get(f"/sites/{DOMAIN}/settings")
        token = re.search(r'name="_csrf_token"[^>]*value="([^"]+)"', page.text)
        assert token is not None
        fields = {"confirm": DOMAIN, "_csrf_token": token.group(1)}
        assert web.post(f"/sites/{DOMAIN}/settings/delete", data=fields).url.path == "/sites"


def test_a_deleted_sites_events_go_and_new_ones_are_refused(server: Turnout) -> None:
    for visitor in range(5):
        server.send(PAGEVIEW, address=f"203.0.113.{visitor}")
    server.wait_for("events", 5)
    delete_site(server)
    assert server.send(PAGEVIEW).status_code == 400
    server.stop()
    # Whatever of it was not done before the stop is done after the next start.
    server.start()
    until(lambda: swept(server) > 0, "the events to go")
    server.stop()
    assert events(server.data) == 0


def test_a_deletion_that_was_killed_goes_on(server: Turnout) -> None:
    for visitor in range(5):
        server.send(PAGEVIEW, address=f"203.0.113.{visitor}")
    server.wait_for("events", 5)
    delete_site(server)
    server.stop(signal.SIGKILL)
    server.start()
    until(lambda: swept(server) > 0, "the events to go")
    server.stop()
    assert events(server.data) == 0
