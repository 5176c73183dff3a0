"""Example files as people write them: what is read, and what is said about the rest."""

from __future__ import annotations

import io
import json
from datetime import date, time
from pathlib import Path

import pytest
from openpyxl import Workbook

from brandbot import lint
from brandbot.errors import Problem
from brandbot.examples import Example, Reading, fingerprint, normalise, read
from brandbot.prompt import Message
from brandbot.texts import tell


def reading(folder: Path, name: str, content: str | bytes) -> Reading:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read(folder)


def pairs(found: Reading) -> list[tuple[str, str]]:
    return [(example.prompt, example.reply) for example in found.examples]


def codes(found: Reading) -> list[tuple[str, int | None]]:
    """Code and line of each problem; each can be told in both languages."""
    for problem in found.problems:
        assert tell(problem, "en").line
        assert tell(problem, "es").line
    return [(problem.code, problem.line) for problem in found.problems]


def turns(example: Example) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in example.messages]


def example(prompt: str, reply: str = "Yes.") -> Example:
    return Example((Message("user", prompt), Message("assistant", reply)))


# --- Sides and names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "side"),
    [
        # sha256 of the normalised prompt, its first 16 hex digits as a share of 16**16
        ("que es el iban", "test"),  # 21f3d1c5bf1e8930: 0.133
        ("hello", "valid"),  # 2cf24dba5fb0a30e: 0.176
        ("do you deliver", "test"),  # 0ffa537ab83e67a0: 0.062
        ("hi there", "train"),  # 9b96a1fe1d548cbb: 0.608
        ("bye", "train"),  # b49f425a7e1f9cff: 0.706
        ("thanks", "train"),  # a6a2729cbf6bcadc: 0.651
        ("opening hours", "train"),  # e397731993415212: 0.889
        ("what is cupping", "valid"),  # 2a57b40d176cad8d: 0.165
    ],
)
def test_the_side_is_fixed_by_the_prompt(prompt: str, side: str) -> None:
    assert example(prompt).split == side


def test_spelling_does_not_change_sides() -> None:
    assert normalise("¿Qué es el IBAN?") == normalise("que es   el iban") == "que es el iban"
    assert example("¿Qué es el IBAN?").split == example("que es el iban", "No.").split
    assert normalise("👍!") == "👍!"


def test_the_fingerprint_ignores_order_and_place() -> None:
    one, two = example("a", "b"), example("c", "d")
    placed = Example(two.messages, "faq.csv", 3)
    assert fingerprint([one, two]) == fingerprint([placed, one])
    assert fingerprint([one]) != fingerprint([one, two])


# --- JSON Lines -----------------------------------------------------------------------------------


def test_three_forms_of_json(tmp_path: Path) -> None:
    rows = [
        {"prompt": "Hi", "completion": "Hello."},
        {"Pregunta": "¿Qué tal?", "Respuesta": "Bien."},
        {
            "messages": [
                {"role": "system", "content": "Be nice."},
                {"role": "user", "content": [{"type": "text", "text": "One"}]},
                {"role": "assistant", "content": "Two"},
                {"role": "user", "content": "Three"},
                {"role": "assistant", "content": ["Four", "Five"]},
            ]
        },
        {"conversations": [{"from": "human", "value": "Ping"}, {"from": "gpt", "value": "Pong"}]},
    ]
    found = reading(tmp_path, "a.jsonl", "\n\n".join(json.dumps(row) for row in rows))
    assert [turns(e) for e in found.examples] == [
        [("user", "Hi"), ("assistant", "Hello.")],
        [("user", "¿Qué tal?"), ("assistant", "Bien.")],
        [("user", "One"), ("assistant", "Two"), ("user", "Three"), ("assistant", "Four\nFive")],
        [("user", "Ping"), ("assistant", "Pong")],
    ]
    assert [e.line for e in found.examples] == [1, 3, 5, 7]
    assert codes(found) == [("system-ignored", 5)]


