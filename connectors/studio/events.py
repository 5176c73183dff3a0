"""Which action each event of the page calls. Only glue: ``chat.py`` holds the actions.

Every handler gets the visitor's memory from the browser and the turns the page shows; it never
trusts them further than ``Chat`` does, which looks each turn up in the visitor's own conversation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

import gradio as gr

from brandbot import BrandbotError
from connectors.studio.chat import Chat, reasons
from connectors.studio.memory import Memory
from connectors.studio.page import language_of, links, tab_of
from connectors.studio.screen import Screen, as_typed
from connectors.studio.texts import say, say_error

if TYPE_CHECKING:
    from connectors.studio.app import Page

Updates = list[Any]

SAME = gr.skip()
"""Changes nothing. Gradio paints a stream's last update once more when the stream ends: of one that
was left this must be the last, for the page shows another conversation by then.
"""

# What was typed is taken out of the box at once, in the browser; while a reply is still being
# written it stays there.
TAKE = "(text) => document.getElementById('stop') ? ['', text] : [text, '']"

FOLD = "() => document.dispatchEvent(new Event('brandbot:fold'))"
JUDGED = "() => requestAnimationFrame(() => document.dispatchEvent(new Event('brandbot:judged')))"


def wire(blocks: gr.Blocks, page: Page, chat: Chat) -> None:
    form = page.form

    def paint_all(screens: Iterator[Screen | None], language: str) -> Iterator[Updates]:
        try:
            for screen in _told(screens, language):
                yield page.paint(screen, language) if screen else [SAME] * len(page.whole)
        finally:
            screens.close()  # type: ignore[attr-defined]  # a generator

    def opened(stored: Any, request: gr.Request) -> Updates:
        language = language_of(request)
        screen = chat.open(Memory.read(stored), language)
        return [
            *page.paint(screen, language, arriving=True),
            gr.update(choices=chat.brands(), value=screen.persona),
            links(language, ""),
            form.title_in(language),
            form.choices_in(language),
        ]

    def chosen(stored: Any, brand: str | None, request: gr.Request) -> Updates:
        chat.leave(tab_of(request))
        language = language_of(request)
        screen = chat.show(_memory(stored, brand), language)
        return [
            *page.paint(screen, language, arriving=True),
            gr.update(visible=False),
            *form.close(),
        ]

    def renewed(stored: Any, brand: str | None, request: gr.Request) -> Updates:
        chat.leave(tab_of(request))
        language = language_of(request)
        screen = chat.renew(_memory(stored, brand), language)
        return [*page.paint(screen, language), gr.update(visible=False), *form.close()]

    def sent(
        stored: Any, brand: str | None, strength: float, text: str, request: gr.Request
    ) -> Iterator[Updates]:
        language = language_of(request)
        memory = _memory(stored, brand)
        yield from paint_all(chat.send(tab_of(request), memory, text, strength, language), language)

    def started(
        stored: Any, brand: str | None, strength: float, event: gr.SelectData, request: gr.Request
    ) -> Iterator[Updates]:
        yield from sent(stored, brand, strength, _text(event.value), request)

    def again(
        stored: Any, brand: str | None, strength: float, request: gr.Request
    ) -> Iterator[Updates]:
        language = language_of(request)
        memory = _memory(stored, brand)
        yield from paint_all(chat.retry(tab_of(request), memory, strength, language), language)

    def edited(
        stored: Any,
        brand: str | None,
        strength: float,
        turns: list[int | None],
        event: gr.EditData,
        request: gr.Request,
    ) -> Iterator[Updates]:
        language = language_of(request)
        memory = _memory(stored, brand)
        turn, text = _turn(turns, event.index), _text(event.value)
        screens = chat.edit(tab_of(request), memory, turn, text, strength, language)
        yield from paint_all(screens, language)

    def judged(
        stored: Any,
        brand: str | None,
        turns: list[int | None],
        event: gr.LikeData,
        request: gr.Request,
    ) -> Updates:
        turn = _turn(turns, event.index)
        verdict: Literal["like", "dislike", "withdrawn"] = "withdrawn"
        if event.liked in (True, "Like"):
            verdict = "like"
        elif event.liked in (False, "Dislike") and event.liked is not None:
            verdict = "dislike"
        try:
            kept = chat.judge(_memory(stored, brand), turn, verdict)
        except BrandbotError as error:
            _warn(error, language_of(request))
            return [SAME] * len(form.shown)
        return form.open(turn) if kept and verdict == "dislike" else form.close()

    def explained(
        stored: Any,
        brand: str | None,
        turn: int | None,
        chosen_reasons: list[str],
        more: str,
        suggestion: str,
        request: gr.Request,
    ) -> Updates:
        language = language_of(request)
        why = reasons(chosen_reasons, more)
        try:
            kept = chat.judge(_memory(stored, brand), turn, "dislike", why, suggestion.strip())
        except BrandbotError as error:  # the form stays open: nothing typed is lost
            _warn(error, language)
            return [SAME] * len(form.shown)
        gr.Info(say(language, "dislike_thanks" if kept else "gone"), title="")
        return form.close() if kept else [SAME] * len(form.shown)

    def compared(stored: Any, brand: str | None, request: gr.Request) -> Iterator[Updates]:
        language = language_of(request)
        answers = chat.compare(tab_of(request), _memory(stored, brand), language)
        for answer in _told(answers, language):
            yield [gr.update(visible=True), answer] if answer is not None else [SAME, SAME]

    def closed(request: gr.Request) -> Any:
        chat.leave_comparison(tab_of(request))
        return gr.update(visible=False)

    def stopped(request: gr.Request) -> None:
        chat.stop(tab_of(request))

    def left(request: gr.Request) -> None:
        chat.leave(tab_of(request), wait=False)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    place: list[Any] = [page.memory, page.brand]
    talk = [*place, page.strength]
    blocks.load(
        opened,
        page.memory,
        [*page.whole, page.brand, page.languages, form.title, form.reasons],
        **quiet,
    )
    replies = [
        gr.on(
            [page.box.submit, page.send.click], None, page.box, [page.said, page.box], js=TAKE
        ).then(sent, [*talk, page.said], page.whole, **quiet),
        page.chatbot.option_select(started, talk, page.whole, **quiet),
        gr.on([page.chatbot.retry, page.again.click], again, talk, page.whole, **quiet),
        page.chatbot.edit(edited, [*talk, page.turns], page.whole, **quiet),
        page.compare.click(compared, place, [page.beside, page.untuned], **quiet),
    ]
    elsewhere = [*page.whole, page.beside, *form.shown]
    page.brand.input(chosen, place, elsewhere, cancels=replies, **quiet)
    page.new.click(renewed, place, elsewhere, cancels=replies, **quiet)
    # Stopping must never queue behind the reply it stops.
    page.stop.click(stopped, None, None, queue=False, **quiet)
    page.close.click(closed, None, page.beside, cancels=replies[-1:], queue=False, **quiet)
    page.chatbot.like(judged, [*place, page.turns], form.shown, **quiet).then(
        None, None, None, js=JUDGED
    )
    form.send.click(
        explained,
        [*place, form.turn, form.reasons, form.more, form.suggestion],
        form.shown,
        **quiet,
    )
    form.skip.click(form.close, None, form.shown, **quiet)
    page.fold.click(None, None, None, js=FOLD)
    blocks.unload(left)


def _told(updates: Iterator[Any], language: str) -> Iterator[Any]:
    """The updates; what the log refuses on the way is said in a sentence.

    None if there is no update: Gradio empties every component at the end of a stream without one.
    """
    try:
        yield next(updates, None)
        yield from updates
    except BrandbotError as error:
        _warn(error, language)
        yield None


def _warn(error: BrandbotError, language: str) -> None:
    gr.Warning(say_error(language, error), title="")


def _memory(stored: Any, brand: str | None) -> Memory:
    memory = Memory.read(stored)
    return memory.at(brand) if brand else memory


def _turn(turns: list[int | None], index: Any) -> int | None:
    """The logged turn behind a message of the chatbot."""
    place = index[0] if isinstance(index, (list, tuple)) else index
    return turns[place] if isinstance(place, int) and 0 <= place < len(turns) else None


def _text(value: Any) -> str:
    """A message's text, however the chatbot hands it over."""
    if isinstance(value, list):
        return "".join(_text(part) for part in value)
    if isinstance(value, dict):
        return _text(value.get("text") or value.get("value") or "")
    return as_typed(value) if isinstance(value, str) else ""
