"""What examples are given to know in training: worked out by hand, and the same each time."""

from __future__ import annotations

import re
from pathlib import Path

from brandbot import examples
from brandbot.examples import Example, Reading, read_csv, read_jsonl
from brandbot.prompt import Message, build
from brandbot.training import mix
from tests.conftest import ROOT

HANDOFF = ["Ask the keeper."]


def example(prompt: str, reply: str, *facts: str) -> Example:
    return Example((Message("user", prompt), Message("assistant", reply)), facts=facts)


CHAI = example(
    "how much is a large chai",
    "A large chai is £3.95. It warms the hands.",
    "Drinks: Malt: Small £2.95, Large £3.55",
    "Drinks: Chai: Small £3.35, Large £3.95",
)


def mixed(
    *given: Example, quote_first: bool, found: tuple[str, ...] = (), seed: int = 0
) -> list[Example]:
    return mix.mixed(
        given, lambda _: found, ["Other: A fact."], HANDOFF, seed, quote_first=quote_first
    )


def test_an_example_with_facts_becomes_three() -> None:
    own, renumbered, unanswered = mixed(CHAI, quote_first=False)
    assert own.reply == CHAI.reply and set(CHAI.facts) <= set(own.facts)
    (price,) = re.findall(r"£\d+\.\d\d", renumbered.reply)
    assert price != "£3.95" and f"Large {price}" in "\n".join(renumbered.facts)
    assert unanswered.reply == "Ask the keeper."
    assert "Drinks: Chai: Small £3.35, Large £3.95" not in unanswered.facts
    assert "Drinks: Malt: Small £2.95, Large £3.55" in unanswered.facts


def test_replies_hold_the_documents_words_where_they_are_served_so() -> None:
    quotes = []
    for seed in range(50):
        own, renumbered, _ = mixed(CHAI, quote_first=True, seed=seed)
        assert renumbered.reply.endswith(". It warms the hands.")
        fact = renumbered.reply.removesuffix(". It warms the hands.").partition(". Malt")[0]
        assert f"Drinks: {fact}" in renumbered.facts and renumbered.reply != own.reply
        quotes.append(own.reply.removesuffix(" It warms the hands."))
    one, two = "Chai: Small £3.35, Large £3.95.", " Malt: Small £2.95, Large £3.55."
    assert set(quotes) == {one, one + two}
    assert 0.2 < quotes.count(one + two) / 50 < 0.6


def test_a_sentence_that_tells_nothing_stays_before_the_documents_words() -> None:
    for reply, begins in (
        ("What a day! A large chai is £3.95. It warms.", "What a day! Chai:"),
        ("Aye! A large chai is £3.95. It warms.", "Chai:"),
        ("We love our chai. A large one is £3.95. It warms.", "Chai:"),
    ):
        own, renumbered, _ = mixed(example(CHAI.prompt, reply, CHAI.facts[1]), quote_first=True)
        assert own.reply == f"{begins} Small £3.35, Large £3.95. It warms."
        assert renumbered.reply.startswith(begins) and renumbered.reply != own.reply


def test_numbers_that_were_asked_stay() -> None:
    asked = example("Is 12 too many?", "12 is fine, 40 is not.", "Groups: Up to 12; never 40.")
    for one in mixed(asked, quote_first=False)[:2]:
        assert "12" in one.reply
    assert "40" not in mixed(asked, quote_first=False)[1].reply


def test_style_examples_get_what_search_finds_others_or_nothing() -> None:
    given = [example(f"question {n}", "A reply.") for n in range(300)]
    found = [one.facts for one in mixed(*given, quote_first=True, found=("Found: It.",))]
    shares = [found.count(facts) / 300 for facts in (("Found: It.",), ("Other: A fact.",), ())]
    for share, wanted in zip(
        shares, (mix.FOUND, mix.OTHERS, 1 - mix.FOUND - mix.OTHERS), strict=True
    ):
        assert abs(share - wanted) < 0.09
    assert all(one.reply == "A reply." for one in mixed(*given, quote_first=True))


