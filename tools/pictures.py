"""Takes the pictures in docs/images: every page in light, in dark and on a phone, from servers of its own.

Run: `uv run --all-groups --with pillow python tools/pictures.py [NAME …]`; it needs Chromium and takes some minutes.
"""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pyotp
import room_states
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parents[1] / "docs" / "images"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"]
PORTS = (8471, 8472, 8473)
CONSOLE = {"console", "console-stack"}
ROOM = {"waiting-room"}
PASSWORD = "correct horse battery staple"
EMAIL, SITE = "demo@turnout.example", "demo.example"
LOOKS = {
    "light": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 760}, "color_scheme": "light", "device_scale_factor": 2},
}
COLORS = 128


class Shot(NamedTuple):
    """A picture: its name, the path, what is done there first, and whether all of the page is shown."""

    name: str
    path: str
    prepare: Callable[[Page], object] = lambda page: None
    whole: bool = True


SIGNED_IN = (
    Shot("sites", "/sites"),
    Shot("dashboard", f"/sites/{SITE}"),
    Shot(
        "dashboard-compared", f"/sites/{SITE}?compare=previous&period=91d&metric=visits&f=is_not,visit:browser,Safari"
    ),
    Shot(
        "dashboard-map",
        f"/sites/{SITE}?locations=map",
        lambda page: page.locator(".world").scroll_into_view_if_needed(),
        False,
    ),
    Shot(
        "dashboard-periods",
        f"/sites/{SITE}",
        lambda page: page.locator("summary", has_text="Last 30 days").first.click(),
        False,
    ),
    Shot(
        "dashboard-filter",
        f"/sites/{SITE}",
        lambda page: page.locator("summary", has_text="Filter").first.click(),
        False,
    ),
    Shot("dashboard-keys", f"/sites/{SITE}", lambda page: page.keyboard.press("?"), False),
    Shot("dashboard-nothing", f"/sites/{SITE}?f=is,event:page,/nowhere"),
    Shot(
        "event", f"/sites/{SITE}?event=Signup", lambda page: page.locator("#events").scroll_into_view_if_needed(), False
    ),
    Shot("details", f"/sites/{SITE}/details/pages?compare=previous", whole=False),
    Shot("site-settings", f"/sites/{SITE}/settings"),
    Shot("account", "/account"),
    Shot("account-password", "/account/password"),
    Shot("account-delete", "/account/delete"),
    Shot("second-factor", "/account/second-factor"),
    Shot("organisation", "/organisations/1"),
    Shot("organisation-new", "/organisations/new"),
    Shot("audit", "/organisations/1/audit"),
    Shot("operations", "/ops"),
    Shot("site-waiting", "/sites/new.example"),
    Shot("no-permission", "/organisations/2"),
    Shot("address-unreadable", f"/sites/{SITE}?period=fortnight"),
)
SIGNED_OUT = (
    Shot("sign-in", "/login"),
    Shot("sign-in-wrong", "/login", lambda page: _sign_in(page, PASSWORD, wait=False)),
    Shot("forgotten", "/forgotten"),
    Shot("api", "/api/docs"),
)


def main() -> None:
    """Takes all pictures, or those named."""
    wanted = set(sys.argv[1:])
    with tempfile.TemporaryDirectory() as directory, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        if not wanted or wanted & CONSOLE:
            _console(browser, wanted)
        if not wanted or wanted & ROOM:
            _room(browser, Path(directory), wanted)
        if not wanted or wanted - CONSOLE - ROOM:
            with _serving(Path(directory) / "demo", PORTS[0], "--demo") as (base, data):
                _demo(browser, base, data, wanted)
            with _serving(Path(directory) / "first", PORTS[1]) as (base, data):
                _first_run(browser, base, data, wanted)
        browser.close()


def _console(browser: Browser, wanted: set[str]) -> None:
    """Seawall's console over a program that really waits."""
    process = subprocess.Popen([sys.executable, Path(__file__).with_name("knot.py"), str(PORTS[2])])
    base = f"http://127.0.0.1:{PORTS[2]}/"
    try:
        _wait(lambda: "long hold" in httpx.get(base).text)
        for look, options in LOOKS.items():
            context = browser.new_context(**options, reduced_motion="reduce")
            page = context.new_page()
            _take(page, base, Shot("console", ""), look, wanted)
            page.get_by_role("link", name="thread checkout-1").first.click()
            page.locator("#stacks pre").wait_for()
            _keep(page, "console-stack", look, wanted, whole=False)
            context.close()
    finally:
        process.kill()
        process.wait()


