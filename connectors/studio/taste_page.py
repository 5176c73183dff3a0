"""The taste test's page: its components, how a view is painted on them, and what calls what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import gradio as gr

from brandbot import BrandbotError
from connectors.studio import taste_screen
from connectors.studio.chat import Chat
from connectors.studio.events import SAME, Updates
from connectors.studio.memory import SECRET, Memory
from connectors.studio.memory import STORAGE_KEY as CHAT_KEY
from connectors.studio.page import TASTE, language_of, links, tab_of
from connectors.studio.screen import Screen, brand_line, notice
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
from connectors.studio.texts import say, say_error

CHOICES: dict[str, Choice] = {
    "taste-a": "left",
    "taste-neither": "neither",
    "taste-b": "right",
}

# A vote is for the pair that its voter saw, not for one that came in between.
SEEN = "(round) => [round, document.querySelector('.tasting')?.dataset.pair ?? '']"

# A new pair is read from its top.
SHOWN = "() => requestAnimationFrame(() => document.dispatchEvent(new Event('brandbot:pair')))"


class TastePage:
    def __init__(self, brands: list[tuple[str, str]], i18n: gr.I18n) -> None:
        self.chat_memory = gr.BrowserState(Memory().written(), storage_key=CHAT_KEY, secret=SECRET)
        self.memory = gr.BrowserState(None, storage_key=STORAGE_KEY, secret=SECRET)
        self.round = gr.State(None)
        self.seen = gr.Textbox(visible="hidden", show_label=False)
        with gr.Row(elem_id="studio", elem_classes="taste"):
            with gr.Column(elem_id="table", scale=1, min_width=0):
                with gr.Row(elem_id="top"):
                    self.header = gr.HTML(padding=False, elem_id="header")
                    self.change = gr.Button(
                        i18n("taste_change"), elem_id="taste-change", size="sm", min_width=0,
                        visible=False,
                    )  # fmt: skip
                self.notice = gr.HTML(padding=False, elem_id="taste-notice", visible=False)
                with gr.Column(elem_id="taste-setup", visible=False) as self.setup:
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
                with gr.Column(elem_id="taste-foot", scale=0):
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

    @property
    def whole(self) -> Updates:
        """What a view changes, in the order of ``paint``."""
        return [
            self.round, self.setup, self.change, self.notice, self.stage, self.status, self.votes,
            self.results,
        ]  # fmt: skip

    def paint(self, view: View, results: str, language: str) -> Updates:
        """All of it each time, for the reason told in ``Page.paint``."""
        setting_up = view.round is None
        said = notice(Screen(Memory(), notice=view.notice), language)
        return [
            view.round,
            gr.update(visible=setting_up),
            gr.update(visible=not setting_up),
            gr.update(value=said, visible=bool(said)),
            gr.update(
                value="" if setting_up else taste_screen.stage(view, language),
                visible=not setting_up,
            ),
            taste_screen.status(view, language),
            gr.update(visible=view.busy or (not setting_up and view.pair is not None)),
            results,
        ]

    @property
    def brand_parts(self) -> Updates:
        """What depends on the brand alone, in the order of ``arrive``."""
        return [
            self.header, self.notice, self.untrained, self.versions, self.one, self.other,
            self.name, self.start, self.results,
        ]  # fmt: skip

    def arrive(self, screen: Screen, tasting: Tasting, language: str) -> Updates:
        """A brand's versions to choose from, or what to do if there are none."""
        versions: list[str] = []
        live = None
        try:
            versions, live = tasting.versions(screen.persona)
        except BrandbotError as error:
            screen = replace(screen, notice=say_error(language, error))
        said = notice(screen, language)
        ready = bool(versions) and not said
        hint = "" if ready or said else taste_screen.untrained(screen, language)
        menu = taste_screen.choices(versions, live, language)
        one, other = defaults(versions, live)
        return [
            brand_line(screen.name or say(language, "title"), say(language, "taste")),
            gr.update(value=said, visible=bool(said)),
            gr.update(value=hint, visible=bool(hint)),
            gr.update(visible=ready),
            gr.update(choices=menu, value=one),
            gr.update(choices=menu, value=other),
            gr.update(visible=ready),
            gr.update(visible=ready),
            taste_screen.results(tasting.results(screen.persona), language),
        ]


def wire(blocks: gr.Blocks, page: TastePage, chat: Chat, tasting: Tasting) -> None:
    def opened(stored: Any, chat_stored: Any, request: gr.Request) -> Updates:
        language = language_of(request)
        # Of the chat, the brand last talked to; its conversation is of no interest here.
        screen = chat.open(Memory(Memory.read(chat_stored).persona), language)
        voter = Voter.read(stored)
        return [
            voter.written(),
            voter.name,
            gr.update(choices=chat.brands(), value=screen.persona),
            taste_screen.lead(language),
            links(language, TASTE),
            gr.update(visible=True),  # not before: a brand chosen too early would be lost
            *page.arrive(screen, tasting, language),
        ]

    def chosen(brand: str | None, request: gr.Request) -> Updates:
        language = language_of(request)
        return page.arrive(chat.show(Memory(brand), language), tasting, language)

    def started(
        stored: Any, brand: str | None, one: str, other: str, name: str, request: gr.Request
    ) -> Iterator[Updates]:
        voter = Voter.read(stored).named(name)
        views = tasting.begin(
            tab_of(request), brand or "", one or "", other or "", voter, language_of(request)
        )
        for update in painted(views, brand, request):
            yield [*update, voter.written()]

    def voted(
        playing: Round | None, seen: str, event: gr.EventData, request: gr.Request
    ) -> Iterator[Updates]:
        choice = CHOICES[str(getattr(event.target, "elem_id", ""))]
        views = tasting.vote(tab_of(request), playing, seen, choice, language_of(request))
        yield from painted(views, playing.persona if playing else None, request)

    def painted(
        views: Iterator[View | None], persona: str | None, request: gr.Request
    ) -> Iterator[Updates]:
        language = language_of(request)
        results = None
        for view in views:
            results = results or taste_screen.results(tasting.results(persona), language)
            yield page.paint(view, results, language) if view else [SAME] * len(page.whole)

    def changed(playing: Round | None, request: gr.Request) -> Updates:
        tasting.leave(tab_of(request))
        language = language_of(request)
        found = tasting.results(playing.persona if playing else None)
        return page.paint(View(), taste_screen.results(found, language), language)

    def left(request: gr.Request) -> None:
        tasting.leave(tab_of(request))

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    blocks.load(
        opened,
        [page.memory, page.chat_memory],
        [page.memory, page.name, page.brand, page.lead, page.links, page.setup, *page.brand_parts],
        **quiet,
    )
    page.brand.input(chosen, page.brand, page.brand_parts, trigger_mode="always_last", **quiet)
    # Nothing is cancelled: a pair whose reader left stops by itself, but a new start must not wait
    # for it.
    several: dict[str, Any] = {**quiet, "trigger_mode": "multiple", "concurrency_id": TASTE}
    begin = gr.on(
        [page.start.click, page.name.submit],
        started,
        [page.memory, page.brand, page.one, page.other, page.name],
        [*page.whole, page.memory],
        **several,
    )
    vote = gr.on(
        [button.click for button in page.buttons],
        voted,
        [page.round, page.seen],
        page.whole,
        js=SEEN,
        **several,
    )
    begin.then(None, None, None, js=SHOWN)
    vote.then(None, None, None, js=SHOWN)
    page.change.click(changed, page.round, page.whole, **quiet)
    blocks.unload(left)
