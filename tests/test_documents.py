"""Documents as people write them: what is read, where it stood, and what is said about the rest."""

from __future__ import annotations

import io
import json
import re
import subprocess
import sys
import warnings
import zipfile
from collections.abc import Callable
from datetime import date, datetime, time
from typing import Any

import pytest
from docx import Document as new_document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from openpyxl import Workbook
from openpyxl.styles import Font
from pypdf import PdfReader, PdfWriter
from pypdf.generic import NameObject
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Table

from brandbot.knowledge import documents
from brandbot.knowledge.blocks import Outline, as_day, joined, plain
from brandbot.knowledge.documents import READERS, Block, Document, read
from brandbot.texts import tell
from tests.chromium import Window
from tests.conftest import ROOT


def reading(name: str, content: str | bytes) -> Document:
    return read(content.encode() if isinstance(content, str) else content, name)


def texts(document: Document) -> list[str]:
    return [block.text for block in document.blocks]


def codes(document: Document) -> list[tuple[str, str, int | None]]:
    """Severity, code and line of each problem; each can be told in both languages."""
    for problem in document.problems:
        assert tell(problem, "en").line
        assert tell(problem, "es").line
    return [(problem.severity, problem.code, problem.line) for problem in document.problems]


def test_rows_that_name_a_part_of_a_table_are_told_with_it() -> None:
    menu = "Drink,Small,Large\nHOT,,\nLatte,£3.60,£4.00\nMocha,£3.90,£4.30\nICED,,\nLatte,£4.20,£4.80\n"
    assert texts(reading("menu.csv", menu)) == [
        "HOT, Latte: Small £3.60, Large £4.00",
        "HOT, Mocha: Small £3.90, Large £4.30",
        "ICED, Latte: Small £4.20, Large £4.80",
    ]
    # Not a thing in the middle that has no price, nor several, nor what nothing follows.
    for rows in (
        "Latte,£3,£4\nTea,,\nMocha,£3,£4",
        "Tea,,\nLatte,£3,£4\nMocha,£3,£4",
        "Tea,,\nMate,,\nLatte,£3,£4",
        "Tea,,\nLatte,£3,£4\nMate,,",
    ):
        assert "Tea" in texts(reading("menu.csv", f"Drink,Small,Large\n{rows}\n"))


def test_what_is_struck_out_of_a_cell_is_gone() -> None:
    from openpyxl.cell.rich_text import CellRichText, TextBlock
    from openpyxl.cell.text import InlineFont

    book = Workbook()
    sheet = book.active
    sheet.append(["Lamp", "Price"])
    sheet.append(["Alba", CellRichText(TextBlock(InlineFont(strike=True), "£45 "), "£39")])
    assert texts(reading("prices.xlsx", saved(book))) == ["Alba: £39"]


def test_a_day_that_excel_made_of_a_span() -> None:
    book = Workbook()
    sheet = book.active
    sheet.append(["Place", "Days", "Price", "Until"])
    sheet.append(["Town", datetime(2026, 3, 2), 3, datetime(2030, 3, 2)])
    sheet.append(["Island", datetime(2026, 3, 4), 5, None])
    sheet["B2"].number_format = sheet["D2"].number_format = "d-mmm"
    found = reading("delivery.xlsx", saved(book))
    assert codes(found) == [("warning", "excel-day", 2)]


# --- What ordinary files have that is easily told of the wrong thing ------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Closed on the first day, and things that are free: no header.
        ("Lunes,cerrado\nMartes,9-14\n", ["Lunes: cerrado", "Martes: 9-14"]),
        ("Wifi;gratis\nParking;10 €\n", ["Wifi: gratis", "Parking: 10 €"]),
        ("Servicio;Gratis\nWifi;sí\n", ["Wifi: sí"]),
        (
            "Lunes,Cerrado,Cerrado\nMartes,9:00-14:00,17:00-20:00\n",
            ["Lunes: Cerrado, Cerrado", "Martes: 9:00-14:00, 17:00-20:00"],
        ),
        # Another table below the first, with and without a title.
        (
            "Room,Weekday,Weekend\nDouble,£60,£80\n,,\nMassage,Half an hour,One hour\nDeep,£30,£50\n",
            ["Double: Weekday £60, Weekend £80", "Deep: Half an hour £30, One hour £50"],
        ),
        (
            "Room,Weekday,Weekend\nDouble,£60,£80\n,,\nMassages,,\nType,30 min,60 min\nDeep,£30,£50\n",
            ["Double: Weekday £60, Weekend £80", "Deep: 30 min £30, 60 min £50"],
        ),
        # Parts of a table: in two columns, with parts of their own, the first without a name; and
        # a remark below.
        (
            "Service,Price\nLadies,\nCut,£25\nMen,\nCut,£15\n",
            ["Ladies, Cut: £25", "Men, Cut: £15"],
        ),
        (
            "Service,Short,Long\nHair,,\nLadies,,\nCut,£25,£30\nMen,,\nCut,£15,£18\nVAT is included,,\n",
            [
                "Hair, Ladies, Cut: Short £25, Long £30",
                "Men, Cut: Short £15, Long £18",
                "VAT is included",
            ],
        ),
        (
            "Drink,Small\nLatte,£3\nMocha,£4\nWith oat milk,\nLatte,£3.50\nMocha,£4.50\n",
            [
                "Latte: £3", "Mocha: £4", "With oat milk, Latte: £3.50",
                "With oat milk, Mocha: £4.50",
            ],
        ),
        # The thing's name left out below it, but not of a sum, nor behind an empty row.
        (
            "Item,Size,Price\nShirt,S,10 €\n,M,12 €\n,Total,22 €\n",
            [
                "Shirt: Size S, Price 10 €", "Shirt: Size M, Price 12 €",
                "Size Total, Price 22 €",
            ],
        ),
        ("Item,Size,Price\nShirt,S,10 €\n,,\n,M,12 €\n",
         ["Shirt: Size S, Price 10 €", "Size M, Price 12 €"]),
        # Cells that say too little without their column's name.
        (
            "Dish,Contains gluten\nCake,No\nRice cake,Yes\n",
            ["Cake: Contains gluten No", "Rice cake: Contains gluten Yes"],
        ),
        ("Product,Price per dozen\nEggs,£3.50\n", ["Eggs: Price per dozen £3.50"]),
        ("Boat,Minimum age\nKayak,8\n", ["Kayak: Minimum age 8"]),
        ("Day,Hours\nMonday,9-17\n", ["Monday: 9-17"]),
        ("Wifi,Yes\nParking,No\nRooms,12\n", ["Wifi: Yes", "Parking: No", "Rooms: 12"]),
        # A mark is no thing's name.
        (
            ",Dish,Price\nV,Hummus,5.00\n,Lamb,7.00\n",
            ["V: Dish Hummus, Price 5.00", "Dish Lamb, Price 7.00"],
        ),
        # Tables below that are wider, or whose columns have small names.
        (
            "Item,Price\nLatte,3.00\n,\nDay,Open,Closed\nMonday,9:00,17:00\n",
            ["Latte: Price 3.00", "Monday: Open 9:00, Closed 17:00"],
        ),
        ("Room,Free\nA,yes\nB,no\n", ["A: yes", "B: no"]),
        ("Días,Abierto\nLunes,9-14\n", ["Lunes: 9-14"]),
        ("Day,open,closed\nMonday,9:00,17:00\n", ["Monday: open 9:00, closed 17:00"]),
        # Two things that lack their price are no parts.
        (
            "Dish,Half,Full\nFish,,\nBass,18,24\nLobster,,\nOysters,,\nTurbot,20,28\nMeat,,\nRib,19,26\n",
            ["Fish", "Bass: Half 18, Full 24", "Lobster", "Oysters", "Turbot: Half 20, Full 28",
             "Meat", "Rib: Half 19, Full 26"],
        ),
    ],
)  # fmt: skip
def test_a_figure_is_told_of_its_own_thing(text: str, expected: list[str]) -> None:
    assert texts(reading("a.csv", text)) == expected


def test_questions_in_running_text_have_their_answers() -> None:
    text = (
        "# Questions\n\nAsk away.\n\n**Are dogs welcome?**\n\nNo.\n\n**Do you take cards?**\n\nYes.\n\n"
        "From £5.\n\n**Is there wifi?** Free.\n\nFollow us!\n"
    )
    told = [(b.question, b.text, b.kind) for b in reading("a.md", text).blocks]
    assert told == [
        ("", "Ask away.", "paragraph"), ("Are dogs welcome?", "No.", "answer"),
        ("Do you take cards?", "Yes.", "answer"), ("Do you take cards?", "From £5.", "answer"),
        ("Is there wifi?", "Free.", "answer"), ("", "Follow us!", "paragraph"),
    ]  # fmt: skip
    labelled = reading("a.txt", "Q: Do you take cash?\nA: No.\n\nQ2. Open on Sundays?\nA2. Yes.\n")
    assert [(b.question, b.text) for b in labelled.blocks] == [
        ("Do you take cash?", "No."), ("Open on Sundays?", "Yes."),
    ]  # fmt: skip
    # A question that ends a story, one without its mark, and a title that ends an answer.
    told = reading(
        "b.md",
        "Is parking free?\n\nYes.\n\nCan I bring my dog\n\nNo, only guide dogs.\n\n"
        "I lost my ticket. What do I do?\n\nCall us.\n\nDo you deliver? Since when?\n\nSince May.\n",
    ).blocks
    assert [(b.question, b.text) for b in told] == [
        ("Is parking free?", "Yes."), ("", "Can I bring my dog"), ("", "No, only guide dogs."),
        ("I lost my ticket. What do I do?", "Call us."),
        ("Do you deliver? Since when?", "Since May."),
    ]  # fmt: skip
    # One alone may be a turn of speech.
    assert texts(reading("a.md", "Looking for a gift?\n\nMugs from £5.\n")) == [
        "Looking for a gift?", "Mugs from £5.",
    ]  # fmt: skip


def test_a_colon_too_many_makes_no_offer_eternal() -> None:
    text = '---\ntitle: Black Friday: 20% off\nvalid_until: "2020-01-01"\n---\nAll at 20% off.\n'
    found = reading("a.md", text)
    assert [block.valid_until for block in found.blocks] == [date(2020, 1, 1)]
    assert codes(found) == [("warning", "yaml-syntax", 2)]


def test_words_for_no_end_among_days() -> None:
    found = reading("a.csv", "Oferta,Caduca\nPizza,31/12/2020\nMenú,sin caducidad\n")
    assert [block.valid_until for block in found.blocks] == [date(2020, 12, 31), None]


def test_what_is_raised_is_no_digit_of_the_price_before_it() -> None:
    page = "<p>12<sup>99</sup> €, £3<sup>50</sup>, 9<sup>1</sup>, 30 m<sup>2</sup></p>"
    assert texts(reading("a.html", page)) == ["12,99 €, £3.50, 9¹, 30 m²"]
    assert texts(reading("a.md", "12<sup>99</sup> €")) == ["12,99 €"]
    small = "<p>$9<sup>.99</sup> <sup>Call 600 111 222</sup></p>"
    assert texts(reading("a.html", small)) == ["$9.99 Call 600 111 222"]
    written = new_document()
    paragraph = written.add_paragraph("Camiseta 12")
    paragraph.add_run("99").font.superscript = True
    paragraph.add_run(" €")
    assert texts(reading("a.docx", saved(written))) == ["Camiseta 12,99 €"]


def test_a_box_in_an_empty_paragraph() -> None:
    written = new_document()
    box = (
        f"<w:r {nsdecls('w')}><w:pict><w:txbxContent><w:p><w:r><w:t>Menú: 14 €</w:t></w:r></w:p>"
        "</w:txbxContent></w:pict></w:r>"
    )
    written.add_paragraph("")._p.append(parse_xml(box))
    assert texts(reading("a.docx", saved(written))) == ["Menú: 14 €"]


# --- The folders that come with brandbot ----------------------------------------------------------


def shipped(persona: str) -> dict[str, Document]:
    folder = ROOT / "personas" / persona / "knowledge"
    return {file.name: read(file.read_bytes(), file.name) for file in sorted(folder.iterdir())}