def test_a_bad_line_costs_no_other(tmp_path: Path) -> None:
    lines = [
        '{"prompt": "a", "completion": "b"}',
        '{"prompt": "a", "completion": ',
        '["a", "b"]',
        '{"question": "a", "anwser": "b"}',
        '{"prompt": 3, "completion": "b"}',
        '{"messages": "hello"}',
        '{"messages": [{"role": "user"}]}',
        '{"messages": [{"role": "assistant", "content": "b"}]}',
        '{"messages": [{"role": "user", "content": "a"}]}',
        '{"prompt": " ", "completion": "b"}',
        '{"prompt": "a", "completion": ""}',
        "[" * 100_000,
        '{"prompt": "c", "completion": "d"}',
    ]
    found = reading(tmp_path, "a.jsonl", "\r\n".join(lines))
    assert pairs(found) == [("a", "b"), ("c", "d")]
    assert codes(found) == [
        ("bad-json", 2),
        ("json-not-object", 3),
        ("json-keys", 4),
        ("not-text", 5),
        ("not-list", 6),
        ("bad-message", 7),
        ("starts-with-reply", 8),
        ("ends-without-reply", 9),
        ("empty-prompt", 10),
        ("empty-reply", 11),
        ("bad-json", 12),
    ]


def test_two_messages_of_one_speaker_are_one(tmp_path: Path) -> None:
    said = [("user", "Hi"), ("user", "You there?"), ("assistant", "Yes.")]
    row = {"messages": [{"role": role, "content": text} for role, text in said]}
    found = reading(tmp_path, "a.jsonl", json.dumps(row))
    assert pairs(found) == [("Hi\nYou there?", "Yes.")]


def test_half_an_emoji_is_a_lost_character_and_no_crash(tmp_path: Path) -> None:
    found = reading(
        tmp_path, "a.jsonl", r'{"prompt": "ok \ud83d\ude00", "completion": "cut \ud83d"}'
    )
    assert pairs(found) == [("ok 😀", "cut \ufffd")]
    assert found.examples[0].split in ("train", "valid", "test")


# --- CSV ------------------------------------------------------------------------------------------

QUOTED = 'prompt,completion\n"Hi, you","Say ""yes"""\nBye,Ciao\n'
EXPECTED = [("Hi, you", 'Say "yes"'), ("Bye", "Ciao")]


@pytest.mark.parametrize(
    "raw",
    [
        QUOTED.encode(),
        QUOTED.encode("utf-8-sig"),
        QUOTED.encode("utf-16"),
        QUOTED.replace("\n", "\r\n").encode(),
        QUOTED.replace("\n", "\r").encode(),
        QUOTED.rstrip().encode(),
        b'prompt;completion\n"Hi, you";"Say ""yes"""\nBye;Ciao\n',
        b'prompt\tcompletion\nHi, you\t"Say ""yes"""\nBye\tCiao\n',
        b'sep=;\nprompt;completion\nHi, you;"Say ""yes"""\nBye;Ciao\n',
        b'prompt|completion\nHi, you|"Say ""yes"""\nBye|Ciao\n',
        b'prompt, completion\n"Hi, you", "Say ""yes"""\nBye, Ciao\n',
        b'Our examples\n\nprompt;completion\n"Hi, you";"Say ""yes"""\nBye;Ciao\n',
        b'\n,,\nprompt,completion,\n,,\n"Hi, you","Say ""yes""",\nBye,Ciao,\n\n',
    ],
    ids=[
        "plain", "bom", "utf-16", "crlf", "cr", "no last line end", "semicolons", "tabs", "sep=",
        "bars", "spaces", "title", "empty rows",
    ],
)  # fmt: skip
def test_csv_as_programs_write_it(tmp_path: Path, raw: bytes) -> None:
    found = reading(tmp_path, "faq.csv", raw)
    assert pairs(found) == EXPECTED
    assert codes(found) == []


def test_lines_are_those_of_the_file(tmp_path: Path) -> None:
    text = 'sep=;\nprompt;completion\n"a\nb";c\n\nd;e\nf;\n'
    found = reading(tmp_path, "faq.csv", text)
    assert [(e.file, e.line) for e in found.examples] == [("faq.csv", 3), ("faq.csv", 6)]
    assert codes(found) == [("empty-reply", 7)]


