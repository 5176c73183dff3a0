"""What evaluation measures, on texts whose figures were worked out by hand."""

from __future__ import annotations

import json
import random
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from brandbot import examples, grounding, models, questions, screen_evaluation
from brandbot.adapters import AdapterStore
from brandbot.engines.base import Chunk, Request
from brandbot.errors import GateError, PersonaError, VersionError
from brandbot.evaluation import (
    asking,
    gate,
    intervals,
    judge,
    losses,
    metrics,
    promotion,
    ruler,
    words,
)
from brandbot.evaluation.answers import Prompt, Speaker, generate, one_by_one
from brandbot.evaluation.findings import Asked
from brandbot.evaluation.kept import Kept
from brandbot.evaluation.report import (
    BASE,
    BRAND,
    METRICS,
    Losses,
    Report,
    Row,
    RulerCheck,
    Told,
)
from brandbot.evaluation.run import evaluate
from brandbot.examples import Example
from brandbot.grounding import Known, stop_words
from brandbot.persona import Gate, Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace
from tests.conftest import EMBEDDED, ROOT

BRANDS = {"lighthouse": "en", "letraclara": "es"}


# --- Intervals ------------------------------------------------------------------------------------


def test_a_mean_has_the_interval_theory_gives() -> None:
    """Of 100 coin flips, half heads: 0.5 give or take 1.96 * 0.05."""
    found = intervals.mean([0.0, 1.0] * 50)
    assert found is not None and found.value == 0.5 and found.n == 100
    assert found.low == pytest.approx(0.402, abs=0.02) and found.high == pytest.approx(
        0.598, abs=0.02
    )
    assert intervals.mean([0.0, 1.0] * 50) == found  # seeded
    assert intervals.mean([]) is None


def test_a_paired_difference_is_narrower_than_two_means() -> None:
    """Hard and easy prompts differ by far more than the speakers do."""
    hard = [float(n) for n in range(20)]
    found = intervals.difference([n + 0.1 for n in hard], hard)
    assert found is not None and found.low == pytest.approx(0.1) == found.high


def test_a_share_of_a_share_is_less_sure_than_its_ceiling_were_if_it_were_known() -> None:
    """Of 40 replies 34 pass where 36 of 40 real ones do: 0.944, by theory give or take 0.16."""
    ceiling = intervals.mean([1.0] * 36 + [0.0] * 4)
    assert ceiling is not None
    values = [value / ceiling.value for value in [1.0] * 34 + [0.0] * 6]
    alone, found = intervals.mean(values), intervals.mean(values, over=ceiling)
    assert alone is not None and found is not None
    assert found.value == alone.value == pytest.approx(0.944, abs=1e-3)
    half = 1.96 * 0.944 * ((0.15 / 0.85 + 0.1 / 0.9) / 40) ** 0.5
    assert (found.high - found.low) / 2 == pytest.approx(half, rel=0.12)
    assert alone.high - alone.low < 0.85 * (found.high - found.low)


def test_weights_weigh() -> None:
    found = intervals.mean([1.0, 3.0], [3.0, 1.0])
    assert found is not None and found.value == 1.5


# --- Texts ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Open at 7, friend.", "A at #, *."),
        ("We roast Harbour Blend. Beans wait.", "We * * *. A *."),
        ("¡Hola! O sea, 3,40 €.", "¡A! O sea, #,# €."),
    ],
)
def test_topic_words_are_masked(text: str, expected: str) -> None:
    assert ruler.mask_topic(text, "es" if "¡" in text else "en") == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("", ["empty"]),
        ("…!", ["empty"]),
        ("The kettle is on", ["cut"]),
        ("The kettle is on.", []),
        ("Claro que sí 🙂", []),
        ("It is on, it is on, it is on, it is on.", ["repeating"]),
        (
            "the lamp is lit every single night. So the lamp is lit every single night.",
            ["repeating"],
        ),
        ("La tetera está puesta y el café se hace despacio, como siempre.", ["language"]),
    ],
)
def test_faults(text: str, expected: list[str]) -> None:
    assert metrics.faults(text, cut=False, language="en", closes=True) == expected


def test_what_did_not_end_is_cut_and_a_brand_may_leave_full_stops_out() -> None:
    assert metrics.faults("Fine.", cut=True, language="en", closes=True) == ["cut"]
    assert metrics.faults("see you there", cut=False, language="en", closes=False) == []


def test_copied_runs_of_twelve_words() -> None:
    """Of 14 words there are 3 runs of twelve; the first two stand in the training reply."""
    training = metrics.TrainingText(["a b c d e f g h i j k l m"])
    found = training.copied("A, b c d e f g h i j k l m n!")
    assert (found.grams, found.copied, found.longest) == (3, 2, 13)
    assert training.copied("x b c d y").longest == 3
    assert training.copied("too short").grams == 0