def test_the_lighthouse() -> None:
    found = shipped("lighthouse")
    assert {name: (len(d.blocks), d.problems) for name, d in found.items()} == {
        "delivery-and-subscriptions.md": (14, []),
        "faq.csv": (10, []),
        "menu.md": (32, []),
        "visit.md": (14, []),
    }
    menu = "Menu and price list"
    assert found["menu.md"].blocks[5] == Block(
        "Latte: Small £3.60, Large £4.00", (menu, "Coffee drinks"), "row", line=13
    )
    assert found["menu.md"].blocks[1].text == "Espresso (double): Small £2.60"
    assert found["menu.md"].blocks[13] == Block(
        "Hot chocolate: £3.60, child size £2.40", (menu, "Tea and other drinks"), "item", line=28
    )
    assert found["menu.md"].blocks[28].text == (
        "Spring Tide (seasonal single farm): Taste changes every three months, 250 g £13.50"
    )
    assert found["visit.md"].blocks[:2] == [
        Block("Monday: closed", ("Visiting the cafe", "Opening hours"), "row", line=7),
        Block(
            "Tuesday to Friday: 7.30 am to 4.30 pm",
            ("Visiting the cafe", "Opening hours"),
            "row",
            line=8,
        ),
    ]
    assert found["visit.md"].blocks[-1] == Block(
        "Cards, mobile payment and cash are accepted.", ("Visiting the cafe", "Payment"), line=48
    )
    assert found["faq.csv"].blocks[6] == Block(
        "At the counter or by telephone on 01632 960144. Found items are kept for eight weeks.",
        (),
        "answer",
        row=8,
        question="Where can I ask about lost property?",
    )
    assert found["delivery-and-subscriptions.md"].blocks[1] == Block(
        "Mainland UK, standard: Cost £3.50, Usual time 2 to 3 working days",
        ("Delivery and subscriptions", "Delivery costs and times"),
        "row",
        line=11,
    )


def test_letra_clara() -> None:
    found = shipped("letraclara")
    assert {name: (len(d.blocks), d.problems) for name, d in found.items()} == {
        "ahorro-y-prestamos.md": (28, []),
        "cuenta-y-tarjeta.md": (21, []),
        "preguntas.csv": (10, []),
        "tarifas.md": (27, []),
    }
    assert found["tarifas.md"].blocks[1] == Block(
        "Cuenta Clara: 0 € al mes, sin condiciones.",
        ("Tarifas de Letra Clara", "Mantenimiento de la cuenta"),
        "item",
        line=7,
    )
    assert found["preguntas.csv"].blocks[0] == Block(
        "Sí. No se exige nómina, domiciliar recibos ni saldo mínimo.",
        (),
        "answer",
        row=2,
        question="¿Se puede abrir la cuenta sin nómina?",
    )
    assert found["ahorro-y-prestamos.md"].blocks[20] == Block(
        "Ejemplo: 1.000 € a 12 meses, 12 cuotas de 86,94 €, más 10 € de apertura; TAE 10,24 %.",
        ("Ahorro y préstamos", "Préstamo Chiquito"),
        "item",
        line=41,
    )


# --- Markdown -------------------------------------------------------------------------------------


LINES = """\
PRICES
Flat white ........ £3.20
Latte ... £3.60
Oat milk . . . . +£0.40

Café Luna
C/ Mayor 3, 28013 Madrid
Tel: 910 000 000
Horario: L-V 8:00-20:00
Menú del día 12,50 €

Opening hours:
Mon-Fri 8-18
Sat 9-14
Sun closed

We roast on Monday, and what is
Left over on Friday goes for
£30 a kilo.

Our oldest customer, who is 92 and comes every day, wrote this down:
The tea is good.

Call us
0131 555 0199

Habitación doble
Precio: 95 €
Incluye: desayuno

Do you ship abroad?
To Ireland: £8
To France: £12
"""


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_lines_that_are_things_of_their_own(name: str) -> None:
    """A menu, a card or hours are typed a line each; prose is broken anywhere."""
    text = LINES
    if name == "a.html":
        paragraphs = text.strip().split("\n\n")
        text = "".join(f"<p>{p.replace(chr(10), '<br>')}</p>" for p in paragraphs)
    assert [(b.text, b.headings) for b in reading(name, text).blocks] == [
        ("Flat white: £3.20", ("PRICES",)),
        ("Latte: £3.60", ("PRICES",)),
        ("Oat milk: +£0.40", ("PRICES",)),
        ("Café Luna", ()),
        ("C/ Mayor 3, 28013 Madrid", ()),
        ("Tel: 910 000 000", ()),
        ("Horario: L-V 8:00-20:00", ()),
        ("Menú del día 12,50 €", ()),
        ("Mon-Fri 8-18", ("Opening hours",)),
        ("Sat 9-14", ("Opening hours",)),
        ("Sun closed", ("Opening hours",)),
        ("We roast on Monday, and what is Left over on Friday goes for £30 a kilo.", ()),
        (
            "Our oldest customer, who is 92 and comes every day, wrote this down: The tea is good.",
            (),
        ),
        ("Call us 0131 555 0199", ()),
        ("Precio: 95 €", ("Habitación doble",)),
        ("Incluye: desayuno", ("Habitación doble",)),
        ("Do you ship abroad? To Ireland: £8 To France: £12", ()),
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Our delivery charge is £5 within the city and\nLeith. Orders over £30 are free. Others cost £4\nMusselburgh costs £6",
        "Opening times changed in March. The café is open\nMonday to Friday 9-17\nSaturday 10-16",
        "Nuestro local está en la calle\nMayor 12: 28013\nMadrid: 910 000 000",
        "Check-in: 15:00\nCheck-out: 11:00\nRooms on the top floor have\nViews of the sea",
    ],
)
def test_prose_that_is_broken_at_a_capital_stays_whole(text: str) -> None:
    (block,) = reading("a.txt", text).blocks
    assert block.text == text.replace("\n", " ")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("From 10....20 people", "From 10....20 people"),
        ("Between 5 ...... 10 pieces", "Between 5 ...... 10 pieces"),
        ("Pages 1....5", "Pages 1....5"),
        ("Waited.... 3 hours later", "Waited.... 3 hours later"),
        ("And then ... 12.50 is the price", "And then ... 12.50 is the price"),
        ("Code ___123", "Code ___123"),
        ("Name _____ 2 copies", "Name _____ 2 copies"),
        ("Menu 2 ....... £12", "Menu 2: £12"),
        ("Flat white ....... 3.20", "Flat white: 3.20"),
        ("Paella … 14,50 €", "Paella … 14,50 €"),
        ("Paella …… 14,50 € la ración", "Paella: 14,50 € la ración"),
        ("Tea ... £2 a pot", "Tea: £2 a pot"),
    ],
)
def test_dots_before_a_price(text: str, expected: str) -> None:
    assert plain(text) == expected


def test_a_first_line_that_names_or_greets() -> None:
    text = "Dates:\n24 Dec: 9-13\n31 Dec: 9-15\nHappy Christmas from all of us.\n\nEstimado cliente:\nLunes: 9-14\nMartes: 9-14\n\nPrices (all incl. VAT):\nLatte £3\nMocha £4\n"
    assert [(b.text, b.headings, b.line) for b in reading("a.txt", text).blocks] == [
        ("24 Dec: 9-13", ("Dates",), 2),
        ("31 Dec: 9-15", ("Dates",), 3),
        ("Happy Christmas from all of us.", (), 4),
        ("Estimado cliente:", (), 6),
        ("Lunes: 9-14", (), 7),
        ("Martes: 9-14", (), 8),
        ("Latte £3", ("Prices (all incl. VAT)",), 11),
        ("Mocha £4", ("Prices (all incl. VAT)",), 12),
    ]


def test_numbered_lines_are_things_of_their_own() -> None:
    text = "1. What is included?\nBreakfast and towels.\n2. The pool opens at 9.\n3. Dogs?\nNo.\n"
    assert [(b.question, b.text) for b in reading("a.txt", text).blocks] == [
        ("What is included?", "Breakfast and towels."), ("", "2. The pool opens at 9."), ("Dogs?", "No."),
    ]  # fmt: skip
    run_on = "1. Is it open? Yes. 2. Where is it? 12 High Street. 3. Parking is free.\n\n4. Toilets? No.\n"
    assert {b.question for b in reading("a.txt", run_on).blocks} == {""}
    dated = "10. Juli 2026. What is this?\n\nHow to book.\n\n11. Juli 2026. And this?\n\nA room.\n"
    assert "What is this?" not in {b.question for b in reading("a.txt", dated).blocks}
    marked = "Q: Is it open?\nA: Yes it is\nQ: Dogs?\nA: No, sorry\n"
    assert [(b.question, b.text) for b in reading("a.txt", marked).blocks] == [
        ("Is it open?", "Yes it is"), ("Dogs?", "No, sorry"),
    ]  # fmt: skip


def test_comings_and_goings_are_no_questions() -> None:
    text = "Habitación,Entrada,Salida\nDoble,15:00,12:00\nIndividual,14:00,11:00\n"
    assert [(b.text, b.question) for b in reading("a.csv", text).blocks] == [
        ("Doble: Entrada 15:00, Salida 12:00", ""), ("Individual: Entrada 14:00, Salida 11:00", ""),
    ]  # fmt: skip
    line = '{"user": "Open?", "bot": "Yes."}'
    assert [(b.question, b.text) for b in reading("a.jsonl", line).blocks] == [("Open?", "Yes.")]
    asked = reading("a.csv", "Cliente,Respuesta\n¿Hay wifi?,Sí.\n")
    assert [(b.question, b.text) for b in asked.blocks] == [("¿Hay wifi?", "Sí.")]


def test_a_header_that_comes_again_is_no_row() -> None:
    found = reading(
        "a.csv", "Product,Size,Price\nRope,6 mm,£1\nProduct,Size,Price\nChain,6 mm,£3\n"
    )
    assert [b.text for b in found.blocks] == [
        "Rope: Size 6 mm, Price £1",
        "Chain: Size 6 mm, Price £3",
    ]


BOLD = """\
**Adults**

| Cut | Colour |
|---|---|
| £20 | £35 |

**Children:**

| Cut | Colour |
|---|---|
| £12 | £25 |

**Open daily**

Come in.
"""


def test_a_bold_line_names_the_table_below_it() -> None:
    html = "<p><b>Adults</b></p><table><tr><th>Cut</th><th>Price</th></tr><tr><td>Dry</td><td>£20</td></tr></table><p>Hi</p>"
    found = [(b.text, b.headings) for b in reading("a.html", html).blocks]
    assert found == [("Dry: £20", ("Adults",)), ("Hi", ())]
    found = [(b.text, b.headings) for b in reading("a.md", BOLD).blocks]
    assert [headings for _, headings in found] == [("Adults",), ("Children",), (), ()]
    assert [text for text, headings in found if not headings] == ["Open daily", "Come in."]
    remark = BOLD.replace("**Adults**", "**Call us on 0131 555 0199**")
    assert "Call us on 0131 555 0199" in [b.text for b in reading("a.md", remark).blocks]
    made = new_document()
    for name, price in (("Adults", "£20"), ("Children:", "£12")):
        made.add_paragraph().add_run(name).bold = True
        made.add_paragraph()
        table = made.add_table(2, 2)
        for cell, text in zip(table._cells, ("Cut", "Price", "Dry", price), strict=True):
            cell.text = text
    made.add_paragraph().add_run("Open daily").bold = True
    made.add_paragraph("Come in.")
    stream = io.BytesIO()
    made.save(stream)
    blocks = read(stream.getvalue(), "a.docx").blocks
    assert [(b.text, b.headings) for b in blocks] == [
        ("Dry: £20", ("Adults",)), ("Dry: £12", ("Children",)), ("Open daily", ()), ("Come in.", ()),
    ]  # fmt: skip


def test_tables_under_and_beside_one_another() -> None:
    text = "Coffee,Price,,Tea,Price\nLatte,£3,,Green,£2\nMocha,£4,,,\n"
    assert [b.text for b in reading("a.csv", text).blocks] == [
        "Latte: £3",
        "Mocha: £4",
        "Green: £2",
    ]
    sizes = "Product,Small,,Large,Small\nLatte,£3,,£4,£5\n"
    assert len(reading("a.csv", sizes).blocks) == 1
    plans = "Plan,Monthly,Yearly\nSolo,£5,£50\n,,\nFamily plans,,\nDuo,£8,\n"
    assert reading("a.csv", plans).blocks[-1].text == "Duo: Monthly £8"
    spaced = "Item,Size,,Price,Notes\nRope,6 mm,,£1,blue\n"  # a column for looks alone
    assert [b.text for b in reading("a.csv", spaced).blocks] == [
        "Rope: Size 6 mm, Price £1, Notes blue"
    ]
    text = "Class,Drop-in,10 pack\nYoga,£12,£100\n,,\nOpening hours,,\nMon-Fri,7-21,\nSat,8-14,\n"
    assert [(b.text, b.headings) for b in reading("a.csv", text).blocks] == [
        ("Yoga: Drop-in £12, 10 pack £100", ()),
        ("Mon-Fri: 7-21", ("Opening hours",)), ("Sat: 8-14", ("Opening hours",)),
    ]  # fmt: skip


