"""Which facts answer a question: what brandbot trained tells, and how it is trained."""

from __future__ import annotations

import importlib
import json
import math
import random
import shutil
import sys
import tomllib
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from brandbot.adapters import Version
from brandbot.errors import ModelError
from brandbot.knowledge import lookup
from brandbot.knowledge.lookup import ANSWERS, ASKS
from brandbot.knowledge.reranker import (
    ADAPTERS,
    FACT,
    MESSAGE,
    SCALE,
    SHIFT,
    TWICE,
    Reranker,
    open_reranker,
    pair,
)
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace
from tests.conftest import ROOT


@pytest.fixture(scope="module")
def train() -> Iterator[ModuleType]:
    """The script that made brandbot's adapter."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "reranker")
        yield importlib.import_module("train")


@pytest.fixture(scope="module")
def data(train: ModuleType) -> ModuleType:
    """What it learns."""
    return sys.modules["data"]


@pytest.fixture(scope="module")
def encoder(train: ModuleType) -> ModuleType:
    """What learns."""
    return sys.modules["encoder"]


@pytest.fixture
def gemma(tmp_path: Path, tiny: Callable[[str], Path]) -> Path:
    """A tiny Gemma of this test's own."""
    return shutil.copytree(tiny("gemma3_text"), tmp_path / "gemma")


def test_without_the_base_model_it_is_said_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="brandbot models get gemma-3-270m") as told:
        open_reranker(tmp_path)
    assert "knowledge.reranker: false" in str(told.value)


@pytest.mark.parametrize("damaged", ["model.safetensors", "tokenizer.json", "config.json"])
def test_a_damaged_base_model_says_what_to_do(gemma: Path, damaged: str) -> None:
    (gemma / damaged).write_bytes((gemma / damaged).read_bytes()[:40])
    with pytest.raises(ModelError, match="brandbot models get gemma-3-270m"):
        Reranker(gemma)


def test_a_damaged_adapter_says_to_install_again(
    tmp_path: Path, gemma: Path, train: ModuleType
) -> None:
    cut = tmp_path / "answers.safetensors"
    cut.write_bytes(ADAPTERS[0].read_bytes()[:1000])
    with pytest.raises(ModelError, match="Install brandbot again"):
        Reranker(gemma, cut)
    whole = train.CrossEncoder(gemma, "cpu", torch.float32).stored()
    save_file(whole, cut)
    Reranker(gemma, cut)
    query = "layers.0.self_attn.q_proj.lora_B"
    for spoilt in (
        {**whole, "head": torch.ones(2)},
        {name: weights for name, weights in whole.items() if name != query},
        {**whole, query: whole[query][:2]},
    ):
        save_file(spoilt, cut)
        with pytest.raises(ModelError, match="Install brandbot again"):
            Reranker(gemma, cut)


