"""What a page of the target says: a snapshot of Seawall, metrics, or nothing that can be read."""

from __future__ import annotations

import json

from flashcrowd.probe.fetch import Page
from flashcrowd.probe.metrics import read_metrics
from flashcrowd.probe.metrics_text import parse_metrics
from flashcrowd.probe.seawall_snapshot import read_seawall
from flashcrowd.samples import Process, Resource

SNAPSHOT_PARTS = {"locks", "semaphores", "pools", "resource_pools"}


class Unreadable(ValueError):
    """Raised when a page is none of those that can be read; says what came."""


def read_page(page: Page) -> tuple[tuple[Resource, ...], Process]:
    """The resources and the process in it. Raises Unreadable."""
    if page.status in (401, 403):
        raise Unreadable(f"it answered {page.status}: it wants a key (--key), or another one")
    if page.status != 200:
        raise Unreadable(f"it answered {page.status}")
    if "json" in page.content_type:
        try:
            found = json.loads(page.body)
        except ValueError as error:
            raise Unreadable(f"its JSON can't be read: {error}") from error
        if not isinstance(found, dict) or not found.keys() >= SNAPSHOT_PARTS:
            raise Unreadable("its JSON is no snapshot of Seawall (expected `locks`, `semaphores`, `pools` …)")
        return read_seawall(found)
    if "html" in page.content_type:
        raise Unreadable("it answered with a page for people; expected Seawall's snapshot as JSON, or metrics as text")
    metrics = [*parse_metrics(page.body.decode("utf-8", "replace"))]
    if not metrics:
        raise Unreadable(f"there is no metric in it ({page.content_type or 'no content type'})")
    return read_metrics(metrics)