def test_a_pdf_with_much_small_print_has_headings() -> None:
    stream = io.BytesIO()
    canvas = Canvas(stream, A4)
    y = 800
    for size, text in (
        (24, "Menu"), (14, "Starters"), (10, "Soup of the day £6.50"), (8, "with sourdough bread"),
        (10, "Crab on toast £9.95"), (8, "with lemon mayonnaise and chives"), (14, "Mains"),
        (10, "Fish and chips £15.50"), (8, "line-caught haddock, mushy peas, tartare sauce"),
    ):  # fmt: skip
        canvas.setFont("Helvetica", size)
        canvas.drawString(72, y, text)
        y -= 30
    canvas.save()
    found = {b.text: b.headings for b in read(stream.getvalue(), "a.pdf").blocks}
    assert found["Crab on toast £9.95"] == ("Menu", "Starters")
    assert found["Fish and chips £15.50"] == ("Menu", "Mains")


def test_a_shops_export() -> None:
    """What the shop itself pays is not for customers, and pieces of pages are told as words."""
    text = "Title,Body (HTML),Price,Cost per item\nLinen shirt,<p>Breathable <b>linen</b>.</p><p>Wash&nbsp;cold &amp; dry.</p>,£49,£18\n"
    found = reading("a.csv", text)
    assert [b.text for b in found.blocks] == [
        "Linen shirt: Body (HTML) Breathable linen. Wash cold & dry., Price £49"
    ]
    assert codes(found) == [("note", "private-column", 1)]
    for table in ("Service,Margin,Price\nFlyer,10 mm,£5\n", "Material,Unit cost\nSand,£4\n"):
        told = reading("a.csv", table)
        assert not told.problems and ("10 mm" in told.blocks[0].text or "£4" in told.blocks[0].text)
    cell = "Name,About,Price\nWater,H<sub>2</sub>O at 1<b>st</b> floor m<sup>2</sup> <s>£10</s> <b>£8</b>,£8\n"
    assert reading("a.csv", cell).blocks[0].text == "Water: About H2O at 1st floor m² £8, Price £8"
    assert [b.text for b in reading("a.csv", "Who,Mail\nAna,<a@b.example>\n").blocks] == [
        "Ana: <a@b.example>"
    ]
    assert [b.text for b in reading("a.csv", "Service,Cost\nExpress,£6.90\n").blocks] == [
        "Express: £6.90"
    ]


def test_banners_and_trails_are_not_read() -> None:
    found = reading(
        "a.html",
        "<body class='cookie-ok'><div id='cookie-banner'>We use cookies. <p>Manage</p></div>"
        "<a class='skip-link' href='#m'>Skip</a><ul class='breadcrumb'><li>Home</li></ul>"
        f"<div class='cookies'><p>Our cookies are baked daily.</p>{'<p>With butter.</p>' * 60}</div>"
        "<p class='cookies-price'>Cookies £2</p><p>Open daily.</p></body>",
    )
    said = [b.text for b in found.blocks]
    assert said[0] == "Our cookies are baked daily." and said[-2:] == ["Cookies £2", "Open daily."]
    assert not {"We use cookies.", "Manage", "Skip", "Home"} & set(said)


def test_a_page_whose_frame_is_named_after_its_cookies_is_read() -> None:
    for html in (
        "<div class='site cookies-not-set'><h1>Shop</h1><p>We open daily.</p></div>",
        "<section id='cookies'><h2>Cookies</h2><p>We open daily.</p></section>",
        "<p class='consent-form'>We open daily.</p>",
    ):
        assert "We open daily." in [b.text for b in reading("a.html", html).blocks]


def test_what_a_word_file_says_at_the_edge_of_its_pages() -> None:
    made = new_document()
    made.add_paragraph("Haircut £20.")
    made.sections[0].header.paragraphs[0].text = "Salon Mo, the best"
    made.sections[0].footer.paragraphs[0].text = "Tel. 0131 555 0199 · 5 Leith Walk"
    for text in (
        "Page 1 of 12",
        "Version 1.2 12:30 Price list 2026",
        "Confidential – jo@corp.example",
        "Printed on 2026-11-03",
    ):
        made.sections[0].footer.add_paragraph(text)
    stream = io.BytesIO()
    made.save(stream)
    blocks = read(stream.getvalue(), "a.docx").blocks
    assert [b.text for b in blocks] == ["Haircut £20.", "Tel. 0131 555 0199 · 5 Leith Walk"]


def test_what_a_page_unfolds() -> None:
    found = reading(
        "a.html",
        "<h2>Help</h2><details><summary>Do you ship?</summary>Yes, €8.</details>"
        "<details><summary>Returns</summary><p>Within 30 days.</p></details><p>Write to us.</p>",
    )
    assert [(b.text, b.headings) for b in found.blocks] == [
        ("Yes, €8.", ("Help", "Do you ship?")), ("Within 30 days.", ("Help", "Returns")),
        ("Write to us.", ("Help",)),
    ]  # fmt: skip
    listed = "<ul><li><details><summary>Open?</summary>Yes.</details></li></ul>"
    assert [b.text for b in reading("a.html", listed).blocks] == ["Open? Yes."]
    over = "<details><summary>Delivery</summary><h3>UK</h3><p>£5</p></details>"
    assert [b.text for b in reading("a.html", over).blocks] == ["Delivery", "£5"]


@pytest.mark.parametrize("number", ["{}. ", ""])
def test_questions_in_a_pdf_whose_lines_stand_close(number: str) -> None:
    pairs = [
        ("Do you take bookings?", "Yes, for six or more."),
        ("Is there parking?", "No. The nearest car park is on Quay Street, five minutes on foot."),
        ("Can I bring my dog?", "Yes."),
        ("Do you have vegan options on the menu?", "Yes. Ask for the green menu."),
    ]
    stream = io.BytesIO()
    canvas = Canvas(stream, A4)
    y = 800.0
    for count, (question, answer) in enumerate(pairs, 1):
        for text in (number.format(count) + question, answer):
            canvas.setFont("Helvetica", 10)
            canvas.drawString(72, y, text)
            y -= 18
    canvas.save()
    blocks = read(stream.getvalue(), "a.pdf").blocks
    assert [(b.question, b.text) for b in blocks] == pairs


def test_questions_with_numbers() -> None:
    text = "1. Do you take bookings?\nYes, for six.\n\n2) Is there parking?\nNo.\n"
    assert [(b.question, b.text) for b in reading("a.txt", text).blocks] == [
        ("Do you take bookings?", "Yes, for six."), ("Is there parking?", "No."),
    ]  # fmt: skip


def test_tables_with_a_caption_or_widths() -> None:
    rows = "<tr><td>Cut</td><td>Adults</td></tr><tr><td>Wash</td><td>£18</td></tr>"
    head = "<caption>With VAT</caption><col width=64><col width=64>"
    found = reading("a.html", f"<table>{head}{rows}</table>")
    assert [b.text for b in found.blocks] == ["With VAT", "Wash: £18"]
    menu = "<ul><li><span>Lager</span><span>£5.20</span></li><li><b>S</b><b>oup</b></li></ul>"
    assert [b.text for b in reading("a.html", menu).blocks] == ["Lager £5.20", "Soup"]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("31 Dec 2026", date(2026, 12, 31)),
        ("1st April 2027", date(2027, 4, 1)),
        ("31 de diciembre de 2026", date(2026, 12, 31)),
        ("31-ene-2027", date(2027, 1, 31)),
        ("November 24, 2026", date(2026, 11, 24)),
        ("6 de enero del 2027", date(2027, 1, 6)),
        ("30 Feb 2026", None),
        ("31 Ma 2026", None),
        ("31 Spring 2026", None),
        ("ju 3 2026", None),
    ],
)
def test_days_in_words(text: str, day: date | None) -> None:
    assert as_day(text) == day


def test_markdown() -> None:
    text = """\
# House *rules* #

First  **bold** line,
second `line`<br>third [link](https://a.example/b).

<!-- not
this -->
Setext
------

> Quoted &amp; \\*kept\\*.

### Deep

```
code   here
more
```
## Back
![A picture](a.png)
Write to [us](mailto:hi@a.example?subject=x) or [hi@a.example](mailto:hi@a.example).
"""
    found = reading("a.md", text)
    assert found.blocks == [
        Block(
            "First bold line, second line third link (https://a.example/b).",
            ("House rules",),
            line=3,
        ),
        Block("Quoted & *kept*.", ("House rules", "Setext"), line=11),
        Block("code here more", ("House rules", "Setext", "Deep"), line=16),
        Block("Write to us (hi@a.example) or hi@a.example.", ("House rules", "Back"), line=20),
    ]
    assert codes(found) == []


def test_lists() -> None:
    text = """\
We are open. We do not deliver to:

- Islands
- **Highlands**

1. Cakes
   1. Apple
   2. Plum

      with cream
2. Hot drinks:
   - Tea
     - green
   - Coffee

   Ask for decaf.

- Last
"""
    found = reading("a.md", text)
    assert [(b.kind, b.line, b.text) for b in found.blocks] == [
        ("paragraph", 1, "We are open."),
        ("item", 3, "We do not deliver to: Islands"),
        ("item", 4, "We do not deliver to: Highlands"),
        ("item", 6, "Cakes"),
        ("item", 7, "Cakes: Apple"),
        ("item", 8, "Cakes: Plum: with cream"),
        ("item", 12, "Hot drinks: Tea"),
        ("item", 13, "Hot drinks: Tea: green"),
        ("item", 14, "Hot drinks: Coffee"),
        ("item", 11, "Ask for decaf."),
        ("item", 18, "Last"),
    ]


def test_a_line_that_announces_no_list_stays() -> None:
    found = reading("a.md", "We sell:\n\nCoffee.\n\nAnd:\n\n## Next\n\n- Tea\n")
    assert texts(found) == ["We sell:", "Coffee.", "And:", "Tea"]
    long = "x" * 170 + ":"
    assert texts(reading("a.md", f"{long}\n\n- Tea\n")) == [long, "Tea"]


def test_tables_in_markdown() -> None:
    text = """\
| Drink | Small | Large | |
|---|---|---|---|
| Latte | £3.60 | £4.00 | |
| Espresso | £2.60 | – | |
| Water \\| tap | | free | |
| Tea | | | |

|  | Price |
|---|---|
| Mug | 12 € |

| Size | 250 g |
|---|---|
| Skiff | £9 |

| Question | Answer | Valid until |
|---|---|---|
| Open? | **Yes**. | 24/11/2026 |
"""
    found = reading("a.md", text)
    assert found.blocks == [
        Block("Latte: Small £3.60, Large £4.00", (), "row", line=3),
        Block("Espresso: Small £2.60", (), "row", line=4),
        Block("Water | tap: Large free", (), "row", line=5),
        Block("Tea", (), "row", line=6),
        Block("Mug: 12 €", (), "row", line=10),
        Block("Skiff: £9", (), "row", line=14),
        Block("Yes.", (), "answer", line=18, question="Open?", valid_until=date(2026, 11, 24)),
    ]


def test_html_between_markdown() -> None:
    text = "One\n\n<details><summary>More</summary>\n<p>Two <b>and</b> three</p>\n<script>x</script></details>\n\nFour\n"
    found = reading("a.md", text)
    assert [(b.line, b.headings, b.text) for b in found.blocks] == [
        (1, (), "One"), (3, ("More",), "Two and three"), (7, (), "Four"),
    ]  # fmt: skip


def test_front_matter() -> None:
    text = """\
---
title: Summer menu
valid_from: 2026-06-01
Válido hasta: 31/08/2026
author: {name: Ana}
tags: [a, b]
---
# Ices

Lemon ice.
"""
    found = reading("summer/menu.md", text)
    assert found == Document(
        "summer/menu.md",
        "Summer menu",
        [
            Block(
                "Lemon ice.",
                ("Ices",),
                line=10,
                valid_from=date(2026, 6, 1),
                valid_until=date(2026, 8, 31),
            )
        ],
    )


@pytest.mark.parametrize(
    ("front", "problem"),
    [
        ("title: [", ("warning", "yaml-syntax", 3)),
        ("valid_from: 2026-02-01\nvalid_until: 2026-01-01", ("warning", "dates-reversed", 3)),
    ],
)
def test_mistakes_in_front_matter_cost_no_text(
    front: str, problem: tuple[str, str, int | None]
) -> None:
    found = reading("a.md", f"---\n{front}\n---\nText.\n")
    assert texts(found) == ["Text."]
    assert codes(found) == [problem]
    assert found.blocks[0].line == front.count("\n") + 4


@pytest.mark.parametrize(
    ("front", "line"), [("valid_until: 2026-13-40", 2), ("a: 1\nvalid_from: soon", 3)]
)
def test_a_document_whose_day_can_not_be_read_says_nothing(front: str, line: int) -> None:
    """It would be said for ever: nobody can tell when it holds."""
    for name in ("a.md", "a.txt"):
        found = reading(name, f"---\ntitle: A\n{front}\n---\nGoose £20.\n")
        assert found.blocks == []
        assert codes(found) == [("error", "bad-date", line + 1)]
    told = tell(found.problems[0], "en")
    assert "is left out" in told.why


