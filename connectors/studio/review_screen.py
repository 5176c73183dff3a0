"""How the review looks: an exchange in its conversation, what differs, how far it has come. HTML.

What people and bots said is untrusted: everything of it is escaped and shown as the text it is.
"""

from __future__ import annotations

import difflib
import html
import itertools
import re

from brandbot import UNTUNED, Exchange, Message
from connectors.studio.review import Reviewer, View
from connectors.studio.taste_screen import in_table
from connectors.studio.texts import KEYS, REASONS, TAKEN_OUT, say

_TOKEN = re.compile(r"\s+|\w+(?:[.,'’]\w+)*|[^\w\s]")
_REASON = re.compile(rf"({'|'.join(REASONS)})(?:[,;:] |$)")


def lead(language: str) -> str:
    return f'<p class="lead">{_said(language, "review_lead")}</p>'


def who(reviewer: Reviewer, language: str) -> str:
    if not reviewer.name:
        return ""
    name = f"<strong>{html.escape(reviewer.name)}</strong>"
    return f'<p class="who">{_said(language, "review_who")} {name}</p>'


def keys(language: str) -> str:
    """The legend of the keyboard."""
    rows = "".join(
        f"<div><dt><kbd>{key}</kbd></dt><dd>{_said(language, name)}</dd></div>"
        for key, name in KEYS.items()
    )
    title = _said(language, "review_keys")
    return f'<section class="card keys"><h2>{title}</h2><dl>{rows}</dl></section>'


def progress(view: View, language: str) -> str:
    """How many wait and were decided about, and how much of all that is."""
    done = view.approved + view.rejected
    total = done + view.waiting
    if view.case is None or not total:
        return ""
    counts = "".join(
        f"<li><b>{_number(count, language)}</b> {_said(language, f'review_count_{kind}')}</li>"
        for kind, count in (
            ("waiting", view.waiting), ("approved", view.approved), ("rejected", view.rejected),
        )
    )  # fmt: skip
    shown = {"done": _number(done, language), "total": _number(total, language)}
    line = html.escape(say(language, "review_progress", **shown), quote=True)
    return (
        f'<ul class="counts">{counts}</ul><div class="done" role="progressbar" aria-valuemin="0" '
        f'aria-valuemax="{total}" aria-valuenow="{done}" aria-valuetext="{line}" '
        f'aria-label="{line}"><i style="width:{done / total:.2%}"></i></div>'
        f'<p class="line">{line}</p>'
    )


def status(view: View, language: str) -> str:
    return f"<p>{html.escape(view.told)}</p>" if view.told else ""


def exchange(view: View, language: str) -> str:
    """What is to be decided about, or what to do if nothing is."""
    shown = view.exchange
    if shown is None:
        return "" if view.case is None else _nothing(view, language)
    labels = (
        f'data-turn="{shown.turn}" data-proposed="{html.escape(shown.proposed, quote=True)}" '
        f'data-approve="{_said(language, "review_approve")}" '
        f'data-edited="{_said(language, "review_approve_edited")}"'
    )
    return (
        f'<article class="exchange" tabindex="-1" aria-label="{_said(language, "review_here")}" '
        f"{labels}>{_why(shown, language)}{_talk(shown, language)}{_texts(shown, language)}"
        f"{_reasons(shown, language)}</article>"
    )


def _nothing(view: View, language: str) -> str:
    """Nobody has talked to the brand yet, or everything is decided about."""
    if view.screen.notice:
        return ""
    if not view.approved + view.rejected + view.waiting:
        title = say(language, "review_none", name=view.screen.name)
        there = f'<a href="./">{_said(language, "chat")}</a>'
        what = f"<p>{_said(language, 'review_none_do')}</p><p>{there}</p>"
    elif view.approved:
        title = say(language, "review_done")
        command = html.escape(f"brandbot train {view.screen.persona}")
        what = f"<p>{_said(language, 'review_train')}</p><p><code>{command}</code></p>"
    else:
        title = say(language, "review_done")
        what = f"<p>{_said(language, 'review_none_approved')}</p>"
    return f'<div class="card nothing" tabindex="-1"><h2>{html.escape(title)}</h2>{what}</div>'


def _why(shown: Exchange, language: str) -> str:
    """Chips for why it is here; where and when it was said; what was taken out of it."""
    rows = "".join(f"<li>{_said(language, f'review_why_{why}')}</li>" for why in shown.why)
    label = _said(language, "review_why")
    chips = f'<ul class="chips" aria-label="{label}">{rows}</ul>' if rows else ""
    facts = [_channel(shown.channel, language), _day(shown.created, language)]
    facts.append(_version(shown.version, language))
    if shown.like:
        facts.append(say(language, "review_like", count=len(shown.like)))
    lines = [f'<p class="facts">{" · ".join(html.escape(fact) for fact in facts)}</p>']
    # Of what stands nowhere, only what still stands in the reply: the rest was taken out of it.
    words = ", ".join(word for word in shown.unsourced if word in shown.reply)
    if words:
        lines.append(f"<p>{html.escape(say(language, 'review_unsourced', words=words))}</p>")
    if shown.removed:
        kinds = [say(language, f"review_kind_{_kind(kind)}") for kind in shown.removed]
        kinds = list(dict.fromkeys(kinds))
        removed = say(language, "review_removed", kinds=", ".join(kinds))
        lines.append(f'<p class="removed">{html.escape(removed)}</p>')
    return f"<header>{chips}{''.join(lines)}</header>"


