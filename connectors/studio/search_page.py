"""The page that searches a brand's documents: its components and what calls what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from connectors.studio import search_screen
from connectors.studio.chat import LONGEST_MESSAGE, Chat
from connectors.studio.events import FOLD, Updates
from connectors.studio.memory import SECRET, STORAGE_KEY, Memory
from connectors.studio.page import SEARCH, language_of, links
from connectors.studio.screen import brand_line, notice
from connectors.studio.search import View, missing, search
from connectors.studio.texts import say


class SearchPage:
    """Stands in the chat's frame: the brands and the links are at the side, and fold away."""

    def __init__(self, brands: list[tuple[str, str]], i18n: gr.I18n) -> None:
        self.memory = gr.BrowserState(Memory().written(), storage_key=STORAGE_KEY, secret=SECRET)
        with gr.Row(elem_id="studio", elem_classes="search"):
            with gr.Column(elem_id="talk", scale=1, min_width=0):
                with gr.Row(elem_id="top"):
                    self.header = gr.HTML(padding=False, elem_id="header")
                    self.fold = gr.Button(i18n("settings"), elem_id="fold", size="sm", min_width=0)
                with gr.Column(elem_id="asking", scale=0):
                    self.lead = gr.HTML(padding=False)
                    with gr.Row(elem_id="composer"):
                        self.box = gr.Textbox(
                            label=i18n("search_question"),
                            placeholder=i18n("search_hint"),
                            show_label=False,
                            container=False,
                            lines=1,
                            max_lines=1,
                            max_length=LONGEST_MESSAGE,
                            elem_id="box",
                            autofocus=True,
                            scale=1,
                        )
                        self.button = gr.Button(
                            i18n("search_button"), elem_id="send", variant="primary", scale=0,
                            min_width=88,
                        )  # fmt: skip
                    self.notice = gr.HTML(padding=False, elem_id="notice", visible=False)
                    self.status = gr.HTML(padding=False, elem_id="search-status")
                self.results = gr.HTML(padding=False, elem_id="search-results")
            with gr.Column(elem_id="side", scale=0, min_width=0):
                self.brand = gr.Radio(brands, label=i18n("brand"), elem_id="brand")
                self.links = gr.HTML(padding=False, elem_id="languages")

    @property
    def whole(self) -> Updates:
        """What a view changes, in the order of ``paint``."""
        return [self.header, self.notice, self.status, self.results, self.box, self.button]

    def paint(self, view: View, language: str) -> Updates:
        """All of it each time, for the reason told in ``Page.paint``."""
        screen = view.screen
        said = notice(screen, language)
        ready = screen.voice is not None and view.missing is None
        return [
            brand_line(screen.name or say(language, "title"), say(language, "search")),
            gr.update(value=said, visible=bool(said)),
            search_screen.status(view, language),
            search_screen.results(view, language),
            gr.update(interactive=ready),
            gr.update(interactive=ready),
        ]


def wire(blocks: gr.Blocks, page: SearchPage, chat: Chat) -> None:
    def opened(stored: Any, request: gr.Request) -> Updates:
        language = language_of(request)
        # Of the chat, the brand last talked to; its conversation is of no interest here.
        screen = chat.open(Memory(Memory.read(stored).persona), language)
        return [
            gr.update(choices=chat.brands(), value=screen.persona),
            search_screen.lead(language),
            links(language, SEARCH),
            *page.paint(View(screen, missing(chat.bot, screen)), language),
        ]

    def searched(brand: str | None, question: str, request: gr.Request) -> Iterator[Updates]:
        language = language_of(request)
        screen = chat.show(Memory(brand), language)
        for view in search(chat.bot, screen, question, language):
            yield page.paint(view, language)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    blocks.load(opened, page.memory, [page.brand, page.lead, page.links, *page.whole], **quiet)
    # One after the other, the last one always: what is shown is of the brand that is chosen.
    gr.on(
        [page.box.submit, page.button.click, page.brand.input],
        searched,
        [page.brand, page.box],
        page.whole,
        trigger_mode="always_last",
        **quiet,
    )
    page.fold.click(None, None, None, js=FOLD)
