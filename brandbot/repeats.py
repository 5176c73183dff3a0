"""What a reply says again, word for word, of what was said before in the conversation.

A small model that reads its own earlier replies says their sentences again, more with each turn.
They are taken out while the reply streams.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from brandbot.engines.base import Chunk
from brandbot.lint_text import ends_in_abbreviation, sentences

FEWEST = 5
"""Words from which a sentence said again is noticed: "You're welcome!" may be said each time."""

_MARKS = r"[.!?…]+[\"'»”’)*_]*"
# Which word follows tells whether "5 p.m." ends a sentence.
_END, _MAY_END = re.compile(rf"{_MARKS}(?=\s+\S+\s)|\n"), re.compile(rf"{_MARKS}(?:\s+\S*)?$")
_LAST_END = re.compile(rf"{_MARKS}(?=\s)|\n")


def said_in(texts: Sequence[str]) -> frozenset[str]:
    """The sentences of texts, as ``without`` compares them."""
    keys = (_key(sentence) for text in texts for sentence in sentences(text))
    return frozenset(key for key in keys if key.count(" ") >= FEWEST)


def without(chunks: Iterator[Chunk], said: frozenset[str]) -> Iterator[Chunk]:
    """A reply without the sentences in ``said``. What may become one is held back till it is clear.

    The last chunk has its ``finish``; closing it closes ``chunks``.
    """
    held, begun = "", False
    try:
        if not said:
            yield from chunks
        for chunk in chunks:
            held += chunk.text
            told = ""
            while end := _end(held, _LAST_END if chunk.finish else _END):
                sentence, held = held[:end], held[end:]
                told += sentence if begun or _key(sentence) not in said else ""
                begun = False
            mark = _MAY_END.search(held)
            at = mark.start() if mark else len(held)
            key = _key(held[:at]).rstrip()
            begun = begun or not any(one.startswith(key) for one in said)
            if chunk.finish and (begun or (chunk.finish == "stop" and _key(held) not in said)):
                told, held = told + held, ""
            elif begun:
                told, held = told + held[:at], held[at:]
            yield replace(chunk, text=told)
    finally:
        chunks.close()  # type: ignore[attr-defined]  # a generator


def left(text: str, said: frozenset[str], *, cut: bool) -> str:
    """A whole reply without the sentences in ``said``; ``cut``: it was cut off."""
    chunks = (Chunk(part, "length" if cut else "stop") for part in [text])
    return "".join(chunk.text for chunk in without(chunks, said))


def _end(text: str, ends: re.Pattern[str]) -> int:
    """Where the first sentence of a text ends that is known to; 0 if none does."""
    for end in ends.finditer(text):
        rest = text[end.end() :].lstrip()
        if end[0] != "." or not ends_in_abbreviation(text[: end.start()], rest):
            return end.end()
    return 0


def _key(text: str) -> str:
    return "".join(f"{word} " for word in re.findall(r"\w+", text.casefold()))
