from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import SiteOnServer

pytestmark = pytest.mark.npm


def run_tracker(folder: Path, script: str, site: SiteOnServer) -> list[dict[str, object]]:
    """What the tracker sent, each with the status it was answered."""
    ran = subprocess.run(
        ["node", script, site.server.address, site.domain], cwd=folder, capture_output=True, text=True, timeout=60
    )
    assert ran.returncode == 0, ran.stderr
    sent: list[dict[str, object]] = json.loads(ran.stdout)
    return sent


@pytest.mark.parametrize("script", ["plausible-tracker.mjs", "plausible-analytics-tracker.mjs"])
def test_an_unmodified_tracker_is_recorded_right(script: str, node_trackers: Path, site: SiteOnServer) -> None:
    sent = run_tracker(node_trackers, script, site)
    assert {event["status"] for event in sent} == {202}
    site.wait_for_events(3)

    metrics = ["visitors", "visits", "pageviews", "events", "views_per_visit", "bounce_rate"]
    assert site.query(metrics=metrics)[0]["metrics"] == [1, 1, 2, 3, 2, 0]
    pages = site.query(metrics=["pageviews", "events"], dimensions=["event:page"], order_by=[["event:page", "asc"]])
    assert pages == [
        {"dimensions": ["/pricing"], "metrics": [1, 2]},
        {"dimensions": ["/start"], "metrics": [1, 1]},
    ]
    names = site.query(metrics=["events"], dimensions=["event:name"])
    assert {row["dimensions"][0]: row["metrics"][0] for row in names} == {"pageview": 2, "Signup": 1}
    signup = ["is", "event:name", ["Signup"]]
    for name, value in (("plan", "pro"), ("seats", "3")):
        rows = site.query(metrics=["events"], dimensions=[f"event:props:{name}"], filters=[signup])
        assert rows == [{"dimensions": [value], "metrics": [1]}]
    visit = ["visit:source", "visit:entry_page", "visit:exit_page", "visit:browser"]
    assert [row["dimensions"] for row in site.query(metrics=["visits"], dimensions=visit)] == [
        ["Hacker News", "/start", "/pricing", "Chrome"]
    ]


def test_engagement_is_accepted_and_counts_nowhere(node_trackers: Path, site: SiteOnServer) -> None:
    sent = run_tracker(node_trackers, "plausible-analytics-tracker.mjs", site)
    engagement = [event for event in sent if event["body"]["n"] == "engagement"]  # type: ignore[index]
    assert len(engagement) == 1
    assert engagement[0]["status"] == 202
    # The later custom event is visible, so the engagement event before it in the journal is stored as well.
    site.wait_for_events(3)
    names = {row["dimensions"][0] for row in site.query(metrics=["events"], dimensions=["event:name"])}
    assert names == {"pageview", "Signup"}
