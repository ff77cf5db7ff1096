"""Headless Chromium for the tests of pages."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
_QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


@dataclass
class Visit:
    """An open page, its requests, and its errors."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def outside(self) -> list[str]:
        """Requests that leave the machine."""
        local = ("file:", "data:", "blob:", "http://127.0.0.1:")
        return [url for url in self.requests if not url.startswith(local)]


@contextmanager
def visit(url: str, width: int = 1280, height: int = 900, shown: str = "") -> Iterator[Visit]:
    """Open a page, and record its requests and errors.

    Args:
        shown: selector of what must be visible before the visit begins; if empty, the page must
            have no open connection, which an app never comes to.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(_QUIET))
        page = browser.new_page(viewport={"width": width, "height": height})
        seen = Visit(page)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.complaints.append(str(error)))
        page.on(
            "console",
            lambda m: seen.complaints.append(m.text) if m.type == "error" else None,
        )
        page.goto(url)
        if shown:
            page.wait_for_selector(shown, timeout=120_000)
        else:
            page.wait_for_load_state("networkidle")
        yield seen
        browser.close()
