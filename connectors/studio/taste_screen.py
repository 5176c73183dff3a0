"""How the taste test looks: its pair, what is told after a vote, its results. Strings of HTML."""

from __future__ import annotations

import html
from typing import Any

from brandbot import UNTUNED, Pair, Results
from connectors.studio.screen import Screen
from connectors.studio.taste import Choice, View
from connectors.studio.texts import say


def in_sentence(version: str, language: str) -> str:
    """A version with the article that Spanish needs."""
    if version == UNTUNED:
        return say(language, "taste_the_untuned")
    return say(language, "taste_the_version", number=int(version))


def in_table(version: str, language: str) -> str:
    if version == UNTUNED:
        return say(language, "taste_untuned")
    return say(language, "taste_version", number=int(version))


def choices(versions: list[str], live: int | None, language: str) -> list[tuple[str, str]]:
    """(what the menu shows, version) of everything that can be compared."""
    mark = f" · {say(language, 'taste_live')}"
    return [
        (in_table(version, language) + (mark if version == str(live) else ""), version)
        for version in versions
    ]


def lead(language: str) -> str:
    return f'<p class="lead">{html.escape(say(language, "taste_lead"))}</p>'


def untrained(screen: Screen, language: str) -> str:
    """What to do before a brand can be tasted."""
    why = html.escape(say(language, "taste_untrained", name=screen.name))
    command = html.escape(f"brandbot train {screen.persona}")
    return f'<div class="card"><p>{why}</p><p><code>{command}</code></p></div>'


def stage(view: View, language: str) -> str:
    """The prompt and two answers, A and B. While the next are written, the judged ones stay with
    their names."""
    pair = view.judged if view.busy else view.pair
    if pair is None and not view.busy:
        return f'<p class="lead">{html.escape(say(language, "taste_done"))}</p>'
    choice = view.choice if view.busy else None
    asked = _asked(pair, language) if pair else '<div class="ghost asked"></div>'
    cards = "".join(_card(place, pair, choice, language) for place in (0, 1))
    seen = "" if view.busy or pair is None else f' data-pair="{pair.id}"'
    return (
        f'<div class="tasting" aria-busy="{str(view.busy).lower()}"{seen}>{asked}'
        f'<div class="answers">{cards}</div></div>'
    )


def _asked(pair: Pair, language: str) -> str:
    """The prompt, and above it, small, what was said before."""
    who = {"user": say(language, "taste_person"), "assistant": say(language, "brand")}
    earlier = "".join(
        f"<li><b>{html.escape(who.get(turn.role, turn.role))}</b> {html.escape(turn.content)}</li>"
        for turn in pair.conversation[:-1]
    )
    return (
        f'{f"<ol>{earlier}</ol>" if earlier else ""}<h2 class="asked">'
        f'<span class="unseen">{html.escape(say(language, "taste_prompt"))} </span>'
        f"{html.escape(pair.prompt)}</h2>"
    )


def _card(place: int, pair: Pair | None, choice: Choice | None, language: str) -> str:
    letter = "AB"[place]
    label = html.escape(say(language, "taste_answer", letter=letter), quote=True)
    if pair is None:
        return f'<section class="ghost answer" aria-label="{label}"><h3>{letter}</h3></section>'
    text = (pair.left, pair.right)[place] or say(language, "no_words")
    whose = f"<small>{html.escape(in_table(pair.versions[place], language))}</small>"
    won = " won" if choice == ("left", "right")[place] else ""
    return (
        f'<section class="answer{won}" aria-label="{label}"><h3>{letter}'
        f"{whose if choice else ''}</h3><p>{html.escape(text)}</p></section>"
    )


def status(view: View, language: str) -> str:
    """Whose the last answers were, and that two are being written or are there."""
    told = waiting = ""
    if view.judged is not None and view.choice is not None:
        left, right = (in_sentence(version, language) for version in view.judged.versions)
        chosen = say(language, "taste_chose_neither")
        if view.choice != "neither":
            letter = "A" if view.choice == "left" else "B"
            chosen = say(language, "taste_chose", letter=letter)
        told = f"{chosen} {say(language, 'taste_told', left=left, right=right)}"
        told = f'<p class="told">{html.escape(told)}</p>'
    if view.busy:
        waiting = f'<p class="waiting">{html.escape(say(language, "taste_waiting"))}</p>'
    elif view.pair is not None:
        here = say(language, "taste_here", prompt=view.pair.prompt)
        waiting = f'<p class="unseen">{html.escape(here)}</p>'
    return told + waiting


def results(found: Results | None, language: str) -> str:
    """Who is ahead, in a sentence for every two that met, and the ratings."""
    title = f"<h2>{html.escape(say(language, 'taste_results'))}</h2>"
    if found is None or not found.votes:
        none = html.escape(say(language, "taste_no_votes"))
        return f'<section class="card">{title}<p>{none}</p></section>'
    total = say(language, "taste_total", votes=found.votes, voters=found.voters)
    duels = "".join(_duel(duel, language) for duel in found.duels)
    return (
        f'<section class="card">{title}<p>{html.escape(total)}</p>{duels}</section>'
        f'<section class="card">{_ratings(found, language)}</section>'
    )


def _duel(duel: Any, language: str) -> str:
    """One of ``Results.duels``, told from the side of whoever is ahead."""
    one, other, n = duel.one, duel.other, duel.share.n
    share, low, high = duel.share.value, duel.share.low, duel.share.high
    if share < 0.5:
        one, other, share, low, high = other, one, 1 - share, 1 - high, 1 - low
    ahead, behind = in_sentence(one, language), in_sentence(other, language)
    sentence = say(language, "taste_share", ahead=ahead, behind=behind, share=f"{share:.0%}", n=n)
    interval = bar = ""
    if not duel.enough:
        verdict = say(language, "taste_few")
    else:
        verdict = (
            say(language, "taste_ahead", ahead=ahead) if duel.sure else say(language, "taste_close")
        )
        interval = say(language, "taste_interval", low=f"{low:.0%}", high=f"{high:.0%}")
        bar = (
            f'<div class="interval" aria-hidden="true"><span style="left:{low:.1%};'
            f'right:{1 - high:.1%}"></span><i style="left:{share:.1%}"></i></div>'
        )
    return (
        f'<div class="duel"><strong>{html.escape(_capital(verdict))}</strong>'
        f"<p>{html.escape(_capital(sentence))} {html.escape(interval)}</p>{bar}</div>"
    )


def _ratings(found: Results, language: str) -> str:
    heads = [
        say(language, "version"), say(language, "taste_rating"), say(language, "taste_won"),
        say(language, "taste_lost"), say(language, "taste_bad"),
    ]  # fmt: skip
    head = "".join(f'<th scope="col">{html.escape(text)}</th>' for text in heads)
    rows = "".join(
        f'<tr><th scope="row">{html.escape(in_table(one.version, language))}</th>'
        f"<td>{one.rating.value:.0f}{_range(one)}</td><td>{one.won}</td><td>{one.lost}</td><td>{one.neither}</td></tr>"
        for one in found.ratings
    )
    caption = html.escape(say(language, "taste_ratings"))
    note = html.escape(say(language, "taste_counted"))
    return (
        f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table><p>{note}</p>"
    )


def _range(rated: Any) -> str:
    """The interval of one of ``Results.ratings``, once there are votes enough for one."""
    if not rated.enough:
        return ""
    return f" <small>{rated.rating.low:.0f}–{rated.rating.high:.0f}</small>"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
