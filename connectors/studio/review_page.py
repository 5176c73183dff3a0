"""The review's page: its components, how a view is painted on them, and what calls what."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from connectors.studio import review_screen
from connectors.studio.chat import Chat
from connectors.studio.events import FOLD, SAME, Updates
from connectors.studio.memory import SECRET, Memory
from connectors.studio.memory import STORAGE_KEY as CHAT_KEY
from connectors.studio.page import REVIEW, language_of, links
from connectors.studio.review import (
    LONGEST_NAME,
    LONGEST_REPLY,
    STORAGE_KEY,
    Case,
    Decision,
    Desk,
    Reviewer,
    View,
)
from connectors.studio.screen import brand_line, notice
from connectors.studio.texts import say

DECISIONS: dict[str, Decision] = {
    "review-approve": "approved",
    "review-reject": "rejected",
    "review-skip": "skipped",
}

# A decision is about the exchange that its reviewer saw, not about one that came in between.
SEEN = (
    "(case_, seen, ...rest) => "
    "[case_, document.querySelector('.exchange')?.dataset.turn ?? '', ...rest]"
)

# What the button says follows what is typed, without asking the server. Gradio's own "input" is not
# told the first key after a new exchange.
LABEL = """() => {
  const told = document.querySelector('.exchange')?.dataset ?? {};
  const typed = document.querySelector('#review-box textarea')?.value ?? '';
  return typed.trim() === (told.proposed ?? '').trim() ? told.approve : told.edited;
}"""

SHOWN = "() => requestAnimationFrame(() => document.dispatchEvent(new Event('brandbot:exchange')))"
NAMING = "() => requestAnimationFrame(() => document.querySelector('#review-name input')?.focus())"


class ReviewPage:
    """Stands in the chat's frame: brands, keys and links are at the side, and fold away."""

    def __init__(self, brands: list[tuple[str, str]], i18n: gr.I18n) -> None:
        self.chat_memory = gr.BrowserState(Memory().written(), storage_key=CHAT_KEY, secret=SECRET)
        self.memory = gr.BrowserState(None, storage_key=STORAGE_KEY, secret=SECRET)
        self.case = gr.State(None)
        self.seen = gr.Textbox(visible="hidden", show_label=False)
        with gr.Row(elem_id="studio", elem_classes="review"):
            with gr.Column(elem_id="talk", scale=1, min_width=0):
                with gr.Row(elem_id="top"):
                    self.header = gr.HTML(padding=False, elem_id="header")
                    self.fold = gr.Button(i18n("settings"), elem_id="fold", size="sm", min_width=0)
                self.progress = gr.HTML(padding=False, elem_id="review-progress")
                self.notice = gr.HTML(padding=False, elem_id="notice", visible=False)
                with gr.Column(elem_id="review-setup", visible=False) as self.setup:
                    self.lead = gr.HTML(padding=False)
                    self.name = gr.Textbox(
                        label=i18n("review_name"), info=i18n("review_name_hint"), max_lines=1,
                        max_length=LONGEST_NAME, elem_id="review-name",
                    )  # fmt: skip
                    self.start = gr.Button(
                        i18n("review_start"), variant="primary", elem_id="review-start"
                    )
                with gr.Column(elem_id="review-desk", visible=False) as self.desk:
                    self.exchange = gr.HTML(padding=False, elem_id="review-exchange")
                    self.box = gr.Textbox(
                        label=i18n("review_box"), lines=2, max_lines=14, max_length=LONGEST_REPLY,
                        elem_id="review-box", visible=False,
                    )  # fmt: skip
                with gr.Column(elem_id="review-foot", scale=0):
                    self.status = gr.HTML(padding=False, elem_id="review-status")
                    with gr.Row(elem_id="review-buttons", visible=False) as self.row:
                        self.approve = gr.Button(
                            i18n("review_approve"), elem_id="review-approve", variant="primary",
                            min_width=0,
                        )  # fmt: skip
                        self.reject = gr.Button(
                            i18n("review_reject"), elem_id="review-reject", min_width=0
                        )
                        self.skip = gr.Button(
                            i18n("review_skip"), elem_id="review-skip", min_width=0
                        )
                        self.undo = gr.Button(
                            i18n("review_undo"), elem_id="review-undo", min_width=0
                        )
            with gr.Column(elem_id="side", scale=0, min_width=0):
                self.brand = gr.Radio(brands, label=i18n("brand"), elem_id="brand")
                with gr.Column(elem_id="review-who", visible=False) as self.whose:
                    self.who = gr.HTML(padding=False)
                    self.change = gr.Button(
                        i18n("review_change"), elem_id="review-change", size="sm", min_width=0
                    )
                self.keys = gr.HTML(padding=False, elem_id="review-keys")
                self.links = gr.HTML(padding=False, elem_id="languages")

    @property
    def whole(self) -> Updates:
        """What a view changes, in the order of ``paint``."""
        return [
            self.case, self.header, self.progress, self.notice, self.setup, self.desk,
            self.exchange, self.box, self.status, self.row, self.approve, self.reject, self.skip,
            self.whose, self.who,
        ]  # fmt: skip

    def paint(self, view: View, reviewer: Reviewer, language: str) -> Updates:
        """All of it each time, for the reason told in ``Page.paint``."""
        said = notice(view.screen, language)
        naming = not reviewer.name and view.case is not None
        working = bool(reviewer.name) and view.case is not None
        waits = view.exchange is not None
        label = say(language, "review_approve_edited" if view.edited else "review_approve")
        return [
            view.case,
            brand_line(view.screen.name or say(language, "title"), say(language, "review")),
            review_screen.progress(view, language),
            gr.update(value=said, visible=bool(said)),
            gr.update(visible=naming),
            gr.update(visible=working),
            review_screen.exchange(view, language) if working else "",
            gr.update(value=view.text, visible=waits),
            review_screen.status(view, language),
            gr.update(visible=working and bool(view.waiting + view.approved + view.rejected)),
            gr.update(value=label, interactive=waits),
            gr.update(interactive=waits),
            gr.update(interactive=waits),
            gr.update(visible=bool(reviewer.name)),
            review_screen.who(reviewer, language),
        ]