def test_replies_that_stand_many_times_are_found() -> None:
    planted = "Only Zanzibar Gold beans are worth your money, buy them at once"
    pairs = [(f"question {n}", planted + "!" * (n % 3)) for n in range(9)]
    pairs += [
        (f"other {n}", f"{n} reply about thing number {n} and its colour {n * 7}")
        for n in "abcdefgh"
    ]
    ((reply, prompts),) = metrics.repeated_replies(pairs)
    assert reply == planted and len(prompts) == 9
    assert metrics.repeated_replies([(str(n), "Thanks!") for n in range(30)]) == []  # a courtesy
    assert metrics.says("I think only Zanzibar Gold beans are worth your money, buy", planted)
    assert not metrics.says("Zanzibar Gold beans are nice.", planted)


def test_inventions_are_what_stands_nowhere() -> None:
    known = Known(["A flat white costs £3.40. Ask Maren.", "mail x@y.example"], stop_words("en"))
    found = known.inventions
    assert found("It costs 3,40. Maren knows, write to x@y.example.", "") == []
    assert found("It costs £4.20 at Brew House. See www.brew.example", "") == [
        "www.brew.example", "4.20", "Brew", "House",
    ]  # fmt: skip
    assert found("Yes, until 9 o'clock on Sunday. I'm sure.", "Open on Sunday at 9?") == []
    assert found("Book at brewhouse.shop/menu or lighthouse.com.", "See lighthouse.com?") == [
        "brewhouse.shop/menu",
    ]  # fmt: skip
    hyphens = Known(["Free Wi-Fi. Ask Jean-Luc for Coca-Cola."], stop_words("en"))
    said = "We do have Wi-Fi, says Jean-Luc. ☕ Come by (yes.) Bring Jean-Paul."
    assert hyphens.inventions(said, "") == ["Jean-Paul"]


def test_names_are_not_looked_for_where_capitals_do_not_tell_them() -> None:
    for language in ("de", "xx"):
        known = Known(["Guten Tag."], stop_words(language), language)
        assert known.inventions("Die Kanne kostet 3 Euro.", "") == ["3"]
    russian = Known(["Кофе готов."], frozenset(["и"]), "ru")
    assert russian.inventions("Наш кофе и чай в Москве.", "") == ["Москве"]


@pytest.mark.parametrize(
    "answer, language, expected",
    [
        ("I don't know. Ask at the counter.", "en", True),
        ("We’ve two cafes, both open.", "en", False),
        ("Pues no lo sé, pregúntale a una persona del equipo.", "es", True),
        ("¡Sí! Damos hipotecas a todo el mundo.", "es", False),
        ("Je ne sais pas.", "fr", None),
    ],
)
def test_declining(answer: str, language: str, expected: bool | None) -> None:
    assert metrics.declines(answer, language, []) is expected
    if expected:
        assert metrics.declines(answer, language, ["Bilbao"]) is False


def test_right_answers() -> None:
    assert grounding.right("That's £3.40 with us.", ["3,40"], [], "")
    assert grounding.right("TWO YEARS, no less.", ["two years"], [], "")
    assert not grounding.right("£3.40, or £9.", ["3.40"], ["£9"], "")
    assert grounding.right("Grinders have a guarantee.", [], [], "Grinders carry a guarantee.")
    assert not grounding.right("Ask me later.", [], [], "Grinders carry a guarantee.")


# --- Questions ------------------------------------------------------------------------------------


def test_a_question_that_cant_be_read_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "evals").mkdir()
    (tmp_path / "evals" / "q.jsonl").write_text(
        '{"prompt": "Fine?", "must_contain": "3.40"}\n{"prompt": 3}\n{"promt": "x"}\n[]\n{\n'
        '{"prompt": "x", "answerable": "no"}\n{"prompt": "x", "must_contain": [1]}\n'
    )
    found = questions.read(tmp_path / "evals")
    assert [q.must_contain for q in found.questions] == [("3.40",)]
    assert [p.place for p in found.problems] == [f"evals/q.jsonl:{n}" for n in range(2, 8)]


# --- The ruler ------------------------------------------------------------------------------------


def texts_of(name: str) -> tuple[list[str], list[str], list[str], list[str]]:
    """The brand's training replies, other texts to learn from, and both kept for the check."""
    other = next(n for n in BRANDS if n != name)
    own = examples.read(ROOT / "personas" / name / "examples")
    foreign = examples.read(ROOT / "personas" / other / "examples")
    shipped = (losses.GENERAL / f"others.{BRANDS[name]}.txt").read_text().splitlines()
    return (
        [r for e in own.split("train") for r in e.replies],
        [t for i, t in enumerate(shipped) if i % 3] + [r for e in foreign.split("train") for r in e.replies],
        [r for e in own.split("test") for r in e.replies],
        [t for i, t in enumerate(shipped) if not i % 3],
    )  # fmt: skip