def test_smart_quotes_around_cells(tmp_path: Path) -> None:
    found = reading(
        tmp_path, "faq.csv", "“prompt”,“completion”\n“Hi, you”,“Say ‘yes’, then go”\n„Oh“, “No”\n"
    )
    assert pairs(found) == [("Hi, you", "Say ‘yes’, then go"), ("Oh", "No")]
    assert codes(found) == []


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
def test_old_excel(tmp_path: Path, encoding: str) -> None:
    raw = "Pregunta;Respuesta\n¿Cuánto?;Según el año.\n".encode(encoding)
    found = reading(tmp_path, "faq.csv", raw)
    assert pairs(found) == [("¿Cuánto?", "Según el año.")]
    assert codes(found) == [("not-utf8", 2)]


@pytest.mark.parametrize("header", ["Pregunta;Respuesta", "usuario;ASISTENTE", "Petición;Salida"])
def test_a_header_in_spanish(tmp_path: Path, header: str) -> None:
    assert pairs(reading(tmp_path, "faq.csv", f"{header}\nHola;Buenas\n")) == [("Hola", "Buenas")]


def test_columns_in_another_order_and_stray_ones(tmp_path: Path) -> None:
    text = "id,completion,Notes,prompt,\n1,b,x,a,\n2,d,,c,seen by Ana\n,,left alone,,\n"
    found = reading(tmp_path, "faq.csv", text)
    assert pairs(found) == [("a", "b"), ("c", "d")]
    assert [(p.severity, p.code, p.line, p.values["column"]) for p in found.problems] == [
        ("note", "stray-column", 1, "Notes"),
        ("note", "stray-column", 3, "5"),
    ]


def test_too_many_cells_cost_one_row(tmp_path: Path) -> None:
    found = reading(tmp_path, "faq.csv", "prompt,completion\na,b, c and d\ne,f,\n")
    assert pairs(found) == [("e", "f")]
    assert codes(found) == [("too-many-cells", 2)]


@pytest.mark.parametrize(
    "rest",
    ["c,d\n", '"c","d"\n', 'c,"d"\n', 'c,d\n"e","f"\n', "c,d"],
    ids=["plain", "quoted", "half quoted", "quoted later", "no last line end"],
)
def test_an_open_quote_costs_its_own_row(tmp_path: Path, rest: str) -> None:
    found = reading(tmp_path, "faq.csv", f'prompt,completion\na,"b goes on\n{rest}')
    assert ("c", "d") in pairs(found)
    assert len(found.examples) == rest.count("\n") or rest == "c,d"
    assert codes(found) == [("open-quote", 2)]


def test_an_open_quote_in_the_last_row(tmp_path: Path) -> None:
    found = reading(tmp_path, "faq.csv", 'prompt,completion\na,b\nc,"d')
    assert pairs(found) == [("a", "b")]
    assert codes(found) == [("open-quote", 3)]


def test_an_open_quote_far_from_its_end(tmp_path: Path) -> None:
    rows = "".join(f"p{n},r{n}\n" for n in range(50))
    found = reading(tmp_path, "faq.csv", f'prompt,completion\nx,"y\n{rows}z,"\n')
    assert len(found.examples) == 50
    assert codes(found)[0] == ("open-quote", 2)


def test_a_quote_in_the_middle_of_a_cell(tmp_path: Path) -> None:
    found = reading(tmp_path, "faq.csv", 'prompt,completion\n"a" b,the "c" word\n')
    assert pairs(found) == [("a b", 'the "c" word')]
    assert codes(found) == []


def test_a_reply_of_several_lines(tmp_path: Path) -> None:
    found = reading(tmp_path, "faq.csv", 'prompt,completion\na,"one\n\ntwo"\nb,c\n')
    assert pairs(found) == [("a", "one\n\ntwo"), ("b", "c")]


@pytest.mark.parametrize(
    ("text", "line"), [("a,b\nc,d\n", 1), ("Hello\n", 1), ("Title\n\nc,d\n", 1), ("\n\na,b\n", 3)]
)
def test_no_header(tmp_path: Path, text: str, line: int) -> None:
    found = reading(tmp_path, "faq.csv", text)
    assert pairs(found) == []
    assert codes(found) == [("no-header", line)]


