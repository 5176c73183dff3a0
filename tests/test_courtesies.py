"""What a brand says word for word to who says nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from brandbot import courtesies
from brandbot.persona import Persona
from brandbot.prompt import Message


@pytest.mark.parametrize(
    ("message", "kind"),
    [
        ("hi", "hello"), ("Hello there!", "hello"), ("Good morning!", "hello"), ("how are you?", "hello"),
        ("hola, ¿qué tal?", "hello"), ("Buenas", "hello"), ("thanks", "thanks"),
        ("ok great, thank you so much!", "thanks"), ("vale, muchas gracias", "thanks"),
        ("thanks, bye!", "goodbye"), ("Have a nice day", "goodbye"), ("hasta luego", "goodbye"),
        ("chao", "goodbye"), ("are you a robot?", "program"), ("Is this a chatbot?", "program"),
        ("hey, am I talking to a real person?", "program"), ("r u human", "program"),
        ("¿eres un bot?", "program"), ("¿Estoy hablando con una persona?", "program"),
        ("hola, ¿eres una máquina?", "program"),
        ("ok", None), ("vale", None), ("hi, how much is a latte?", None), ("¿qué tal el café?", None),
        ("thanks for nothing, my parcel never came", None), ("are you a person that sells bread", None),
        ("are you people open on Sunday?", None), ("is this computer for sale?", None),
        ("Are you a bot or a human?", "program"), ("¿eres una persona o un robot?", "program"),
        ("buenas noches", "hello"), ("hasta luego, buenas noches", "goodbye"),
        ("is this a person\'s address or the address of the shop that you have in town", None),
        ("How much is a latte? And are you a bot?", None), ("¿Cuánto es? ¿Eres un robot?", None),
        ("Are you a bot or can you tell me if you open on Sundays?", None),
        ("hi, are you a human or am I talking to a machine?", "program"),
        ("hey, what’s up?", "hello"), ("Adio\u0301s", "goodbye"), ("Thanks a million!", "thanks"),
        ("muchas gracias por la información", "thanks"), ("hello, there is a bug", None),
        ("do you sell a coffee machine?", None), ("¿hay una persona en la tienda?", None),
        ("¿es una máquina de café?", None), ("is the machine a robot?", None),
    ],
)  # fmt: skip
def test_kinds(message: str, kind: str | None) -> None:
    assert courtesies.kind(message) == kind


def test_the_brands_words_are_said_and_none_twice(tmp_path: Path) -> None:
    texts = ["Any time.", "No trouble.", "Glad it helped."]
    (tmp_path / "persona.yaml").write_text(f"name: Acme\ncourtesies: {{thanks: {texts}}}\n")
    persona = Persona.load(tmp_path)
    talk = [Message("user", "thanks")]
    said = []
    for _ in texts:
        said.append(courtesies.answer(persona, talk))
        talk += [Message("assistant", said[-1]), Message("user", "thanks")]
    assert sorted(said) == sorted(texts)
    assert courtesies.answer(persona, talk) == said[0]  # all were said: from the start
    assert courtesies.answer(persona, talk, again=True) in texts
    assert courtesies.answer(persona, [Message("user", "hi")]) == ""  # the model answers
    assert courtesies.answer(persona, [Message("user", "thanks, and a latte?")]) == ""