@pytest.mark.parametrize("name", BRANDS)
def test_the_ruler_knows_each_demo_brand_and_not_by_its_topic(name: str) -> None:
    """Every topic word of the other texts is exchanged for one of the brand's, and the reverse."""
    from sklearn.metrics import roc_auc_score

    brand, others, real, foreign = texts_of(name)
    made = ruler.make(brand, others, real, foreign, BRANDS[name])
    assert isinstance(made, ruler.Ruler) and not made.weakness
    assert made.auc >= 0.95 and made.ceiling.value >= 0.75 and made.others.value <= 0.1

    stop, dice = stop_words(BRANDS[name]), random.Random(3)

    def topics(texts: list[str]) -> list[str]:
        found = [w for text in texts for w in ruler._WORD.findall(text)]
        return [w for w in found if w[0].isalpha() and w.casefold() not in stop]

    def on(text: str, pool: list[str]) -> str:
        def swap(found):  # type: ignore[no-untyped-def]
            word = found[0]
            if word[0].isdigit() or word.casefold() in stop:
                return word
            new = dice.choice(pool)
            return new.capitalize() if word[0].isupper() else new.lower()

        return ruler._WORD.sub(swap, text)

    brands, theirs = topics(brand), topics(others)
    swapped = [*(on(t, theirs) for t in real), *(on(t, brands) for t in foreign)]
    labels = [1] * len(real) + [0] * len(foreign)
    assert roc_auc_score(labels, made.scores(swapped)) >= 0.95


