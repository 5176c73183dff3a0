"""What check says of a persona's examples: each finding, and the near miss it must not make."""

from __future__ import annotations

import json
import os
import socket
from collections import defaultdict
from pathlib import Path

import pytest

from brandbot import examples, lint, lint_pairs, lint_privacy, lint_text, questions, starter, tables
from brandbot.examples import Example
from brandbot.persona import Rules
from brandbot.prompt import Message
from brandbot.texts import tell
from tests.conftest import ROOT

Row = tuple[str, ...]


def checked(
    folder: Path,
    *rows: Row,
    settings: str = "",
    voice: str = "Talk plainly.",
    evals: str | None = None,
) -> lint.Check:
    """A persona with one example a row: what is said in turn, the person first."""
    examples = folder / "examples"
    examples.mkdir(exist_ok=True)
    (folder / "persona.yaml").write_text(f"name: Acme\n{settings}", encoding="utf-8")
    (folder / "voice.md").write_text(voice, encoding="utf-8")
    lines = [
        json.dumps(
            {
                "messages": [
                    {"role": ("user", "assistant")[turn % 2], "content": text}
                    for turn, text in enumerate(row)
                ]
            }
        )
        for row in rows
    ]
    (examples / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    if evals is not None:
        (folder / "evals").mkdir(exist_ok=True)
        (folder / "evals" / "q.jsonl").write_text(evals, encoding="utf-8")
    return lint.check(folder)


def named(check: lint.Check) -> list[tuple[str, str, int | None]]:
    """Severity, code and line of all findings but the number of examples; each can be told."""
    for problem in check.problems:
        assert tell(problem, "en").line
        assert tell(problem, "es").line
    few = ("too-few", "more-wanted")
    return [(p.severity, p.code, p.line) for p in check.problems if p.code not in few]


# --- The demo brands ------------------------------------------------------------------------------


@pytest.mark.parametrize("brand", ["lighthouse", "letraclara"])
def test_the_demo_brands_are_clean(brand: str) -> None:
    check = lint.check(ROOT / "personas" / brand)
    assert [(p.place, p.code, p.values) for p in check.problems] == []
    assert check.verdict == "good"
    assert check.ok
    counts = check.counts
    assert counts["total"] == counts["train"] + counts["valid"] + counts["test"] >= 150


# --- How many -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("count", "verdict", "finding"),
    [
        (0, "too-few", ("error", "too-few")),
        (19, "too-few", ("error", "too-few")),
        (20, "more-wanted", ("warning", "more-wanted")),
        (99, "more-wanted", ("warning", "more-wanted")),
        (100, "good", None),
        (500, "good", None),
        (501, "plenty", None),
    ],
)
def test_how_many(
    tmp_path: Path, count: int, verdict: str, finding: tuple[str, str] | None
) -> None:
    check = checked(tmp_path, *((f"{n} {n * n}", f"Reply {n * 7} {n}.") for n in range(count)))
    assert check.verdict == verdict
    assert check.counts["total"] == count
    amounts = [(p.severity, p.code) for p in check.problems if p.code in ("too-few", "more-wanted")]
    assert amounts == ([finding] if finding else [])


def test_that_nothing_is_held_out_is_said_before_training(tmp_path: Path) -> None:
    """After it, the version could not be measured, and nobody had been told."""
    rows: list[tuple[str, str]] = []
    for number in range(200):
        row = (f"{number} lamps, or {number * number}?", f"Reply {number * 7} {number}.")
        example = Example((Message("user", row[0]), Message("assistant", row[1])))
        rows += [row] if example.split != "test" else []
    rows, code = rows[:25], ("warning", "none-held-out", None)
    assert code in named(checked(tmp_path, *rows))
    assert code not in named(checked(tmp_path, *rows[:10]))  # too few to train, which is told
    asked = json.dumps({"prompt": "Is the lamp lit?", "expect": "It is."})
    assert code not in named(checked(tmp_path, *rows, evals=asked))