@pytest.mark.parametrize(
    ("name", "above"),
    [
        *((name, above) for name in ("a.md", "a.txt") for above in ("", "\n", " \n\n", "\ufeff")),
        ("a.md", "<!-- by Ana\n-->\n"),
    ],
)
def test_front_matter_below_nothing(name: str, above: str) -> None:
    found = reading(name, f"{above}---\nvalid_until: 2020-12-31\n---\nGoose £20.\n")
    line = above.count("\n") + 4
    assert found.blocks == [Block("Goose £20.", line=line, valid_until=date(2020, 12, 31))]
    assert codes(found) == []
    bad = reading(name, f"{above}---\nvalid_until: 2020-13-31\n---\nGoose £20.\n")
    assert codes(bad) == [("error", "bad-date", line - 2)]


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
def test_a_text_between_two_lines_is_no_front_matter(name: str) -> None:
    found = reading(name, "\n---\nHours: 9 to 5\n---\n\nMore.\n")
    told = str([(block.headings, block.text) for block in found.blocks])
    assert "Hours: 9 to 5" in told and "More." in told


@pytest.mark.parametrize("name", ["a.md", "a.txt"])
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("valid_until: 2020-12-31\n\nGoose.\n", 1),
        ("# Menu\n\nVálido hasta: 31/12/2020\n\nGoose.\n", 3),
        ("---\ncaduca: 2020-12-31\n\nGoose.\n", 2),
        ("Desde 1998: cafés.\n", None),
        ("Open: 9 to 5\n\nvalid_until: what the label says\n", None),
    ],
)
def test_a_day_at_the_top_without_front_matter(name: str, text: str, line: int | None) -> None:
    found = [problem for problem in codes(reading(name, text)) if problem[1] == "unknown-validity"]
    assert found == ([("warning", "unknown-validity", line)] if line else [])


def test_a_comment_that_never_ends_hides_its_own_line() -> None:
    text = (
        "One.\n\n<!-- Word –>\n\nTwo <!-- a — dash\nover lines —> three.\n\n"
        "<!-- pending ->\n\nFour £4.\n\n<!-- closed -->\n\nFive.\n\n<!-- open\nSix.\n"
    )
    found = reading("a.md", text)
    assert [(block.line, block.text) for block in found.blocks] == [
        (1, "One."),
        (5, "Two three."),
        (10, "Four £4."),
        (14, "Five."),
        (17, "Six."),
    ]
    assert codes(found) == [("warning", "open-comment", 8), ("warning", "open-comment", 16)]
    assert found.problems[0].values == {"found": "<!-- pending ->"}


def test_what_is_struck_out_is_not_told() -> None:
    text = (
        "## ~~Old~~ New\n\nTea ~~£3~~ £4, cake <del>£5</del> £6, <s>mug</s><STRIKE>pot</STRIKE> cup.\n\n"
        "- ~~Latte~~\n- Mocha\n\n| A | B |\n|---|---|\n| Milk | ~~1 €~~ 2 € |\n\nUnclosed <s>stays.\n"
    )
    found = reading("a.md", text)
    assert [(block.headings, block.text) for block in found.blocks] == [
        (("New",), "Tea £4, cake £6, cup."),
        (("New",), "Mocha"),
        (("New",), "Milk: 2 €"),
        (("New",), "Unclosed stays."),
    ]
    page = (
        "<p><del>£20</del> <ins>£15</ins></p><p>Latte <s>£3.40</s><strike>£3.50</strike> £3.80</p>"
        '<h2>Offer</h2><p style="text-decoration: line-through">£9</p><p>£8</p>'
    )
    assert texts(reading("a.html", page)) == ["£15", "Latte £3.80", "£8"]
    document = new_document()
    paragraph = document.add_paragraph("Latte ")
    paragraph.add_run("£3.40").font.strike = True
    paragraph.add_run("£3.50").font.double_strike = True
    paragraph.add_run(" £3.80").font.strike = False
    assert texts(reading("a.docx", saved(document))) == ["Latte £3.80"]
    book = workbook({"Menu": [["Drink", "Price"], ["Latte", "£3.40"], ["Tea", "£2"]]})
    for cell in ("A2", "B2"):
        book.worksheets[0][cell].font = Font(strike=True)
    assert texts(reading("a.xlsx", saved(book))) == ["Tea: £2"]


def test_headings_with_nothing_below_them_are_facts() -> None:
    text = (
        "# Our hotel\n\n## Dogs welcome\n\n## Free Wi-Fi everywhere\n\n## Hours\n\n### Summer\n\n"
        "9 to 5\n\n## Prices\n\n<p>1 €</p>\n\n## Parking at the back\n"
    )
    found = reading("a.md", text)
    hotel = "Our hotel"
    assert found.blocks == [
        Block("Dogs welcome", (hotel,), line=3),
        Block("Free Wi-Fi everywhere", (hotel,), line=5),
        Block("9 to 5", (hotel, "Hours", "Summer"), line=11),
        Block("1 €", (hotel, "Prices"), line=15),
        Block("Parking at the back", (hotel,), line=17),
    ]
    # On a page it may be the heading of a form, a picture or a menu.
    assert texts(reading("a.html", "<h1>Our hotel</h1><h2>Follow us</h2><svg></svg>")) == []
    text = "# Sale\n\n## Summer 50 %\n\n~~Until July~~\n\n## Where\n\n![map](m.png)\n\n## Cash?\n"
    assert reading("b.md", text).blocks == []
    assert texts(reading("a.txt", "Our hotel\n===\n\nDogs welcome\n---\n")) == ["Dogs welcome"]
    assert reading("a.txt", "Our hotel\n===\n").blocks == []
    document = new_document()
    document.add_heading("Dogs welcome", 1)
    document.add_heading("Free Wi-Fi", 1)
    assert texts(reading("a.docx", saved(document))) == ["Dogs welcome", "Free Wi-Fi"]
    raw = pdf(
        Paragraph("Dogs welcome", SUB), PageBreak(), Paragraph("Hours", SUB), Paragraph(LONG, BODY)
    )
    assert reading("a.pdf", raw).blocks == [
        Block("Dogs welcome", page=1),
        Block(LONG, ("Hours",), page=2),
    ]


def test_a_block_of_code_that_never_ends() -> None:
    assert codes(reading("a.md", "# T\n\n```\nLUNA\n\n## Gifts\n\nFree.\n")) == [
        ("warning", "open-fence", 3)
    ]
    assert codes(reading("b.md", "# T\n\n```\nLUNA\n```\n\n## Gifts\n\nFree.\n")) == []


def test_lines_that_are_no_front_matter() -> None:
    assert texts(reading("a.md", "---\n\nHello\n\n---\n\nYou\n")) == ["Hello", "You"]
    assert texts(reading("a.md", "---\nvalid_until:\ntitle: ~\n---\nYou\n")) == ["You"]


# --- Plain text -----------------------------------------------------------------------------------


def test_plain_text() -> None:
    text = "Our shop\r\n=====\r\n\r\nOne line\r\ngoes on.\r\n\r\n\r\nHours\r\n---\r\n- Monday: 9\r\n* Tuesday\r\n  10 to 12\r\n  - noon\r\n\r\nBring:\r\n• cup\r\n\r\n----\r\nEnd\r\n"
    found = reading("a.txt", text)
    assert found.blocks == [
        Block("One line goes on.", ("Our shop",), line=4),
        Block("Monday: 9", ("Our shop", "Hours"), "item", line=10),
        Block("Tuesday 10 to 12", ("Our shop", "Hours"), "item", line=11),
        Block("Tuesday 10 to 12: noon", ("Our shop", "Hours"), "item", line=13),
        Block("Bring: cup", ("Our shop", "Hours"), "item", line=16),
        Block("End", ("Our shop", "Hours"), line=19),
    ]


def test_a_long_line_over_dashes_is_no_heading() -> None:
    found = reading("a.txt", "x" * 81 + "\n---\nText\n\na\nb\n---\n")
    assert [(b.headings, b.text) for b in found.blocks] == [
        ((), "x" * 81),
        ((), "Text"),
        ((), "a b"),
    ]


def test_old_windows_text() -> None:
    found = reading("a.txt", "Uno\nCafé – 3 €\n".encode("cp1252"))
    assert texts(found) == ["Uno Café – 3 €"]
    assert codes(found) == [("warning", "not-utf8", 2)]


def test_letters_are_made_whole() -> None:
    assert plain("  of\ufb01ce\u00a0\u200b cafe\u0301\tsoft\u00adly \x07") == "office café softly"
    assert plain("cut \ud83d") == "cut \ufffd"
    assert plain("👩‍🍳") == "👩‍🍳"


# --- Web pages ------------------------------------------------------------------------------------


def test_a_web_page() -> None:
    html = """\
<!DOCTYPE html><html><head><meta charset="iso-8859-1"><title>Our
 shop</title><style>p {}</style></head><body>
<header><h1>Logo</h1></header><nav><a href="/">Home</a></nav>
<main><article><header><h1>Café Sol</h1></header>
<p>Price: 3 &lt; 4 * 5 &euro; &amp; _more_ # 1<p>Unclosed
<ul><li>one<li>two:<ul><li>inner</ul></ul>
<script>alert("x")</script><div hidden>h1</div><p style="color:red; DISPLAY : none">h2</p>
<p aria-hidden="true">h3</p><template>h4</template>
<p>1. Not a list</p><h2>Hours</h2>
<dl><dt>Monday:</dt><dd>9 to 5</dd><dt>Sunday<dd>closed</dl>
</article></main><footer>Imprint</footer></body></html>"""
    found = reading("a.html", html.encode("latin-1"))
    assert found == Document(
        "a.html",
        "Our shop",
        [
            Block("Price: 3 < 4 * 5 € & _more_ # 1", ("Café Sol",)),
            Block("Unclosed", ("Café Sol",)),
            Block("one", ("Café Sol",), "item"),
            Block("two: inner", ("Café Sol",), "item"),
            Block("1. Not a list", ("Café Sol",)),
            Block("Monday: 9 to 5", ("Café Sol", "Hours"), "item"),
            Block("Sunday: closed", ("Café Sol", "Hours"), "item"),
        ],
    )


def test_tables_of_a_web_page() -> None:
    html = """\
<table><thead><tr><th>Drink<th>Small<th>Large</thead>
<tr><td rowspan="2">Latte<td>1|2<td>2<tr><td>3<td>4<tr><td>Tea<td colspan=2>5</table>
<table><tr><td>Monday<td>9 to 17<tr><td>Sunday<td>closed</table>
<table><tr><td><table><tr><td>inner<td>cell</table><td>beside</table>"""
    assert texts(reading("a.htm", html)) == [
        "Latte: Small 1|2, Large 2",
        "Latte: Small 3, Large 4",
        "Tea: Small 5",
        "Monday: 9 to 17",
        "Sunday: closed",
        "inner: cell",
        "beside",
    ]


@pytest.mark.parametrize(
    ("raw", "text", "problems"),
    [
        ("<p>Café €".encode(), "Café €", []),
        ('<meta charset="utf-8"><p>Café €'.encode(), "Café €", []),
        ('<meta charset="utf-8"><p>Café'.encode("cp1252"), "Café", [("warning", "not-utf8", 1)]),
        ("<p>Café €".encode("cp1252"), "Café €", [("warning", "not-utf8", 1)]),
        ('<meta charset="latin1"><p>Café €'.encode("cp1252"), "Café €", []),
        ('<meta charset="koi8-r"><p>Чай'.encode("koi8-r"), "Чай", []),
        ('<meta charset="iso-8859-1"><p>El menú €'.encode(), "El menú €", []),
        ('<meta charset="iso-2022-jp"><p>お茶'.encode("iso-2022-jp"), "お茶", []),
        ('<meta charset="no such"><p>Café'.encode(), "Café", []),
        ('<meta charset="latin1"><p>Café'.encode("utf-8-sig"), "Café", []),
        ("<p>Café".encode("utf-16"), "Café", []),
        ('<?xml version="1.0" encoding="iso-8859-1"?><p>Café'.encode("latin-1"), "Café", []),
    ],
)  # fmt: skip
def test_encodings_of_web_pages(
    raw: bytes, text: str, problems: list[tuple[str, str, int | None]]
) -> None:
    found = reading("a.html", raw)
    assert texts(found) == [text]
    assert codes(found) == problems


def test_a_file_name_as_a_page_is_text() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert texts(reading("a.html", "menu.html")) == ["menu.html"]


# --- CSV and JSON lines ---------------------------------------------------------------------------