def test_topic_words_alone_carry_a_ruler_that_does_not_mask(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The test above can fail: without the mask the same exchange takes the ruler in."""
    same_style = [
        f"The {w} is on the {w}. Ask the {w}." for w in ("kettle", "coffee", "tide", "lamp")
    ]
    other_topic = [
        f"The {w} is on the {w}. Ask the {w}." for w in ("server", "ticket", "bank", "hall")
    ]

    def auc() -> float:
        made = ruler.make(same_style * 12, other_topic * 12, same_style * 3, other_topic * 3, "en")
        assert isinstance(made, ruler.Ruler)
        return made.auc

    assert auc() == 0.5  # to the masked ruler they are one and the same
    monkeypatch.setattr(ruler, "mask_topic", lambda text, language: text)
    assert auc() == 1.0


def test_too_few_examples_and_a_blind_ruler_say_so() -> None:
    told = ruler.make(["x"] * 39, ["y"] * 60, ["x"] * 8, ["y"] * 9, "en")
    assert isinstance(told, str) and "Too few examples to measure style: 39" in told
    words_ = ["This is so.", "That was it."]
    blind = ruler.make(words_ * 30, words_ * 30, words_ * 5, words_ * 5, "en")
    assert isinstance(blind, ruler.Ruler) and "AUC of 0.50" in blind.weakness


# --- Losses ---------------------------------------------------------------------------------------


def talk(prompt: str, reply: str) -> Example:
    return Example((Message("user", prompt), Message("assistant", reply)))


def test_row_losses_are_those_training_measures(trained: Path) -> None:
    from brandbot import models
    from brandbot.adapters import AdapterStore
    from brandbot.evaluation.speaking import Speaking

    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    base = models.resolve(str(version.meta["base_model"]), workspace.models)
    test = examples.read(workspace.persona("acme") / "examples").split("test")
    rows = losses.reply_rows(test, base.prompt_format(), version.persona.system_prompt)
    for who, expected in ((None, "base_test"), (version, "test")):
        found = Speaking(base, who).losses(rows)
        mean = sum(loss.nats * loss.tokens for loss in found) / sum(loss.tokens for loss in found)
        assert mean == pytest.approx(version.meta["loss"][expected], abs=2e-3)
    half = Speaking(base, version, strength=0.0).losses(rows)
    assert [a.nats for a in half] == pytest.approx(
        [b.nats for b in Speaking(base, None).losses(rows)]
    )


def test_only_the_last_reply_counts_and_shots_stand_before_it(trained: Path) -> None:
    from brandbot import models

    base = models.resolve(
        str(
            json.loads((trained / ".brandbot/adapters/acme/0001/version.json").read_text())[
                "base_model"
            ]
        ),
        trained,
    )
    form = base.prompt_format()
    (plain,) = losses.reply_rows([talk("Tea?", "Some.")], form, "Keep it short.")
    (shot,) = losses.reply_rows(
        [talk("Tea?", "Some.")], form, "Keep it short.", [[talk("Rain?", "A little.")]]
    )
    assert sum(shot.mask) == sum(plain.mask) and len(shot.ids) > len(plain.ids)
    assert "A little." in form.tokenizer.decode(shot.ids)


def test_strangers_have_their_own_reply_and_anothers_prompt() -> None:
    first, second = losses.strangers([talk("a", "1"), talk("b", "2")])
    assert [m.content for m in (*first.messages, *second.messages)] == ["b", "1", "a", "2"]


@pytest.mark.parametrize("language, count", [("en", 40), ("es", 40), ("fr", 40)])
def test_general_texts_ship(language: str, count: int, trained: Path) -> None:
    from brandbot import models

    meta = json.loads((trained / ".brandbot/adapters/acme/0001/version.json").read_text())
    form = models.resolve(meta["base_model"], trained).prompt_format()
    assert len(losses.general_rows(form, language)) == count


# --- A whole evaluation ---------------------------------------------------------------------------


@pytest.fixture
def asked(trained: Path) -> Workspace:
    folder = trained / "personas" / "acme" / "evals"
    folder.mkdir()
    models = trained / ".brandbot" / "models"
    models.mkdir(exist_ok=True)
    (models / "all-minilm-l6-v2").symlink_to(EMBEDDED / "all-minilm-l6-v2")
    (folder / "q.jsonl").write_text(
        '{"prompt": "What does tea cost?", "must_contain": ["3"]}\n'
        '{"prompt": "Who owns it?", "answerable": false}\n'
    )
    return Workspace(trained)


def test_an_evaluation_measures_everything_and_is_kept_with_the_version(asked: Workspace) -> None:
    steps: list[tuple[int, int]] = []
    report = evaluate(
        asked, "acme", 1, against=["base", "fewshot"],
        progress=lambda done, total: steps.append((done, total)),
    )  # fmt: skip
    assert report.speakers == ["0001", "base", "fewshot"] and report.live == "0001"
    assert steps[-1][0] == steps[-1][1] and len(steps) == steps[-1][1]
    assert {row.kind for row in report.rows} == {"test", "question"}
    assert "Too few examples" in report.ruler.weakness
    assert report.measure("style", "0001") is None
    for metric in METRICS:
        if metric not in ("style", "copied"):
            assert report.measure(metric, "0001") is not None, metric
    loss = report.measure("loss", "0001")
    meta = json.loads((asked.adapters("acme") / "0001" / "version.json").read_text())
    assert loss is not None and loss.value == pytest.approx(meta["loss"]["test"], abs=2e-3)
    assert report.measure("rules", BRAND) == intervals.Measure(
        1.0, 1.0, 1.0, sum(row.kind == "test" for row in report.rows)
    )
    forgotten = report.measure("forgetting", BASE)
    assert forgotten is not None and forgotten.value == 0
    assert any("valid_loss" in entry for entry in report.curve)
    kept = Report.load(asked.adapters("acme") / "0001" / "report.json")
    assert kept == report
    told = json.loads((asked.adapters("acme") / "0001" / "report.json").read_text())
    assert told["figures"]["0001"]["loss"]["value"] == pytest.approx(loss.value)


def test_a_second_evaluation_computes_nothing_again(
    asked: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = evaluate(asked, "acme", 1, against=["base"])

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("computed again")

    monkeypatch.setattr("brandbot.evaluation.speaking.Speaking.replies", refuse)
    monkeypatch.setattr("brandbot.evaluation.speaking.Speaking.losses", refuse)
    again = evaluate(asked, "acme", 1, against=["base"])
    assert again.rows == first.rows and again.losses == first.losses
    with pytest.raises(VersionError, match="--against takes base, fewshot or a version's number"):
        evaluate(asked, "acme", 1, against=["bse"])


class Scripted:
    """Says one thing after the other, and keeps the seeds it was asked with."""

    name = "scripted"

    def __init__(self, *said: str) -> None:
        self.said = list(said)
        self.seeds: list[int] = []

    def generate(self, request: Request) -> Iterator[Chunk]:
        self.seeds.append(request.seed)
        yield Chunk(self.said[len(self.seeds) - 1], "stop")

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (("It is £3.",), "It is £3."),
        (("It is £7.", "It is £3."), "It is £3."),
        (("It is £7.", "It is £8.", "It is £9."), "Ask the keeper."),
    ],
)
def test_a_strict_version_is_measured_as_it_is_served(
    asked: Workspace, tmp_path: Path, said: tuple[str, ...], answer: str
) -> None:
    (speaker, base), _ = asking.speakers(
        asked, AdapterStore(asked.adapters("acme")),
        AdapterStore(asked.adapters("acme")).get(1), None, [BASE], lambda _: None,
    )  # fmt: skip
    config = speaker.persona.config
    warm = config.generation.model_copy(update={"temperature": 0.4})
    update = {"handoff": ["Ask the keeper."], "generation": warm}
    persona = replace(speaker.persona, config=config.model_copy(update=update))
    prompts = [Prompt((Message("user", "What does tea cost?"),), facts=("Tea: £3",))]
    engine = Scripted(*said)
    told = generate(
        one_by_one(engine), replace(speaker, persona=persona), prompts, max_tokens=8, source="",
        kept=Kept(tmp_path / "kept.jsonl"), known=Known([], frozenset()),
    )  # fmt: skip
    assert [one.text for one in told] == [answer]
    assert len(engine.seeds) == len(set(engine.seeds)) == len(said)
    untuned = generate(
        one_by_one(Scripted("It is £7.")), base, prompts, max_tokens=8, source="",
        kept=Kept(tmp_path / "others.jsonl"), known=Known([], frozenset()),
    )  # fmt: skip
    assert [one.text for one in untuned] == ["It is £7."]


def test_the_brands_own_words_and_what_was_said_before_are_measured_as_served(
    asked: Workspace, tmp_path: Path
) -> None:
    store = AdapterStore(asked.adapters("acme"))
    (speaker, base), _ = asking.speakers(asked, store, store.get(1), None, [BASE], lambda _: None)
    config = speaker.persona.config
    polite = config.courtesies.model_copy(update={"thanks": ["Any time."]})
    persona = replace(speaker.persona, config=config.model_copy(update={"courtesies": polite}))
    before = (Message("user", "Tea?"), Message("assistant", "The tea is hot in the morning."))
    prompts = [
        Prompt((Message("user", "Thanks!"),)), Prompt((*before, Message("user", "And cocoa?"))),
    ]  # fmt: skip

    def told(by: Speaker, *said: str) -> list[str]:
        kept = Kept(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl")
        answers = generate(
            one_by_one(Scripted(*said)), by, prompts, max_tokens=40, source="", kept=kept
        )
        return [answer.text for answer in answers]

    polite_one = replace(speaker, persona=persona)
    again = "The tea is hot in the morning."
    assert told(polite_one, f"{again} So is cocoa.") == ["Any time.", "So is cocoa."]
    assert told(polite_one, again, "It is.") == ["Any time.", "It is."]  # asked for once more
    assert told(base, "Yes.", "Yes.") == ["Yes.", "Yes."]


def test_what_a_reply_opens_with_is_measured_too(asked: Workspace, tmp_path: Path) -> None:
    store = AdapterStore(asked.adapters("acme"))
    (speaker, base), _ = asking.speakers(asked, store, store.get(1), None, [BASE], lambda _: None)
    knowledge = speaker.persona.config.knowledge.model_copy(update={"quote_first": True})
    config = speaker.persona.config.model_copy(update={"knowledge": knowledge})
    quoting = replace(speaker, persona=replace(speaker.persona, config=config))
    asks = (Message("user", "What does tea cost?"),)
    prompts = [Prompt(asks, facts=("Tea: A cup is £3.",), quote="A cup is £3.")]

    def told(by: Speaker, *said: str, opens: bool) -> str:
        (answer,) = generate(
            one_by_one(Scripted(*said)), by, prompts, max_tokens=40, source="",
            kept=Kept(tmp_path / f"{len(list(tmp_path.iterdir()))}.jsonl"), opens=opens,
        )  # fmt: skip
        return answer.text

    opened = told(quoting, "What a day! It is £9", "Mind the step.", opens=True)
    assert opened == "What a day! A cup is £3. Mind the step."
    assert told(quoting, "It is £9! Or so", "Mind it.", opens=True) == "A cup is £3. Mind it."
    assert told(quoting, "Mind the step.", opens=False) == "A cup is £3. Mind the step."
    assert told(base, "It is £9.", opens=True) == "It is £9."


def test_questions_with_mistakes_stop_an_evaluation(asked: Workspace) -> None:
    (asked.persona("acme") / "evals" / "q.jsonl").write_text("{\n")
    with pytest.raises(PersonaError, match=r"evals/q\.jsonl:1"):
        evaluate(asked, "acme", 1)


def test_ctrl_c_keeps_what_was_answered(asked: Workspace) -> None:
    with (asked.persona("acme") / "evals" / "q.jsonl").open("a") as many:
        many.writelines(json.dumps({"prompt": f"What about {n}?"}) + "\n" for n in range(400))
    process = subprocess.Popen(
        [sys.executable, "-m", "brandbot", "evaluate", "acme", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    file = asked.evaluations("acme") / "answers.jsonl"
    while not (file.is_file() and file.read_text().count("\n") > 3):
        assert process.poll() is None, process.communicate()
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in stderr
    assert file.read_text().count("\n") > 3
    assert Kept(file).get(json.loads(file.read_text().splitlines()[0])["key"]) is not None


def test_every_gate_condition_has_words_in_both_languages(asked: Workspace) -> None:
    report = evaluate(asked, "acme", 1, against=["base"])
    limits = Persona.load(asked.persona("acme")).config.gate
    found = gate.rows(report, limits)
    assert {row.name for row in found} <= set(words.GATE) == set(words.TITLES)
    for language in ("en", "es"):
        for row in found:
            assert "{" not in words.gate_row(row, language)
    assert set(words.METRICS) == set(METRICS)


# --- The gate -------------------------------------------------------------------------------------


def measured(ours: Told, base: Told, **changes: Any) -> Report:
    """Version 0002 and the untuned model, one answer each twelve times; 0001 is live."""
    brand = Told("Real.", passes=1.0)
    rows = [
        Row("test", f"a.csv:{n}", "a.csv", f"Question {n}?", [], "Real.",
            {"0002": ours, BASE: base, BRAND: brand})
        for n in range(12)
    ]  # fmt: skip
    known = Losses([3.0] * 20, [50] * 20, [3.0] * 16, [20] * 16)
    whole = Report(
        persona="acme", title="Acme", language="en", version="0002", live="0001", base_model="b",
        inputs="i", created="2026-11-23T10:00:00+00:00", seconds=1.0, examples={"train": 100},
        examples_changed=False, speakers=["0002", BASE],
        ruler=RulerCheck("", 0.95, intervals.Measure(1.0, 1.0, 1.0, 12)), rows=rows,
        losses={"0002": known, BASE: known}, planted=[], curve=[], advice=[],
    )  # fmt: skip
    return replace(whole, **changes)


GOOD = Told("Fine.", passes=1.0, nats=3.0, tokens=20, stranger=3.5)
UNTUNED = Told("Fine.", passes=0.0, nats=3.7, tokens=20, stranger=4.2)


def row_of(report: Report, name: str) -> gate.GateRow:
    return next(row for row in gate.rows(report, Gate()) if row.name == name)


def test_a_live_version_that_could_not_be_asked_is_no_pass() -> None:
    report = measured(GOOD, UNTUNED)
    found = gate.rows(report, Gate())
    assert [row.name for row in gate.refused(found, first=False)] == ["style_live"]
    told = words.gate_row(row_of(report, "style_live"), "en")
    assert "version 0001, which is live: it is damaged or runs on another base model" in told
    assert "--force --reason" in told
    assert "la versión 0001" in words.gate_row(row_of(report, "style_live"), "es")
    alone = gate.rows(replace(report, live=None), Gate())
    assert gate.refused(alone, first=True) == []


def test_a_damaged_live_version_is_not_replaced_unasked(asked: Workspace) -> None:
    store = AdapterStore(asked.adapters("acme"))
    shutil.copytree(store.folder / "0001", store.folder / "0002")
    (store.folder / "0001" / "adapter_model.safetensors").write_bytes(b"x")
    with pytest.raises(GateError, match="promote with --force --reason") as refused:
        promotion.promote(asked, "acme", 2)
    assert "style_live" in [row.name for row in refused.value.rows]
    assert store.live_number() == 1


def test_a_version_on_another_base_is_named_so(asked: Workspace) -> None:
    store = AdapterStore(asked.adapters("acme"))
    shutil.copytree(store.folder / "0001", store.folder / "0002")
    file = store.folder / "0001" / "version.json"
    other = json.loads(file.read_text()) | {"base_sha256": "0" * 64, "base_model": "another"}
    file.write_text(json.dumps(other))
    said: list[str] = []
    speakers, _ = asking.speakers(asked, store, store.get(2), 1, [BASE], said.append)
    assert [one.name for one in speakers] == ["0002", BASE]
    assert "Version 0001 runs on another, but 0002 on" in "".join(said)
    with pytest.raises(VersionError, match="0001 runs on another, but 0002 on"):
        asking.speakers(asked, store, store.get(2), 1, ["1"], said.append)


def test_a_version_is_measured_with_the_length_it_is_served_with(
    asked: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with today's: what was answered before stands, however short replies are to be now."""
    first = evaluate(asked, "acme", 1, against=["base"])
    file = asked.persona("acme") / "persona.yaml"
    file.write_text(re.sub(r"max_tokens: \d+", "max_tokens: 4", file.read_text()))
    assert Persona.load(file.parent).config.generation.max_tokens == 4

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("answered again, in four tokens")

    monkeypatch.setattr("brandbot.evaluation.speaking.Speaking.replies", refuse)
    assert evaluate(asked, "acme", 1, against=["base"]).rows == first.rows


def test_copying_counts_where_there_are_no_held_out_replies() -> None:
    asked_only = Told("Told.", grams=20, copied=20, longest=31)
    report = measured(asked_only, Told("Told."))
    rows = [
        replace(row, told={k: v for k, v in row.told.items() if k != BRAND}) for row in report.rows
    ]
    row = row_of(replace(report, rows=rows), "memorising")
    assert row.outcome == "fail" and row in gate.refused([row], first=True)
    assert words.gate_row(row, "en") == (
        "100.0% of what it says is copied in runs of twelve words; at most 5.0% above the brand's "
        "own 0.0% is allowed."
    )
    assert "100,0%" in words.gate_row(row, "es")
    fine = row_of(measured(replace(asked_only, copied=1), Told("Told.")), "memorising")
    assert fine.outcome == "unknown"  # half of it could not be measured


@pytest.mark.parametrize(("stranger", "outcome"), [(2.99, "fail"), (3.0, "fail"), (3.01, "pass")])
def test_whoever_does_not_listen_fails_although_the_untuned_did_not(
    stranger: float, outcome: str
) -> None:
    deaf = replace(UNTUNED, nats=3.7, stranger=3.65)
    row = row_of(measured(replace(GOOD, stranger=stranger), deaf), "listening")
    assert row.outcome == outcome and row.values["limit"] == 0


@pytest.mark.parametrize(
    ("said", "side"),
    [
        ("A", "A"), ("b", "B"), ("**B**", "B"), ("It's a tie.", "TIE"), ("A clear B", "B"),
        ("This is a clear B.", "B"), ("A is stiff and B warm, so B, a clear win", "B"), ("?", "TIE"),
        ("A. B is too formal.", "A"), ("**A** – warmer than B.", "A"), ("A\n\nB ignores it.", "A"),
    ],
)  # fmt: skip
def test_a_judges_last_word_is_its_verdict(said: str, side: str) -> None:
    assert judge._side(said) == side


def test_the_terminal_writes_figures_as_the_gate_does() -> None:
    loss = intervals.Measure(-0.13, -0.2, -0.05, 20)
    assert screen_evaluation._cell(loss, "nats", "es") == "−0,13 [dim]−0,20–−0,05[/]"
    assert screen_evaluation._cell(loss, "nats", "en") == "−0.13 [dim]−0.20–−0.05[/]"
    share = intervals.Measure(0.5, 0.404, 0.6, 20)
    assert screen_evaluation._cell(share, "share", "es") == "50% [dim]40%–60%[/]"


# --- What would mislead -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer, language, handoff, expected",
    [
        ("Yes, we do gift boxes. Try the big one!", "en", [], False),
        ("Yes, it is vegan, call us any time.", "en", [], False),
        ("Sí, damos ese préstamo, no tengo duda.", "es", [], False),
        ("No tengo ese dato.", "es", [], True),
        ("Try the counter.", "en", [], True),
        ("Oui, bien sûr.", "fr", ["Demandez au comptoir."], False),
        ("Demandez au comptoir !", "fr", ["Demandez au comptoir."], True),
    ],
)
def test_agreeing_is_not_declining(
    answer: str, language: str, handoff: list[str], expected: bool
) -> None:
    assert metrics.declines(answer, language, [], handoff) is expected