def test_a_reply_with_figures_of_the_documents_is_an_example_with_facts() -> None:
    """What people correct a bot to must not teach it this week's price."""
    told = example(CHAI.prompt, CHAI.reply)
    assert mixed(told, quote_first=False, found=CHAI.facts) == mixed(
        CHAI, quote_first=False, found=CHAI.facts
    )
    for reply in ("A large chai is £4.00.", "I'll be 3.95 there.", "A large chai is dear."):
        (own,) = mixed(example(CHAI.prompt, reply), quote_first=False, found=CHAI.facts)
        assert own.reply == reply


def test_the_same_arguments_give_the_same_list() -> None:
    assert mixed(CHAI, quote_first=True) == mixed(CHAI, quote_first=True)


def test_no_number_of_the_documents_is_trained() -> None:
    """Only invented facts, and what search finds as context, never as what is learnt to say."""
    for name in ("lighthouse", "letraclara"):
        folder = ROOT / "personas" / name
        given = [e for e in examples.read(folder / "examples").split("train") if e.facts]
        replies = "\n".join(e.reply for e in mix.mixed(given, lambda _: (), [], HANDOFF, 0, quote_first=True)[::3])  # fmt: skip
        documents = "\n".join(f.read_text() for f in (folder / "knowledge").iterdir())
        prices = set(re.findall(r"£\d+\.\d\d|\d+,\d\d €", replies))
        known = set(re.findall(r"£\d+\.\d\d|\d+,\d\d €", documents))
        assert prices and len(prices & known) <= 0.1 * len(prices)


def test_facts_are_read_from_json_and_from_tables() -> None:
    reading = Reading()
    read_jsonl(
        b'{"prompt": "a", "completion": "b", "facts": ["H: one", " H:  two "]}\n'
        b'{"prompt": "c", "completion": "d", "datos": "H: one"}\n'
        b'{"prompt": "e", "completion": "f", "facts": 3}\n',
        "x.jsonl", reading,
    )  # fmt: skip
    assert [e.facts for e in reading.examples] == [("H: one", "H: two"), ("H: one",)]
    assert [(p.code, p.line) for p in reading.problems] == [("not-text", 3)]
    reading = Reading()
    read_csv(b'prompt,completion,Facts\na,b,"H: one\nH: two"\nc,d,\n', "x.csv", reading)
    assert [e.facts for e in reading.examples] == [("H: one", "H: two"), ()]
    assert reading.problems == []


def test_facts_name_a_set_of_examples_and_are_trained_where_they_are_served() -> None:
    bare = Example(CHAI.messages)
    assert examples.fingerprint([CHAI]) != examples.fingerprint([bare])
    assert examples.fingerprint([bare]) == examples.fingerprint([Example(CHAI.messages, "f", 2)])
    served = build("Be dry.", CHAI.messages[:-1], CHAI.facts)
    trained = build("Be dry.", CHAI.messages, CHAI.facts)
    assert trained[:-1] == served


def test_a_beginning_is_what_training_reads_after_the_prompt(embedded: Path) -> None:
    from brandbot import models

    prompt_format = models.resolve("smollm2-135m-instruct", embedded).prompt_format()
    asked = build("Be dry.", CHAI.messages[:-1], CHAI.facts)
    quote = "Chai: Small £3.35, Large £3.95."
    ids = prompt_format.beginning(prompt_format.encode(asked).ids, quote)
    reply = Message("assistant", f"{quote} It warms the hands.")
    trained = prompt_format.encode([*asked, reply])
    assert trained.ids[: len(ids)] == ids
    assert prompt_format.decode(trained.ids[trained.mask.index(1) : len(ids)]) == quote


def test_many_facts_and_other_marks_harm_nothing() -> None:
    many = example("price?", "It is 3,40.", *(f"Drinks: Tea {n}: {n},50" for n in range(6)),
                   "Drinks: Chai: 3.40")  # fmt: skip
    for quote_first in (True, False):
        for own in mixed(many, quote_first=quote_first):
            assert own.facts
    renumbered = mixed(many, quote_first=False)[1]
    (told,) = re.findall(r"\d+,\d+", renumbered.reply)
    assert told != "3,40" and f"Chai: {told.replace(',', '.')}" in " ".join(renumbered.facts)
