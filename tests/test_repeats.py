"""Sentences that a reply says again are taken out while it streams."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from brandbot import repeats
from brandbot.engines.base import Chunk, Finish

BEFORE = "Oat, yes. The cow was consulted today. Do you want anything else?"


def streamed(text: str, finish: Finish, size: int) -> Iterator[Chunk]:
    for start in range(0, len(text), size):
        yield Chunk(text[start : start + size])
    yield Chunk("", finish)


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("The cow was consulted today. And it agreed.", " And it agreed."),
        ("Soya. The cow was  CONSULTED today! And it agreed.", "Soya. And it agreed."),
        ("The cow was consulted yesterday.", "The cow was consulted yesterday."),
        ("Rice. Do you want anything else?", "Rice."),
        ("The cow was consulted", "The cow was consulted"),
        ("Oat, yes. Now go.", "Oat, yes. Now go."),  # too short to be noticed
        (BEFORE.partition(". ")[2], ""),
    ],
)
def test_what_was_said_is_not_said_again(text: str, left: str, size: int) -> None:
    said = repeats.said_in([BEFORE])
    chunks = list(repeats.without(streamed(text, "stop", size), said))
    assert "".join(chunk.text for chunk in chunks).rstrip() == left
    assert repeats.left(text, said, cut=False).rstrip() == left
    assert chunks[-1].finish == "stop"


@pytest.mark.parametrize("size", [1, 4, 1000])
def test_abbreviations_end_no_sentence(size: int) -> None:
    said = repeats.said_in(
        [
            "Open 9 a.m. to 5 p.m. Monday to Friday except bank holidays.",
            "Pregunta por el Sr. García en la recepción principal.",
        ]
    )
    shut = "Yes, we shut at 5 p.m. Monday to Friday except bank holidays. See you!"
    for text, left in (
        (shut, shut),
        ("Hola. Pregunta por el Sr. García en la recepción principal. Ven.", "Hola. Ven."),
        ("Hi.\nOpen 9 a.m. to 5 p.m. Monday to Friday except bank holidays.", "Hi.\n"),
    ):
        chunks = repeats.without(streamed(text, "stop", size), said)
        assert "".join(chunk.text for chunk in chunks) == left


def test_a_repetition_that_is_cut_off_is_left_out() -> None:
    said = repeats.said_in([BEFORE])
    chunks = repeats.without(streamed("Rice. The cow was consul", "length", 3), said)
    assert "".join(chunk.text for chunk in chunks).rstrip() == "Rice."


def test_nothing_is_held_back_where_nothing_was_said() -> None:
    pieces = repeats.without(streamed("The cow was consulted", "stop", 1), frozenset())
    assert next(pieces).text == "T"
    said = repeats.said_in([BEFORE])
    assert next(repeats.without(streamed("Rice, and", "stop", 4), said)).text == "Rice"


def test_closing_closes_the_engine() -> None:
    closed = []

    def chunks() -> Iterator[Chunk]:
        try:
            yield Chunk("Rice.")
        finally:
            closed.append(True)

    pieces = repeats.without(chunks(), frozenset())
    next(pieces)
    pieces.close()  # type: ignore[attr-defined]
    assert closed == [True]