def _talk(shown: Exchange, language: str) -> str:
    """The conversation in bubbles; the question that was answered, large."""
    earlier = "".join(_bubble(message, language) for message in shown.messages[:-1])
    earlier = f"<ol>{earlier}</ol>" if earlier else ""
    who = f'<span class="unseen">{_said(language, "taste_person")}: </span>'
    asked = html.escape(shown.messages[-1].content)
    return f'{earlier}<h2 class="asked">{who}{asked}</h2>'


def _bubble(message: Message, language: str) -> str:
    person = message.role == "user"
    name = _said(language, "taste_person" if person else "brand")
    return (
        f'<li class="{"person" if person else "bot"}"><span class="unseen">{name}: </span>'
        f"{html.escape(message.content)}</li>"
    )


def _texts(shown: Exchange, language: str) -> str:
    """The bot's reply and, if somebody would have said something else, that beside it."""
    title, better = _said(language, "review_reply"), _said(language, "review_suggestion")
    if not shown.suggestion:
        return f'<div class="answers one">{_card(title, html.escape(shown.reply))}</div>'
    old, new = difference(shown.reply, shown.suggestion)
    return f'<div class="answers">{_card(title, old)}{_card(better, new)}</div>'


def _card(title: str, text: str) -> str:
    return f'<section class="answer" aria-label="{title}"><h3>{title}</h3><p>{text}</p></section>'


def difference(old: str, new: str) -> tuple[str, str]:
    """Both texts as HTML: marked in the first is what went, in the second what came.

    Blanks between two words that differ count as different, so that runs of words are marked.
    """
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    codes = difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    went: list[tuple[bool, str]] = []
    came: list[tuple[bool, str]] = []
    for place, (kind, a, b, c, d) in enumerate(codes):
        blank = 0 < place < len(codes) - 1 and "".join(before[a:b]).isspace()
        differs = kind != "equal" or blank
        went.append((differs, "".join(before[a:b])))
        came.append((differs, "".join(after[c:d])))
    return _marked(went, "del"), _marked(came, "ins")


def _marked(runs: list[tuple[bool, str]], tag: str) -> str:
    """Runs of text, those that differ in a tag but for the blanks around them."""
    made = ""
    for differs, parts in itertools.groupby(runs, key=lambda run: run[0]):
        text = "".join(part for _, part in parts)
        inner = text.strip()
        if not differs or not inner:
            made += html.escape(text)
            continue
        start, end = text.split(inner, 1)
        made += f"{html.escape(start)}<{tag}>{html.escape(inner)}</{tag}>{html.escape(end)}"
    return made


def _reasons(shown: Exchange, language: str) -> str:
    if not shown.reasons:
        return ""
    rows = "".join(f"<li>{html.escape(reason(text, language))}</li>" for text in shown.reasons)
    title = _said(language, "review_reasons")
    return f'<section class="reasons"><h3>{title}</h3><ul>{rows}</ul></section>'


def reason(text: str, language: str) -> str:
    """A logged reason in words: the codes it begins with, then what was written."""
    said = []
    while found := _REASON.match(text):
        said.append(say(language, f"reason_{found[1]}"))
        text = text[found.end() :]
    return ". ".join(part for part in ("; ".join(said), text.strip()) if part)


def _channel(channel: str, language: str) -> str:
    known = ("web", "slack", "api", "terminal")
    return say(language, f"review_from_{channel}") if channel in known else channel


def _version(version: str | None, language: str) -> str:
    return in_table(version if version and version.isdigit() else UNTUNED, language)


def _day(created: str, language: str) -> str:
    """The day of an ISO date, as people write it; whatever else it is, as it is."""
    found = re.match(r"(\d{4})-(\d\d)-(\d\d)", created)
    if not found or not 1 <= int(found[2]) <= 12:
        return created
    month = say(language, "months").split()[int(found[2]) - 1]
    return f"{int(found[3])} {month} {found[1]}"


def _kind(kind: str) -> str:
    return kind if kind in TAKEN_OUT else "other"


def _number(value: int, language: str) -> str:
    return f"{value:,}".replace(",", "." if language == "es" else ",")


def _said(language: str, key: str) -> str:
    return html.escape(say(language, key), quote=True)