def test_the_likeliest_facts_are_read_twice(
    tmp_path: Path, gemma: Path, train: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their odds are the mean of both models', and nothing that was read once is likelier."""
    monkeypatch.setattr("brandbot.precision.use_bf16", lambda: False)
    files = []
    for seed in (1, 2):
        torch.manual_seed(seed)
        reader = train.CrossEncoder(gemma, "cpu", torch.float32)
        for name, weight in reader.adapter.items():
            if name.endswith("lora_B") or name == "head":
                torch.nn.init.normal_(weight, std=0.1)
        files.append(tmp_path / f"{seed}.safetensors")
        save_file(reader.stored(), files[-1])
    lines = ["tea: two", "for: s", "two: tea", "a cup of it: three", "none", "open: at nine"]
    asks, one = Reranker(gemma, files[0]).read("tea for two", lines)
    other = Reranker(gemma, files[1]).read("tea for two", lines)[1]
    asked, both = Reranker(gemma, *files).read("tea for two", lines)
    assert asked == pytest.approx(asks)
    twice = sorted(range(6), key=lambda place: -one[place])[:TWICE]
    for place in twice:
        mean = (
            np.log(one[place] / (1 - one[place])) + np.log(other[place] / (1 - other[place]))
        ) / 2
        assert both[place] == pytest.approx(1 / (1 + np.exp(-mean)), abs=1e-3)
    least = min(both[place] for place in twice)
    for place in set(range(6)) - set(twice):
        assert both[place] == pytest.approx(min(one[place], least), abs=1e-3)
    assert Reranker(gemma, *files).read("tea for two", [])[1] == []


def test_a_base_model_that_lacks_a_weight_is_refused(gemma: Path) -> None:
    weights = load_file(gemma / "model.safetensors")
    del weights["model.norm.weight"]
    save_file(weights, gemma / "model.safetensors")
    with pytest.raises(ModelError, match="damaged or not whole"):
        Reranker(gemma)


# --- What brandbot trained tells --------------------------------------------------------------------


@pytest.fixture(scope="module")
def reranker(embedded: Path) -> Reranker:
    return open_reranker(embedded)


SWIMMING = [
    "Prices: Adults £6.20, students with a card £4.10.",
    "Prices: A ten-swim pass costs £52 and lasts a year.",
    "Opening hours: Monday to Friday 6.30 am to 9 pm, Saturday 8 am to 6 pm.",
    "Rules: Children under eight must be in the water with an adult.",
    "Lockers: They take a £1 coin, which you get back.",
]
PISCINA = [
    "Precios: Adultos 6,20 €, estudiantes con carné 4,10 €.",
    "Precios: El bono de diez baños cuesta 52 € y dura un año.",
    "Horario: De lunes a viernes de 6:30 a 21:00, sábados de 8:00 a 18:00.",
    "Normas: Los menores de ocho años entran al agua con un adulto.",
    "Taquillas: Funcionan con una moneda de 1 €, que se devuelve.",
]


@pytest.mark.parametrize(
    ("facts", "question", "right"),
    [
        (SWIMMING, "what do i pay if im at university", 0),
        (SWIMMING, "how long can I use the pass for ten swims?", 1),
        (SWIMMING, "till when are you open on saturdays", 2),
        (SWIMMING, "Can my six year old swim by herself?", 3),
        # Short and plain, as near misses mostly are in what it was trained on at first.
        (SWIMMING, "what do students pay", 0),
        (SWIMMING, "adult price these days", 0),
        (PISCINA, "precio adultos", 0),
        (PISCINA, "cuánto pagan los estudiantes", 0),
        (PISCINA, "cuanto pago si voy a la universidad", 0),
        (PISCINA, "¿cuánto dura el bono de diez?", 1),
        (PISCINA, "hasta que hora abris los sabados", 2),
        (PISCINA, "mi hija de seis años puede bañarse sola?", 3),
    ],
)
def test_the_fact_that_answers_is_the_likeliest(
    reranker: Reranker, facts: list[str], question: str, right: int
) -> None:
    asks, chances = reranker.read(question, facts)
    assert asks >= ASKS
    assert int(np.argmax(chances)) == right and chances[right] >= ANSWERS


@pytest.mark.parametrize(
    ("facts", "question"),
    [
        (SWIMMING, "is there a discount for pensioners"),
        (SWIMMING, "How deep is the pool?"),
        (SWIMMING, "what does the sauna cost"),
        (PISCINA, "haceis descuento a jubilados"),
        (PISCINA, "¿qué profundidad tiene la piscina?"),
        (PISCINA, "a cuanto esta el agua de la piscina"),
    ],
)
def test_a_near_miss_answers_nothing(reranker: Reranker, facts: list[str], question: str) -> None:
    asks, chances = reranker.read(question, facts)
    assert asks >= ASKS and max(chances) < ANSWERS


@pytest.mark.parametrize(
    "message",
    [
        "haha you are funny", "I had the worst day at work", "are you a robot?",
        "write me a poem about swimming", "qué risa me das", "hoy estoy de bajón, la verdad",
        "¿eres una persona?", "escríbeme un poema sobre el mar",
    ],
)  # fmt: skip
def test_talk_asks_for_no_fact(reranker: Reranker, message: str) -> None:
    asks, chances = reranker.read(message, [*SWIMMING, *PISCINA])
    assert asks < ASKS and max(chances) < ANSWERS


def test_what_it_was_trained_on_is_sound(data: ModuleType) -> None:
    told: dict[bool, set[str]] = {True: set(), False: set()}
    for held_out in (True, False):
        for business in data.rows("businesses.jsonl", held_out=held_out):
            places = range(len(business["facts"]))
            assert len(business["asks"]) >= 30 and len(places) >= 25
            assert all(at in places for ask in business["asks"] for at in ask["a"])
            assert 8 <= sum(not ask["a"] for ask in business["asks"]) <= 28
            facts = [ask["fact"] for ask in business["asks"] if "fact" in ask]
            nears = [ask["near"] for ask in business["asks"] if "near" in ask]
            assert all(fact["h"] and fact["t"] for fact in (*facts, *nears))
            assert all(
                "fact" in a and a["near"] != a["fact"] for a in business["asks"] if "near" in a
            )
            # Measured with what answers and without, so that the wording tells nothing.
            assert not held_out or all("fact" in a or a["a"] for a in business["asks"])
            for talk in business["dialogues"]:
                assert talk["first"] and talk["then"] and all(at in places for at in talk["a"])
            told[held_out] |= {fact["t"] for fact in (*business["facts"], *facts, *nears)}
    # What several businesses have alike, such as hours, may stand on both sides.
    assert len(told[True] & told[False]) < 0.02 * len(told[True])
    trained = {row["message"] for row in data.rows("talk.jsonl", held_out=False)}
    assert not trained & {row["message"] for row in data.rows("talk.jsonl", held_out=True)}


def test_topics_are_learned_beside_what_seems_to_answer_them(data: ModuleType) -> None:
    topics = data.rows("topics.jsonl", held_out=False)
    assert not {row["topic"] for row in topics} & {
        row["topic"] for row in data.rows("topics.jsonl", held_out=True)
    }
    asked = Counter(ask for row in topics if row["lang"] == "es" for ask in row["asks"])
    of = {
        ask: row
        for row in topics
        if row["lang"] == "es"
        for ask in row["asks"]
        if asked[ask] == 1  # two topics may share a question
    }
    answers = {ask: set(map(data.as_line, row["facts"])) for ask, row in of.items()}
    seeming = {ask: set(map(data.as_line, row["near"])) for ask, row in of.items()}
    groups = [group for group in data.topics("es") if group.wrong and group.message in of]
    assert len(of) < len(groups) < 2 * len(of)
    for group in groups:
        assert set(group.right) in (set(), answers[group.message])
        assert not set(group.wrong) & answers[group.message]
        # A line of a business that might answer is neither right nor wrong.
        beside = set(group.wrong) - seeming[group.message]
        stems = of[group.message]["stems"]
        assert not any(stem in line.lower() for _, line in beside for stem in stems)
    drawn = data.drawn([group for group in groups if group.right][:100])
    assert all(len(group.right) == 1 and len(group.wrong) >= 5 for group in drawn)


def test_what_only_looks_like_an_answer_is_learned_beside_it(data: ModuleType) -> None:
    near = {
        data.as_line(ask["fact"]): data.as_line(ask["near"])
        for row in data.rows("businesses.jsonl", held_out=False)
        for ask in row["asks"]
        if "near" in ask
    }
    groups = [group for group in data.businesses() if group.right and group.right[0] in near]
    drawn = data.drawn(groups[:200])
    assert len(drawn) == 200 and all(near[group.right[0]] in group.wrong for group in drawn)


@pytest.mark.parametrize("language", ["en", "es"])
def test_businesses_it_never_saw(reranker: Reranker, train: ModuleType, language: str) -> None:
    """Some questions to those that are held out; docs/notes.md has the figures of all.

    Each with twelve facts, as many as for a reply, and without the one that answers it.
    """
    random.seed(1)
    groups = [group for lang, group in train.held_out() if lang == language]
    right, best, none = [], [], []
    for group in groups[:: len(groups) // 120]:
        lines = [line for line, _ in (*group.right, *group.wrong)]
        chances = reranker.read(group.message, lines)[1]
        right.append(int(np.argmax(chances)) < len(group.right))
        best.append(max(chances))
        none.append(max(chances[len(group.right) :]))
    above = np.mean([(one > np.array(none)).mean() for one in best])
    assert np.mean(right) >= 0.8 and above >= 0.88, (np.mean(right), above)


def test_it_is_in_the_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    files = settings["tool"]["setuptools"]["package-data"]["brandbot.knowledge"]
    assert [ROOT / "brandbot" / "knowledge" / file for file in files] == list(ADAPTERS)


def test_the_terms_of_what_it_was_trained_on_travel_with_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    notice, terms = (ROOT / name for name in project["license-files"][1:])
    told = " ".join(notice.read_text(encoding="utf-8").split())
    assert "Gemma is provided under and subject to the Gemma Terms of Use" in told
    assert terms.relative_to(ROOT).as_posix() in told and "Gemma" in project["license"]
    assert "Section 3: DISTRIBUTION AND RESTRICTIONS" in terms.read_text(encoding="utf-8")


def test_of_a_message_the_end_is_read_and_of_a_fact_the_beginning() -> None:
    read = pair(list(range(100)), list(range(1000, 1200)), 7, 8)
    assert read[:2] == [7, 100 - MESSAGE] and len(read) == MESSAGE + FACT + 3
    assert read[-2:] == [1000 + FACT - 1, 8] and read[MESSAGE] == 99


def test_pairs_are_packed_whole_and_see_only_themselves(
    gemma: Path, encoder: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [[2, *range(3, 3 + size)] for size in (5, 9, 2, 30, 17, 9)]
    rows = encoder.pack(pairs, 2)
    for place, end in enumerate(rows.ends.tolist()):
        row, last = divmod(end, encoder.WIDTH)
        mine = rows.of[row] == rows.of[row, last]
        assert rows.ids[row][mine].tolist() == pairs[place]
    assert encoder.pack([[2] * 200] * 3, 2) is None
    reader = encoder.CrossEncoder(gemma, "cpu", torch.float32)
    alone = [reader.odds(encoder.pack([pair], 1)).item() for pair in pairs]
    assert reader.odds(rows).tolist() == pytest.approx(alone, abs=1e-4)


def test_a_loss_is_no_less_than_nothing(train: ModuleType) -> None:
    """Once it was: a right fact's odds above 30 paid, and a training ran away."""
    right, message = torch.tensor([1.0, 0.0, 1.0, 0.0]), torch.tensor([0, 0, 1, 2])
    for odds in ([3.0, -2.0, 1.0, 0.5], [500.0, -500.0, 40.0, -90.0], [-500.0, 500.0, 0.0, 9e4]):
        given = torch.tensor(odds, requires_grad=True)
        lost = train.loss(given, right, message)
        first, second = torch.tensor(odds[:2]).double()
        chosen = (torch.logaddexp(first, second) - first) / 2
        pairs = torch.nn.functional.softplus(torch.tensor(odds) * (1 - 2 * right)).mean()
        assert lost.item() == pytest.approx((pairs + 0.3 * chosen).item(), rel=1e-5)
        lost.backward()
        assert (given.grad * (1 - 2 * right) >= -1e-6).all()  # right up, wrong down


def test_training_goes_down_and_the_adapter_gives_its_odds(
    tmp_path: Path, gemma: Path, train: ModuleType, encoder: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A tiny model, trained; read by transformers' own."""
    monkeypatch.setattr("brandbot.precision.use_bf16", lambda: False)
    torch.manual_seed(0)
    groups = [
        train.Group("tea for two", (("tea: two", "tea: two"),), (("for: s", "for: s"),)),
        train.Group("for", (), (("", ""), ("two: tea", "two: tea"))),
    ]
    tokenizer = Tokenizer.from_file(str(gemma / "tokenizer.json"))
    begin = json.loads((gemma / "config.json").read_text())["bos_token_id"]

    def tokens(text: str) -> list[int]:
        return tokenizer.encode(text, add_special_tokens=False).ids

    reader = encoder.CrossEncoder(gemma, "cpu", torch.float32)
    steps = train.Steps(groups * 400, tokens, begin, 2)
    step = next(iter(steps))
    first = train.loss_of(reader, step).item()
    train.learn(reader, steps, math.inf, rate=3e-3)
    after = train.loss_of(reader, step).item()
    assert after < 0.5 * first
    again = encoder.CrossEncoder(gemma, "cpu", torch.float32)
    again.load(reader.stored())
    assert train.loss_of(again, step).item() == pytest.approx(after, abs=0.02)
    file = tmp_path / "adapter.safetensors"
    save_file(reader.stored(), file)
    lines, (line,) = ["", "for: s, and more of it", "two"], tokens("\n")
    pairs = [pair(tokens("tea for two"), tokens(fact), begin, line) for fact in lines]
    nothing, *odds = reader.odds(encoder.pack(pairs, 1)).tolist()
    asks, chances = Reranker(gemma, file).read("tea for two", lines[1:])
    assert asks == pytest.approx(1 / (1 + math.exp(-nothing)), abs=0.005)
    assert chances == pytest.approx(
        [1 / (1 + math.exp(-(SCALE * one + SHIFT))) for one in odds], abs=0.005
    )


# --- In the lookup ----------------------------------------------------------------------------------

POOL = """# Saltwick Baths

## Prices

- Adults £6.20, students with a card £4.10.
- A ten-swim pass costs £52 and lasts a year.

## Opening hours

Monday to Friday 6.30 am to 9 pm, Saturday 8 am to 6 pm.

## Lockers

They take a £1 coin, which you get back.
"""


@pytest.fixture
def baths(workspace: Path, embedded: Path, monkeypatch: pytest.MonkeyPatch) -> Persona:
    monkeypatch.setenv("BRANDBOT_MODELS", str(embedded))
    folder = workspace / "personas" / "acme"
    (folder / "knowledge").mkdir()
    (folder / "knowledge" / "baths.md").write_text(POOL)
    with (folder / "persona.yaml").open("a") as stream:
        stream.write("knowledge: {embedder: use-multilingual}\nhandoff: [Ask the keeper.]\n")
    persona = Persona.load(folder)
    lookup.update_index(Workspace(workspace), persona)
    return persona


def found(workspace: Path, persona: Persona, *said: str) -> lookup.Found:
    talk = [Message(("user", "assistant")[at % 2], text) for at, text in enumerate(said)]
    documents = lookup.Lookup(Workspace(workspace), "acme")
    return documents.find(talk, persona.config.knowledge)


def test_the_answer_is_quoted_and_a_near_miss_declined(workspace: Path, baths: Persona) -> None:
    right = found(workspace, baths, "what do students pay")
    assert right.quote.startswith("Adults £6.20, students with a card £4.10.")
    assert right.hits[0].passage.heading == "Prices" and len(right.hits) <= 4
    assert right.best == right.facts[0] and right.best.score >= lookup.ANSWERS
    # Not four facts, as search alone gives: of the others a small model would say some, too.
    assert [fact.quote[:6] for fact in right.facts] == ["Adults"]
    missed = found(workspace, baths, "Is there a discount for pensioners?")
    assert missed.facts == () and missed.quote == "" and missed.beyond
    assert missed.hits and missed.best is not None and missed.best.score < lookup.ANSWERS


def test_a_question_goes_on_from_the_one_before(workspace: Path, baths: Persona) -> None:
    before = ("What do adults pay?", "£6.20.")
    assert "£52" in found(workspace, baths, *before, "and a ten-swim pass?").quote
    assert "coin" in found(workspace, baths, *before, "got lockers?").quote
    passes = ("How much is a ten-swim pass?", "£52.")
    assert "lasts a year" in found(workspace, baths, *passes, "how long does that last?").quote
    told = ("I'd like a ten-swim pass", "Of course.")
    deep = found(workspace, baths, *told, "how deep is that pool then?")
    assert deep.quote == "" and deep.beyond
    talk = found(workspace, baths, *before, "haha")
    assert talk.facts == () and not talk.beyond


@pytest.mark.parametrize("doubt", ["Are you sure about the students?", "really?", "¿Seguro?"])
def test_who_doubts_an_answer_gets_it_again(workspace: Path, baths: Persona, doubt: str) -> None:
    before = ("What do students pay?", "£4.10.")
    assert "£4.10" in found(workspace, baths, *before, doubt).quote
    assert found(workspace, baths, "How deep is the pool?", "No idea.", doubt).facts == ()
    assert found(workspace, baths, doubt).facts == ()


def test_two_questions_in_one_get_both_answers(workspace: Path, baths: Persona) -> None:
    told = found(workspace, baths, "what do students pay and when are you open on saturdays?")
    assert "£4.10" in told.quote and "Saturday 8 am to 6 pm" in told.quote
    asked = found(workspace, baths, "Are you a real person? And what do students pay?")
    assert asked.quote.startswith("Adults £6.20, students with a card £4.10.")


def test_what_states_something_is_no_question(workspace: Path, baths: Persona) -> None:
    for said in (
        "I swam here yesterday and my hair is green", "my locker is haunted",
        "Are you a real person?",
    ):  # fmt: skip
        talk = found(workspace, baths, said)
        assert talk.quote == "" and not talk.beyond


def test_without_it_search_alone_decides(workspace: Path, baths: Persona) -> None:
    alone = baths.config.knowledge.model_copy(update={"reranker": False})
    documents = lookup.Lookup(Workspace(workspace), "acme")
    told = documents.find([Message("user", "what does a ten-swim pass cost")], alone)
    assert "£52" in told.quote and told.asks is None


def test_a_long_message_is_read_to_its_end(workspace: Path, baths: Persona, embedded: Path) -> None:
    before = (
        "We moved to Saltwick in March and I still can't find my way round, it is all hills here. "
        "My flatmate has gone home for the summer, the cat hates the new kitchen, and it has been "
        "raining since Tuesday, so I thought I had better do something before I grow into the sofa. "
        "I used to be in the water every morning when I was at school, and my old teacher would "
        "laugh if she saw me now, out of breath after one flight of stairs. Anyway, I am on the "
        "second year of my course, with the card and everything, and not much money left at the "
        "end of the month, what with the rent, the bus and the cat. The nurse says I should move "
        "more, and so does my sister, who runs up mountains before breakfast and sends me pictures, "
        "and I have promised both of them that I will begin this very week, rain or no rain. "
    )
    assert len(open_reranker(embedded)._tokens(before)) > 3 * MESSAGE
    told = found(workspace, baths, f"{before}How much is it for students?")
    assert told.quote.startswith("Adults £6.20, students with a card £4.10.")
    assert found(workspace, baths, f"{before}How deep is the pool?").facts == ()


def test_a_version_from_before_there_was_a_reranker_goes_on_without(
    workspace: Path, baths: Persona
) -> None:
    folder = workspace / "version"
    folder.mkdir()
    for name in ("persona.yaml", "voice.md"):
        shutil.copy(baths.folder / name, folder / name)
    meta = {"persona": "acme"}
    assert not Version(folder, meta).persona.config.knowledge.reranker
    text = (folder / "persona.yaml").read_text().replace("{embedder", "{reranker: true, embedder")
    (folder / "persona.yaml").write_text(text)
    assert Version(folder, meta).persona.config.knowledge.reranker
