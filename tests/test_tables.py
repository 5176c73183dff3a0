"""The machinery that example files and documents share: text, rows and sheets of any origin."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from openpyxl import Workbook

from brandbot.errors import Problem
from brandbot.tables import (
    PROMPT_NAMES,
    column_of,
    csv_rows,
    decode,
    header_name,
    json_rows,
)
from brandbot.texts import tell
from brandbot.workbooks import sheets, shown


def test_names_of_columns() -> None:
    assert header_name(" ¿Pregunta? ") == "pregunta"
    assert header_name("Válido hasta") == "valido_hasta"
    assert column_of(["id", "q", "pregunta"], PROMPT_NAMES) == 2
    assert column_of(["id"], PROMPT_NAMES) is None


@pytest.mark.parametrize(
    ("raw", "text", "code"),
    [
        ("é\r\nb\rc".encode("utf-8-sig"), "é\nb\nc", None),
        ("é".encode("utf-16"), "é", None),
        (b"a\n\xe9", "a\né", "not-utf8"),
        (b"a\0b", "", "binary-file"),
    ],
)
def test_text(raw: bytes, text: str, code: str | None) -> None:
    problems: list[Problem] = []
    assert decode(raw, "a.txt", problems) == text
    assert [problem.code for problem in problems] == ([code] if code else [])


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a;b\n1,5;2\n", [["a", "b"], ["1,5", "2"]]),
        ("Prices, all of them\na;b\n1,5;2\n", [["Prices, all of them"], ["a", "b"], ["1,5", "2"]]),
        ('"a;b;c",d\n"e;f;g",h\n', [["a;b;c", "d"], ["e;f;g", "h"]]),
        ("a\tb\n1, 2\t3\n", [["a", "b"], ["1, 2", "3"]]),
        ("sep=|\na|b\n1,2|3,4\n", [["a", "b"], ["1,2", "3,4"]]),
        ("alone\n", [["alone"]]),
        ("“a”;“b;c”\n", [["a", "b;c"]]),
        ('"prompt,reply"\n"c,""d,e"""\n', [["prompt", "reply"], ["c", "d,e"]]),
        ('sep=;\n"Prompt,Reply";;\n\n"c,d";;\n', [["Prompt", "Reply"], ["c", "d"]]),
        (
            '"Adults £6, children £3"\n"Monday no, else yes"\n',
            [["Adults £6, children £3"], ["Monday no, else yes"]],
        ),
    ],
)
def test_cells_of_a_csv_file(text: str, rows: list[list[str]]) -> None:
    problems: list[Problem] = []
    assert [cells for _, cells in csv_rows(text, "a.csv", problems) if cells] == rows
    assert problems == []


def test_an_open_quote_costs_its_line() -> None:
    problems: list[Problem] = []
    rows = list(csv_rows('a,b\n"c,d\ne,f\n', "a.csv", problems))
    assert [(n, cells) for n, cells in rows if cells] == [(1, ["a", "b"]), (3, ["e", "f"])]
    assert problems == [Problem("error", "open-quote", "a.csv", 2)]


def test_json_lines() -> None:
    problems: list[Problem] = []
    rows = list(json_rows('{"a": "\\ud83d"}\n\n{\n[1]\n{}\n', "a.jsonl", problems))
    assert rows == [(1, {"a": "\ufffd"}), (5, {})]
    assert [(problem.code, problem.line) for problem in problems] == [
        ("bad-json", 3),
        ("json-not-object", 4),
    ]


def test_sheets() -> None:
    book = Workbook()
    book.create_sheet("Empty")
    hidden = book.create_sheet("Hidden")
    hidden.sheet_state = "hidden"
    hidden.append(["x"])
    sheet = book.worksheets[0]
    sheet.title = "Prices"
    for row in (["a", "b"], ["c", 1.0], [None, 2.5]):
        sheet.append(row)
    sheet.merge_cells("A2:A3")
    sheet.merge_cells("A5:B5")
    buffer = io.BytesIO()
    book.save(buffer)
    found = sheets(buffer.getvalue(), "a.xlsx", [])
    assert [(s.title, s.place, s.hidden, s.size) for s in found] == [
        ("Prices", "a.xlsx[Prices]", False, (5, 2)),
        ("Hidden", "a.xlsx[Hidden]", True, (1, 1)),
    ]
    assert sorted((m.range, m.row, m.across) for m in found[0].merged) == [
        ("A2:A3", 2, False),
        ("A5:B5", 5, True),
    ]
    rows = [(n, [shown(cell) for cell in cells]) for n, cells in found[0].rows()]
    assert rows == [
        (1, ["a", "b"]),
        (2, ["c", "1"]),
        (3, ["c", "2.5"]),
        (4, ["", ""]),
        (5, ["", ""]),
    ]