def test_a_header_below_titles(tmp_path: Path) -> None:
    text = "Lumen chatbot,v3\nBy Ana,May\nprompt,completion\nHi,Hello\n"
    found = reading(tmp_path, "faq.csv", text)
    assert pairs(found) == [("Hi", "Hello")] and codes(found) == []


def test_a_column_of_context_is_told(tmp_path: Path) -> None:
    text = "prompt,context,reply\nHow much?,Haircut: £12.,Twelve pounds.\n"
    found = reading(tmp_path, "faq.csv", text)
    assert found.examples[0].facts == ("Haircut: £12.",)
    assert [(p.severity, p.code, p.line) for p in found.problems] == [("note", "facts-column", 1)]
    assert codes(reading(tmp_path, "faq.csv", text.replace("context", "facts"))) == []
    row = '{"prompt": "How much?", "context": "Haircut: £12.", "completion": "Twelve pounds."}\n'
    assert codes(reading(tmp_path, "faq.jsonl", row * 3)) == [("facts-column", 1)]


def test_a_column_that_is_not_used_and_full_of_text(tmp_path: Path) -> None:
    rows = "".join(f"Ana {n},My lamp number {n} arrived broken,That is on us.\n" for n in range(12))
    found = reading(tmp_path, "faq.csv", f"Customer,What they asked,Reply\n{rows}")
    assert [(p.severity, p.code, p.line) for p in found.problems] == [
        ("note", "stray-column", 1), ("warning", "full-column", 1),
    ]  # fmt: skip
    assert found.problems[1].values["prompt"] == "Customer"
    notes = rows.replace("My lamp number", "seen").replace("arrived broken", "")
    found = reading(tmp_path, "faq.csv", f"Prompt,Notes,Reply\n{notes}")
    assert codes(found) == [("stray-column", 1)]


def test_a_header_alone(tmp_path: Path) -> None:
    assert codes(reading(tmp_path, "faq.csv", "prompt,completion\n")) == [
        ("no-examples-in-file", None)
    ]


def test_a_picture_called_csv(tmp_path: Path) -> None:
    found = reading(tmp_path, "faq.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR")
    assert codes(found)[-1][0] in ("binary-file", "no-header")
    assert ("binary-file", None) in codes(found)


# --- Excel ----------------------------------------------------------------------------------------


def saved(book: Workbook) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def workbook(rows: list[list[object]]) -> Workbook:
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    return book


def test_excel(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Ejemplos de la tienda"],
        [],
        ["Pregunta", "Respuesta", "Notas"],
        ["Hola", "Buenas", "revisado"],
        [],
        ["¿Cuántos?", 12.0, None],
        ["Sin respuesta", None, None],
    ]
    found = reading(tmp_path, "faq.xlsx", saved(workbook(rows)))
    assert pairs(found) == [("Hola", "Buenas"), ("¿Cuántos?", "12")]
    assert [e.line for e in found.examples] == [4, 6]
    assert codes(found) == [("stray-column", 3), ("empty-reply", 7)]


def test_cells_are_read_as_the_sheet_shows_them(tmp_path: Path) -> None:
    book = workbook([["prompt", "completion"], ["When?", date(2026, 1, 2)], ["Draft", "No."],
                     ["How much off?", 0.5], ["What time?", time(9, 30)]])  # fmt: skip
    assert book.active is not None
    book.active["B4"].number_format = "0%"
    book.active.row_dimensions[3].hidden = True
    found = reading(tmp_path, "faq.xlsx", saved(book))
    assert [reply for _, reply in pairs(found)] == ["2026-01-02", "50%", "09:30"]
    assert codes(found) == [("hidden-cells", None)]
    book.active.auto_filter.ref = "A1:B5"
    assert len(reading(tmp_path, "faq.xlsx", saved(book)).examples) == 4


def test_merged_cells(tmp_path: Path) -> None:
    book = workbook([["prompt", "completion"], ["Hi", "One"], [None, "Two"], ["Both", None]])
    assert book.active is not None
    book.active.merge_cells("A2:A3")
    book.active.merge_cells("A4:B4")
    found = reading(tmp_path, "faq.xlsx", saved(book))
    assert pairs(found) == [("Hi", "One"), ("Hi", "Two")]
    assert sorted(codes(found), key=str) == [
        ("empty-reply", 4),
        ("merged-across", 4),
        ("merged-down", 2),
    ]


