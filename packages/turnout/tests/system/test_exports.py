"""Exports of a real server: by a browser, by a program, over a restart, and by nobody whose they are not."""

from __future__ import annotations

import csv
import io
import re
from contextlib import closing
from typing import TYPE_CHECKING
from zipfile import ZipFile

import httpx
from serving import DOMAIN, PASSWORD, until

if TYPE_CHECKING:
    from serving import Turnout

EVENTS = 25
API = "/api/v1/exports"


def send_some(server: Turnout) -> None:
    for number in range(EVENTS):
        body = {"n": "pageview", "u": f"https://{DOMAIN}/page-{number}", "d": DOMAIN, "p": {"plan": "=1+1"}}
        assert server.send(body, address=f"198.51.100.{number}").status_code == 202
    server.wait_for("pageviews", EVENTS)


def rows_of(archive: bytes, name: str) -> list[dict[str, str]]:
    text = ZipFile(io.BytesIO(archive)).read(name).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def wait_for_file(web: httpx.Client, page: str) -> bytes:
    until(lambda: "Download the file" in web.get(page).text, "the export to be ready")
    found = re.search(r'href="([^"]+/file)"', web.get(page).text)
    assert found is not None
    answer = web.get(found.group(1))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/zip"
    assert "attachment" in answer.headers["content-disposition"]
    assert "no-store" in answer.headers["cache-control"]
    return answer.content


def test_a_person_exports_what_a_page_shows_and_every_event(server: Turnout) -> None:
    send_some(server)
    with closing(server.signed_in()) as web:
        shown = web.get(f"/sites/{DOMAIN}?period=today").text
        link = re.search(r'href="([^"]+export\.zip[^"]*)"', shown)
        assert link is not None
        asked = web.get(link.group(1))
        assert re.search(rf"/sites/{DOMAIN}/exports/[\w-]+$", str(asked.url))
        assert "data-refresh" in asked.text or "Download the file" in asked.text
        report = wait_for_file(web, str(asked.url))
        pages = rows_of(report, "pages-top.csv")
        assert sorted(row["page"] for row in pages) == sorted(f"/page-{number}" for number in range(EVENTS))
        settings = web.get(f"/sites/{DOMAIN}/settings").text
        assert "Export the events" in settings
        fields = {"first": "", "last": "", "_csrf_token": web.cookies["turnout_csrf"]}
        asked = web.post(f"/sites/{DOMAIN}/exports", data=fields)
        events = rows_of(wait_for_file(web, str(asked.url)), "events.csv")
        assert [row["page"] for row in events] == [f"/page-{number}" for number in range(EVENTS)]
        assert events[0]["props"] == '{"plan":"=1+1"}'
        csrf = {"_csrf_token": web.cookies["turnout_csrf"]}
        gone = web.post(f"{asked.url.path}/cancel", data=csrf)
        assert gone.status_code == 200
        assert web.get(asked.url.path).status_code == 404
        assert web.get(f"{asked.url.path}/file").status_code == 404
        wrong = web.post(f"/sites/{DOMAIN}/exports", data={**fields, "first": "2026-01-02", "last": "2026-01-01"})
        assert (wrong.status_code, "not before" in wrong.text) == (400, True)


def test_a_program_exports_with_a_key_and_nobody_else_reads_it(server: Turnout) -> None:
    send_some(server)
    key = {"Authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=key, timeout=30) as web:
        asked = web.post(API, json={"site_id": DOMAIN, "kind": "events"})
        assert asked.status_code == 202
        assert asked.json()["state"] in ("waiting", "building", "done")
        where = asked.headers["location"]
        until(lambda: web.get(where).json()["state"] == "done", "the export to be done")
        found = web.get(where).json()
        assert found["size_bytes"] > 0
        assert len(rows_of(web.get(found["file"]).content, "events.csv")) == EVENTS
        for body, field in (
            ({"site_id": DOMAIN, "kind": "everything"}, "kind"),
            ({"site_id": DOMAIN, "kind": "events", "first": "soon"}, "first"),
            ({"site_id": DOMAIN, "view": "period=fortnight"}, "period"),
            ({"kind": "events"}, "site_id"),
        ):
            wrong = web.post(API, json=body)
            assert wrong.status_code == 400, wrong.text
            assert field in wrong.json()["detail"], wrong.text
        assert web.post(API, json={"site_id": "other.example"}).status_code == 404
        server.command("user", "create", "eve@example.org", "--password-stdin", stdin=PASSWORD + "\n")
        other = server.command("key", "create", "--owner", "eve@example.org")
        for method, path in (("GET", where), ("GET", f"{where}/file"), ("DELETE", where)):
            strange = httpx.request(method, server.url + path, headers={"Authorization": f"Bearer {other}"})
            assert strange.status_code == 404
            assert httpx.request(method, server.url + path).status_code == 401
        assert web.delete(where).status_code == 204
        assert web.get(where).status_code == 404


def test_an_export_and_its_file_outlive_a_restart_and_a_kill(server: Turnout) -> None:
    send_some(server)
    key = {"Authorization": f"Bearer {server.key}"}
    with httpx.Client(base_url=server.url, headers=key, timeout=30) as web:
        first = web.post(API, json={"site_id": DOMAIN, "view": "period=today"}).headers["location"]
        until(lambda: web.get(first).json()["state"] == "done", "the export to be done")
        content = web.get(f"{first}/file").content
        asked = [web.post(API, json={"site_id": DOMAIN, "view": f"period={days}d"}) for days in (7, 28, 30, 91)]
        assert server.process is not None
        server.process.kill()  # with these four still in line, or half built
        server.process.wait()
        server.start()
        assert web.get(f"{first}/file").content == content
        for answer in asked:
            where = answer.headers["location"]
            until(lambda where=where: web.get(where).json()["state"] == "done", "it to be built after all")  # type: ignore[misc]
            assert ZipFile(io.BytesIO(web.get(f"{where}/file").content)).testzip() is None
        figures = httpx.get(f"{server.url}/metrics").text
        assert "turnout_exports_waiting 0" in figures
