"""Which sentences may stand before a document's own words."""

from __future__ import annotations

import pytest

from brandbot.opening import begun, leads

FACTS = ("Boats: A rowing boat costs £8.75 an hour.", "Barcas: La barca grande cuesta 12 €.")


@pytest.mark.parametrize(
    ("said", "ended", "first"),
    [
        ("Mind your step on the pier. It is", False, "Mind your step on the pier."),
        ("¡Al agua, patos! La barca", False, "¡Al agua, patos!"),
        ("Mind your step.", True, "Mind your step."),
        ("Mind your step on the", False, ""),  # not at its end yet
        ("", True, ""),
        ("It is £8. Mind your step.", False, ""),  # a figure
        ("A fine boat for you. It is", False, ""),  # the matter itself
        ("Yes, of course. It is", False, ""),  # the document may deny it
        ("We don't. It is", False, ""),
        ("Claro que sí. Son", False, ""),
        ("Eso no lo sé. Son", False, ""),
        ("Write to us@example.org today. It is", False, ""),
        ("Well now, " + "here we are, " * 3 + "my friend. It is", False, ""),  # too long
    ],
)
def test_a_reply_may_begin_with_a_sentence_that_tells_nothing(
    said: str, ended: bool, first: str
) -> None:
    assert begun(said, FACTS, ended=ended) == first


def test_the_beginning_of_a_sentence_is_judged_as_it_comes() -> None:
    assert leads("Mind your", FACTS) and leads("", FACTS)
    assert not leads("Mind your boat", FACTS) and not leads("It is 8", FACTS)