def test_progress_and_json(tmp_path: Path) -> None:
    checked(tmp_path, ("Hi", "Hello there."), ("Price?", "It is €3."), settings="language: es\n")
    seen: list[tuple[int, int]] = []
    check = lint.check(tmp_path, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    told = check.to_json()
    assert list(told) == ["persona", "counts", "files", "verdict", "findings"]
    assert told["persona"] == tmp_path.name
    assert told["counts"]["total"] == 2
    assert [f["code"] for f in told["findings"]] == ["too-few", "changing-fact"]
    assert told["findings"][1] == {
        "severity": "warning",
        "code": "changing-fact",
        "file": "a.jsonl",
        "line": 2,
        "what": "Una respuesta contiene un precio (€3).",
        "why": "Los datos cambian y lo aprendido se queda: el bot seguiría diciendo el viejo.",
        "fix": "Quítalo de la respuesta y escríbelo en un documento de knowledge/.",
    }
    assert json.loads(json.dumps(told)) == told


def test_no_folder_at_all(tmp_path: Path) -> None:
    check = lint.check(tmp_path / "nobody")
    codes = [(p.severity, p.code) for p in check.problems]
    assert codes == [
        ("error", "no-examples-folder"),
        ("error", "too-few"),
        ("error", "no-persona-yaml"),
    ]
    assert check.persona is None


def test_no_voice(tmp_path: Path) -> None:
    assert named(checked(tmp_path, ("Hi", "Hello there."), voice="<!-- later -->")) == [
        ("warning", "no-voice", None)
    ]


# --- Examples beside each other -------------------------------------------------------------------

LONG = (
    "Bring it to the counter with the receipt and somebody will have a look at it while you have "
    "a coffee by the window, it seldom takes longer than the cup does."
)


def test_duplicates(tmp_path: Path) -> None:
    check = checked(
        tmp_path,
        ("Do you deliver?", "We do."),
        ("Something else", "Quite so."),
        ("do you  DELIVER", "We do!"),
        ("My kettle broke, can you mend it?", LONG),
        ("My kettle broke, can you mend it?", LONG.replace("seldom", "rarely")),
        ("My boots leak, can you help me?", "Ask a cobbler, we only know kettles and coffee."),
    )
    assert named(check) == [("warning", "duplicate", 3), ("warning", "near-duplicate", 5)]
    others = {p.code: p.values["other"] for p in check.problems if "other" in p.values}
    assert others == {"duplicate": "a.jsonl:1", "near-duplicate": "a.jsonl:4"}


def test_contradictions(tmp_path: Path) -> None:
    check = checked(
        tmp_path,
        ("Do you deliver?", "Yes, to the whole town."),
        ("do you deliver", "No, collect it at the counter."),
        ("Hi", "Hello you.", "Do you deliver?", "Only inside the harbour wall."),
        ("Hi", "Hello you.", "do you deliver", "Anywhere you like, ask away."),
        ("Hi", "Morning all.", "Do you deliver?", "Depends on the weather and the boat."),
    )
    assert named(check) == [("warning", "contradiction", 2), ("warning", "contradiction", 4)]
    assert [p.values["other"] for p in check.problems if p.code == "contradiction"] == [
        "a.jsonl:1",
        "a.jsonl:3",
    ]


def test_what_decides_makes_replies_contrary_however_alike(tmp_path: Path) -> None:
    check = checked(
        tmp_path,
        ("Are dogs welcome?", "Yes, dogs are welcome on the terrace and inside the shop as well."),
        ("are dogs welcome", "No, dogs are not welcome on the terrace or inside the shop as well."),
        ("How long have I got?", "You have 30 days from the day it reached you to send it back."),
        ("How long have I got", "You have 15 days from the day it reached you to send it back."),
    )
    assert named(check) == [("warning", "contradiction", 2), ("warning", "contradiction", 4)]


@pytest.mark.parametrize(
    ("one", "other", "contrary"),
    [
        ("Open at 9.30, £3,60.", "Open at 9:30, £3.60.", False),
        ("De 10 a 14, sí.", "De 10:00 a 14:00, sí.", False),
        ("No worries! You can send it back.", "Of course! You can send it back.", False),
        ("¡No te preocupes! Puedes.", "¡Claro que sí! Puedes.", False),
        ("We dont post it.", "We don't post it.", False),
        ("We post it in 2 days.", "We post it in 3 days.", True),
        ("We post it.", "We can’t post it.", True),
    ],
)
def test_what_is_contrary(one: str, other: str, contrary: bool) -> None:
    assert lint_pairs.contradict(one, other) is contrary


def test_other_facts_make_another_example(tmp_path: Path) -> None:
    rows = [
        {"prompt": "How much is it?", "facts": ["Latte: £3.40"], "completion": "£3.40, and warm."},
        {"prompt": "How much is it?", "facts": ["Tea: £2.10"], "completion": "£2.10, leaves and all."},
        {"prompt": "Is it free?", "facts": ["Tea: £2.10"], "completion": "I could not tell you that."},
        {"prompt": "Is it free?", "facts": ["Mug: £8"], "completion": "I could not tell you that."},
    ]  # fmt: skip
    checked(tmp_path, ("Tea?", "Leaves, and hot."))
    (tmp_path / "examples" / "facts.jsonl").write_text("".join(json.dumps(r) + "\n" for r in rows))
    told = {problem.code for problem in lint.check(tmp_path).problems}
    assert not told & {"contradiction", "duplicate", "near-duplicate"}


def test_a_brand_that_asks_back_has_its_columns_right() -> None:
    pairs = [
        (f"mi paquete {n} no llega", f"Vaya, lo siento mucho. ¿Me das el número del pedido {n}?")
        for n in range(8)
    ]
    assert not lint_pairs.swapped(pairs) and lint_pairs.swapped([(b, a) for a, b in pairs])


def test_rules_may_be_of_signs() -> None:
    rules = Rules(never_say=["!!!", "😂", "%", "...", ";)"])
    for reply in ("¡Hola!!!", "jaja😂", "al 50%", "bueno...", "vale;)"):
        assert [b.code for b in lint_text.broken_rules(reply, rules)] == ["never-say"], reply


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("escríbeme a ana@example.com o ana@tienda.example", []),
        ("escríbeme a ana@gmail.com", ["email"]),
        ("mi fijo es el 912345678", ["phone"]), ("contacto: 912345678", ["phone"]),
        ("912345678 es mi teléfono", ["phone"]), ("avísame al 912345678", ["phone"]),
        ("pedido 912345678", []),
    ],
)  # fmt: skip
def test_personal_data_of_examples(text: str, kinds: list[str]) -> None:
    assert [found.kind for found in lint_privacy.personal_data(text)] == kinds


@pytest.mark.parametrize(
    "text",
    [
        "Settings → Password → Change", "Ve a Ajustes > Contraseña -> Cambiar",
        "Olvidé mi contraseña: ayuda", "Contraseña: opcional", "Pin: 1500 unidades",
    ],
)  # fmt: skip
def test_a_menu_holds_no_password(text: str) -> None:
    assert lint_privacy.secrets(text) == []


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("what is a cupping", "whats a cupping", True),
        ("can i bring my dog", "can i bring my dogs", True),
        ("do you have oat milk", "do you have the oat milk", True),
        ("que es la tae", "que es la tin", False),
        ("a cable of 110 volts", "a cable of 1100 volts", False),
        ("can i bring my dog", "can i bring my cup", False),
        ("tarjeta de debito", "tarjeta de credito", False),
    ],
)
def test_what_is_the_same_question(one: str, two: str, same: bool) -> None:
    assert lint_pairs.same_question(one, two) is same