def test_several_sheets_are_named(tmp_path: Path) -> None:
    book = workbook([["prompt", "completion"], ["Hi", "Hello"]])
    book.create_sheet("Old").append(["just", "notes"])
    book.create_sheet("Empty")
    found = reading(tmp_path, "faq.xlsx", saved(book))
    assert [(e.file, e.line) for e in found.examples] == [("faq.xlsx[Sheet]", 2)]
    assert [(p.code, p.file) for p in found.problems] == [("no-header", "faq.xlsx[Old]")]


@pytest.mark.parametrize("name", ["faq.xls", "faq.xlsx"])
def test_old_or_locked_excel(tmp_path: Path, name: str) -> None:
    found = reading(tmp_path, name, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600)
    assert codes(found) == [("old-or-locked-excel", None)]


@pytest.mark.parametrize("keep", [0.0, 0.2, 0.5, 0.9, 0.99])
def test_a_damaged_workbook(tmp_path: Path, keep: float) -> None:
    whole = saved(workbook([["prompt", "completion"], ["Hi", "Hello"]]))
    found = reading(tmp_path, "faq.xlsx", whole[: int(len(whole) * keep)])
    assert codes(found) == [("bad-excel", None)]
    if keep < 0.9:  # nothing of Excel's is left at its end
        assert "de Excel solo tiene el nombre" in tell(found.problems[0], "es").what


def test_flipped_bytes_in_a_workbook_are_no_crash(tmp_path: Path) -> None:
    whole = saved(workbook([["prompt", "completion"], ["Hi", "Hello"]]))
    for position in range(0, len(whole), 97):
        broken = bytearray(whole)
        broken[position] ^= 0xFF
        found = reading(tmp_path, "faq.xlsx", bytes(broken))
        assert found.problems or pairs(found) == [("Hi", "Hello")]


# --- Markdown -------------------------------------------------------------------------------------


def test_markdown(tmp_path: Path) -> None:
    text = """\
# Small talk

<!-- a note
over two lines -->
## hello ##

Morning.

- one
- two

---

##Hola
Buenas.
> ¿Y tú?
> Dime.

Bien.

### Code?

```
# not a heading
```
"""
    found = reading(tmp_path, "a.md", text)
    assert [(e.line, turns(e)) for e in found.examples] == [
        (5, [("user", "hello"), ("assistant", "Morning.\n\n- one\n- two")]),
        (
            14,
            [
                ("user", "Hola"),
                ("assistant", "Buenas."),
                ("user", "¿Y tú?\nDime."),
                ("assistant", "Bien."),
            ],
        ),
        (21, [("user", "Code?"), ("assistant", "```\n# not a heading\n```")]),
    ]
    assert codes(found) == []


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ("## ¿Cómo lavo el jersey?\nEs fácil:\n### Paso 1\nAgua fría.\n", "heading-in-reply", 3),
        ("## Envíos\nLo que preguntan.\n### ¿Hacéis envíos?\nSí.\n### ¿A Lugo?\nSí.\n", "title-as-question", 1),
        ("## Ejemplo 1\n### Pregunta\n¿Hacéis envíos?\n### Respuesta\nSí.\n", "label-as-question", 2),
    ],
)  # fmt: skip
def test_headings_that_are_no_questions(tmp_path: Path, text: str, code: str, line: int) -> None:
    assert (code, line) in codes(reading(tmp_path, "a.md", text))


def test_short_questions_are_no_labels(tmp_path: Path) -> None:
    text = "# Preguntas\n\nLas de siempre.\n\n## ¿Bot?\nSí.\n\n## Consulta\nDime.\n"
    found = reading(tmp_path, "a.md", text)
    assert pairs(found)[1:] == [("¿Bot?", "Sí."), ("Consulta", "Dime.")]
    assert codes(found) == [("title-as-question", 1)]


def test_markdown_as_converters_write_it(tmp_path: Path) -> None:
    text = "## **¿Qué es C#?**\n¡Claro\\! Un lenguaje.\n\n## Aprender C#\nSí.\n"
    assert pairs(reading(tmp_path, "a.md", text)) == [
        ("¿Qué es C#?", "¡Claro! Un lenguaje."), ("Aprender C#", "Sí."),
    ]  # fmt: skip