def test_a_price_list_in_csv() -> None:
    text = "Precios, tarifas y más\n\nProducto;Pequeño;Grande;Válido hasta\nCafé;1,20 €;1,50 €;24/12/2026\nTé;1,50 €;-;\n;;;\nAgua;;;\n"
    found = reading("precios.csv", text)
    above = ("Precios, tarifas y más",)
    assert found.blocks == [
        Block(
            "Café: Pequeño 1,20 €, Grande 1,50 €",
            above,
            "row",
            row=4,
            valid_until=date(2026, 12, 24),
        ),
        Block("Té: Pequeño 1,50 €", above, "row", row=5),
        Block("Agua", above, "row", row=7),
    ]
    assert codes(found) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Day,Hours\nMonday,9-17\n", ["Monday: 9-17"]),
        ("Monday,9-17\nSunday,closed\n", ["Monday: 9-17", "Sunday: closed"]),
        ("Monday\tclosed\n", ["Monday: closed"]),
        ("Facts\nWe roast.\nWe sell.\n", ["We roast.", "We sell."]),
        ("We roast.\n", ["We roast."]),
        ("Name,,Note\n,x,y\nMug,,\n", ["x, Note y", "Mug"]),
        ("valid_from,valid_until\n2026-01-01,\n", []),
    ],
)
def test_small_tables(text: str, expected: list[str]) -> None:
    assert texts(reading("a.csv", text)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # As Excel saves cells that are merged above others.
        (
            "Drink,Small,,Large,\n,Hot,Iced,Hot,Iced\nLatte,£3.60,£3.80,£4.00,£4.20\nTea,£2,–,£2.50,£2.70\n",
            [
                "Latte: Small Hot £3.60, Small Iced £3.80, Large Hot £4.00, Large Iced £4.20",
                "Tea: Small Hot £2, Large Hot £2.50, Large Iced £2.70",
            ],
        ),
        (
            ",Invierno,Invierno,Verano,Verano,Notas\n,Adulto,Niño,Adulto,Niño,\nDía,30 €,20 €,25 €,15 €,sin comida\n",
            ["Día: Invierno Adulto 30 €, Invierno Niño 20 €, Verano Adulto 25 €, Verano Niño 15 €, Notas sin comida"],
        ),
        # One header over rows whose first lacks its name, and one over words.
        (
            "Room,Price,Bed,View\n,£80,double,garden\nAttic,£95,single,sea\n",
            ["Price £80, Bed double, View garden", "Attic: Price £95, Bed single, View sea"],
        ),
        (
            "Day,Opens,Closes\n,morning,evening\nMonday,9 am,6 pm\n",
            ["Opens morning, Closes evening", "Monday: Opens 9 am, Closes 6 pm"],
        ),
    ],
)  # fmt: skip
def test_a_header_of_two_rows(text: str, expected: list[str]) -> None:
    assert texts(reading("a.csv", text)) == expected


def test_a_header_of_two_rows_merged_in_excel() -> None:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["Drink", "Small", None, "Large", None])
    sheet.append([None, "Hot", "Iced", "Hot", "Iced"])
    sheet.append(["Latte", 3.6, 3.8, 4, 4.2])
    sheet.append(["Tea", 2, 2.2, 2.5, 2.7])
    for area in ("A1:A2", "B1:C1", "D1:E1"):
        sheet.merge_cells(area)
    assert texts(reading("a.xlsx", saved(book)))[0] == (
        "Latte: Small Hot 3.6, Small Iced 3.8, Large Hot 4, Large Iced 4.2"
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Té verde;2,50 €;3,20 €\nCafé solo;1,80 €;2,40 €\nPan;1 €;2 €\n",
            ["Té verde: 2,50 €, 3,20 €", "Café solo: 1,80 €, 2,40 €", "Pan: 1 €, 2 €"],
        ),
        ("Latte,3.60,4.00\nMocha,3.90,4.30\n", ["Latte: 3.60, 4.00", "Mocha: 3.90, 4.30"]),
        ("Tea,£2,–\nMilk,desde £3,£4/cup\n", ["Tea: £2", "Milk: desde £3, £4/cup"]),
        ("Lunes;9:00-14:00;17-20h\nMartes;9-14;17-20\n", ["Lunes: 9:00-14:00, 17-20h", "Martes: 9-14, 17-20"]),
    ],
)  # fmt: skip
def test_a_table_without_a_header(text: str, expected: list[str]) -> None:
    found = reading("a.csv", text)
    assert texts(found) == expected
    assert codes(found) == [("warning", "no-header-row", 1)]
    assert found.problems[0].values == {"found": expected[0]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Year,2024,2025\nSales,1.50,2.50\n", ["Sales: 2024 1.50, 2025 2.50"]),
        ("Shoe,36,38\nBoot,£60,£70\n", ["Boot: 36 £60, 38 £70"]),
        ("Cerveza;0,33 l;0,5 l\nRubia;2,50;3,50\n", ["Rubia: 0,33 l 2,50, 0,5 l 3,50"]),
        ("Shift,9:00-14:00,14:00-20:00\nMonday,Ana,Eva\n", ["Monday: 9:00-14:00 Ana, 14:00-20:00 Eva"]),
        ("Zone,up to 10 €,over 10 €\nCity,2.50,0.00\n", ["City: up to 10 € 2.50, over 10 € 0.00"]),
    ],
)  # fmt: skip
def test_figures_that_name_columns(text: str, expected: list[str]) -> None:
    found = reading("a.csv", text)
    assert texts(found) == expected
    assert codes(found) == []


def test_a_second_table_in_a_sheet() -> None:
    text = (
        "Coffee,Small,Large\nLatte,3.60,4.00\n,,\nMocha,3.90,4.30\nWater,free,free\n,,\n"
        "Our cakes,,\nCake,Slice,Whole\nCarrot cake,3.20,28\nScone,1.80,-\n"
    )
    found = reading("a.csv", text)
    assert [(block.headings, block.row, block.text) for block in found.blocks] == [
        ((), 2, "Latte: Small 3.60, Large 4.00"),
        ((), 4, "Mocha: Small 3.90, Large 4.30"),
        ((), 5, "Water: Small free, Large free"),
        (("Our cakes",), 9, "Carrot cake: Slice 3.20, Whole 28"),
        (("Our cakes",), 10, "Scone: Slice 1.80"),
    ]
    assert codes(found) == []


@pytest.mark.parametrize(
    ("text", "last"),
    [
        ("Question,Answer,Topic\nOpen?,At 9,Hours\n,,\nWifi?,Free,House\nTea?,2,3\n", "2"),
        ("Dish,Allergens,Price\nSoup,milk,5\n,,\nWater,none,free\nBread,gluten,1\n", "Bread: Allergens gluten, Price 1"),
        ("Day,Early,Late\nMonday,9,5\n,,\nSunday,closed,\nFeasts,10,2\n", "Feasts: Early 10, Late 2"),
        ("Tea,Small,Large\nGreen,2,3\n,,\nA title alone,,\n", "A title alone"),
        ("Milk,Small,Large\nCow,3,4\n,,\nVegan,,\nOat,yes,no\nSoy,0.5,0.7\n", "Soy: Small 0.5, Large 0.7"),
        ("Day,Early,Late\nMonday,9,5\n,,\nSaturday,open,by call\nSunday,10,2\n", "Sunday: Early 10, Late 2"),
    ],
)  # fmt: skip
def test_an_empty_row_alone_begins_no_table(text: str, last: str) -> None:
    found = reading("a.csv", text)
    assert len(found.blocks) == len([line for line in text.split("\n")[1:] if line.strip(",")])
    assert texts(found)[-1] == last


@pytest.mark.parametrize("name", ["Hasta", "Caduca", "Caducidad", "Fecha fin", "Vence", "Expires"])
def test_a_column_of_days_says_until_when_rows_hold(name: str) -> None:
    """It is told, too; before the first of two days as well: a course begins then, a season does."""
    text = f"Curso;Precio;Desde;{name}\nCata;20 €;2026-10-01;31/10/2026\nLatte;9 €;;\n"
    assert reading("a.csv", text).blocks == [
        Block(
            f"Cata: Precio 20 €, Desde 2026-10-01, {name} 31/10/2026",
            (), "row", row=2, valid_until=date(2026, 10, 31),
        ),
        Block("Latte: Precio 9 €", (), "row", row=3),
    ]  # fmt: skip
    asked = reading("b.csv", f"Pregunta;Respuesta;Desde;{name}\n¿Sí?;No.;2026-10-01;31/10/2026\n")
    answer = asked.blocks[0]
    assert (answer.valid_from, answer.valid_until) == (date(2026, 10, 1), date(2026, 10, 31))
    assert codes(asked) == []
    line = json.dumps({"pregunta": "¿Sí?", "respuesta": "No.", name: "2026-10-31"})
    assert reading("c.jsonl", line).blocks[0].valid_until == date(2026, 10, 31)


def test_hours_are_no_days_until_which_rows_hold() -> None:
    found = reading("a.csv", "Día;Desde;Hasta\nLunes;9:00;14:00\nMartes;2026-01-01;20:00\n")
    assert found.blocks == [
        Block("Lunes: Desde 9:00, Hasta 14:00", (), "row", row=2),
        Block("Martes: Desde 2026-01-01, Hasta 20:00", (), "row", row=3),
    ]


def test_a_row_whose_day_can_not_be_read_is_left_out() -> None:
    found = reading("a.csv", "Dish,Price,valid_until\nGoose,£20,Christmas\nSoup,£5,-\n")
    assert found.blocks == [Block("Soup: £5", (), "row", row=3)]
    assert codes(found) == [("warning", "bad-date", 2)]


def test_questions_with_answers() -> None:
    text = (
        "question,answer,valid_from,valid_until,Topic,Notes,id\n"
        "Open?,Yes.,2026-01-02,2026-11-24,Hours,x,1\n"
        "When?,Soon.,2026-02-01,2026-01-01,,,\n"
        "Why?,Why not.,tomorrow,11/24/2026,,,\n"
        ',\n"Bad,"row"\n'
        'Never,"closed\n'
        "Who?,,,,,,\n"
        "a,b,c, d,e,f,g,h\n"
        "Last?,One,,,,,\n"
    )
    found = reading("faq.csv", text)
    assert found.blocks == [
        Block(
            "Yes.",
            ("Hours",),
            "answer",
            row=2,
            question="Open?",
            valid_from=date(2026, 1, 2),
            valid_until=date(2026, 11, 24),
        ),
        Block(
            "Soon.",
            (),
            "answer",
            row=3,
            question="When?",
            valid_from=date(2026, 2, 1),
            valid_until=date(2026, 1, 1),
        ),
        Block("One", (), "answer", row=10, question="Last?"),
    ]
    assert codes(found) == [
        ("note", "unused-column", 1),
        ("warning", "dates-reversed", 3),
        ("warning", "bad-date", 4),
        ("warning", "bad-date", 4),
        ("warning", "quote-inside", 6),
        ("warning", "half-question", 6),
        ("warning", "open-quote", 7),
        ("warning", "half-question", 8),
        ("warning", "too-many-cells", 9),
    ]


def test_json_lines() -> None:
    rows: list[Any] = [
        {"question": "Open?", "answer": "Yes.", "valid_until": "2026-11-24", "x": [1]},
        {"Pregunta": "¿Sí?", "Respuesta": 7},
        {"question": "a"},
        {"prompt": "a", "completion": ["b"]},
        ["a"],
        {"question": " ", "answer": "b"},
        {"question": "cut \ud83d", "answer": "off"},
    ]
    found = reading("a.jsonl", "\n".join(json.dumps(row) for row in rows) + "\n{\n")
    assert found.blocks == [
        Block("Yes.", (), "answer", line=1, question="Open?", valid_until=date(2026, 11, 24)),
        Block("7", (), "answer", line=2, question="¿Sí?"),
        Block("off", (), "answer", line=7, question="cut \ufffd"),
    ]
    assert codes(found) == [
        ("warning", "faq-keys", 3),
        ("warning", "not-text", 4),
        ("warning", "json-not-object", 5),
        ("warning", "half-question", 6),
        ("warning", "bad-json", 8),
    ]
    assert "una lista" in tell(found.problems[1], "es").line


# --- Excel ----------------------------------------------------------------------------------------


def workbook(sheets: dict[str, list[list[object]]]) -> Workbook:
    book = Workbook()
    book.remove(book.worksheets[0])
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    return book


def saved(book: Any) -> bytes:
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_excel_shows_what_people_see() -> None:
    book = workbook(
        {
            "Menu": [
                [None, "Prices 2026"],
                [],
                [None, "Drink", "Small", "Off", "Since", "Opens", "Code", "valid_until"],
                [None, "Latte", 3.6, 0.1, date(2026, 1, 2), time(9, 5), 8001, date(2026, 11, 24)],
                [None, "Tea", 1200, 2.5, datetime(2026, 1, 2, 9), "–", 12.0, "31/12/2026"],
                [None, "Milk", None, None, None, None, None, "never"],
            ]
        }
    )
    sheet = book.worksheets[0]
    sheet["C4"].number_format = "£#,##0.00"
    sheet["C5"].number_format = '#,##0.00\\ [$€-C0A]_-;[Red]-#,##0.00\\ "€"'
    sheet["D4"].number_format = "0%"
    sheet["G4"].number_format = "00000"
    found = reading("menu.xlsx", saved(book))
    above = ("Prices 2026",)
    assert found.blocks == [
        Block(
            "Latte: Small £3.60, Off 10%, Since 2026-01-02, Opens 09:05, Code 08001",
            above,
            "row",
            row=4,
            valid_until=date(2026, 11, 24),
        ),
        Block(
            "Tea: Small 1200.00 €, Off 2.5, Since 2026-01-02 09:00, Code 12",
            above,
            "row",
            row=5,
            valid_until=date(2026, 12, 31),
        ),
    ]
    assert [(p.file, p.line, p.code) for p in found.problems] == [("menu.xlsx", 6, "bad-date")]


