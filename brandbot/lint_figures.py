"""The figures a text states: amounts, times, dates, shares, lengths of time, contacts, links.

Pure functions from a text to what stands in it, in English and Spanish, and whether two figures can
both hold: ``3.40`` is ``3,40``, 5 pm is 17:00, two weeks are 14 days, 20 is within "up to 25". They
know nothing of examples or documents.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from brandbot.lint_patterns import READERS, Bound, Edge, Kind, bound

CONTACTS: tuple[Kind, ...] = ("phone", "email", "url")


@dataclass(frozen=True)
class Figure:
    """A figure as it stands in ``text``.

    ``edges`` are its one or two ends (a range has two), each with the numbers it may mean: a bare
    five o'clock is 300 or 1020 minutes. Only figures of one ``unit`` can be compared. ``bound``
    says that everything up to it, or from it on, is meant.
    """

    kind: Kind
    unit: str
    edges: tuple[Edge, ...]
    bound: Bound
    text: str
    start: int
    end: int


@functools.lru_cache(maxsize=20_000)
def figures(text: str) -> tuple[Figure, ...]:
    """Every figure in ``text`` (see ``plain``), in its order."""
    found: list[Figure] = []
    taken: list[tuple[int, int]] = []
    for pattern, make in READERS:
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other and mine < end for mine, other in taken):
                continue
            made = make(match)
            if made is not None:
                kind, unit, edges = made
                limit: Bound = "" if len(edges) > 1 else bound(text, start, end)
                said = match[0].strip().rstrip(",")
                found.append(Figure(kind, unit, edges, limit, said, start, end))
                taken.append((start, end))
    return tuple(sorted(found, key=lambda figure: figure.start))


def plain(text: str) -> str:
    """A text as the patterns here read it: composed letters, ordinary spaces and dashes."""
    text = unicodedata.normalize("NFC", text).replace("\u2019", "'")
    text = re.sub("(?<=\\d)[\u00a0\u202f\u2009](?=\\d{3}(?!\\d))", "", text)  # thousands
    return re.sub("[\u00a0\u202f\u2009]", " ", text)


def without(text: str, known: Sequence[Figure]) -> str:
    """``text`` (see ``plain``) without the figures that can be true beside what is known."""
    for figure in reversed(figures(text)):
        if holds(figure, [other for other in known if other.unit == figure.unit]):
            text = text[: figure.start] + text[figure.end :]
    return text


def holds(said: Figure, known: Sequence[Figure]) -> bool:
    """Whether what is said can be true beside what is known, figures of the same unit.

    A plain figure must be one of the known or lie within a known range or limit. The ends of a
    range or limit must each be an end of a known one: "up to 20" is not "up to 25".
    """
    if not said.bound and len(said.edges) == 1 and any(_within(said.edges[0], f) for f in known):
        return True
    ends = [edge for figure in known for edge in figure.edges]
    return all(any(_same(edge, end) for end in ends) for edge in said.edges)


def far_apart(said: Figure, known: Sequence[Figure], factor: float) -> bool:
    """Whether it is more than ``factor`` times as much, or as little, as any known one."""
    here = [n for edge in said.edges for n in edge if isinstance(n, float)]
    there = [n for f in known for edge in f.edges for n in edge if isinstance(n, float)]
    if said.unit in ("clock", "day") or not here or not there:
        return False
    return all(max(a, b) > factor * min(a, b) for a in here for b in there)


def _same(one: Edge, two: Edge) -> bool:
    return any(_alike(a, b) for a in one for b in two)


def _alike(one: float | str, two: float | str) -> bool:
    if isinstance(one, str) and isinstance(two, str):
        shorter, longer = sorted((one, two), key=len)
        if shorter.isdigit():  # with or without the country's number
            return longer.endswith(shorter.lstrip("0"))
        return longer == shorter or longer.startswith(f"{shorter}/")
    return one == two


def _within(edge: Edge, known: Figure) -> bool:
    for number in edge:
        for low in known.edges[0]:
            for high in known.edges[-1]:
                if isinstance(number, str) or isinstance(low, str) or isinstance(high, str):
                    continue
                above = known.bound == "most" or low <= number
                below = known.bound == "least" or number <= high
                if above and below:
                    return True
    return _same(edge, known.edges[0])
