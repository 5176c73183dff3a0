"""Takes the README's pictures from a running studio whose two demo brands are trained.

brandbot serve &
brandbot evaluate lighthouse --html report.html
brandbot evaluate letraclara --html report-es.html
python docs/images/make.py http://127.0.0.1:7860 report.html report-es.html
"""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).parent
BRAND, SPANISH = "Lighthouse Coffee", "Letra Clara"
DESKTOP, PHONE, PAPER = (1280, 800), (390, 844), (1100, 1000)
CHATS = (
    (
        "chat-desktop.png",
        DESKTOP,
        BRAND,
        ("good evening", "How much is a large latte?"),
    ),
    ("chat-phone.png", PHONE, BRAND, ("How much is a large latte?",)),
    (
        "chat-es.png",
        DESKTOP,
        SPANISH,
        ("¿Cuánto cuesta la Cuenta Clara Familia?", "¿Qué es la TAE?"),
    ),
)
SEARCHES = (
    ("search.png", BRAND, "How much is a large latte?"),
    ("search-es.png", SPANISH, "¿Cuánto cuesta la Cuenta Clara Familia?"),
)
REVIEWS = {"review.png": DESKTOP, "review-phone.png": PHONE}
ASKED = "Is there any oat milk for my flat white?"
BETTER = "Oat, yes. The cow was consulted."
PATIENCE_MS = 120_000


def main(url: str, *reports: str) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for name, size, brand, questions in CHATS:
            chat(browser, url, HERE / name, size, brand, questions)
        for name, brand, question in SEARCHES:
            search(browser, url, HERE / name, brand, question)
        correct(browser, url)
        for name, size in REVIEWS.items():
            review(browser, url, HERE / name, *size)
        for report in map(Path, reports):
            page = browser.new_page(viewport={"width": PAPER[0], "height": PAPER[1]})
            page.goto(report.resolve().as_uri())
            page.screenshot(path=HERE / f"{report.stem}.png")
        browser.close()


def chat(
    browser: Browser, url: str, file: Path, size: tuple[int, int], brand: str,
    questions: tuple[str, ...],
) -> None:  # fmt: skip
    """Asks the questions at a window size; on a wide one, with the untuned answer beside."""
    page = opened(browser, url, *size, brand)
    for number, question in enumerate(questions, 1):
        ask(page, question, number)
    if size == DESKTOP:
        page.locator("#compare").click()
        page.locator("#untuned .answer[aria-busy=false]").wait_for()
    page.locator("#box textarea").blur()
    keep(page, file)


def search(browser: Browser, url: str, file: Path, brand: str, question: str) -> None:
    """What is found for a question, and why."""
    page = opened(browser, f"{url.rstrip('/')}/search", *DESKTOP, brand)
    page.locator("#box input, #box textarea").fill(question)
    page.locator("#box input, #box textarea").press("Enter")
    page.locator("mark").first.wait_for()
    page.locator("#box input, #box textarea").blur()
    keep(page, file)


def correct(browser: Browser, url: str) -> None:
    """A visitor says what a reply should have been."""
    page = opened(browser, url, *DESKTOP, BRAND)
    ask(page, ASKED, 1)
    page.locator("#chat [aria-label='Dislike']:visible").last.click()
    page.locator("#suggestion textarea").fill(BETTER)
    page.locator("#dislike-send").click()
    page.locator("#dislike").wait_for(state="detached")
    page.context.close()


def review(browser: Browser, url: str, file: Path, width: int, height: int) -> None:
    """The corrected reply as a reviewer finds it."""
    page = opened(browser, f"{url.rstrip('/')}/review", width, height, BRAND)
    page.locator("#review-name input").fill("Bea")
    page.locator("#review-start").click()
    page.locator(f".asked:has-text('{ASKED}')").wait_for()
    keep(page, file)


def opened(browser: Browser, address: str, width: int, height: int, brand: str) -> Page:
    """A page of the studio in its brand's language, the brand chosen."""
    wide = width > 900
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="es-ES" if brand == SPANISH else "en-US",
        color_scheme="light",
        device_scale_factor=1 if wide else 2,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.goto(address)
    page.locator("#brand input:checked").wait_for(state="attached")
    if not wide:
        page.locator("#fold").click()
    page.locator(f"#brand label:has-text('{brand}')").click()
    page.locator(f"#header h1:has-text('{brand}')").wait_for()
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
    if len(sys.argv) < 2:
        sys.exit(f"{__doc__}")
    main(*sys.argv[1:])