def wire(blocks: gr.Blocks, page: ReviewPage, chat: Chat, desk: Desk) -> None:
    def opened(stored: Any, chat_stored: Any, request: gr.Request) -> Updates:
        language = language_of(request)
        # Of the chat, the brand last talked to; its conversation is of no interest here.
        brand = chat.choose(Memory(Memory.read(chat_stored).persona), language).persona
        reviewer = Reviewer.read(stored)
        return [
            reviewer.name,
            gr.update(choices=chat.brands(), value=brand),
            review_screen.lead(language),
            review_screen.keys(language),
            links(language, REVIEW),
            *page.paint(desk.open(brand, language), reviewer, language),
        ]

    def chosen(
        case: Case | None, text: str, stored: Any, brand: str | None, request: gr.Request
    ) -> Updates:
        language = language_of(request)
        view = desk.open(brand, language, case, text)
        return page.paint(view, Reviewer.read(stored), language)

    def named(
        case: Case | None, text: str, stored: Any, brand: str | None, name: str, request: gr.Request
    ) -> Updates:
        language = language_of(request)
        reviewer = Reviewer.read(stored).named(name)
        view = desk.open(brand, language, case, text)
        if not reviewer.name:
            screen = replace(view.screen, notice=say(language, "review_nameless"))
            view = replace(view, screen=screen)
        return [reviewer.written(), *page.paint(view, reviewer, language)]

    def renamed() -> Updates:
        hidden = gr.update(visible=False)
        return [gr.update(visible=True), hidden, hidden, hidden]

    def decided(
        case: Case | None, seen: str, text: str, stored: Any, event: gr.EventData,
        request: gr.Request,
    ) -> Updates:  # fmt: skip
        language, reviewer = language_of(request), Reviewer.read(stored)
        button = str(getattr(event.target, "elem_id", ""))
        if button in DECISIONS:
            view = desk.decide(case, seen, DECISIONS[button], text, reviewer, language)
        else:
            view = desk.undo(case, text, reviewer, language)
        return page.paint(view, reviewer, language) if view else [SAME] * len(page.whole)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    blocks.load(
        opened,
        [page.memory, page.chat_memory],
        [page.name, page.brand, page.lead, page.keys, page.links, *page.whole],
        **quiet,
    )
    page.brand.input(
        chosen,
        [page.case, page.box, page.memory, page.brand],
        page.whole,
        trigger_mode="always_last",
        **quiet,
    ).then(None, None, None, js=SHOWN)
    gr.on(
        [page.start.click, page.name.submit],
        named,
        [page.case, page.box, page.memory, page.brand, page.name],
        [page.memory, *page.whole],
        trigger_mode="always_last",
        **quiet,
    ).then(None, None, None, js=SHOWN)
    page.change.click(renamed, None, [page.setup, page.desk, page.row, page.notice], **quiet).then(
        None, None, None, js=NAMING
    )
    # One event for the four: while one decision is being kept no other is begun.
    gr.on(
        [page.approve.click, page.reject.click, page.skip.click, page.undo.click],
        decided,
        [page.case, page.seen, page.box, page.memory],
        page.whole,
        js=SEEN,
        **quiet,
    ).then(None, None, None, js=SHOWN)
    page.box.change(None, None, page.approve, js=LABEL)
    page.fold.click(None, None, None, js=FOLD)
