"""Chromium, as people use the pages with: started once, looked over its shoulder, and photographed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "build" / "screenshots"
AXE = ROOT / "build" / "real" / "node_modules" / "axe-core" / "axe.min.js"

QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]

WIDE = {"width": 1360, "height": 900}
PHONE = {"width": 390, "height": 844}


@contextmanager
def chromium() -> Iterator[Browser]:
    """The Debian package's browser; skips where it is not installed."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=QUIET)
        yield browser
        browser.close()


class Window:
    """One window of one person. What goes wrong in it, and whatever it asks of another host, is kept."""

    def __init__(self, context: BrowserContext, base_url: str) -> None:
        self.page: Page = context.new_page()
        self.base_url = base_url
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("request", lambda request: self._look(request.url))

    def _note(self, kind: str, text: str) -> None:
        # A refused form is answered with a 4xx, which the browser reports although nothing is wrong.
        if kind in {"error", "warning"} and "Failed to load resource" not in text:
            self.troubles.append(text)

    def _look(self, url: str) -> None:
        if urlsplit(url).scheme in {"http", "https"} and urlsplit(url).netloc != urlsplit(self.base_url).netloc:
            self.troubles.append(f"asked another host: {url}")

    def open(self, path: str) -> Page:
        """Go to one of our pages."""
        self.page.goto(self.base_url + path)
        return self.page

    def picture(self, name: str) -> None:
        """Keep how it looks now."""
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png")


def axe_findings(page: Page) -> list[str]:
    """What the accessibility rules of axe find on the page, a line each."""
    if not AXE.exists():
        pytest.skip("axe-core is not installed (make real-servers)")
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']} ({violation['impact']}): {node['target']} {node['failureSummary']}"
        for violation in found["violations"]
        for node in violation["nodes"]
    ]