ENGLISH = "Do you mind dogs? We don’t mind – we prefer “em.” It’s £2.50, there’s no wait."
SPANISH = "¿Os importan los perros? ¡Qué va! Aquí caben todos, y el café está a 2,50. Mañana más."


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "cp1252"), (ENGLISH, "mac_roman"), ("It's £2.50, no wait.", "cp850"),
        (SPANISH, "cp1252"), (SPANISH, "mac_roman"), (SPANISH, "cp850"),
        (ENGLISH, "utf-16-le"),
    ],
)  # fmt: skip
def test_old_encodings_are_told_apart(text: str, encoding: str) -> None:
    assert decode(text.encode(encoding), "f.csv", []) == text


def test_lines_pasted_in_another_encoding() -> None:
    problems: list[Problem] = []
    raw = "Menú\nPiñones\n".encode() + "Café".encode("cp1252")
    assert decode(raw, "f.md", problems) == "Menú\nPiñones\nCafé"
    assert [(p.code, p.line, p.values["found"]) for p in problems] == [
        ("not-utf8", 3, "Menú, Piñones, Café")
    ]


@pytest.mark.parametrize(
    ("text", "cells"),
    [
        ("Té verde;2,50\nCafé solo;1,80\nPan;1,20", ["Té verde", "2,50"]),
        ("Producto;Precio, IVA incluido\nLatte;3,60", ["Producto", "Precio, IVA incluido"]),
        ("Coche\tPrecio, €\nIbiza\t12,50", ["Coche", "Precio, €"]),
        ("Latte,3.60,4.00\nMocha,3.90,4.30", ["Latte", "3.60", "4.00"]),
        ("Room,Price\nRoom 1,80\nRoom 3,95; breakfast", ["Room", "Price"]),
    ],
)
def test_the_comma_of_a_price_separates_nothing(text: str, cells: list[str]) -> None:
    assert next(csv_rows(text, "f.csv", []))[1] == cells


def told(rows: Iterator[Any], problems: list[Problem]) -> list[tuple[str, int | None]]:
    list(rows)
    return [(p.code, p.line) for p in problems]


def test_a_text_that_is_cut_and_marks_that_are_mixed() -> None:
    problems: list[Problem] = []
    text = 'q,a,notes\nWhere?,Right here, watching\nWhen?,"Now, friend",ask Ana\nWho, We, x'
    assert told(csv_rows(text, "f.csv", problems), problems) == [("cut-at-comma", 2)]
    problems = []
    text = "Producto,Precio,Nota\nBarra,1,20 €\nHogaza,4,\n"
    assert told(csv_rows(text, "f.csv", problems), problems) == [("cut-at-comma", 2)]
    problems = []
    text = 'q,a,topic\n"Open?", "Yes, we do",\nLatte,3, 4\nTea,,  5\n"Hi","One\n“Two”\nThree",x'
    rows = list(csv_rows(text, "f.csv", problems))
    assert problems == [] and rows[-1][1] == ["Hi", "One\n“Two”\nThree", "x"]
    text = "prompt,reply\nTea?;Yes, of course\nMilk?;No\n"
    assert told(csv_rows(text, "f.csv", problems), problems) == [("mixed-separators", 1)]
    problems = []
    assert told(csv_rows("a;b\nHi, you;Yes, me\nX;Y\n", "f.csv", problems), problems) == []


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ('{"prompt": "a", "completion": "b", "completion": "c"}', [("json-key-twice", 1)]),
        ("{'prompt': 'a'}", [("json-single-quotes", 1)]),
        ('{"prompt": "a",}', [("json-comma", 1)]),
        ('[\n  {\n    "prompt": "a"\n  }\n]\n', [("json-over-lines", 1)]),
        ('{"prompt": "say "a" now"}', [("bad-json", 1)]),
    ],
)
def test_slips_in_json(text: str, codes: list[tuple[str, int]]) -> None:
    problems: list[Problem] = []
    assert told(json_rows(text, "f.jsonl", problems), problems) == codes
    for problem in problems:
        assert "Expecting" not in tell(problem, "es").line