def _room(browser: Browser, folder: Path, wanted: set[str]) -> None:
    """Seawall's waiting room, whose page needs no server."""
    room_states.write_states(folder)
    for look, options in LOOKS.items():
        size = options["viewport"] if look == "phone" else {"width": 900, "height": 640}
        context = browser.new_context(**options | {"viewport": size}, reduced_motion="reduce")
        page = context.new_page()
        page.goto((folder / "waiting.html").as_uri())
        _keep(page, "waiting-room", look, wanted, whole=False)
        context.close()


def _demo(browser: Browser, base: str, data: Path, wanted: set[str]) -> None:
    password = (data / "demo-password").read_text()
    for command in (
        ["site", "create", "new.example", "--owner", EMAIL],
        ["demo", "--owner", EMAIL, "--site", "docs.example", "--events", "60000", "--seed", "2"],
        ["demo", "--owner", EMAIL, "--site", "shop.example", "--events", "90000", "--seed", "3"],
    ):
        subprocess.run(
            [sys.executable, "-m", "turnout", *command, "--data", str(data)], check=True, capture_output=True
        )
    _wait_until_level(base)
    closed, opened = _furnish(browser, base, password)
    reset = _reset_link(browser, base, data)
    for look, options in LOOKS.items():
        context = browser.new_context(**options, reduced_motion="reduce")
        page = context.new_page()
        for shot in SIGNED_OUT:
            _take(page, base, shot, look, wanted)
        for name, link in (("shared-password", closed), ("embedded", f"{opened}?embed=true"), ("new-password", reset)):
            _take(page, "", Shot(name, link), look, wanted)
        page.goto(f"{base}/login")
        _sign_in(page, password)
        for shot in SIGNED_IN:
            _take(page, base, shot, look, wanted)
        context.close()


def _first_run(browser: Browser, base: str, data: Path, wanted: set[str]) -> None:
    log = (data.parent / "first.log").read_text()
    found = re.search(r"first account: (\S+)", log)
    if found is None:
        raise SystemExit("the server printed no link")
    link = found.group(1)
    contexts = {look: browser.new_context(**options, reduced_motion="reduce") for look, options in LOOKS.items()}
    pages = {look: context.new_page() for look, context in contexts.items()}
    for look, page in pages.items():
        _take(page, "", Shot("first-account", link), look, wanted)
    page = pages["light"]
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the account").click()
    page.wait_for_url("**/welcome")
    for other in ("dark", "phone"):
        pages[other].goto(f"{base}/login")
        _sign_in(pages[other], PASSWORD, email="ada@example.org")
    for look, each in pages.items():
        _take(each, base, Shot("welcome-organisation", "/welcome"), look, wanted)
        _take(each, base, Shot("welcome-site", "/welcome/site"), look, wanted)
    page.goto(f"{base}/organisations/1")
    page.get_by_label("E-mail").fill("new.colleague@example.org")
    page.get_by_role("button", name="Invite").click()
    invitation = page.locator("#invitation-link").inner_text()
    page.goto(f"{base}/account/second-factor")
    app = pyotp.TOTP(page.locator("#totp-secret").inner_text().replace(" ", ""))
    page.get_by_label("Your password").fill(PASSWORD)
    page.get_by_label("The code that the app shows now").fill(app.now())
    page.get_by_role("button", name="Turn it on").click()
    page.locator("#recovery-codes").wait_for()
    _keep(page, "recovery-codes", "light", wanted)
    page.emulate_media(color_scheme="dark")  # they are shown once, so it is one page in three looks
    _keep(page, "recovery-codes", "dark", wanted)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 390, "height": 760})
    _keep(page, "recovery-codes", "phone", wanted)
    page.set_viewport_size({"width": 1280, "height": 800})
    for look, context in contexts.items():
        _take(pages[look], base, Shot("second-factor-on", "/account/second-factor"), look, wanted)
        context.clear_cookies()
        _take(pages[look], "", Shot("invitation", invitation), look, wanted)
        pages[look].goto(f"{base}/login")
        _sign_in(pages[look], PASSWORD, email="ada@example.org", wait=False)
        pages[look].get_by_role("heading", name="Your code").wait_for()
        _keep(pages[look], "sign-in-code", look, wanted)
        context.close()


