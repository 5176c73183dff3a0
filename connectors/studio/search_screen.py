"""How a search looks: the facts for the bot, the passages and why they were found. HTML.

A document's words are untrusted: everything of it is escaped.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Sequence

from brandbot import Fact, Found, Hit
from connectors.studio.screen import Screen
from connectors.studio.search import Missing, View
from connectors.studio.sources import path, position
from connectors.studio.texts import say

_WORD = re.compile(r"[^\W_]+")

ALIKE = 4
"""Letters that two forms of a word begin with alike, at least; three at the end may differ."""


def lead(language: str) -> str:
    return f'<p class="lead">{html.escape(say(language, "search_lead"))}</p>'


def status(view: View, language: str) -> str:
    """How the search stands, in a line."""
    if view.busy:
        return f'<p class="waiting">{html.escape(say(language, "search_waiting"))}</p>'
    found = view.found
    if found is None:
        return ""
    if not found.hits:
        line = say(language, "search_nothing")
    elif not found.facts:
        line = say(language, "search_beyond" if found.beyond else "search_poor")
        if found.best is not None and found.asks is not None:
            chance = percent(found.best.score, language)
            line += " " + say(language, "search_best", fact=found.best.line, chance=chance)
    else:
        line = say(language, "search_counts", facts=len(found.facts), hits=len(found.hits))
    return f"<p>{html.escape(line)}</p>"


def results(view: View, language: str) -> str:
    """The facts that go into the prompt, then the passages, the best first."""
    if view.missing:
        return lacking(view.screen, view.missing, language)
    found = view.found
    if found is None or not found.hits:
        return ""
    title = say(language, "search_found" if found.facts else "search_closest")
    passages = "".join(_passage(hit, found, language) for hit in found.hits)
    return (
        f'{_given(view, found, language)}<section class="passages"><h2>{html.escape(title)}</h2>'
        f"<ol>{passages}</ol></section>"
    )


def lacking(screen: Screen, missing: Missing, language: str) -> str:
    """What a brand needs before its documents can be searched."""
    name, command = (
        screen.name,
        f"<p><code>{html.escape(f'brandbot index {screen.persona}')}</code></p>",
    )
    if missing == "knowledge":
        why, command = say(language, "search_off", name=name), ""
    elif missing == "documents":
        folder = f"personas/{screen.persona}/knowledge"
        why = say(language, "search_no_documents", name=name, folder=folder)
    else:
        why = say(language, "search_no_index", name=name)
    return f'<div class="card"><p>{html.escape(why)}</p>{command}</div>'


def marked(text: str, shared: Sequence[str]) -> str:
    """Text as HTML, the words that a question shares with it marked in the forms they have in it.

    Search compares stems, which are not told: two words count as forms of one if they begin alike.
    """
    wanted = [_plain(word) for word in shared]
    parts, end = [], 0
    for word in _WORD.finditer(text):
        if any(_one_word(_plain(word[0]), other) for other in wanted):
            parts += [html.escape(text[end : word.start()]), f"<mark>{html.escape(word[0])}</mark>"]
            end = word.end()
    return "".join([*parts, html.escape(text[end:])])


def _one_word(one: str, other: str) -> bool:
    if one == other:
        return True
    shorter, longer = sorted((one, other), key=len)
    if longer in (f"{shorter}s", f"{shorter}es"):
        return True
    alike = 0
    while alike < len(shorter) and shorter[alike] == longer[alike]:
        alike += 1
    return alike >= max(ALIKE, len(longer) - 3)


def _plain(word: str) -> str:
    """Small letters without accents."""
    apart = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter))


def _given(view: View, found: Found, language: str) -> str:
    """The prompt's facts, and the words of theirs that the reply begins with, if it does."""
    if not found.facts:
        return ""
    title = html.escape(say(language, "search_given"))
    lines = "".join(
        f"<li>{html.escape(fact.line)}{_chance(fact, found, language)}</li>" for fact in found.facts
    )
    quote = ""
    voice = view.screen.voice
    if found.quote and voice is not None and voice.persona.config.knowledge.quote_first:
        quote = f"<p>{html.escape(say(language, 'search_quote', quote=found.quote))}</p>"
    return f'<section class="given"><h2>{title}</h2><ol>{lines}</ol>{quote}</section>'


def _chance(fact: Fact, found: Found, language: str) -> str:
    """How likely a reranker holds it that a fact answers."""
    if found.asks is None:
        return ""
    told = say(language, "search_chance", chance=percent(fact.score, language))
    return f" <small>({html.escape(told)})</small>"


def _passage(hit: Hit, found: Found, language: str) -> str:
    passage = hit.passage
    where = html.escape(passage.file)
    above = [heading for heading in (*passage.headings, passage.question) if heading]
    if above:
        where = html.escape(path(passage.file, "")) + marked(path(*above), hit.shared)
    known = position(passage.page, passage.row, language)
    if passage.valid_until:
        until = say(language, "search_until", day=passage.valid_until.isoformat())
        known = " · ".join(part for part in (known, until) if part)
    exact = f"<small>{html.escape(known)}</small>" if known else ""
    given = {fact.place for fact in found.facts if fact.hit.passage.id == passage.id}
    facts = "".join(
        _fact(text, place in given, hit, language) for place, text in enumerate(passage.facts)
    )
    return f"<li><h3>{where} {exact}</h3>{_score(hit, found, language)}<ul>{facts}</ul></li>"


def _fact(text: str, given: bool, hit: Hit, language: str) -> str:
    shown = marked(text, hit.shared)
    if not given:
        return f"<li>{shown}</li>"
    note = html.escape(say(language, "search_in_prompt"))
    return f'<li class="in-prompt">{shown} <span class="unseen">({note})</span></li>'


def _score(hit: Hit, found: Found, language: str) -> str:
    """The score, and what it was mixed from: a bar of two halves with their numbers.

    Before it the chance that a reranker gives the passage's best fact, which orders them.
    """
    score = html.escape(f"{say(language, 'search_score')} {number(hit.score, language)}")
    if hit.answers is not None:
        chance = say(language, "search_chance", chance=percent(hit.answers, language))
        score = f"{html.escape(chance)} · {score}"
    meaning = _half("meaning", say(language, "search_meaning"), hit.meaning, language)
    words = _half("words", say(language, "search_words"), hit.words, language)
    return f'<p class="score"><b>{score}</b>{meaning}{words}</p>'


def _half(kind: str, name: str, value: float, language: str) -> str:
    filled = f"{min(max(value, 0.0), 1.0):.0%}"
    return (
        f'<span class="{kind}"><span class="track" aria-hidden="true"><i style="width:{filled}">'
        f"</i></span>{html.escape(name)} {number(value, language)}</span>"
    )


def number(value: float, language: str) -> str:
    """Two decimals, with the language's mark before them."""
    return f"{value:.2f}".replace(".", "," if language == "es" else ".")


def percent(value: float, language: str) -> str:
    """A share of one, with the space that Spanish wants before its mark."""
    return f"{100 * value:.0f}\N{NO-BREAK SPACE}%" if language == "es" else f"{value:.0%}"
