"""A real Chromium, for whatever test has something to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext

CHROMIUM = Path("/usr/bin/chromium")
PATIENCE_MS = 15_000
DESKTOP, PHONE = (1280, 800), (375, 812)

Window = Callable[..., "BrowserContext"]


@pytest.fixture(scope="session")
def chromium() -> Iterator[object]:
    if not CHROMIUM.exists():
        pytest.fail(f"{CHROMIUM} is missing. Install it with: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(CHROMIUM),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser
        browser.close()


@pytest.fixture
def window(chromium: Browser) -> Iterator[Window]:
    """Opens browsers that know nothing of each other: a size, a locale and whatever else."""
    from playwright.sync_api import expect

    contexts: list[BrowserContext] = []

    def open_one(
        size: tuple[int, int] = DESKTOP, locale: str = "en-US", **more: Any
    ) -> BrowserContext:
        viewport: Any = {"width": size[0], "height": size[1]}
        context = chromium.new_context(viewport=viewport, locale=locale, **more)
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        return context

    expect.set_options(timeout=PATIENCE_MS)
    yield open_one
    for context in contexts:
        context.close()