def test_markdown_mistakes(tmp_path: Path) -> None:
    text = "A stray line\nand another\n## a\n\n## b\nYes.\n> and then?\n## c\n<!-- soon -->\n## d\nok\n"
    found = reading(tmp_path, "a.md", text)
    assert pairs(found) == [("d", "ok")]
    assert codes(found) == [
        ("text-before-heading", 1),
        ("empty-reply", 3),
        ("ends-without-reply", 5),
        ("empty-reply", 8),
    ]


# --- The folder -----------------------------------------------------------------------------------


def test_files_that_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "~$faq.xlsx").write_bytes(b"lock")
    (tmp_path / ".DS_Store").write_bytes(b"mac")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.csv").write_text("x")
    (tmp_path / "notes.docx").write_bytes(b"PK")
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "b.csv").write_text("prompt,completion\nHi,Hello\n")
    found = read(tmp_path)
    assert [(e.file, e.line) for e in found.examples] == [("more/b.csv", 2)]
    assert found.problems == [
        Problem("warning", "unknown-format", "notes.docx", None, {"suffix": ".docx"})
    ]


def test_two_columns_that_could_be_meant(tmp_path: Path) -> None:
    text = "cliente;pregunta;bot;respuesta\nMarta;¿Y el té?;Sí.;Té hay, sí.\n"
    found = reading(tmp_path, "a.csv", text)
    assert pairs(found) == [("¿Y el té?", "Té hay, sí.")]
    assert [(p.code, p.values["column"]) for p in found.problems] == [
        ("two-columns", "cliente"), ("two-columns", "bot"),
    ]  # fmt: skip
    found = reading(tmp_path, "a.csv", "prompt,prompt,completion\nTea?,No?,Yes.\n")
    assert pairs(found) == [("Tea?", "Yes.")] and codes(found) == [("same-columns", 1)]
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "bot", "content": "b"}]}
    (tmp_path / "a.csv").unlink()
    found = reading(tmp_path, "b.jsonl", json.dumps({**row, "prompt": "x"}))
    assert pairs(found) == [("a", "b")] and codes(found) == [("two-columns", 1)]
    found = reading(tmp_path, "b.jsonl", json.dumps({"conversations": "a", "prompt": "x"}))
    assert [(p.code, p.values.get("used", p.values.get("key"))) for p in found.problems] == [
        ("two-columns", "conversations"), ("not-list", "conversations"),
    ]  # fmt: skip
    lines = [{"instruction": "Hi", "input": said, "output": "Hello"} for said in ("", "x", "y")]
    (tmp_path / "b.jsonl").unlink()
    found = reading(tmp_path, "c.jsonl", "\n".join(map(json.dumps, lines)))
    assert len(found.examples) == 3 and codes(found) == [("two-columns", 2)]


def test_rows_that_are_no_examples(tmp_path: Path) -> None:
    text = 'pregunta,respuesta\na,b\nPregunta,Respuesta\n---,---\n“c”,“d, e”\n"f",g\n👍,😊\n'
    found = reading(tmp_path, "a.csv", text)
    assert pairs(found) == [("a", "b"), ("c", "d, e"), ("f", "g"), ("👍", "😊")]
    assert codes(found) == [("row-is-no-example", 3), ("row-is-no-example", 4)]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("## One\nA.\n ## Two\nB.\n#¿Tres?\nC.", [("One", "A."), ("Two", "B."), ("¿Tres?", "C.")]),
        ("## One\n### Respuesta\nA.\n## Two\nB.", [("One", "A."), ("Two", "B.")]),
        ("## One\nA.\n<!-- so ->\n## Two\nB.\n<!-- so –>", [("One", "A."), ("Two", "B.")]),
    ],
)
def test_slips_in_markdown(tmp_path: Path, text: str, wanted: list[tuple[str, str]]) -> None:
    assert pairs(reading(tmp_path, "a.md", text)) == wanted