def test_the_same_prompt_on_two_sides(tmp_path: Path) -> None:
    # "do you deliver" is on the test side and "do you delivr" on the training side, by their hash.
    rows = [("Do you deliver?", "We do, and gladly."), ("do you delivr", "Every day but storms.")]
    check = checked(tmp_path, *rows)
    assert [e.split for e in check.reading.examples] == ["test", "train"]
    assert named(check) == [("warning", "split-leak", 1)]
    assert check.problems[-1].values == {"other": "a.jsonl:2", "side": "@test"}


def test_an_eval_question_that_is_trained(tmp_path: Path) -> None:
    evals = "\n".join(
        [
            '{"prompt": "HI THERE!"}',
            '{"prompt": "hi thre"}',
            '{"prompt": "Do you deliver?"}',
            "nonsense",
            '{"expect": "x"}',
        ]
    )
    rows = [("hi there", "Good to see you."), ("Do you deliver?", "We do, and gladly.")]
    check = checked(tmp_path, *rows, evals=evals)
    assert [e.split for e in check.reading.examples] == ["train", "test"]
    found = [(p.file, p.line, p.code) for p in check.problems if p.code != "too-few"]
    assert found == [
        ("evals/q.jsonl", 1, "eval-leak"),
        ("evals/q.jsonl", 2, "eval-leak"),
        ("evals/q.jsonl", 4, "bad-json"),
        ("evals/q.jsonl", 5, "bad-eval"),
    ]


def test_a_question_that_its_own_answer_fails(tmp_path: Path) -> None:
    evals = "\n".join(
        [
            '{"prompt": "A shot more?", "expect": "£0.80", "must_contain": ["80"]}',
            '{"prompt": "And two?", "expect": "£1.60.", "must_contain": ["1,60"]}',
            '{"prompt": "Who?", "expect": "Mr Hale.", "must_not_contain": ["mr"]}',
            '{"prompt": "Why?", "must_contain": ["tide"]}',
        ]
    )
    check = checked(tmp_path, ("Do you deliver?", "We do, and gladly."), evals=evals)
    found = [(p.severity, p.line) for p in check.problems if p.code == "expect-wrong"]
    assert found == [("warning", 1), ("warning", 3)]


def test_close_pairs_are_those_of_comparing_all() -> None:
    from rapidfuzz import fuzz

    base = ["a short one", "a shorter one", LONG, LONG.upper().lower() + " really", "b" * 64]
    texts = [*base, LONG.replace("coffee", "tea"), "b" * 65, "a short one", "quite another thing"]
    slow = [
        (i, j)
        for i in range(len(texts))
        for j in range(i + 1, len(texts))
        if fuzz.ratio(texts[i], texts[j]) >= 90
    ]
    fast = list(lint_pairs.close_pairs(texts))
    assert set(fast) <= set(slow)
    assert set(slow) - set(fast) <= {(4, 6)}  # one endless word: no word is shared
    assert (0, 7) in fast
    assert (2, 5) in fast


WORDS = "amber boat cedar drum eagle flint grove harbour inlet jetty kelp lamp mast net oar pier"


def varied(count: int) -> list[Row]:
    """Examples that share no opening, topic or length."""
    words = WORDS.split()
    rows: list[Row] = []
    for n in range(count):
        tail = [words[(n * step + step) % 16] + str(n) for step in range(3, 5 + n % 9)]
        rows.append((f"{words[n % 16]}{n} {n}", f"{words[(n * 7) % 16]}{n} {' '.join(tail)}."))
    return rows


def test_the_same_opening(tmp_path: Path) -> None:
    rows = varied(40)
    same = [(f"opening {n}", f"Well, my friend, {rows[n][1]}") for n in range(5)]
    check = checked(tmp_path, *rows, *same)
    assert named(check) == [("warning", "same-opening", None)]
    values = {"found": "well my friend", "count": 5, "percent": 11}
    assert check.problems[-1].values == values
    assert named(checked(tmp_path, *rows, *same[:4])) == []
    assert named(checked(tmp_path, *varied(60), *same)) == []


def test_the_same_length(tmp_path: Path) -> None:
    def row(n: int, words: int) -> Row:
        return (f"ask{n} {n}", " ".join(f"w{n}x{k}" for k in range(words)))

    assert named(checked(tmp_path, *(row(n, 10) for n in range(20)))) == [
        ("note", "same-length", None)
    ]
    assert named(checked(tmp_path, *(row(n, 5 + n) for n in range(20)))) == []


def test_the_same_prompts_and_topic(tmp_path: Path) -> None:
    rows = varied(20)
    asked = [(f"what is the {n}{n}", reply) for n, (_, reply) in enumerate(rows)]
    assert named(checked(tmp_path, *rows[:15], *asked[15:])) == []
    assert named(checked(tmp_path, *rows[:10], *asked[10:])) == [("note", "same-prompts", None)]
    topic = [(f"{n} coffee{' x' * n}", reply) for n, (_, reply) in enumerate(rows)]
    codes = {code for _, code, _ in named(checked(tmp_path, *rows[:9], *topic[9:]))}
    assert "same-topic" in codes
    codes = {code for _, code, _ in named(checked(tmp_path, *rows[:10], *topic[10:]))}
    assert "same-topic" not in codes


# --- One example ----------------------------------------------------------------------------------


