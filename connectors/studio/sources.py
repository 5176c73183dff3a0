"""Where a reply has something from, shown under it: one quiet line that opens to the quotes.

Strings of HTML; a document's words are untrusted and escaped.
"""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

from connectors.studio.texts import say


def block(sources: Sequence[Mapping[str, Any]], language: str) -> dict[str, Any]:
    """``Turn.sources`` as a part of a chatbot's message, which is shown below its text.

    A component, not text: the copy button takes a message's texts, and they stay the reply alone.
    """
    return {
        "type": "component",
        "component": "html",
        "value": listed(sources, language),
        "constructor_args": {},
        "props": {},
    }


def listed(sources: Sequence[Mapping[str, Any]], language: str) -> str:
    """Numbers and places in one line; opened, each with its quote."""
    places: dict[str, list[str]] = {}
    for source in sources:
        place = f"{source['file']}, {source['heading']}" if _headed(source) else source["file"]
        places.setdefault(place, []).append(f"<b>{int(source['number'])}</b>")
    line = " · ".join(f"{', '.join(n)} {html.escape(place)}" for place, n in places.items())
    items = "".join(_item(source, language) for source in sources)
    title = html.escape(say(language, "sources"))
    return f'<details class="sources"><summary>{title}: {line}</summary><ol>{items}</ol></details>'


def position(page: int | None, row: int | None, language: str) -> str:
    """Where in its file something stands, as text: ``page 2 · row 7``; empty if it is not known."""
    known = []
    if page is not None:
        known.append(say(language, "position_page", number=page))
    if row is not None:
        known.append(say(language, "position_row", number=row))
    return " · ".join(known)


def path(file: str, *headings: str) -> str:
    """A file and the headings that something stands under, as text."""
    return " › ".join((file, *headings))


def _item(source: Mapping[str, Any], language: str) -> str:
    where = path(source["file"], source["heading"]) if _headed(source) else source["file"]
    exact = position(source.get("page"), source.get("row"), language)
    where = " · ".join(part for part in (where, exact) if part)
    return (
        f'<li value="{int(source["number"])}"><div>{html.escape(where)}</div>'
        f"<blockquote>{html.escape(source['quote'])}</blockquote></li>"
    )


def _headed(source: Mapping[str, Any]) -> bool:
    """Whether it stands under a heading; without one, the log holds the file's name for it."""
    return source["heading"] not in ("", source["file"])