def test_what_a_person_goes_on_with_may_be_indented(tmp_path: Path) -> None:
    (found,) = reading(tmp_path, "a.md", "## Tea?\nYes.\n\n > And milk?\n\nThat, too.").examples
    assert [m.content for m in found.messages] == ["Tea?", "Yes.", "And milk?", "That, too."]


def test_a_block_of_code_that_never_ends(tmp_path: Path) -> None:
    found = reading(tmp_path, "a.md", "## One\nA.\n```\n## Two\nB.")
    assert codes(found) == [("open-fence", 3)]


def test_no_folder(tmp_path: Path) -> None:
    assert codes(read(tmp_path / "examples")) == [("no-examples-folder", None)]


def test_row_33_every_mistake_is_named(tmp_path: Path) -> None:
    """A folder with every mistake a person can make; the good rows of the same files are read."""
    examples = tmp_path / "examples"
    examples.mkdir()
    (tmp_path / "evals").mkdir()
    (tmp_path / "persona.yaml").write_text(
        "name: Acme\nlanguage: english!\nrulse: {}\nrules:\n  emoji: some\n  emoji: none\n"
    )
    (tmp_path / "voice.md").write_bytes("Caf\u00e9".encode("latin-1"))
    (tmp_path / "evals" / "q.jsonl").write_text('{"prompt": "Good one"}\n{"question": "x"}\n')
    excel = (
        "prompt;completion;Notes\n"
        "Good one;A good reply of ours.;\n"
        ";A reply to nobody.;\n"
        "Nobody replies;;\n"
        "Too many;cells; in; this row\n"
        'Never closed;"An open quote\n'
        "Mail me at ana.lopez@correo.es;We will write to you.;\n"
        "What is it?;It costs 3 euros, see www.acme.com.;\n"
        "good ONE!;A good reply of ours.;\n"
        "Garbled;QuÃ© tal va todo.;\n"
        'Code;"Two &amp; two make four.";\n'
        "My key;It is sk-abcdefghijklmnopqrstuv0123.;\n"
        "Good two;Another good reply of ours.;\n"
    )
    (examples / "a-latin.csv").write_bytes("prompt,completion\nQué,Sí claro.\n".encode("cp1252"))
    (examples / "b-excel.csv").write_bytes(b"\xef\xbb\xbf" + excel.replace("\n", "\r\n").encode())
    (examples / "c-headless.csv").write_text("Hello,Hi there.\n")
    (examples / "d.jsonl").write_text(
        '{"prompt": "Good three", "completion": "A third good reply."}\n'
        "{'prompt': 'single quotes', 'completion': 'x'}\n"
        '{"prompt": "a"}\n'
        '{"messages": [{"role": "boss", "content": "x"}]}\n'
        '{"prompt": "Lost", "completion": "Cut off \\ud83d here."}\n'
        '{"prompt": "Good four", "completion": "A fourth good reply."}\n'
    )
    (examples / "e.md").write_text("stray\n\n## Empty\n\n## Good five\n\nA fifth good reply.\n")
    book = workbook([["prompt", "completion"], ["Good six", "A sixth good reply."], ["Wide", None]])
    assert book.active is not None
    book.active.merge_cells("A3:B3")
    (examples / "f.xlsx").write_bytes(saved(book))
    (examples / "g.xlsx").write_bytes(b"PK\x03\x04 not really")
    (examples / "h.xls").write_bytes(b"\xd0\xcf\x11\xe0" + b"\0" * 99)
    (examples / "i.docx").write_bytes(b"PK")
    (examples / "j.csv").write_bytes(b"prompt,completion\n\0\0\n")
    (examples / "~$f.xlsx").write_bytes(b"lock")

    found = lint.check(tmp_path)

    named = {(p.file, p.line, p.code) for p in found.problems}
    wanted = {
        ("persona.yaml", 2, "wrong-value"),
        ("persona.yaml", 3, "unknown-key-close"),
        ("persona.yaml", 5, "wrong-value"),
        ("persona.yaml", 6, "key-twice"),
        ("voice.md", 1, "not-utf8"),
        ("a-latin.csv", 2, "not-utf8"),
        ("b-excel.csv", 1, "stray-column"),
        ("b-excel.csv", 3, "empty-prompt"),
        ("b-excel.csv", 4, "empty-reply"),
        ("b-excel.csv", 5, "too-many-cells"),
        ("b-excel.csv", 6, "open-quote"),
        ("b-excel.csv", 7, "personal-data"),
        ("b-excel.csv", 8, "changing-fact"),
        ("b-excel.csv", 9, "duplicate"),
        ("b-excel.csv", 10, "mojibake"),
        ("b-excel.csv", 11, "html-code"),
        ("b-excel.csv", 12, "secret"),
        ("c-headless.csv", 1, "no-header"),
        ("d.jsonl", 2, "json-single-quotes"),
        ("d.jsonl", 3, "json-keys"),
        ("d.jsonl", 4, "bad-message"),
        ("d.jsonl", 5, "lost-letters"),
        ("e.md", 1, "text-before-heading"),
        ("e.md", 3, "empty-reply"),
        ("f.xlsx", 3, "merged-across"),
        ("f.xlsx", 3, "empty-reply"),
        ("g.xlsx", None, "bad-excel"),
        ("h.xls", None, "old-or-locked-excel"),
        ("i.docx", None, "unknown-format"),
        ("j.csv", None, "binary-file"),
        ("evals/q.jsonl", 1, "eval-leak"),
        ("evals/q.jsonl", 2, "bad-eval"),
        ("examples", None, "too-few"),
    }
    assert named == wanted
    prompts = [e.prompt for e in found.reading.examples]
    for good in ("Qué", "Good one", "Good two", "Good three", "Good four", "Good five", "Good six"):
        assert good in prompts
    assert not found.ok
    for finding in found.to_json()["findings"]:
        assert finding["what"]
        assert "ana.lopez@correo.es" not in json.dumps(finding)
        assert "sk-abcdefghij" not in json.dumps(finding)


