"""The taste test's page: its components, how a view is painted on them, and what calls what."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from brandbot import Bot, BrandbotError
from connectors.studio import taste_screen
from connectors.studio.chat import Chat
from connectors.studio.memory import SECRET, Memory
from connectors.studio.memory import STORAGE_KEY as CHAT_KEY
from connectors.studio.page import language_of, links
from connectors.studio.screen import header, notice
from connectors.studio.taste import (
    LONGEST_NAME,
    STORAGE_KEY,
    Choice,
    Round,
    Tasting,
    View,
    Voter,
    defaults,
)
from connectors.studio.texts import say

PATH = "taste"
Updates = list[Any]
SAME = gr.skip()

CHOICES: dict[str, Choice] = {
    "taste-a": "left",
    "taste-neither": "neither",
    "taste-b": "right",
}

# A new pair is read from its top.
SHOWN = "() => document.dispatchEvent(new Event('brandbot:pair'))"


class TastePage:
    def __init__(self, brands: list[tuple[str, str]], i18n: gr.I18n) -> None:
        self.chat_memory = gr.BrowserState(
            Memory().written(), storage_key=CHAT_KEY, secret=SECRET
        )
        self.memory = gr.BrowserState(None, storage_key=STORAGE_KEY, secret=SECRET)
        self.round = gr.State(None)
        with gr.Row(elem_id="studio", elem_classes="taste"):
            with gr.Column(elem_id="table", scale=1, min_width=0):
                with gr.Row(elem_id="top"):
                    self.header = gr.HTML(padding=False, elem_id="header")
                    self.change = gr.Button(
                        i18n("taste_change"), elem_id="taste-change", size="sm", min_width=0,
                        visible=False,
                    )  # fmt: skip
                self.notice = gr.HTML(padding=False, elem_id="taste-notice", visible=False)
                with gr.Column(elem_id="taste-setup") as self.setup:
                    self.lead = gr.HTML(padding=False)
                    self.brand = gr.Radio(brands, label=i18n("brand"), elem_id="taste-brand")
                    self.untrained = gr.HTML(padding=False, visible=False)
                    with gr.Row(elem_id="taste-versions") as self.versions:
                        self.one = gr.Dropdown(
                            [], label=i18n("taste_one"), elem_id="taste-one", filterable=False,
                            min_width=0,
                        )  # fmt: skip
                        self.other = gr.Dropdown(
                            [], label=i18n("taste_other"), elem_id="taste-other", filterable=False,
                            min_width=0,
                        )  # fmt: skip
                    self.name = gr.Textbox(
                        label=i18n("taste_name"), info=i18n("taste_name_hint"), max_lines=1,
                        max_length=LONGEST_NAME, elem_id="taste-name",
                    )  # fmt: skip
                    self.start = gr.Button(
                        i18n("taste_start"), variant="primary", elem_id="taste-start"
                    )
                self.stage = gr.HTML(padding=False, elem_id="taste-stage", visible=False)
                with gr.Column(elem_id="taste-foot"):
                    self.status = gr.HTML(padding=False, elem_id="taste-status")
                    with gr.Row(elem_id="taste-votes", visible=False) as self.votes:
                        self.buttons = [
                            gr.Button(i18n("taste_a"), elem_id="taste-a", min_width=0),
                            gr.Button(i18n("taste_neither"), elem_id="taste-neither", min_width=0),
                            gr.Button(i18n("taste_b"), elem_id="taste-b", min_width=0),
                        ]
            with gr.Column(elem_id="taste-side", scale=0, min_width=0):
                self.results = gr.HTML(padding=False, elem_id="taste-results")
                self.links = gr.HTML(padding=False, elem_id="languages")