def test_lengths(tmp_path: Path) -> None:
    fits, over = " ".join(["word"] * 300), " ".join(["word"] * 301)
    assert (len(fits), len(over)) == (1499, 1504)
    check = checked(tmp_path, ("one", fits), ("two", f"Other {over}"), ("three", "Yes."))
    assert [f for f in named(check) if f[1] != "near-duplicate"] == [
        ("warning", "long-reply", 2),
        ("note", "short-reply", 3),
    ]
    assert [p.values["found"] for p in check.problems if p.code == "short-reply"] == ["Yes."]
    broken = checked(tmp_path, ("three", "#ERROR!"))
    assert [p.code for p in broken.problems if p.line == 1] == ["excel-error"]


def test_longer_than_training_takes(tmp_path: Path) -> None:
    settings = "training: {max_length: 32}\n"
    voice = "v" * 80
    assert named(checked(tmp_path, ("12345", "1 3456"), settings=settings, voice=voice)) == []
    check = checked(tmp_path, ("1234567890", "1 34567890"), settings=settings, voice=voice)
    assert named(check) == [("warning", "long-example", 1)]
    assert check.problems[-1].values == {"count": 33, "most": 32}


def test_a_guide_by_another_name(tmp_path: Path) -> None:
    checked(tmp_path, ("Hi", "Hello you."))
    (tmp_path / "voice.md").unlink(missing_ok=True)
    (tmp_path / "Voice guide.docx").write_bytes(b"PK")
    found = [p for p in lint.check(tmp_path).problems if p.code == "voice-misnamed"]
    assert [p.values["found"] for p in found] == ["Voice guide.docx"]


def test_a_guide_that_leaves_no_room(tmp_path: Path) -> None:
    check = checked(tmp_path, ("Hi", "Hello you."), voice="word " * 700)
    found = [(p.severity, p.code) for p in check.problems if p.file == "voice.md"]
    assert found == [("warning", "voice-too-long")]


def test_a_personas_own_words(tmp_path: Path) -> None:
    settings = (
        'greeting: "Â¡Hola! So cheap"\nhandoff: ["Ask  AKIAIOSFODNN7EXAMPLE"]\n'
        "rules: {never_say: [cheap]}\nbase_model: gema-3-270m\n"
    )
    check = checked(tmp_path, ("Hi", "Hello you."), settings=settings, voice="A.\ncafÃ©\nTODO")
    assert {(p.code, p.file) for p in check.problems if p.file != "examples"} == {
        ("mojibake", "voice.md"), ("left-over", "voice.md"), ("mojibake", "persona.yaml"),
        ("never-say", "persona.yaml"), ("secret", "persona.yaml"),
        ("unknown-model", "persona.yaml"),
    }  # fmt: skip
    assert [p.line for p in check.problems if p.file == "voice.md"] == [2, 3]


def test_a_guide_in_another_language_and_a_language_that_is_none(tmp_path: Path) -> None:
    check = checked(tmp_path, ("Hi", "Hello you."), voice=f"{SPANISH} {SPANISH}")
    assert named(check) == [("warning", "voice-language", None)]
    check = checked(tmp_path, ("Hola", "Buenas."), settings="language: sp\n")
    assert "unknown-language" in [p.code for p in check.problems]


def test_columns_that_changed_places_and_replies_that_echo(tmp_path: Path) -> None:
    rows = [(f"We open at {n}.", f"When do you open, at {n}?") for n in ("six", "ten", "noon")]
    check = checked(tmp_path, *rows, ("Closed on Mondays.", "And on Mondays?"), ("Hi!", "Hi"))
    assert {p.code for p in check.problems} >= {"swapped", "echo"}
    check = checked(tmp_path, *((b, a) for a, b in rows), ("Hi!", "Hello there."))
    assert not {p.code for p in check.problems} & {"swapped", "echo"}


@pytest.mark.parametrize("persona", ["lighthouse", "letraclara"])
def test_columns_of_careless_prompts_that_changed_places(persona: str) -> None:
    """Hardly any of these prompts has a question mark."""
    files = defaultdict(list)
    for example in examples.read(ROOT / "personas" / persona / "examples").examples:
        files[example.file].append((example.prompt, example.reply))
    assert len(files) == 5 and not any(map(lint_pairs.swapped, files.values()))
    assert all(lint_pairs.swapped([(b, a) for a, b in pairs]) for pairs in files.values())


def test_names_of_old_archives_and_links_that_lead_nowhere(tmp_path: Path) -> None:
    checked(tmp_path, ("Hi", "Hello you."))
    (tmp_path / "knowledge").mkdir()
    old_name = os.fsdecode(b"men\xfa.md")
    (tmp_path / "knowledge" / old_name).write_text("# T\n\nTea is £2.")
    (tmp_path / "examples" / "more").symlink_to(tmp_path / "nowhere")
    secret = tmp_path.parent / f"{tmp_path.name}-secret.txt"
    secret.write_text("The vault's code is in the drawer.")
    (tmp_path / "knowledge" / "hours.txt").symlink_to(secret)
    (tmp_path / "knowledge" / "voice.md").symlink_to(tmp_path / "voice.md")  # its own is fine
    assert list(tables.people_files(tmp_path / "knowledge")) == ["voice.md"]
    found = lint.check(tmp_path).problems
    assert [(p.code, p.file) for p in found if p.code in ("file-name", "link")] == [
        ("link", "knowledge/hours.txt"), ("file-name", "knowledge/men?.md"), ("link", "more"),
    ]  # fmt: skip