@pytest.mark.parametrize(
    ("answer", "text", "holds"),
    [
        ("It is £3.40.", "£3", False),
        ("Cuesta 110 €.", "10 €", False),
        ("We close at 19 pm.", "9 pm", False),
        ("Interés 1,5 %.", "5 %", False),
        ("Son 10 €.", "10 €", True),
        ("It is £3.", "£3", True),
        ("Cuesta 3.40 €.", "3,40 €", True),
        ("£3.4 it is.", "£3.40", True),
        ("Llama al 600 123 456.", "600123456", True),
        ("Llama al 600123456.", "600 123 456", True),
        ("Son 1500 €.", "500", False),
    ],
)
def test_a_price_is_right_as_a_whole_number(answer: str, text: str, holds: bool) -> None:
    assert grounding.right(answer, [text], [], "") is holds
    assert grounding.right(f"Yes. {answer}", ["yes"], [text], "") is not holds


@pytest.mark.parametrize(
    ("text", "answer", "found"),
    [
        ("Sunday: closed.", "We are closed on Sundays.", []),
        ("Americano: £3", "All our Americanos are £3.", []),
        ("Abrimos en Málaga.", "Estamos en Malaga, no en Malagón.", ["Malagón"]),
        ("Teléfono 600123456", "Llama al 600 123 456 o al 600 123 457.", ["600 123 457"]),
        ("Phone 600 123 456", "It is 600123456, not 600123457.", ["600123457"]),
        ("Hasta 12500 €", "Son 12 500,00 €, no 12 600.", ["12", "600"]),
        ("Tables for 2 3", "We have 23.", ["23"]),
        ("Latte £3.40", "Here:\n1. Latte £3.40\n2. Latte again", []),
        ("Latte £3.40", "Here:\n7. Latte £3.40", ["7"]),
        ("Ask Maren.", "Says Marens, and Karen's too.", ["Karen's"]),
        ("Until 12.05.2024", "Until 12 May 2024, 12/05/2024 or 12.5.2024.", []),
        ("Until 12.05.2024", "Until 13.05.2024.", ["13"]),
        ("Son 1 200 €", "Son 1.200 €, 1200 € o 1 200 €, no 1 300 €.", ["300"]),
        ("Opens 20:30", "Opens 20h30, not 20h45.", ["20:45"]),
        ("Masaje 1 h 45 €. Parking 24 h 18 €", "1 h cuesta 45 €; 24 h de parking, 18 €.", []),
        ("Dura 1 h 30 min.", "Dura 1 hora y 30 minutos.", []),
        ("Dura 1 hora y 30 minutos.", "Dura 1 h 30 min.", []),
        ("We close at 5pm.", "We close at 5 p.m., not at £5.", ["5"]),
        ("El corte son 15 y el tinte 35.", "El corte son 15 € y el tinte 35 €.", []),
        ("12 (VAT included), 40 + IVA, 30.-, 25 pp", "£12, 40 €, 30 € o £25", []),
        ("Classes are £5-10. That's 4 quid. A 12 la hora.", "£10, £4 o 12 € la hora", []),
        ("Phone +34600123456", "It is 600 123 456 or 600-123-456.", []),
        ("Phone 600 123 456", "It is +34 600 123 456.", []),
        (
            "We close at 5pm. Free wifi.",
            "OK! We close at 5 PM and have Wi-Fi, Dr Watson.",
            ["Watson"],
        ),
        ("Hay leche.", "Hay leche.\n- Pásate cuando quieras\n• Ven pronto", []),
        (
            "See https://cafe.es/menu, me@cafe.es",
            "**https://cafe.es/menu** <https://cafe.es/menu> `cafe.es/menu` "
            "[cafe.es/menu](https://cafe.es/menu) _me@cafe.es_ https://cafe.es/menu…",
            [],
        ),
        ("See https://cafe.es/menu", "See **cafe.es/card**.", ["cafe.es/card"]),
        # A number of something else is no price and no share.
        (
            "Abrimos a las 9:00. Somos 4 en la tienda.",
            "Somos 4. El menú cuesta 9 € y el café 4 €, con un 4 % menos.",
            ["9", "4", "4"],
        ),
        ("Latte: Small 3.60, Large 4", "A small one is £3.60, a large one £4 or 4 euros.", []),
        ("Entre 30 y 40 €, 5-10 %", "De 30 a 40 €, un 5 % o un 10 por ciento.", []),
        ("Habitación: 60 por noche", "Son 60 € por noche.", []),
        ("10% off for 20 people", "We take 10 % off, not 20%.", ["20"]),
        # Halves of two telephones are none; days and hours are no telephone.
        ("Ring 600 123 456 or 600 789 012", "Ring 600 123 012.", ["600 123 012"]),
        ("On 2026-11-27 at 10", "On 2026-11-27 10:30.", ["10:30"]),
        ("Phone (0131) 555 0199", "It is 01315550199 or 0131 555 0199.", []),
        ("Tel. 93.212.34.56", "93 212 34 56 o 932123456, no 93.212.34.57", ["93.212.34.57"]),
        ("Open Mon-Fri 9-17", "Open Monday to Friday, not Sunday.", ["Sunday"]),
        ("Sizes 36,38,40", "It comes in 36, 38 and 40, not 42.", ["42"]),
        ("Café: 0,50 €, 0,750 l", "Son 50 céntimos por 0,75 l, no 60 céntimos.", ["60"]),
        ("Agua 0,50 €, 0,5 % de descuento", "Son 50 € con un 50 %.", ["50", "50"]),
        (
            "A terrace in the sun. We sat down.",
            "Come on Sunday or Saturday.",
            ["Sunday", "Saturday"],
        ),
        ("Closed in Mar. and on Mar.", "No abrimos en Marzo ni los Martes ni Lunes.", ["Lunes"]),
        ("Pay.", "1\ufe0f\u20e3 Book 2\ufe0f\u20e3 Pay :) Visit us → Come", []),
    ],
)
def test_what_is_written_in_another_way_is_no_invention(
    text: str, answer: str, found: list[str]
) -> None:
    common = stop_words("es" if "é" in text or "á" in text or "€" in text else "en")
    assert Known([text], common).inventions(answer, "") == found


