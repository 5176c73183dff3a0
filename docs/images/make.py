"""Takes the README's screenshots from a running studio with a trained ``lighthouse``.

brandbot serve &
python docs/images/make.py http://127.0.0.1:7860
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

BRAND = "Lighthouse Coffee"
QUESTIONS = ("Do you have decaf?", "My espresso tastes sour. What am I doing wrong?")
SIZES = {"chat-desktop.png": (1280, 800), "chat-phone.png": (390, 844)}
REVIEWS = {"review.png": (1280, 800), "review-phone.png": (390, 844)}
ASKED = "Is there any oat milk for my flat white?"
BETTER = "Oat, yes. The cow was consulted."
PATIENCE_MS = 120_000


def main(url: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for name, size in SIZES.items():
            take(browser, url, Path(__file__).with_name(name), *size)
        correct(browser, url)
        for name, size in REVIEWS.items():
            review(browser, url, Path(__file__).with_name(name), *size)
        browser.close()


def take(browser: Browser, url: str, file: Path, width: int, height: int) -> None:
    """Asks the questions at a window size; on a wide one, with the untuned answer beside."""
    wide = width > 900
    page = opened(browser, url, width, height)
    for number, question in enumerate(QUESTIONS if wide else QUESTIONS[:1], 1):
        ask(page, question, number)
    if wide:
        page.locator("#compare").click()
        page.locator("#untuned .answer[aria-busy=false]").wait_for()
    page.locator("#box textarea").blur()
    keep(page, file)


def correct(browser: Browser, url: str) -> None:
    """A visitor says what a reply should have been."""
    page = opened(browser, url, 1280, 800)
    ask(page, ASKED, 1)
    page.locator("#chat [aria-label='Dislike']").last.click()
    page.locator("#suggestion textarea").fill(BETTER)
    page.locator("#dislike-send").click()
    page.locator("#dislike").wait_for(state="detached")
    page.context.close()


def review(browser: Browser, url: str, file: Path, width: int, height: int) -> None:
    """The corrected reply as a reviewer finds it."""
    page = opened(browser, f"{url.rstrip('/')}/review", width, height)
    page.locator("#review-name input").fill("Bea")
    page.locator("#review-start").click()
    page.locator(f".asked:has-text('{ASKED}')").wait_for()
    keep(page, file)


def opened(browser: Browser, address: str, width: int, height: int) -> Page:
    """A page of the studio, its brand chosen."""
    wide = width > 900
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="en-US",
        color_scheme="light",
        device_scale_factor=1 if wide else 2,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    page.locator("#brand input:checked").wait_for(state="attached")
    if not wide:
        page.locator("#fold").click()
    page.locator(f"#brand label:has-text('{BRAND}')").click()
    page.locator(f"#header h1:has-text('{BRAND}')").wait_for()
    return page


def keep(page: Page, file: Path) -> None:
    page.screenshot(path=file, animations="disabled")
    print(file)
    page.context.close()


def ask(page: Page, question: str, number: int) -> None:
    page.locator("#box textarea").fill(question)
    page.locator("#box textarea").press("Enter")
    # Not the bubbles that hold a reply's sources.
    page.locator("#chat .message.bot:not(.component)").nth(number).wait_for()
    page.locator("#send").wait_for()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python docs/images/make.py http://127.0.0.1:7860")
    main(sys.argv[1])