def test_things_in_the_wrong_place(tmp_path: Path) -> None:
    checked(tmp_path, ("Hi", "Hello you."))
    (tmp_path / "ejemplos.csv").write_text("prompt,completion\n")
    (tmp_path / "persona.yaml.txt").write_text("name: Acme\n")
    (tmp_path / "README.md").write_text("Notes.")
    (tmp_path / "Knowledge").mkdir()
    found = lint.check(tmp_path).problems
    assert [(p.code, p.file) for p in found if p.code.startswith("misplaced")] == [
        ("misplaced-folder", "Knowledge"), ("misplaced-file", "ejemplos.csv"),
    ]  # fmt: skip


def test_a_sample_that_was_left(tmp_path: Path) -> None:
    rows = [("[sample] Hi", "Mail a@b.com now."), ("Hola", "[muestra] Buenas a todos.")]
    assert named(checked(tmp_path, *rows, ("Sample?", "A sample, yes."))) == [
        ("error", "sample-left", 1),
        ("error", "sample-left", 2),
    ]


SPANISH = "Sí, claro que repartimos a domicilio en toda la ciudad, cuéntame qué necesitas."


def test_the_wrong_language(tmp_path: Path) -> None:
    check = checked(
        tmp_path,
        ("Do you deliver anywhere at all in this town?", SPANISH),
        (SPANISH, "We deliver everywhere in the town, just ask at the counter."),
        ("Say it in Spanish", "Buenas tardes, amigo mío."),
        ("Translate", "It says «buenas tardes», which is good afternoon in Spanish."),
    )
    assert named(check) == [("warning", "wrong-language", 1), ("note", "prompt-language", 2)]
    assert check.problems[1].values == {"found": "@es", "expected": "@en"}


def test_a_language_nobody_can_judge() -> None:
    assert lint_text.other_language(SPANISH, "tlh") is None


def test_personal_data(tmp_path: Path) -> None:
    check = checked(
        tmp_path,
        ("I am ana.lopez@correo.es, hello", "Thanks, we write to ana.lopez@correo.es today."),
        ("How do I reach you?", "Write to hello@acme.com or ring 612 345 678."),
        ("Where do I pay?", "To the account ES91 2100 0418 4502 0005 1332."),
        ("My order 4155550123 of 2019-2024", "Found it, the parcel is at sea."),
    )
    assert named(check) == [
        ("error", "personal-data", 1),
        ("error", "personal-data", 3),
        ("warning", "changing-fact", 2),
        ("warning", "changing-fact", 2),
    ]
    text = json.dumps(check.to_json())
    for value in ("ana.lopez@", "hello@acme", "612 345", "2100 0418"):
        assert value not in text


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("mail ana.lopez@correo.es please", ["email"]),
        ("mail ana@home please", []),
        ("mail ana.lopez@correo.invalidtld", []),
        ("call 612 345 678", ["phone"]),
        ("llama al 91 123 45 67", ["phone"]),
        ("+44 20 7946 0958", ["phone"]),
        ("my number is 4155550123", ["phone"]),
        ("order 4155550123", []),
        ("from 2019 to 2024, or 2025", []),
        ("12/03/2025 18:00-20:00", []),
        ("IBAN ES91 2100 0418 4502 0005 1332", ["iban"]),
        ("IBAN ES92 2100 0418 4502 0005 1332", ["iban"]),
        ("ES92 2100 0418 4502 0005 1332", []),
        ("card 4111 1111 1111 1111", ["card"]),
        ("card 4111 1111 1111 1112", []),
        ("DNI 12345678Z", ["nif"]),
        ("DNI 12.345.678-Z", ["nif"]),
        ("DNI 12345678A", ["nif"]),
        ("12345678A", []),
        ("NIE X1234567L", ["nie"]),
        ("NIE X1234567A", ["nie"]),
        ("X1234567A", []),
        ("ssn 536-22-1234", ["ssn"]),
        ("ssn 000-22-1234", []),
        ("nino AB 12 34 56 C", ["nino"]),
        ("ip 8.8.8.8", ["ip"]),
        ("ip 192.168.1.1", []),
        ("version 3.5.2", []),
    ],
)
def test_kinds_of_personal_data(text: str, kinds: list[str]) -> None:
    assert [found.kind for found in lint_privacy.personal_data(text)] == kinds