@pytest.mark.parametrize(
    ("value", "style", "shown"),
    [
        (10, '0"%"', "10%"),
        (2.5, '0" €"', "3 €"),
        (1.005, "0.00", "1.01"),
        (0.285, "0%", "29%"),
        (-2.5, "0", "-3"),
        (85.5, '0.00" €/noche"', "85.50 €/noche"),
        (1234.5, '#,##0.00" € (IVA 10%)"', "1234.50 € (IVA 10%)"),
        (5, '"desde "0" €; 2 noches"', "desde 5 €; 2 noches"),
        (3, '[Red]0\\ \\%_-;-0', "3 %"),
        (1e20, "0.00", "100000000000000000000"),
    ],
)  # fmt: skip
def test_numbers_as_excel_shows_them(value: float, style: str, shown: str) -> None:
    book = workbook({"Menu": [["Dish", "Price"], ["Soup", value]]})
    book.worksheets[0]["B2"].number_format = style
    said = shown if re.search(r"[^\d.,]", shown) else f"Price {shown}"
    assert texts(reading("a.xlsx", saved(book))) == [f"Soup: {said}"]


def test_hidden_rows_and_columns_are_not_told() -> None:
    rows: list[list[object]] = [["Dish", "Price", "Cost", "Margin", "Size"], ["Soup", 5, 1, 4, "L"]]
    rows += [["Old", 1, 1, 0, "S"], ["Older", 1, 1, 0, "S"], ["Pie", 6, 2, 4, "M"], ["Gone", 1]]
    book = workbook({"Menu": rows})
    sheet = book.worksheets[0]
    sheet.column_dimensions.group("C", "D", hidden=True)
    for row in (3, 4, 6, 99):
        sheet.row_dimensions[row].hidden = True
    found = reading("a.xlsx", saved(book))
    assert texts(found) == ["Soup: Price 5, Size L", "Pie: Price 6, Size M"]
    assert codes(found) == [("note", "hidden-cells", None)]
    assert found.problems[0].values == {"found": "3-4, 6, C-D"}


def test_formulas_without_their_results_are_said() -> None:
    rows: list[list[object]] = [
        ["Dish", "Price", "Pair"],
        ["Soup", 5, "=B2*2"],
        ["Pie", 6, "=B3*2"],
    ]
    raw = saved(workbook({"Menu": rows, "Other": [["a", "b"]]}))
    found = reading("a.xlsx", raw)
    assert texts(found) == ["Soup: Price 5", "Pie: Price 6", "a: b"]
    assert [(p.code, p.place, p.values) for p in found.problems] == [
        ("no-result", "a.xlsx[Menu]", {"found": "C2, C3"})
    ]
    counted = {
        b'<c r="C2"><f>B2*2</f><v></v></c>': b'<c r="C2"><f>B2*2</f><v>10</v></c>',
        b'<c r="C3"><f>B3*2</f><v></v></c>': b'<c r="C3" t="str"><f>IF(1,"")</f><v></v></c>',
    }
    assert texts(reading("a.xlsx", replaced(raw, counted)))[:2] == [
        "Soup: Price 5, Pair 10",
        "Pie: Price 6",
    ]
    assert codes(reading("a.xlsx", replaced(raw, counted))) == []