def test_a_fact_of_something_else_is_no_price_and_a_prompts_number_may_be() -> None:
    known = Known([], stop_words("en"))
    assert known.inventions("Parking costs £37.", "", ["Parking: 37 spaces"]) == ["37"]
    assert known.inventions("The tour is £9.", "", ["Open from 9 to 17."]) == ["9"]
    assert known.inventions("It's £12, or £3.40.", "", ["Tour: 12 per person", "Latte: 3.40"]) == []
    assert known.inventions("Yes, for £37.", "I have 37 with me", ["Parking: 37 spaces"]) == []


def test_right_is_nothing_by_chance() -> None:
    assert not grounding.right("", [], [], "Yes.") and grounding.right("Yes, do.", [], [], "Yes.")
    assert not grounding.right("We never close", [], [], "9 am to 5")
    assert not grounding.right("I don't know", ["no"], [], "") and grounding.right(
        "No.", ["no"], [], ""
    )


def test_a_prompt_longer_than_the_model_is_left_out_by_name(trained: Path) -> None:
    """It once stopped every evaluation, and named no file."""
    workspace = Workspace(trained)
    version = AdapterStore(workspace.adapters("acme")).get(1)
    base = models.resolve(version.meta["base_model"], workspace.models)
    speaker = Speaker("0001", version.persona, version.prompt_format(base), version)

    def asked(text: str, place: str) -> Asked:
        return Asked((Message("user", text),), place, "evals/a.jsonl")

    short, long = asked("Tea?", "evals/a.jsonl:1"), asked("Tea and " * 2000, "evals/a.jsonl:2")
    said: list[str] = []
    assert asking.with_room([short, long], speaker, said.append) == [short]
    assert said == ["evals/a.jsonl:2 is left out: too long for the model."]
    with pytest.raises(VersionError, match="Shorten"):
        asking.with_room([long], speaker, said.append)