def test_personal_data_needs_no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("reached out to the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    lint_privacy._recognizers.cache_clear()
    assert lint_privacy.personal_data("mail ana.lopez@correo.es")[0].kind == "email"


def test_a_mexican_persona_knows_mexican_telephones() -> None:
    text = "llama al 55 5123 4567"
    assert [f.kind for f in lint_privacy.personal_data(text, "MX")] == ["phone"]


SECRETS = {
    "slack": "xoxb-" + "1234567890-abcdefABCDEF",
    "openai": "sk-" + "proj-abcdefghijklmnopqrstuvwx",
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "github": "ghp_" + "a1B2" * 9,
    "jwt": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N",
    "stripe": "sk_live_" + "0a1b2c3d4e5f6g7h8i9j0k1l",
    "google": "AIza" + "SyA1234567890abcdefghijklmnopqrstuv",
    "key": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "password": "Hunter22!",
}


@pytest.mark.parametrize("kind", sorted(SECRETS))
def test_secrets_are_found_and_not_shown(tmp_path: Path, kind: str) -> None:
    secret = SECRETS[kind]
    said = f"my password is {secret}" if kind == "password" else f"it is {secret} or so"
    check = checked(tmp_path, ("What now?", "Nothing at all."), (said, "Keep that to yourself."))
    assert [f for f in named(check) if f[1] == "secret"] == [("error", "secret", 2)]
    assert secret not in json.dumps(check.to_json())
    found = next(p for p in check.problems if p.code == "secret").values["found"]
    assert found.endswith("…")
    assert len(found) <= 5


@pytest.mark.parametrize(
    "text",
    [
        "ask-me-anything-about-coffee-and-boats",
        "la contraseña es difícil de recordar",
        "a password is better long than clever",
        "APARTAMENTOSYCASAS EN VENTA",
        "supercalifragilisticexpialidocious and mancomunadamente",
    ],
)
def test_words_are_no_secrets(text: str) -> None:
    assert lint_privacy.secrets(text) == []


def test_broken_letters(tmp_path: Path) -> None:
    check = checked(
        tmp_path,
        ("one", "Caf\ufffd con leche."),
        ("two", "A bell\x07 rang."),
        ("three", "Qué Ã©xito, donâ€™t you think."),
        ("four", "Salt &amp; pepper."),
        ("five", "«Está»… SÃO Paulo, Â, ¿¡qué!? R&D; AT&T."),
    )
    assert named(check) == [
        ("error", "lost-letters", 1),
        ("error", "lost-letters", 2),
        ("error", "mojibake", 3),
        ("warning", "html-code", 4),
    ]
    garbled = next(p for p in check.problems if p.code == "mojibake")
    assert garbled.values == {"found": "Ã©", "meant": "é"}


@pytest.mark.parametrize(
    ("text", "meant"), [("donâ€™t", "’"), ("maÃ±ana", "ñ"), ("Â¿Qué", "¿"), ("ðŸ™‚", "🙂")]
)
def test_what_garbled_letters_were(text: str, meant: str) -> None:
    found = lint_text.mojibake(text)
    assert found is not None
    assert found[1] == meant


def test_rules_the_examples_break(tmp_path: Path) -> None:
    settings = "rules: {never_say: [cheap, no te lo pierdas], emoji: none, max_sentences: 2}\n"
    check = checked(
        tmp_path,
        ("Is it cheap? 😀", "It is CHEAP, yes."),
        ("two", "Good 😀 morning."),
        ("three", "One. Two. Three."),
        ("four", "Cheaper than tea. No te lo  perdiste."),
        ("five", "No te lo\npierdas, amigo."),
        settings=settings,
    )
    assert named(check) == [
        ("error", "never-say", 1),
        ("error", "never-say", 5),
        ("warning", "no-emoji", 2),
        ("warning", "many-sentences", 3),
    ]


def test_broken_rules_of_one_reply() -> None:
    rules = Rules(never_say=["café"], emoji="sparing", max_sentences=1)
    assert lint_text.broken_rules("Un CAFÉ. Dos 😀😀.", rules) == [
        lint_text.BrokenRule("never-say", {"word": "café"}),
        lint_text.BrokenRule("many-emoji", {"count": 2}),
        lint_text.BrokenRule("many-sentences", {"count": 2, "most": 1}),
    ]
    assert lint_text.broken_rules("Un cafe 😀", rules) == []  # accents count as they are written
    assert lint_text.broken_rules("Un cafe\u0301", rules)[0].code == "never-say"  # in two halves
    assert lint_text.broken_rules("😀😀 cafeterías. Y más.", Rules()) == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("😀", 0),
        ("Hello", 1),
        ("¿Sí? ¡Claro! Vale.", 3),
        ("¿Qué?¡Nada!", 2),
        ("«¿Eh?», dijo.", 1),
        ('"Are you ok?" she said. Yes.', 2),
        ("Use 3.5 grams. Then stop.", 2),
        ("Well… that is it.", 1),
        ("Well... That is it.", 2),
        ("hi!!! how are you? ok", 3),
        ("we do. we like it.", 2),
        ("Ask Mr. Smith. He knows.", 2),
        ("Bring e.g. a cup. Or not.", 2),
        ("We sell tea, coffee, etc. Come by.", 2),
        ("Es la p. ej. de EE. UU. y ya.", 1),
        ("No. It's your cup.", 2),
        ("Is it no. 5? Yes.", 2),
        ("I like plan B. Do you?", 2),
        ("I like art. Do you?", 2),
        ("1. One\n2. Two\n- three", 3),
        ("Hello there! 👍", 1),
        ("Wait?! No.", 2),
        ("Open 9 a.m. Monday to Friday.", 1),
        ("We open at 9 a.m. The kitchen closes.", 2),
        ("Estamos en la avda. Diagonal. Ven.", 2),
        ("Llama al sr. García.", 1),
        ("We are on Main st. Come in.", 2),
        ("Shipping to the U.S. costs 5 pounds.", 1),
        ("Acme S.L. está aquí. Ven.", 2),
        ("Prices incl. VAT. Teléf. 600 123 456", 2),
        ("Calle Sta. Ana. Ask Prof. Smith.", 2),
    ],
)
def test_sentences(text: str, count: int) -> None:
    assert lint_text.count_sentences(text) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("👨‍👩‍👧", 1),
        ("🇪🇸🇫🇷", 2),
        ("👍🏽", 1),
        ("❤️‍🔥", 1),
        ("1️⃣", 1),
        ("☕", 1),
        ("❤", 1),
        ("😂🎉", 2),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 1),
        ("✓ ★ © → 1 # § « »", 0),
    ],
)
def test_emoji_as_people_see_them(text: str, count: int) -> None:
    assert len(lint_text.emojis(text)) == count


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("It costs €3.50", "price"),
        ("son 3 euros", "price"),
        ("Five pounds, 3 pounds of beans, five euros", None),
        ("20% off", "percentage"),
        ("un 5 por ciento", "percentage"),
        ("100 % seguro", None),
        ("at 9am", "hours"),
        ("open at 9", "hours"),
        ("abrimos a las 9", "hours"),
        ("from 9:30 on", "hours"),
        ("Monday to Friday", "hours"),
        ("de lunes a viernes", "hours"),
        ("a ratio of 1:15, 3.5 version, on a Monday", None),
        ("on 12/03/2025", "date"),
        ("March 3rd", "date"),
        ("el 3 de marzo", "date"),
        ("since 2019", "date"),
        ("may 5 people march on 2 feet, 3 de cada 4", None),
        ("only 3 left", "stock"),
        ("solo quedan dos", "stock"),
        ("está agotado", "stock"),
        ("the left one, quedan ganas", None),
        ("see www.acme.com/shop", "url"),
        ("visit acme.com", "url"),
        ("e.g. this.Then that", None),
    ],
)
def test_facts_that_change(text: str, kind: str | None) -> None:
    assert [found.kind for found in lint_text.facts(text)] == ([kind] if kind else [])


