"""What both parts of the lab need to keep the documentation at their figures: text between marks, and pictures of a page."""

from __future__ import annotations

import io
import os
from pathlib import Path

from lab.processes import ROOT as ROOT

IMAGES = ROOT / "docs" / "images"
CHROMIUM = "/usr/bin/chromium"
SIZE = {"width": 1280, "height": 1000}
COLORS = 128


def between_marks(told: str, begin: str, end: str, text: str) -> str:
    """The page `told` with `text` between its marks. Raises ValueError where it has none."""
    before, found_begin, rest = told.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found_begin or not found_end:
        raise ValueError(f"no {begin} … {end}")
    return f"{before}{begin}\n{text}\n{end}{after}"


def picture(page: str, name: str, directory: Path, plot: str = "") -> None:
    """The top of a page, in light and in dark, as `name`-light.png and `name`-dark.png; with `plot`, a selector, only what
    that selects, as `name`-plot-light.png and so on. Needs Chromium, playwright and pillow."""
    from PIL import Image
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
        chromium = os.environ.get("CHROMIUM", CHROMIUM)
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        for look in ("light", "dark"):
            tab = browser.new_page(viewport=SIZE, color_scheme=look)  # type: ignore[arg-type]
            tab.set_content(page)
            taken = {f"{name}-{look}": tab.screenshot()}
            if plot:
                taken[f"{name}-plot-{look}"] = tab.locator(plot).first.screenshot()
            for file, content in taken.items():
                image = Image.open(io.BytesIO(content)).convert("RGB")
                small = image.quantize(COLORS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
                small.save(directory / f"{file}.png", optimize=True)
        browser.close()
