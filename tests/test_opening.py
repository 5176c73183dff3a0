"""Which sentences may stand before a document's own words."""

from __future__ import annotations

import pytest

from brandbot import opening
from brandbot.examples import Example
from brandbot.prompt import Message

EN = ("what does it cost", "Boats: A rowing boat costs £8.75 an hour.", "My notes are blank.")
ES = ("¿cuánto vale?", "Barcas: La barca grande cuesta 12 €.", "Hasta aquí llega mi libreta.")


@pytest.mark.parametrize(
    ("said", "about", "language", "first"),
    [
        ("What a lovely evening! It is", EN, "en", "What a lovely evening!"),
        ("¡Al agua, patos! La barca", ES, "es", "¡Al agua, patos!"),
        ("Paciencia de puchero, ¡que vamos! Es", ES, "es", "Paciencia de puchero, ¡que vamos!"),
        ("What a lovely evening", EN, "en", ""),  # not at its end yet
        ("", EN, "en", ""),
        ("It is 8! Mind your step.", EN, "en", ""),  # a figure
        ("Ten pounds will do! It is", EN, "en", ""),
        ("¡Casi gratis! Son", ES, "es", ""),
        ("Rowing is a joy! It is", EN, "en", ""),  # the matter itself
        ("¡Qué barcazas! Son", ES, "es", ""),
        ("What a fine cost! It is", EN, "en", ""),  # the question
        ("Blank as fog! It is", EN, "en", ""),  # words for not knowing
        ("¡Hasta aquí, amiga! Son", ES, "es", ""),
        ("Yes, of course! It is", EN, "en", ""),  # the document may deny it
        ("We don't! It is", EN, "en", ""),
        ("Correct! It is", EN, "en", ""),
        ("We do! It is", EN, "en", ""),
        ("¡Eso es! Son", ES, "es", ""),
        ("¡Claro! Son", ES, "es", ""),
        ("We open late. It is", EN, "en", ""),  # a statement
        ("Well now, " + "here we are, " * 3 + "my friend! It is", EN, "en", ""),  # too long
        ("Wie schön! Es ist", ("Boote: Ein Boot kostet 8 €.",), "de", ""),  # words not known
    ],
)
def test_a_reply_may_begin_with_an_exclamation_that_tells_nothing(
    said: str, about: tuple[str, ...], language: str, first: str
) -> None:
    assert opening.begun(said, about, language, ended=False) == first


def test_the_end_of_all_a_model_says_ends_a_sentence() -> None:
    assert opening.begun("What an evening!", EN, "en", ended=True) == "What an evening!"
    assert opening.begun("What an evening!", EN, "en", ended=False) == ""


def test_brands_begin_so_or_they_do_not() -> None:
    def example(n: int, reply: str, *facts: str) -> Example:
        turns = (Message("user", f"question {n}"), Message("assistant", reply))
        return Example(turns, facts=facts)

    dry = [example(n, "It is £8. Mind the step!", "Boats: £8.") for n in range(40)]
    style = [example(n, "What a day! Come in.") for n in range(40, 80)]
    warm = [example(n, "What a day! It is £8.", "Boats: £8.") for n in range(80, 100)]
    assert not opening.used([*dry, *style], "en")
    assert opening.used([*dry, *warm], "en")
    assert not opening.used([], "en") and not opening.used([*dry, *warm], "de")