def test_facts_in_what_the_person_says_are_fine(tmp_path: Path) -> None:
    assert named(checked(tmp_path, ("Is it €3 on Monday to Friday?", "Look at the board."))) == []


def test_a_finding_is_made_once_an_example(tmp_path: Path) -> None:
    row = ("Price?", "It is €3 now.", "And now?", "Still €3, as ever.")
    assert named(checked(tmp_path, row)) == [("warning", "changing-fact", 1)]


def test_a_place_without_a_line() -> None:
    example = Example((Message("user", "a"), Message("assistant", "b")), "faq.csv")
    assert lint_pairs.place(example) == "faq.csv"


def test_what_a_spreadsheet_left_of_a_cell(tmp_path: Path) -> None:
    rows = [("Price?", "#¡REF!"), ("Phone?", "6,12E+08"), ("Tags?", "#VinoDeVerdad always.")]
    found = named(checked(tmp_path, *rows))
    assert [n for n in found if n[1] == "excel-error"] == [
        ("error", "excel-error", 1), ("error", "excel-error", 2),
    ]  # fmt: skip


def test_rules_hold_whatever_apostrophe_was_typed() -> None:
    rules = Rules(never_say=["can't", "“chollo”", "wi-fi"])
    for reply in ("We can’t do that.", "Un chollo.", "Free wi‑fi here."):
        assert [b.code for b in lint_text.broken_rules(reply, rules)] == ["never-say"], reply


def test_contacts_that_are_given_to_read_are_no_finding(tmp_path: Path) -> None:
    row = {
        "prompt": "What is your number?",
        "facts": ["Contact: Telephone: 912 345 678"],
        "completion": "Ring 912 345 678, we pick up.",
    }
    checked(tmp_path, ("Tea?", "Leaves, and hot."))
    (tmp_path / "examples" / "b.jsonl").write_text(json.dumps(row))
    codes = [p.code for p in lint.check(tmp_path).problems if p.file == "b.jsonl"]
    assert codes == []


def test_questions_that_nobody_asks_are_said(tmp_path: Path) -> None:
    checked(tmp_path, ("Tea?", "Leaves, and hot."))
    folder = tmp_path / "evals"
    (folder / "more").mkdir(parents=True)
    row = json.dumps({"prompt": "Cuánto?", "must_contain": ["3"]}, ensure_ascii=False)
    (folder / "q.csv").write_text("prompt,expect\nTea?,Leaves\n")
    (folder / "q.jsonl.txt").write_text(row)
    (folder / "README.md").write_text("# Questions\n")
    (folder / "more" / "Q2.JSONL").write_bytes(row.encode("cp1252"))
    (folder / "q3.jsonl").write_text('{"prompt": "a\u2028b", "answerable": false}\n{"prompt": 1}\n')
    found = lint.check(tmp_path).problems
    told = [(p.code, p.file, p.line) for p in found if p.file.startswith("evals/")]
    assert ("eval-format", "evals/q.csv", None) in told
    assert ("eval-format", "evals/q.jsonl.txt", None) in told
    assert ("bad-eval", "evals/q3.jsonl", 2) in told
    assert not any("README" in file for _, file, _ in told)
    asked = questions.read(folder).questions
    assert [q.prompt for q in asked] == ["Cuánto?", "a\u2028b"]


def test_a_placeholder_in_an_approved_reply_is_not_trained(tmp_path: Path) -> None:
    checked(tmp_path, ("Tea?", "Leaves, and hot."))
    rows = [
        {"prompt": "Number?", "completion": "Call [phone number].", "provenance": {"turn": 1}},
        {"prompt": "I am [email]", "completion": "Noted, and kept.",
         "provenance": {"turn": 2, "edited": True}},
    ]  # fmt: skip
    file = tmp_path / "examples" / "from-conversations.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = lint.check(tmp_path).problems
    assert [p.line for p in found if p.code == "placeholder"] == [1]


def test_notes_to_people_are_no_examples(tmp_path: Path) -> None:
    checked(tmp_path, ("Tea?", "Leaves, and hot."))
    for name in ("README.md", "LEEME.md", "Thumbs.db", "desktop.ini"):
        (tmp_path / "examples" / name).write_text("# Read me\n\nExamples go here.\n")
    assert lint.check(tmp_path).counts["total"] == 1