def replaced(raw: bytes, parts: dict[bytes, bytes]) -> bytes:
    """An Office file with words of its first sheet replaced, each of which is there."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as archive, zipfile.ZipFile(buffer, "w") as changed:
        for name in archive.namelist():
            content = archive.read(name)
            for old, new in parts.items() if name.endswith("sheet1.xml") else ():
                assert old in content
                content = content.replace(old, new)
            changed.writestr(name, content)
    return buffer.getvalue()


def test_numbers_that_a_sheet_shows_in_thousands_are_told_whole() -> None:
    book = workbook({"Sales": [["Shop", "Sold"], ["Quay", 12345]]})
    book.worksheets[0]["B2"].number_format = '0.0,"K"'
    assert [b.text for b in reading("sales.xlsx", saved(book)).blocks] == ["Quay: Sold 12345"]


def test_sheets_are_headings_if_there_are_several() -> None:
    book = workbook(
        {
            "Hours": [["Day", "Hours"], ["Monday", "closed"]],
            "FAQ": [["Pregunta", "Respuesta"], ["¿Sí?", "No."], ["¿Y?", None]],
            "Old": [["Day", "Hours"], ["Monday", "open"]],
            "Empty": [],
        }
    )
    book["Old"].sheet_state = "hidden"
    found = reading("all.xlsm", saved(book))
    assert found.blocks == [
        Block("Monday: closed", ("Hours",), "row", row=2),
        Block("No.", ("FAQ",), "answer", row=2, question="¿Sí?"),
    ]
    assert [(p.place, p.code) for p in found.problems] == [("all.xlsm[FAQ]:3", "half-question")]
    one = workbook({"Hours": [["Day", "Hours"], ["Monday", "closed"]], "Empty": []})
    assert reading("one.xlsx", saved(one)).blocks == [Block("Monday: closed", (), "row", row=2)]


def test_merged_cells_in_excel() -> None:
    rows: list[list[object]] = [
        ["Our prices", None, None],
        ["Drink", "Size", "Price"],
        ["Latte", "small", 3],
        [None, "large", 4],
        ["Water", "free", None],
    ]
    book = workbook({"Menu": rows})
    for area in ("A1:C1", "A3:A4", "B5:C5"):
        book.worksheets[0].merge_cells(area)
    found = reading("a.xlsx", saved(book))
    assert [(b.headings, b.row, b.text) for b in found.blocks] == [
        (("Our prices",), 3, "Latte: Size small, Price 3"),
        (("Our prices",), 4, "Latte: Size large, Price 4"),
        (("Our prices",), 5, "Water: Size free"),
    ]
    assert codes(found) == []


def test_a_cell_far_away() -> None:
    book = workbook({"Menu": [["Day", "Hours"], ["Monday", "closed"]], "Other": [["a", "b"]]})
    book["Menu"]["XFD1048576"] = " "
    found = reading("a.xlsx", saved(book))
    assert texts(found) == ["a: b"]
    assert [(p.severity, p.code, p.place) for p in found.problems] == [
        ("warning", "huge-sheet", "a.xlsx[Menu]")
    ]


# --- Word -----------------------------------------------------------------------------------------


def test_word() -> None:
    document = new_document()
    document.add_heading("House rules", 0)
    document.add_paragraph("Welcome.")
    document.add_heading("Café", 1)
    document.add_heading("Hours", 2)
    paragraph = document.add_paragraph("Open ")
    paragraph.add_run("daily").bold = True
    paragraph.add_run(".\nExcept Monday.")
    document.add_paragraph("Bring:")
    document.add_paragraph("a cup", style="List Bullet")
    document.add_paragraph("of glass", style="List Bullet 2")
    document.add_paragraph("Order", style="List Number")
    table = document.add_table(rows=4, cols=3)
    rows = [
        ["Drink", "Small", "Large"],
        ["Latte", "£3.60", "£4.00"],
        ["", "£3.80", "–"],
        ["Water", "free", ""],
    ]
    for row, cells in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    table.cell(3, 1).merge(table.cell(3, 2))
    document.add_heading("Dogs", 1)
    document.add_paragraph("Welcome, too.")
    found = reading("rules.docx", saved(document))
    hours = ("Café", "Hours")
    assert found == Document(
        "rules.docx",
        "House rules",
        [
            Block("Welcome."),
            Block("Open daily. Except Monday.", hours),
            Block("Bring: a cup", hours, "item"),
            Block("Bring: a cup: of glass", hours, "item"),
            Block("Bring: Order", hours, "item"),
            Block("Latte: Small £3.60, Large £4.00", hours, "row"),
            Block("Latte: Small £3.80", hours, "row"),
            Block("Water: Small free", hours, "row"),
            Block("Welcome, too.", ("Dogs",)),
        ],
    )


def test_word_as_it_is_read_not_as_it_is_stored() -> None:
    """Changes that were suggested count as accepted; content controls and boxes are looked into."""
    document = new_document()
    document.styles.add_style("Chapter", 1).base_style = document.styles["Heading 1"]
    document.add_paragraph("Prices", style="Chapter")
    body = document.element.body
    for xml in [
        "<w:p {0}><w:r><w:t>Cake is </w:t></w:r><w:del><w:r><w:delText>3</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>4</w:t></w:r></w:ins><w:r><w:t> euros.</w:t></w:r>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>secret</w:t></w:r></w:p>",
        "<w:sdt {0}><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/>"
        "</w:docPartObj></w:sdtPr><w:sdtContent><w:p><w:r><w:t>Contents</w:t></w:r></w:p>"
        "</w:sdtContent></w:sdt>",
        "<w:sdt {0}><w:sdtContent><w:p><w:r><w:t>Controlled.</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        "<w:p {0}><w:pPr><w:numPr><w:ilvl w:val='1'/><w:numId w:val='5'/></w:numPr></w:pPr>"
        "<w:r><w:t>Numbered</w:t></w:r></w:p>",
        "<w:p {0}><w:r><w:t>Beside</w:t></w:r><w:r><w:pict><w:txbxContent>"
        "<w:p><w:r><w:t>In a box</w:t></w:r></w:p></w:txbxContent></w:pict></w:r></w:p>",
        "<w:tbl {0}><w:tr><w:tc><w:p><w:r><w:t>Framed.</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
        "<w:tbl {0}><w:tr><w:tc><w:p><w:r><w:t>Monday</w:t></w:r></w:p></w:tc><w:tc>"
        "<w:p><w:r><w:t>9</w:t><w:br/><w:t>to 5</w:t></w:r></w:p></w:tc></w:tr>"
        "<w:tr><w:tc><w:p><w:r><w:t>Sunday</w:t></w:r></w:p></w:tc></w:tr></w:tbl>",
    ]:
        body.insert(len(body) - 1, parse_xml(xml.format(nsdecls("w"))))
    found = reading("a.docx", saved(document))
    assert [(b.kind, b.headings, b.text) for b in found.blocks] == [
        ("paragraph", ("Prices",), "Cake is 4 euros."),
        ("paragraph", ("Prices",), "Controlled."),
        ("item", ("Prices",), "Numbered"),
        ("paragraph", ("Prices",), "Beside"),
        ("paragraph", ("Prices",), "In a box"),
        ("paragraph", ("Prices",), "Framed."),
        ("row", ("Prices",), "Monday: 9 to 5"),
        ("row", ("Prices",), "Sunday"),
    ]


def test_a_table_in_word_without_a_header() -> None:
    document = new_document()
    table = document.add_table(rows=2, cols=3)
    for row, cells in zip(
        table.rows, [("Latte", "3.60", "4.00"), ("Tea", "2.00", "-")], strict=True
    ):
        for cell, text in zip(row.cells, cells, strict=True):
            cell.text = text
    found = reading("a.docx", saved(document))
    assert texts(found) == ["Latte: 3.60, 4.00", "Tea: 2.00"]
    assert codes(found) == [("warning", "no-header-row", None)]


# --- PDF ------------------------------------------------------------------------------------------

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=10, leading=12, spaceAfter=6)
TOP = ParagraphStyle("top", BODY, fontSize=18, leading=22, spaceAfter=10)
SUB = ParagraphStyle("sub", BODY, fontSize=13, leading=16, spaceAfter=8)

LONG = (
    "Coffee is roasted on Tuesday and Thursday in the back of the house, and whoever comes early "
    "enough may watch how it is done and taste what comes out of the drum while it is warm."
)


def pdf(*parts: Any, footer: str = "") -> bytes:
    buffer = io.BytesIO()

    def draw(canvas: Canvas, document: Any) -> None:
        if footer:
            canvas.setFont("Helvetica", 8)
            canvas.drawString(70, 810, "Acme Ltd - terms")
            canvas.drawRightString(500, 30, footer.format(document.page))

    template = SimpleDocTemplate(buffer, pagesize=A4)
    template.build(list(parts), onFirstPage=draw, onLaterPages=draw)
    return buffer.getvalue()


def test_pdf() -> None:
    raw = pdf(
        Paragraph("House rules", TOP),
        Paragraph("Roasting", SUB),
        Paragraph(LONG, BODY),
        Paragraph("Dogs are welcome.", BODY),
        Paragraph("• a first item", BODY),
        Paragraph("• a second item", BODY),
        PageBreak(),
        Paragraph("Prices", SUB),
        Table([["Drink", "Small", "Large"], ["Latte", "3.60", "4.00"], ["Tea", "2.00", "-"]]),
        Table([["Monday", "closed"], ["Sunday", "open"]]),
        PageBreak(),
        Paragraph("The end.", BODY),
        footer="House rules of 2026, page {}",
    )
    found = reading("rules.pdf", raw)
    roasting, prices = ("House rules", "Roasting"), ("House rules", "Prices")
    assert found.blocks == [
        Block(LONG, roasting, page=1),
        Block("Dogs are welcome.", roasting, page=1),
        Block("a first item", roasting, "item", page=1),
        Block("a second item", roasting, "item", page=1),
        Block("Latte: Small 3.60, Large 4.00", prices, "row", page=2),
        Block("Tea: Small 2.00", prices, "row", page=2),
        Block("Monday: closed", prices, "row", page=2),
        Block("Sunday: open", prices, "row", page=2),
        Block("The end.", prices, page=3),
    ]
    assert codes(found) == []


def lines_pdf(*pages: list[str], leading: float = 12) -> bytes:
    """Pages of lines just as they are given; an empty one is a gap."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for page in pages:
        text = canvas.beginText(70, 780)
        text.setFont("Helvetica", 10, leading)
        for line in page:
            text.textLine(line)
        canvas.drawText(text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


@pytest.mark.parametrize("leading", [11, 12, 15, 20])
def test_paragraphs_of_a_pdf(leading: float) -> None:
    page = [
        "We deliver every-",
        "where in the land on working days and, if the wea-",
        "ther is good, a well-known ship brings the well-",
        "known coffee to the islands.",
        "",
        "Another one.",
    ]
    found = reading("a.pdf", lines_pdf(page, leading=leading))
    assert texts(found) == [
        "We deliver everywhere in the land on working days and, if the weather is good, a well-known ship "
        "brings the well-known coffee to the islands.",
        "Another one.",
    ]


def test_a_paragraph_goes_on_over_the_page() -> None:
    raw = lines_pdf(
        ["A first one.", "", "This sentence is begun here and it"],
        ["goes on over there.", "", "New."],
    )
    assert [(b.page, b.text) for b in reading("a.pdf", raw).blocks] == [
        (1, "A first one."),
        (1, "This sentence is begun here and it goes on over there."),
        (2, "New."),
    ]


def test_what_repeats_on_pages_is_left_out_and_prices_are_not() -> None:
    goods = [("Blue mug", "£12.50"), ("Red mug", "£9.00"), ("Tea pot", "£31.00")]
    pages = [["Catalogue", *said, "", f"- {n} -"] for n, said in enumerate(goods, 5)]
    assert texts(reading("a.pdf", lines_pdf(*pages))) == [
        "Blue mug £12.50",
        "Red mug £9.00",
        "Tea pot £31.00",
    ]
    assert texts(reading("a.pdf", lines_pdf(["Catalogue", "", "Page 1 of 1"]))) == ["Catalogue"]


def placed_pdf(*pages: list[tuple[float, float, float, str]]) -> bytes:
    """Pages of texts, each at a place in points from below left and of a size."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, pagesize=A4)
    for page in pages:
        for x, y, size, text in page:
            canvas.setFont("Helvetica", size)
            canvas.drawString(x, y, text)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def test_what_a_browser_printed(window: Window) -> None:
    """Browsers write cells as they write words; so do word processors."""
    page = window().new_page()
    page.set_content(
        "<h1>Carta</h1><p>Todos los precios llevan el IVA incluido y se pueden pagar con tarjeta o "
        "en efectivo, <b>también</b> los domingos.</p><table style='width: 100%'><tr><th>Bebida"
        "<th>Pequeño<th>Grande<tr><td>Latte<td>3,00 €<td>4,00 €<tr><td>Mocha con nata<td><td>4,50 €"
        "<tr><td>Flat white<td>3,20 €<td>4,20 €</table><p>Té verde 1,80 €<br>Té negro 1,40 €</p>"
    )
    assert texts(reading("carta.pdf", page.pdf())) == [
        "Todos los precios llevan el IVA incluido y se pueden pagar con tarjeta o en efectivo, "
        "también los domingos.",
        "Latte: Pequeño 3,00 €, Grande 4,00 €",
        "Mocha con nata: Grande 4,50 €",
        "Flat white: Pequeño 3,20 €, Grande 4,20 €",
        "Té verde 1,80 €",
        "Té negro 1,40 €",
    ]


@pytest.mark.parametrize("font", ["DejaVu Sans Mono", "DejaVu Sans", "serif"])
def test_bold_words_make_no_table(window: Window, font: str) -> None:
    page = window().new_page()
    text = (
        "Our shop on Market Street is <b>open every day</b> from nine in the morning. Tickets for "
        "adults cost <b>£12</b> and children under twelve pay <b>£6</b>. Groups of more than ten "
        "people pay <b>£10</b> each if they book a week before they come."
    )
    page.set_content(f"<p style='font: 11pt {font}; width: 130mm'>{text}</p>")
    said = re.sub("</?b>", "", text)
    assert texts(reading("a.pdf", page.pdf())) == [said]


def test_a_table_that_goes_on_behind_a_remark() -> None:
    def row(y: float, *cells: str) -> list[tuple[float, float, float, str]]:
        return [(70 + 160 * n, y, 10, cell) for n, cell in enumerate(cells)]

    rows = [
        *row(700, "Plan", "Pool", "Sauna"), *row(685, "Basic", "Yes", "No"),
        *row(670, "Family", "Yes", "Yes"), (70, 655, 10, "(few places left)"),
        *row(640, "Gym", "No", "Yes"), *row(625, "Spa", "No", "No"),
    ]  # fmt: skip
    other = [*row(700, "Service", "Open", "Closed"), *row(685, "Wifi", "9:00", "17:00"),
             *row(670, "Pool", "8:00", "18:00")]  # fmt: skip
    assert texts(reading("a.pdf", placed_pdf(other)))[0] == "Wifi: Open 9:00, Closed 17:00"
    assert texts(reading("a.pdf", placed_pdf(rows))) == [
        "Basic: Pool Yes, Sauna No", "Family: Pool Yes, Sauna Yes", "(few places left)",
        "Gym: Pool No, Sauna Yes", "Spa: Pool No, Sauna No",
    ]  # fmt: skip


def test_headings_that_count_with_the_pages_are_no_page_numbers() -> None:
    view = "It has a view of the sea and a large bed for two people to sleep in."
    raw = placed_pdf(
        *(
            [
                (50, 780, 18, f"Room {100 + n}"),
                (50, 750, 11, f"Price per night: {90 + n} euros."),
                (50, 730, 11, view),
                (50, 700, 11, "Parking is free."),
                (50, 60, 9, "Hotel Sol"),
                (50, 40, 9, f"{n} / 3"),
            ]
            for n in (1, 2, 3)
        )
    )
    found = reading("rooms.pdf", raw)
    assert [(b.page, b.headings, b.text) for b in found.blocks] == [
        (n, (f"Room {100 + n}",), text)
        for n in (1, 2, 3)
        for text in (f"Price per night: {90 + n} euros. {view}", "Parking is free.")
    ]
    assert codes(found) == []


@pytest.mark.parametrize(
    ("line", "y", "goes"),
    [
        ("{n}", 30, True),
        ("{n}", 800, True),
        ("- {n} -", 30, True),
        ("{n} / 3", 30, True),
        ("Pág. {n} de 3", 30, True),
        ("House rules, p. {n}", 30, True),
        ("2026-01-02  {n}", 30, True),
        ("Week {n}", 800, False),
        ("Table {n}", 30, False),
        ("£{n}", 30, False),
        ("{n} €", 30, False),
        ("{n}.50", 30, False),
    ],
)
def test_page_numbers(line: str, y: float, goes: bool) -> None:
    pages = [
        [(50.0, 500.0, 11.0, text), (50.0, y, 11.0, line.format(n=n))]
        for n, text in enumerate(("One.", "Two.", "Three."), 1)
    ]
    told = " ".join(texts(reading("a.pdf", placed_pdf(*pages))))
    assert (line.format(n=2) not in told) == goes
    assert "Two." in told


def test_pages_that_are_the_same_are_told_once() -> None:
    page = ["Quiz night.", "", "Every Thursday at eight."]
    found = reading("a.pdf", lines_pdf(page, page))
    assert [(b.page, b.text) for b in found.blocks] == [
        (1, "Quiz night."),
        (1, "Every Thursday at eight."),
    ]


def test_a_table_goes_on_below_a_line_and_on_the_next_page() -> None:
    def row(y: float, *cells: str) -> list[tuple[float, float, float, str]]:
        return [(50.0 + 150 * n, y, 11.0, cell) for n, cell in enumerate(cells)]

    raw = placed_pdf(
        [*row(770, "Coffee", "Small", "Large"), *row(750, "Latte", "3.60", "4.00")],
        [
            (50, 780, 11, "Prices, continued"),
            *row(750, "Cortado", "2.10", "2.60"),
            *row(730, "Espresso", "1.90", "2.40"),
        ],
    )
    found = reading("a.pdf", raw)
    assert texts(found) == [
        "Latte: Small 3.60, Large 4.00",
        "Prices, continued",
        "Cortado: Small 2.10, Large 2.60",
        "Espresso: Small 1.90, Large 2.40",
    ]
    assert codes(found) == []
    alone = reading(
        "b.pdf", placed_pdf([*row(770, "Tea", "£2", "£3"), *row(750, "Milk", "£1", "£2")])
    )
    assert texts(alone) == ["Tea: £2, £3", "Milk: £1, £2"]
    assert codes(alone) == [("warning", "no-header-row", None)]


def test_large_text_everywhere_is_no_heading() -> None:
    raw = pdf(Paragraph(LONG, TOP), Paragraph("Roasting", SUB), Paragraph(LONG, BODY))
    assert all(block.headings == () for block in reading("a.pdf", raw).blocks)


def test_pages_without_text() -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    for text in ("One.", "", "Three."):
        canvas.rect(50, 50, 100, 100)
        canvas.drawString(100, 700, text)
        canvas.showPage()
    canvas.save()
    found = reading("a.pdf", buffer.getvalue())
    assert [(b.page, b.text) for b in found.blocks] == [(1, "One."), (3, "Three.")]
    assert codes(found) == [("warning", "page-without-text", None)]
    assert found.problems[0].values == {"page": 2}


def test_a_scanned_pdf() -> None:
    buffer = io.BytesIO()
    canvas = Canvas(buffer)
    canvas.rect(50, 50, 100, 100)
    canvas.showPage()
    canvas.rect(50, 50, 100, 100)
    canvas.save()
    assert codes(reading("a.pdf", buffer.getvalue())) == [("error", "scanned-pdf", None)]


@pytest.mark.parametrize(
    ("password", "expected", "problems"),
    [("secret", [], [("error", "locked-pdf", None)]), ("", ["A fact."], [])],
)
def test_an_encrypted_pdf(
    password: str, expected: list[str], problems: list[tuple[str, str, int | None]]
) -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(lines_pdf(["A fact."]))))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    found = reading("a.pdf", buffer.getvalue())
    assert texts(found) == expected
    assert codes(found) == problems


def test_a_pdf_encrypted_as_pypdf_alone_can_not_read() -> None:
    """AES needs another package; the empty password fits, and still no page can be read."""
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(lines_pdf(["A fact."]))))
    writer.encrypt("", "owner", algorithm="RC4-128")
    buffer = io.BytesIO()
    writer.write(buffer)
    filters = b"/V 4 /CF << /StdCF << /CFM /AESV2 /Length 16 >> >> /StmF /StdCF /StrF /StdCF"
    raw = buffer.getvalue().replace(b"/V 2", filters).replace(b"/R 3", b"/R 4")
    found = reading("a.pdf", raw)
    if found.blocks:  # the other package is here
        assert texts(found) == ["A fact."]
    else:
        assert codes(found) == [("error", "locked-pdf", None)]


# --- Files that can't be read ---------------------------------------------------------------------

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("name", "raw", "code"),
    [
        ("a.odt", b"PK", "unknown-document"),
        ("README", b"text", "unknown-document"),
        ("a.xlsx", OLE, "old-or-locked-excel"),
        ("a.xls", OLE, "old-or-locked-excel"),
        ("a.docx", OLE, "old-or-locked-word"),
        ("a.doc", OLE, "old-or-locked-word"),
        ("a.pdf", b"not a pdf", "broken-document"),
        ("a.docx", b"not a docx", "broken-document"),
        ("a.xlsx", b"not a sheet", "bad-excel"),
        ("a.txt", b"PK\0\0", "binary-file"),
        ("a.csv", b"PK\x03\x04\x14\0\x9a\xff", "office-file"),
        ("a.txt", rb"{\rtf1\ansi We open at 9.\par}", "rich-text-file"),
        ("a.md", b"# a\0b\n\ntext", "binary-file"),
        ("a.html", b"<p>a\0b", "binary-file"),
        ("a.html", b'<meta charset="koi8-r"><p>a\0b', "binary-file"),
        ("a.csv", b"a,b\n\0,c\n", "binary-file"),
        ("a.jsonl", b'{"question": "\0"}', "binary-file"),
        ("a.md", b"# Only a heading\n", "no-text"),
        ("a.md", b"<!-- nothing -->", "no-text"),
        ("a.html", b"<script>x</script>", "no-text"),
        ("a.csv", b"question,answer\n", "no-text"),
        ("a.csv", b",,\n,,\n", "no-text"),
    ],
)  # fmt: skip
def test_a_file_nothing_of_which_can_be_used(name: str, raw: bytes, code: str) -> None:
    found = reading(name, raw)
    assert found.blocks == []
    assert codes(found) == [("error", code, None)]
    assert found.problems[0].file == name


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize("raw", [b"", b" \n\n"])
def test_an_empty_file(suffix: str, raw: bytes) -> None:
    assert codes(reading(f"a{suffix}", raw)) == [("error", "no-text", None)]


def a_docx() -> bytes:
    document = new_document()
    document.add_heading("Hours", 1)
    document.add_paragraph("We are open.")
    return saved(document)


def a_pdf() -> bytes:
    return lines_pdf(["We are open."], ["We are closed."])


def an_xlsx() -> bytes:
    return saved(workbook({"Hours": [["Day", "Hours"], ["Monday", "closed"]]}))


MAKERS: dict[str, Callable[[], bytes]] = {"a.docx": a_docx, "a.pdf": a_pdf, "a.xlsx": an_xlsx}


@pytest.mark.parametrize("name", MAKERS)
@pytest.mark.parametrize("keep", [0.01, 0.2, 0.5, 0.9, 0.99])
def test_a_truncated_file(name: str, keep: float) -> None:
    whole = MAKERS[name]()
    found = reading(name, whole[: int(len(whole) * keep)])
    if not found.blocks:  # pypdf finds the pages of some
        assert [severity for severity, _, _ in codes(found)] == ["error"]
    else:
        assert name == "a.pdf"
        assert set(texts(found)) <= {"We are open.", "We are closed."}


@pytest.mark.parametrize("name", MAKERS)
def test_flipped_bytes_are_no_crash(name: str) -> None:
    whole = MAKERS[name]()
    for position in range(0, len(whole), max(1, len(whole) // 60)):
        broken = bytearray(whole)
        broken[position] ^= 0xFF
        found = read(bytes(broken), name)
        assert found.blocks or [p.severity for p in found.problems] == ["error"]


@pytest.mark.timeout(30)  # each took a minute and more when its time grew with the square
@pytest.mark.parametrize(
    ("name", "text", "blocks"),
    [
        ("a.csv", f"{','.join(f'c{n}' for n in range(20_000))}\n{'1,' * 20_000}\n", 1),
        ("a.html", f"<p>{'<b>ab</b> cd ' * 12_000}</p>", 1),
        ("a.html", "<h3>Do you?</h3><div hidden><p>Yes we do.</p></div>" * 3000, 3000),
        ("a.md", "<!--\n" * 200_000, 0),
        ("a.md", f"a{' ' * 500_000}b", 1),
    ],
    ids=["columns", "bold words", "hidden parts", "comments", "spaces"],
)
def test_files_made_to_hang(name: str, text: str, blocks: int) -> None:
    assert len(reading(name, text).blocks) == blocks


def test_cells_that_span_more_than_a_sheet_has() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(an_xlsx())) as old, zipfile.ZipFile(buffer, "w") as new:
        for name in old.namelist():
            merged = b'</sheetData><mergeCells><mergeCell ref="A5:XFD1048576"/></mergeCells>'
            new.writestr(name, old.read(name).replace(b"</sheetData>", merged))
    assert codes(reading("a.xlsx", buffer.getvalue())) == [("error", "bad-excel", None)]
    word = new_document()
    table = word.add_table(rows=2, cols=2)
    for row in table.rows:
        row.cells[1].text = "Tea: £2"
        row.cells[0]._tc.grid_span = 2_000_000_000
    buffer = io.BytesIO()
    word.save(buffer)
    assert "Tea: £2" in " ".join(texts(reading("a.docx", buffer.getvalue())))


def test_a_file_that_is_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST", 1000)
    assert codes(reading("a.txt", "x" * 1000)) == []
    assert codes(reading("a.txt", "x" * 1001)) == [("error", "too-large", None)]


@pytest.mark.parametrize("name", ["a.xlsx", "a.docx"])
def test_a_small_file_that_unpacks_to_a_huge_one(name: str) -> None:
    buffer = io.BytesIO(MAKERS[name]())
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet9.xml", b"<a>" + b" " * 101_000_000)
    assert len(buffer.getvalue()) < documents.LARGEST
    assert codes(reading(name, buffer.getvalue())) == [("error", "too-large", None)]


@pytest.mark.parametrize(
    ("name", "text", "expected", "problems"),
    [
        ("a.md", "- " * 5000 + "x\n\nafter\n", [], [("error", "too-nested", 1)]),
        ("a.md", "before\n\n" + "- " * 5000 + "x", ["before"], [("warning", "too-nested", 3)]),
        ("a.md", "> " * 5000 + "x\n\nafter\n", ["after"], [("warning", "too-nested", 1)]),
        ("a.md", "- " * 20 + "x\n", ["x"], []),
        ("a.md", "[" * 5000 + "x\n", ["[" * 5000 + "x"], []),
        ("a.html", "<div>" * 5000 + "x", [], [("error", "too-nested", None)]),
        ("a.html", "<ul><li>" * 5000 + "x", [], [("error", "too-nested", None)]),
        ("a.html", "<div>" * 100 + "x", ["x"], []),
        ("a.jsonl", "[" * 100_000, [], [("error", "bad-json", 1)]),
    ],
)  # fmt: skip
def test_deep_nesting(
    name: str, text: str, expected: list[str], problems: list[tuple[str, str, int | None]]
) -> None:
    found = reading(name, text)
    assert texts(found) == expected
    assert codes(found) == problems


def test_a_word_file_with_a_damaged_place_is_read_up_to_it() -> None:
    document = new_document()
    document.add_paragraph("Before.")
    paragraph = document.add_paragraph("After.", style="List Bullet")
    style: Any = paragraph._p.pPr
    del style.pStyle.attrib[style.pStyle.keys()[0]]
    found = reading("a.docx", saved(document))
    assert texts(found) == ["Before."]
    assert codes(found) == [("warning", "broken-document", None)]


def test_a_page_that_can_not_be_read() -> None:
    writer = PdfWriter(clone_from=PdfReader(io.BytesIO(a_pdf())))
    contents: Any = writer.pages[1]["/Contents"]
    contents[NameObject("/Filter")] = NameObject("/Nope")
    buffer = io.BytesIO()
    writer.write(buffer)
    found = reading("a.pdf", buffer.getvalue())
    assert texts(found) == ["We are open."]
    assert [(p.severity, p.code, p.values["page"]) for p in found.problems] == [
        ("warning", "broken-page", 2)
    ]


# --- What hangs on what ---------------------------------------------------------------------------


def test_headings_of_skipped_and_repeated_levels() -> None:
    document = Document("a")
    outline = Outline(document)
    for level, heading in [(2, "A"), (4, "B"), (3, "C"), (3, "D"), (1, "E"), (2, "")]:
        outline.heading(level, heading)
        outline.paragraph(heading or "none")
    assert [block.headings for block in document.blocks] == [
        ("A",),
        ("A", "B"),
        ("A", "C"),
        ("A", "D"),
        ("E",),
        ("E",),
    ]


def test_joined() -> None:
    assert joined("Cakes:", "Plum") == "Cakes: Plum"
    assert joined("We deliver.", "Not on Sunday.") == "We deliver. Not on Sunday."
    assert joined("Cakes", "Plum") == "Cakes: Plum"


def test_importing_it_loads_nothing_heavy() -> None:
    heavy = "('pypdf', 'docx', 'bs4', 'markdownify', 'markdown_it', 'openpyxl', 'lxml')"
    code = (
        f"import sys, brandbot.knowledge.documents; print([m for m in {heavy} if m in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"


def test_every_reader_keeps_the_name() -> None:
    for suffix, reader in READERS.items():
        assert reader(b"", f"x/a{suffix}").name == f"x/a{suffix}"


def test_the_suffix_may_be_in_capitals() -> None:
    assert texts(reading("deep/er/A.TXT", "x")) == ["x"]


def test_the_questions_of_an_accordion_are_kept() -> None:
    page = """<h1>FAQ</h1>
<h2><button aria-expanded="false">Can I bring my dog?</button></h2><p>Yes, on a lead.</p>
<details><summary><button>Is there parking?</button></summary><p>No, use the tram.</p></details>
<button>Accept cookies</button>"""
    found = reading("faq.html", page)
    told = [(block.headings, block.text) for block in found.blocks]
    assert (("FAQ", "Can I bring my dog?"), "Yes, on a lead.") in told
    assert "Is there parking?" in str(told) and "cookies" not in str(told)


@pytest.mark.parametrize(
    "line", ["valid_untill: 2020-12-31", "valid_until:2020-12-31", "hasta: 31/12/2020", "caduca: 2020-12-31"]
)  # fmt: skip
def test_a_misspelt_validity_is_said(line: str) -> None:
    title = "" if ":2" in line else "title: Offer\n"
    found = reading("a.md", f"---\n{title}{line}\n---\nFree delivery.\n")
    assert "unknown-validity" in [code for _, code, _ in codes(found)]
    fine = "---\ntitle: Since 1998\nvalid_until: 2020-12-31\nauthor: Ana\n---\nHi.\n"
    assert codes(reading("b.md", fine)) == []


def test_the_closed_answers_of_an_accordion_are_kept() -> None:
    page = """<h1>FAQ</h1>
<h3><button aria-expanded="false" aria-controls="a1">Do you deliver?</button></h3>
<p>Ask us.</p><div id="a1" hidden><p>Yes, for £3.</p></div>
<h3>Refunds?</h3><div class="panel" style="display: none;"><p>Within 30 days.</p></div>
<p>Other text.</p>
<div class="head"><button>Parking?</button></div><div aria-hidden="true">No.</div>
<a href="#t2">Prices</a><section id="t2" hidden>Latte £3</section>
<div hidden>draft</div><button data-target="#box">Sign up</button><div id="box" role="dialog" hidden>News</div>
<button>Accept cookies</button>"""
    found = reading("faq.html", page)
    assert [(block.headings, block.text) for block in found.blocks] == [
        (("FAQ", "Do you deliver?"), "Ask us."),
        (("FAQ", "Do you deliver?"), "Yes, for £3."),
        (("FAQ", "Refunds?"), "Within 30 days."),
        (("FAQ",), "Other text."),
        (("FAQ", "Parking?"), "No."),
        (("FAQ",), "Prices"),
        (("FAQ",), "Latte £3"),
    ]


def test_a_hidden_part_under_a_plain_heading_stays_hidden() -> None:
    page = """<h1>Café Luna</h1><div style="display:none">Winter offer: 20 % off</div>
<p>Open daily.</p><h2>Prices</h2><p hidden>Old: 5 euros</p><p>New: 6 euros</p>"""
    assert [(block.headings, block.text) for block in reading("a.html", page).blocks] == [
        (("Café Luna",), "Open daily."),
        (("Café Luna", "Prices"), "New: 6 euros"),
    ]


def test_amounts_that_name_columns() -> None:
    found = reading("a.csv", "Plazo;1.000 €;3.000 €\n12 meses;86 €;258 €\n")
    assert texts(found) == ["12 meses: 1.000 € 86 €, 3.000 € 258 €"]
    assert codes(found) == []


def test_what_a_footer_says() -> None:
    page = """<h1>Café Sol</h1><h2>Menu</h2><p>Tea.</p><footer><nav>Menu 1</nav><h4>Hours</h4>
<p>Monday to Friday, 9 to 5</p><ul><li><a href="/privacy">Privacy</a></li>
<li><a href="mailto:hi@sol.example">Write to us</a></li></ul><address>Plaza Mayor, Cádiz</address>
<p>© 2019–2026 Café Sol</p><p>Tel. 020 7946 0018</p></footer>"""
    found = reading("a.html", page)
    assert [(block.headings, block.text) for block in found.blocks] == [
        (("Café Sol", "Menu"), "Tea."),
        (("Hours",), "Monday to Friday, 9 to 5"),
        (("Hours",), "Write to us (hi@sol.example)"),
        (("Hours",), "Plaza Mayor, Cádiz"),
        (("Hours",), "Tel. 020 7946 0018"),
    ]
