"""A real server in a process of its own, for tests that speak to it as browsers, trackers and people do."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import accessibility
import httpx
import pytest
from serving import Turnout, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PASSWORD = "correct horse battery staple"
CHROMIUM = Path("/usr/bin/chromium")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# The headless browser's own name would be screened out as an automated one.
BROWSER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
REPOSITORY = Path(__file__).parents[4]


class RunningServer(Turnout):
    """One server for all tests of a session, and the queries of any of its sites."""

    @property
    def address(self) -> str:
        """Where it is."""
        return self.url

    def results(self, site: str, key: str, **question: object) -> list[dict[str, list[object]]]:
        """The results of a query over today, unless it names its own date range."""
        body = {"site_id": site, "date_range": "day", **question}
        answer = httpx.post(f"{self.url}/api/v2/query", json=body, headers={"Authorization": f"Bearer {key}"})
        assert answer.status_code == 200, answer.text
        results: list[dict[str, list[object]]] = answer.json()["results"]
        return results

    def wait_for_events(self, site: str, key: str, count: int) -> None:
        """Returns when the site's answers hold `count` events; fails where they hold more, or not enough in time."""
        until(
            lambda: self.results(site, key, metrics=["events"])[0]["metrics"][0] == count, f"{count} events of {site}"
        )


class SiteOnServer:
    """A site with an owner and a key that reads it."""

    def __init__(self, server: RunningServer, number: int) -> None:
        self.server = server
        self.domain = f"site{number}.example"
        self.email = f"owner{number}@example.com"
        server.command("user", "create", self.email, "--password-stdin", stdin=PASSWORD + "\n")
        server.command("site", "create", self.domain, "--owner", self.email, "--timezone", "UTC")
        self.key = server.command("key", "create", "--owner", self.email)

    def send(
        self,
        path: str,
        *,
        visitor: str,
        name: str = "pageview",
        agent: str,
        referrer: str = "",
        props: dict[str, str] | None = None,
    ) -> None:
        """One event, as a tracker behind a proxy would send it."""
        event = {"n": name, "u": f"https://{self.domain}{path}", "d": self.domain, "r": referrer, "p": props or {}}
        headers = {"User-Agent": agent, "X-Forwarded-For": visitor}
        answer = httpx.post(f"{self.server.address}/api/event", json=event, headers=headers)
        assert (answer.status_code, answer.headers.get("x-plausible-dropped")) == (202, None), answer.text

    def query(self, **question: object) -> list[dict[str, list[object]]]:
        """The results of a query over today."""
        return self.server.results(self.domain, self.key, **question)

    def wait_for_events(self, count: int) -> None:
        """Returns when `count` events are visible."""
        self.server.wait_for_events(self.domain, self.key, count)


def require(is_there: bool, what: str) -> None:
    """Skips where a tool is not installed; fails where all tests are required."""
    if not is_there:
        if os.environ.get("REQUIRE_ALL_TESTS"):
            pytest.fail(f"{what} is not installed")
        pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all tests of the session: each makes a site of its own."""
    running = RunningServer(tmp_path_factory.mktemp("turnout") / "data")
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def numbers() -> Iterator[int]:
    """Numbers that tell the sites of a session apart."""
    return iter(range(1, 1000))


@pytest.fixture
def site(server: RunningServer, numbers: Iterator[int]) -> SiteOnServer:
    """A new site with a new owner on the running server."""
    return SiteOnServer(server, next(numbers))


@pytest.fixture(scope="session")
def node_trackers() -> Path:
    """The folder of the third-party trackers, installed as its lock says."""
    require(shutil.which("npm") is not None, "npm")
    folder = REPOSITORY / "tests" / "trackers"
    if not (folder / "node_modules" / "jsdom").exists():
        ran = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, capture_output=True, timeout=180)
        assert ran.returncode == 0, ran.stderr.decode()
    return folder


@pytest.fixture(scope="session")
def axe_finds_nothing() -> Callable[[Page], None]:
    """Fails a test with what keeps people out of the page it is given."""
    require(shutil.which("npm") is not None, "npm")
    return accessibility.axe_finds_nothing


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, driven by Playwright.

    For one module: while Playwright's synchronous interface is open, its event loop counts as running in this thread,
    and tests of other modules that start their own could not.
    """
    require(CHROMIUM.exists(), str(CHROMIUM))
    require(find_spec("playwright") is not None, "playwright (the dependency group `browser`)")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()