def test_what_excel_and_word_do_to_a_file(tmp_path: Path) -> None:
    found = reading(tmp_path, "q.csv", 'prompt;completion\n"¿Tenéis "la casa"?";"Sí."\n')
    assert codes(found) == [("quote-inside", 2)]
    (tmp_path / "q.csv").unlink()
    lines = ["{“prompt”: “a”}", "[", '{"prompt": "a", "completion": "b"},', "]"]
    found = reading(tmp_path, "l.jsonl", "\n".join(lines))
    assert codes(found) == [
        ("json-quotes", 1),
        ("json-list", 2),
        ("json-list", 3),
        ("json-list", 4),
    ]
    (tmp_path / "l.jsonl").unlink()
    found = reading(tmp_path, "t.md", "# Charla\n\nDe la bodega.\n\n## ¿Abrís?\n\nSí, hoy.\n")
    assert codes(found) == [("title-as-question", 1)]
    (tmp_path / "t.md").unlink()
    found = reading(tmp_path, "n.jsonl", '{"prompt": null, "completion": "b"}')
    assert "null, o sea nada" in tell(found.problems[0], "es").line


@pytest.mark.parametrize("encoding", ["cp1252", "cp850", "mac_roman"])
def test_old_encodings_are_told_apart(tmp_path: Path, encoding: str) -> None:
    said = "pregunta;respuesta\n¿Hay piñones aquí?;Sí, señor: están ahí, a 3 por bolsa, ¡últimos!\n"
    found = reading(tmp_path, "q.csv", said.encode(encoding))
    assert (
        found.examples[0].prompt == "¿Hay piñones aquí?"
        and "señor: están" in found.examples[0].reply
    )
    assert [code for code, _ in codes(found)] == ["not-utf8"]


def test_a_hidden_sheet_is_not_read(tmp_path: Path) -> None:
    book = Workbook()
    for title, word in (("Shown", "Leaves."), ("Drafts", "Draft.")):
        sheet = book.active if title == "Shown" else book.create_sheet()
        sheet.title = title
        sheet.append(["prompt", "completion"])
        sheet.append([f"Tea {title}?", word])
    book["Drafts"].sheet_state = "hidden"
    book.save(tmp_path / "b.xlsx")
    found = read(tmp_path)
    assert [e.reply for e in found.examples] == ["Leaves."]
    assert [(p.code, p.file) for p in found.problems] == [("hidden-sheet", "b.xlsx[Drafts]")]
