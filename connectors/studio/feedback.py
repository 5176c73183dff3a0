"""The small form that opens after a dislike: why, and what should it have said."""

from __future__ import annotations

from typing import Any

import gradio as gr

from connectors.studio.texts import REASONS, say

LONGEST = 2000
"""Characters of each free text."""


class FeedbackForm:
    def __init__(self, i18n: gr.I18n) -> None:
        self.turn = gr.State(None)
        with gr.Column(elem_id="dislike", visible=False) as self.panel:
            self.title = gr.HTML(padding=False)
            self.reasons = gr.CheckboxGroup(
                [(say("en", f"reason_{reason}"), reason) for reason in REASONS],
                label=i18n("dislike_why"),
                elem_id="reasons",
            )
            self.more = gr.Textbox(
                label=i18n("dislike_more"), max_lines=3, max_length=LONGEST, elem_id="more"
            )
            self.suggestion = gr.Textbox(
                label=i18n("dislike_suggestion"), lines=2, max_lines=6, max_length=LONGEST,
                elem_id="suggestion",
            )  # fmt: skip
            with gr.Row(elem_id="dislike-buttons"):
                self.skip = gr.Button(i18n("dislike_skip"), size="sm", elem_id="dislike-skip")
                self.send = gr.Button(
                    i18n("dislike_send"), size="sm", variant="primary", elem_id="dislike-send"
                )

    @property
    def shown(self) -> list[Any]:
        """What ``open`` and ``close`` update."""
        return [self.panel, self.turn, self.reasons, self.more, self.suggestion]

    def open(self, turn: int | None) -> list[Any]:
        return [gr.update(visible=True), turn, gr.update(value=[]), "", ""]

    def close(self) -> list[Any]:
        return [gr.update(visible=False), None, gr.skip(), gr.skip(), gr.skip()]

    def title_in(self, language: str) -> str:
        return f"<h2>{say(language, 'dislike_title')}</h2>"

    def choices_in(self, language: str) -> Any:
        return gr.update(choices=[(say(language, f"reason_{key}"), key) for key in REASONS])