def _furnish(browser: Browser, base: str, password: str) -> tuple[str, str]:
    """Names the organisation, invites, shares, makes a key; returns shared links with and without a password."""
    page = browser.new_context().new_page()
    page.goto(f"{base}/login")
    _sign_in(page, password)
    page.goto(f"{base}/organisations/1")
    page.get_by_label("Name of the organisation").fill("Acme")
    page.get_by_role("button", name="Change it").click()
    page.get_by_label("E-mail").fill("grace@example.org")
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_role("button", name="Invite").click()
    page.locator("#invitation-link").wait_for()
    page.goto(f"{base}/organisations/1")
    page.get_by_label("What it is for").fill("Nightly report")
    page.get_by_role("button", name="Make a key").click()
    page.locator("#new-key").wait_for()
    page.goto(f"{base}/sites/{SITE}/settings")
    for name, secret in (("Our front page", ""), ("The board", PASSWORD)):
        page.get_by_label("Whom it is for").fill(name)
        page.get_by_label("Password (none: leave empty)").fill(secret)
        page.get_by_role("button", name="Make a link").click()
        page.get_by_text("The link is made.").wait_for()
    links = page.locator("#links .link-row > .copyable code")
    found = links.nth(0).inner_text(), links.nth(1).inner_text()
    page.context.close()
    return found


def _reset_link(browser: Browser, base: str, data: Path) -> str:
    page = browser.new_context().new_page()
    page.goto(f"{base}/forgotten")
    page.get_by_label("E-mail").fill(EMAIL)
    page.get_by_role("button", name="Send the link").click()
    page.get_by_role("heading", name="Look at your mail").wait_for()
    letters = (path.read_text() for path in (data / "outbox").glob("*.eml"))
    link = next(found[1] for letter in letters if (found := re.search(r"(http://\S+/reset/[\w-]+)", letter)))
    page.context.close()
    return link


def _sign_in(page: Page, password: str, *, email: str = EMAIL, wait: bool = True) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()
    if wait:
        page.wait_for_url("**/sites")


def _take(page: Page, base: str, shot: Shot, look: str, wanted: set[str]) -> None:
    if wanted and shot.name not in wanted:
        page.goto(base + shot.path)
        return
    page.goto(base + shot.path)
    shot.prepare(page)
    page.wait_for_timeout(400)
    _keep(page, shot.name, look, wanted, whole=shot.whole)


def _keep(page: Page, name: str, look: str, wanted: set[str], *, whole: bool = True) -> None:
    if wanted and name not in wanted:
        return
    taken = Image.open(io.BytesIO(page.screenshot(full_page=whole))).convert("RGB")
    # A page has few colours; with these it takes a quarter of the room.
    small = taken.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    small.save(IMAGES / f"{name}-{look}.png", optimize=True)
    print(f"{name}-{look}", flush=True)


@contextlib.contextmanager
def _serving(data: Path, port: int, *options: str) -> Iterator[tuple[str, Path]]:
    command = [sys.executable, "-m", "turnout", "serve", "--port", str(port), "--data", str(data), *options]
    base = f"http://127.0.0.1:{port}"
    with (data.parent / f"{data.name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(lambda: httpx.get(f"{base}/health/ready").status_code == 200)
            yield base, data
        finally:
            process.terminate()
            process.wait(60)


def _wait_until_level(base: str) -> None:
    """Until all made-up events are in the store, and live visitors have come by."""
    _wait(lambda: re.search(r"turnout_journal_depth_events (\d+)", httpx.get(f"{base}/metrics").text)[1] == "0")  # type: ignore[index]
    time.sleep(20)


def _wait(is_so: Callable[[], bool]) -> None:
    give_up = time.monotonic() + 300
    while time.monotonic() < give_up:
        with contextlib.suppress(httpx.HTTPError):
            if is_so():
                return
        time.sleep(0.5)
    raise SystemExit("waited five minutes in vain")


if __name__ == "__main__":
    main()
