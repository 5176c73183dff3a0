"""The studio's pages, and what the chat's is made of. ``events.py`` says what happens on it."""

from __future__ import annotations

from typing import Any

import gradio as gr

from brandbot import Bot
from connectors.studio import events, review_page, search_page, taste_page
from connectors.studio.chat import LONGEST_MESSAGE, Chat
from connectors.studio.feedback import FeedbackForm
from connectors.studio.memory import SECRET, STORAGE_KEY, Memory
from connectors.studio.page import REVIEW, SEARCH, TASTE
from connectors.studio.review import Desk
from connectors.studio.screen import Screen, header, notice, version_card
from connectors.studio.taste import Tasting
from connectors.studio.texts import TEXTS

CONCURRENT = 4
"""Events handled side by side; as many replies as an engine has room for."""

WAITING = 32
"""Events that may wait their turn before newcomers are told to come back later."""

I18N = gr.I18n(**TEXTS)


def build(bot: Bot) -> gr.Blocks:
    """The studio of a workspace. Its look and safety headers come from ``server.start``."""
    chat = Chat(bot)
    blocks = gr.Blocks(
        title=I18N("title"), analytics_enabled=False, fill_height=True, fill_width=True
    )
    with blocks:
        events.wire(blocks, Page(chat.brands()), chat)
    # Pages of their own: the chat loads nothing of them.
    with blocks.route("Search", SEARCH, show_in_navbar=False):
        search_page.wire(blocks, search_page.SearchPage(chat.brands(), I18N), chat)
    with blocks.route("Taste", TASTE, show_in_navbar=False):
        taste_page.wire(blocks, taste_page.TastePage(chat.brands(), I18N), chat, Tasting(bot))
    with blocks.route("Review", REVIEW, show_in_navbar=False):
        review_page.wire(blocks, review_page.ReviewPage(chat.brands(), I18N), chat, Desk(bot))
    blocks.queue(default_concurrency_limit=CONCURRENT, max_size=WAITING, api_open=False)
    return blocks


class Page:
    """The components, made in the order they stand on the page."""

    def __init__(self, brands: list[tuple[str, str]]) -> None:
        self.memory = gr.BrowserState(Memory().written(), storage_key=STORAGE_KEY, secret=SECRET)
        self.turns = gr.State([])
        with gr.Row(elem_id="studio"):
            with gr.Column(elem_id="talk", scale=1, min_width=0):
                with gr.Row(elem_id="top"):
                    self.header = gr.HTML(padding=False, elem_id="header")
                    self.new = gr.Button(I18N("new"), elem_id="new", size="sm", min_width=0)
                    self.fold = gr.Button(I18N("settings"), elem_id="fold", size="sm", min_width=0)
                self.chatbot = gr.Chatbot(
                    label=I18N("conversation"),
                    show_label=False,
                    elem_id="chat",
                    height="100%",
                    buttons=["copy"],
                    editable="user",
                    layout="bubble",
                    # Messages are shown as the text they are, see ``screen.literal``.
                    render_markdown=False,
                    sanitize_html=True,
                    allow_tags=False,
                    latex_delimiters=[],
                    allow_file_downloads=False,
                    group_consecutive_messages=False,
                )
                with gr.Row(elem_id="said"):
                    self.notice = gr.HTML(padding=False, elem_id="notice", visible=False)
                    self.again = gr.Button(
                        I18N("retry"), elem_id="again", size="sm", min_width=0, visible=False
                    )
                self.form = FeedbackForm(I18N)
                with gr.Row(elem_id="composer"):
                    self.box = gr.Textbox(
                        label=I18N("message"),
                        placeholder=I18N("message_hint"),
                        show_label=False,
                        container=False,
                        lines=1,
                        max_lines=6,
                        max_length=LONGEST_MESSAGE,
                        elem_id="box",
                        autofocus=True,
                        scale=1,
                    )
                    self.said = gr.Textbox(visible="hidden", show_label=False)
                    self.send = gr.Button(
                        I18N("send"), elem_id="send", variant="primary", scale=0, min_width=88
                    )
                    self.stop = gr.Button(
                        I18N("stop"), elem_id="stop", scale=0, min_width=88, visible=False
                    )
            with gr.Column(elem_id="beside", scale=0, visible=False) as self.beside:
                self.close = gr.Button(I18N("compare_close"), elem_id="close-compare", size="sm")
                self.untuned = gr.HTML(padding=False, elem_id="untuned")
            with gr.Column(elem_id="side", scale=0, min_width=0):
                self.brand = gr.Radio(brands, label=I18N("brand"), elem_id="brand")
                self.strength = gr.Slider(
                    0, 1, value=1, step=0.05, label=I18N("strength"), info=I18N("strength_hint"),
                    elem_id="strength", buttons=[],
                )  # fmt: skip
                self.compare = gr.Button(I18N("compare"), elem_id="compare", size="sm")
                self.version = gr.HTML(padding=False, elem_id="version")
                self.languages = gr.HTML(padding=False, elem_id="languages")

    @property
    def whole(self) -> list[Any]:
        """Everything that depends on the brand or the conversation, in the order of ``paint``."""
        return [
            self.chatbot, self.turns, self.memory, self.header, self.version, self.notice,
            self.again, self.send, self.stop, self.strength, self.compare, self.box,
        ]  # fmt: skip

    def paint(self, screen: Screen, language: str, *, arriving: bool = False) -> list[Any]:
        """Updates for ``whole``. ``arriving`` at a brand sets the dial to its own strength.

        All of them, also while a reply is written: Gradio sends only what changed, but changes an
        update that the browser has not painted yet into the next, so that none may lack anything.
        """
        said = notice(screen, language)
        ready = screen.voice is not None
        box: dict[str, Any] = {"interactive": ready}
        if screen.unsent:
            box["value"] = screen.unsent
        dial: dict[str, Any] = {"interactive": screen.trained}
        if arriving and screen.voice is not None:
            dial["value"] = screen.voice.persona.config.generation.strength
        return [
            gr.update(value=screen.messages, feedback_value=screen.feedback),
            screen.turns,
            screen.memory.written(),
            header(screen, language),
            version_card(screen, language),
            gr.update(value=said, visible=bool(said)),
            gr.update(visible=screen.unanswered and not screen.busy),
            gr.update(visible=not screen.busy, interactive=ready),
            gr.update(visible=screen.busy),
            gr.update(**dial),
            gr.update(interactive=screen.trained and not screen.busy),
            gr.update(**box),
        ]