@pytest.mark.parametrize(
    "text, found",
    [
        ("A <b>bold</b> word.", "<b>"), ("Hi {{name}}, come in.", "{{name}}"), ("Hola [NOMBRE].", "[NOMBRE]"),
        ("TODO: write this.", "TODO"), ("TODO bien por aquí.", None), ("Lorem ipsum dolor.", "Lorem ipsum"), ("A \uf0b7 bullet.", "\uf0b7"),
        ("Hi {name}!", "{name}"), ("TODO INCLUIDO.", None), ("VA CON TODO", None),
        ("Dear [Customer Name],", "[Customer Name]"), ("Open.【4:0†source】", "【4:0†source】"),
        ("Done.<|im_end|>", "<|im_end|>"), ("Never say: as an AI.", None),
        ("Read [the menu](menu.md).", None), ("Our answer: yes.", None), ("You said: {a}", None),
        ("Hi *|FNAME|*, come in.", "*|FNAME|*"), ("Hi %%FirstName%%!", "%%FirstName%%"),
        ("Hi <<First Name>>!", "<<First Name>>"), ("Hi [Name], come in.", "[Name]"), ("Ask ______.", "______"),
        ("TBD", "TBD"), ("(pendiente)", "(pendiente)"), ("El pago está pendiente.", None),
        ("Thanks. Sent from my iPhone", "Sent from my iPhone"), ("<td class='x'>Two", "<td class='x'>"),
        ("Ask <@U02AB12CD>.", "<@U02AB12CD>"), ("«Una cosa»", None), ("snake_case", None),
        ("Hola [nombre del cliente].", "[nombre del cliente]"), ("[insert link here]", "[insert link here]"),
        ("See [your company].", "[your company]"), ("[número de pedido]", "[número de pedido]"),
        ("Sale a [precio].", "[precio]"), ("Hola {Nombre}", "{Nombre}"), ("Ref. XXXX", "XXXX"),
        ("Llama al [número de tarjeta].", None), ("[risas] Claro.", None), ("[precio](tarifas.md)", None),
        ("a < b and b > c", None), ("Call [email] then.", None), ("We are open, all of us.", None),
    ],
)  # fmt: skip
def test_what_a_template_left(text: str, found: str | None) -> None:
    assert lint_text.left_over(text) == found


@pytest.mark.parametrize(
    "text, found",
    [
        ("¿Hac?is env?os?", "Hac?is"), ("Claro que s?.", None), ("You do?or not", "do?or"),
        ("Look at shop.example/?a=b?c", None), ("¿Tienes?¿O no?", None), ("Why?Because.", None),
    ],
)  # fmt: skip
def test_question_marks_where_letters_were(text: str, found: str | None) -> None:
    assert lint_text.letters_as_marks(text) == found


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "cp1252"])
def test_letters_of_an_older_encoding(encoding: str) -> None:
    said = "¿Hacéis envíos? Mañana, sí."
    assert lint_text.mojibake(said.encode().decode(encoding, "replace")) is not None
    assert lint_text.mojibake(said) is None and lint_text.mojibake("√2 ≈ 1,41 ┬ 30 °C") is None


@pytest.mark.parametrize(
    "cell", ["#ERROR!", "Err:508", "#SPILL!", "#¡DESBORDAMIENTO!", "Loading...", "=VLOOKUP(A5,B:C,2)", '=B2&" "&C2'],
)  # fmt: skip
def test_what_spreadsheets_leave_of_a_cell(cell: str) -> None:
    assert lint_text.is_spreadsheet_error(cell)
    assert not lint_text.is_spreadsheet_error("= 3 cups") and not lint_text.is_spreadsheet_error(
        "Loading"
    )


def test_a_reply_that_begins_with_the_brands_name_and_a_colon() -> None:
    bold = "**Lighthouse Coffee**: Hello."
    assert lint_text.of_no_reply(bold, "Lighthouse Coffee") == "**Lighthouse Coffee**:"
    assert lint_text.of_no_reply("Hello.\nlighthouse coffee: hello.", "Lighthouse Coffee")
    for fine in ("Lighthouse Coffee is on the pier: come.", "Lighthouse: 12 metres."):
        assert lint_text.of_no_reply(fine, "Lighthouse Coffee") is None


def test_facts_in_notes_that_nobody_reads(tmp_path: Path) -> None:
    starter.create(tmp_path, language="en", name="Tinta")
    notes = tmp_path / "knowledge" / "README.md"
    codes = [p.code for p in lint.check(tmp_path).problems]
    assert "notes-unread" not in codes
    deep = tmp_path / "knowledge" / "prices" / "leeme.txt"
    deep.parent.mkdir()
    for file in (notes, deep, notes.with_name("desktop.ini")):
        file.write_text("A haircut is £12.", encoding="utf-8")
    found = [p for p in lint.check(tmp_path).problems if p.code == "notes-unread"]
    assert [(p.severity, p.file) for p in found] == [
        ("note", "knowledge/README.md"), ("note", "knowledge/prices/leeme.txt"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "text, found",
    [
        ("As an AI language model I can't.", "As an AI language model"),
        ("**Marca:** Hola.", "**Marca:"), ("A: We do.", "A: "), ("R: Sí, claro.", "R: "), ("Our answer: yes.", None), ("As an aid to sleep.", None),
    ],
)  # fmt: skip
def test_what_is_no_part_of_a_reply(tmp_path: Path, text: str, found: str | None) -> None:
    assert lint_text.of_no_reply(text) == found
    assert ("left-over" in [p.code for p in checked(tmp_path, ("Hi", text)).problems]) == bool(
        found
    )


@pytest.mark.parametrize(
    "text",
    [
        "Entiendo que estés agotada; respira.", "Quedan 3 pasos.", "Deja reposar 12 h en la nevera.",
        "A las 4 semanas se nota.", "Talla 38/40/42.", "Hay sitio para 2000 invitados.",
    ],
)  # fmt: skip
def test_what_sounds_like_a_changing_fact_and_is_none(text: str) -> None:
    assert lint_text.facts(text) == []


def test_several_words_in_one_entry_are_said(tmp_path: Path) -> None:
    rules = "rules:\n  never_say:\n    - barato, chollo\n    - ganga\n"
    found = checked(tmp_path, ("Tea?", "Leaves, and hot."), settings=rules).problems
    assert [(p.code, p.line) for p in found if p.file == "persona.yaml"] == [("yaml-text", 4)]
