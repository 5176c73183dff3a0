"""The pages of an evaluation: what they say, in both languages, and that no answer escapes into HTML."""

from __future__ import annotations

import re
import string
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from brandbot.evaluation import gate, page_words, words
from brandbot.evaluation.gate import GateRow
from brandbot.evaluation.intervals import Measure
from brandbot.evaluation.page import compare_page, report_page, verdict
from brandbot.evaluation.page_figures import Column, difference
from brandbot.evaluation.page_words import WORDS
from brandbot.evaluation.report import (
    BASE,
    BRAND,
    FEWSHOT,
    Losses,
    Planted,
    Report,
    Row,
    RulerCheck,
    Told,
)

EVIL = "<script>alert(1)</script>\"'><img src=http://evil.example/x.png onerror=alert(2)>"
INLINE = {"a", "b", "small", "span", "title"}
VOID = {"meta", "link", "img", "br", "rect", "line", "path", "circle"}


def told(text: str, passes: float | None = 1.0, **more: Any) -> Told:
    return Told(text, score=passes, passes=passes, nats=3.0, tokens=10, stranger=3.25, **more)


def row(number: int, ours: Told, base: Told, fewshot: Told | None = None, **more: Any) -> Row:
    brand = told("The real reply.", grams=0)
    answers = {"0001": ours, BASE: base, BRAND: replace(brand, nats=None, stranger=None)}
    answers |= {FEWSHOT: fewshot} if fewshot else {}
    given: dict[str, Any] = {
        "kind": "test", "place": f"faq.csv:{number}", "group": "faq.csv", "prompt": f"Prompt {number}",
        "before": [], "reference": f"Real reply {number}.", "told": answers, **more,
    }  # fmt: skip
    return Row(**given)


def small(**changes: Any) -> Report:
    """Four prompts: three of four answers pass as the brand's, none untuned, one of two shown examples."""
    bad = told("Buy now! Buy now", 0.0, faults=["cut", "repeating"], invented=["London"])
    rows = [
        row(1, told("One."), replace(told("Base one.", 0.0), nats=4.0), told("Shots one.")),
        row(2, told("Two."), replace(told("Base two.", 0.0), nats=4.0), told("Shots two.", 0.0)),
        row(3, told("Three.", right=False), replace(told("Base three.", 0.0), nats=4.0)),
        row(4, bad, replace(told("Base four.", 0.0), nats=4.0)),
    ]
    losses = Losses([3.0, 3.5], [10, 10], [2.0], [10])
    whole = Report(
        persona="cafe", title="Café Norte", language="en", version="0001", live=None,
        base_model="smollm2-135m-instruct", inputs="same", created="2026-11-23T07:17:38+00:00",
        seconds=64.3, examples={"train": 146, "valid": 24, "test": 30}, examples_changed=False,
        speakers=["0001", BASE, FEWSHOT],
        ruler=RulerCheck("", 0.978, Measure(1.0, 1.0, 1.0, 43), Measure(0.03, 0.0, 0.08, 90), 43, 90),
        rows=rows, losses={"0001": losses, BASE: losses}, planted=[], curve=[], advice=[],
    )  # fmt: skip
    return replace(whole, **changes)


PASSING = [GateRow("style", "pass", {"value": 0.75, "limit": 0.6}), GateRow("planted", "pass")]
SURPRISE = {"value": -0.591, "low": -0.67, "high": -0.5, "n": 30}
FORGETTING = GateRow("forgetting", "fail", {"value": 0.25, "limit": 0.1})
RULES = GateRow(
    "rules", "fail",
    {"value": 0.5, "limit": 0.85, "other": "base", "found": ["cheap"], "worse": ["never-say"]},
)  # fmt: skip
UNSURE = [GateRow("style", "unknown", {"limit": 0.6}), GateRow("planted", "pass")]
CHANGED = (
    "Out of 100 answers, about 75 could pass as the brand's own, against practically none without "
    "training and 50 with five examples in the prompt."
)
CAMBIO = (
    "De cada 100 respuestas, unas 75 podrían pasar por ser de la marca, frente a prácticamente "
    "ninguna sin entrenar y 50 con cinco ejemplos en el prompt."
)


class Page(HTMLParser):
    """Tags, attributes and text of a page; fails on a tag that is not closed where it should be."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.text += "" if tag in INLINE else " "
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] != ["style"]:
            self.text += data

    @property
    def words(self) -> str:
        return " ".join(self.text.split())


# --- The verdict ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rows", "live", "first"),
    [
        (PASSING, None, "Version 0001 may go live: it passes all 2 conditions."),
        (PASSING, "0001", "Version 0001 is live and passes all 2 conditions."),
        (
            [*PASSING, GateRow("knows", "unknown")], None,
            "Version 0001 may go live: it passes all 2 conditions that could be measured (not "
            "measured: domain: right answers).",
        ),
        (
            [*PASSING, RULES, FORGETTING], None,
            "Version 0001 should not go live: it fails 2 of 4 conditions (rules, forgetting).",
        ),
        (
            [*PASSING, RULES], "0001",
            "Version 0001 is live although it fails 1 of 3 conditions (rules).",
        ),
        ([], None, "Version 0001 has not been checked against the conditions for going live."),
        (
            [*PASSING, GateRow("style_live", "unknown", {"other": "0000", "absent": True})], "0000",
            "Version 0001 should not go live yet: its style could not be compared with the live "
            "version's, which is damaged or runs on another base model.",
        ),
    ],
)  # fmt: skip
def test_the_verdict_says_whether_it_may_go_live(
    rows: list[GateRow], live: str | None, first: str
) -> None:
    assert verdict(small(live=live), rows) == f"{first} {CHANGED}"


@pytest.mark.parametrize(
    ("rows", "live", "first"),
    [
        (PASSING, None, "La versión 0001 puede ponerse en servicio: cumple las 2 condiciones."),
        (PASSING, "0001", "La versión 0001 está en servicio y cumple las 2 condiciones."),
        (
            [*PASSING, FORGETTING], None,
            "La versión 0001 no debería ponerse en servicio: incumple 1 de 3 condiciones (olvido).",
        ),
    ],
)  # fmt: skip
def test_the_verdict_in_spanish(rows: list[GateRow], live: str | None, first: str) -> None:
    assert verdict(small(language="es-MX", live=live), rows) == f"{first} {CAMBIO}"


FEW = (
    "Too few examples to measure style: 12 replies to train the ruler on and 3 held out; it takes 40 "
    "and 8."
)


def without_style(weakness: str, **changes: Any) -> Report:
    """Nobody's style could be measured."""
    report = small()
    rows = [
        replace(
            r, told={n: replace(t, score=None, passes=None) for n, t in r.told.items()}
        ) for r in report.rows
    ]  # fmt: skip
    return replace(report, **{"ruler": RulerCheck(weakness), "rows": rows, **changes})


def test_the_verdict_says_why_style_could_not_be_measured() -> None:
    second = (
        "The brand's real replies surprise it less than they surprise the untuned model (3.00 "
        "against 4.00 nats a token): it has moved towards the brand's voice."
    )
    why = "there are too few examples: 12 replies to learn from and 3 held out, where 40 and 8 are needed"
    assert verdict(without_style(FEW), UNSURE) == (
        "Version 0001 fails nothing and may go live as the first one, but its style could not be "
        f"measured because {why}. {second}"
    )
    assert verdict(without_style(FEW, live="0000"), UNSURE) == (
        f"Version 0001 should not go live yet: its style could not be measured because {why}. {second}"
    )
    assert verdict(without_style(FEW, live="0001"), [*UNSURE, RULES]) == (
        "Version 0001 is live although it fails 1 of 3 conditions (rules), and its style could not be "
        f"measured because {why}. {second}"
    )


def test_a_blunt_ruler_in_spanish() -> None:
    report = without_style("Style can't be measured: …", language="es", live="0000")
    report = replace(report, ruler=replace(report.ruler, auc=0.714))
    assert verdict(report, UNSURE) == (
        "La versión 0001 no debería ponerse en servicio todavía: su estilo no se pudo medir porque "
        "el medidor de estilo no distingue lo bastante las respuestas de la marca de otros textos (AUC 0,71; "
        "hace falta 0,85). Las respuestas reales de la marca la sorprenden menos que al modelo sin "
        "entrenar (3,00 frente a 4,00 nats por token): se ha acercado a la voz de la marca."
    )


def test_an_unknown_weakness_is_told_in_its_own_words() -> None:
    said = verdict(without_style("The moon was full."), UNSURE)
    assert "could not be measured because “The moon was full”. " in said


def test_the_verdict_without_style_and_losses() -> None:
    report = without_style(FEW, live="0001")
    bare = [
        replace(r, told={n: replace(t, nats=None, tokens=0) for n, t in r.told.items()})
        for r in report.rows
    ]
    said = verdict(replace(report, rows=bare), UNSURE)
    assert said.endswith(" What the training changed could not be measured.")


@pytest.mark.parametrize(
    ("ours", "words"),
    [(4.0, "about as much as"), (5.0, "it has moved away from the brand's voice.")],
)
def test_the_verdict_does_not_flatter(ours: float, words: str) -> None:
    report = without_style(FEW)
    rows = [
        replace(r, told={**r.told, "0001": replace(r.told["0001"], nats=ours)}) for r in report.rows
    ]
    assert words in verdict(replace(report, rows=rows), UNSURE)


def test_style_as_good_as_the_brands_own_is_not_called_a_hundred_of_a_hundred() -> None:
    report = small()
    half = replace(
        report.ruler, ceiling=Measure(0.5, 0.4, 0.6, 40)
    )  # three quarters are 150% of it
    assert verdict(replace(report, ruler=half, speakers=["0001", FEWSHOT]), PASSING) == (
        "Version 0001 may go live: it passes all 2 conditions. Its answers pass as the brand's own as "
        "often as the brand's real replies do, against practically all with five examples in the prompt."
    )


def test_the_live_version_is_named_among_the_others() -> None:
    report = small()
    rows = [replace(r, told={**r.told, "0002": r.told["0001"]}) for r in report.rows]
    report = replace(report, rows=rows, live="0002", speakers=["0001", "0002"])
    assert verdict(report, PASSING).endswith(
        "about 75 could pass as the brand's own, against 75 with version 0002, the one that is live."
    )


# --- The page -------------------------------------------------------------------------------------


def evil() -> Report:
    """A report whose every text is hostile."""
    report = small()
    rows = [
        replace(
            r, prompt=EVIL, before=[EVIL, EVIL], reference=EVIL, place=EVIL, group=EVIL,
            told={
                name: replace(
                    t, text=EVIL, invented=[EVIL], faults=["cut"],
                    broken=[{"code": "never-say", "values": {"word": EVIL}}, {"code": EVIL, "values": {}}],
                )
                for name, t in r.told.items()
            },
        )
        for r in report.rows
    ]  # fmt: skip
    return replace(
        report, rows=rows, title=EVIL, base_model=EVIL, planted=[Planted(EVIL, 9, 3, 1)],
        advice=[{"group": EVIL, "trained": 9, "held_out": 4, "loss": 3.4, "style": 0.5, "add": 6,
                 "prompts": [EVIL], "lag": 0.1}],
        judge={"model": EVIL, "endpoint": EVIL, "against": BASE, "wins": 1, "losses": 0, "ties": 0,
               "n": 1, "value": 1.0, "low": 1.0, "high": 1.0},
    )  # fmt: skip


def test_hostile_answers_stay_text() -> None:
    report = evil()
    reply = GateRow("planted", "fail", {"reply": EVIL, "copies": 9, "said": 1, "asked": 3})
    for html in (report_page(report, [reply]), compare_page([report, report])):
        page = Page(html)
        assert not {"script", "img", "iframe"} & {tag for tag, _ in page.tags}
        assert not [key for _, attrs in page.tags for key in attrs if key.startswith("on")]
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
        assert page.text.count("<script>alert(1)</script>") > 10


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_pages_load_nothing(language: str) -> None:
    report = small(
        language=language, curve=[{"step": 1, "loss": 4.0}, {"step": 2, "valid_loss": 3.5}]
    )
    for html in (
        report_page(report, PASSING),
        compare_page([report, replace(report, version="0001")]),
    ):
        page = Page(html)
        assert page.tags[0] == ("html", {"lang": language})
        for _, attrs in page.tags:
            for key in ("src", "href", "srcset", "action", "data", "xlink:href"):
                assert (attrs.get(key) or "#").startswith(("#", "data:,"))
        assert not re.search(r"url\(|@import|https?://", html)
        assert "default-src 'none'" in html


def test_tables_charts_and_headings_can_be_read_aloud() -> None:
    page = Page(report_page(small(curve=[{"step": 1, "loss": 4.0}]), PASSING))
    tags = [tag for tag, _ in page.tags]
    assert tags.count("h1") == 1 and tags.count("main") == 1
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert all(after - before <= 1 for before, after in pairwise(levels))
    assert all(attrs.get("scope") in ("row", "col") for tag, attrs in page.tags if tag == "th")
    charts = [attrs for tag, attrs in page.tags if tag == "svg" and attrs.get("role") == "img"]
    assert len(charts) > 15 and all(chart["aria-label"] for chart in charts)
    assert tags.count("title") == len(charts) + 1  # and the page's own
    ids = [attrs["id"] for _, attrs in page.tags if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for tag, attrs in page.tags if tag == "a"]
    assert links and {str(link)[1:] for link in links} <= set(ids)


def test_bars_with_whiskers_and_the_brands_own_tick() -> None:
    html = report_page(small(), PASSING)
    style = html[html.index("<h3>Style</h3>") : html.index("<h3>Rules kept</h3>")]
    assert 'aria-label="Style. Version 0001: 75%, 95% interval 25% to 100%"' in style
    assert '<rect class="fill" width="75.0%"' in style
    assert '<line x1="25.0%" x2="100.0%" y1="13" y2="13"/>' in style
    assert '<line class="brand-line" x1="100.0%" x2="100.0%"' in style
    assert 'aria-label="Style. Five examples: 50%, 95% interval 0% to 100%"' in style
    assert "4 answers; five examples: 2" in style


def test_conditions_are_told_by_words_and_marks() -> None:
    loss = GateRow("loss", "pass", SURPRISE)
    page = Page(report_page(small(), [loss, RULES, GateRow("knows", "unknown")]))
    assert "1 passed, 1 failed, 1 not measured" in page.words
    assert "Rules Fails 50% of the answers keep every rule" in page.words
    assert "Surprise Passes Surprise at the brand's real replies" in page.words
    assert "−0.59 nats (−0.67 to −0.50)" in page.words
    assert "Domain: right answers Not measured" in page.words
    assert page.words.index("Rules Fails") < page.words.index("Surprise Passes")


def test_numbers_in_spanish() -> None:
    curve = [{"step": 0, "valid_loss": 4.0}, {"step": 10, "valid_loss": 3.25}]
    page = Page(report_page(small(language="es", curve=curve), [GateRow("loss", "pass", SURPRISE)]))
    assert "−0,59 nats (−0,67 a −0,50)" in page.words
    assert "Validación 3,25" in page.words
    assert "23 de noviembre de 2026, 07:17 UTC" in page.words
    assert "(AUC 0,98)" in page.words
    assert not re.search(r"\d\.\d", page.words.replace("gpt-4.1", ""))


def test_the_best_and_the_worst_answers_and_what_is_wrong_with_them() -> None:
    html = report_page(small(), PASSING)
    best, rest = html[html.index('id="best"') :].split('id="worst"')
    worst = rest[: rest.index('id="advice"')]
    assert re.findall(r"<header><h3>(.*?)</h3>", best) == ["Prompt 1", "Prompt 2"]
    assert re.findall(r"<header><h3>(.*?)</h3>", worst) == ["Prompt 4", "Prompt 3"]
    marks = " ".join(
        Page(worst[worst.index("<article") : worst.index("</article>") + 10]).text.split()
    )
    assert marks.startswith(
        "Prompt 4 faq.csv:4 Version 0001 Buy now! Buy now cut off repeats itself"
    )
    assert (
        "invents “London” does not sound like the brand The brand's real reply Real reply 4."
        in marks
    )
    assert marks.endswith("Untuned Base four. does not sound like the brand")
    assert "wrong answer" in worst and "nothing flagged" in best


def test_questions_stand_back_where_there_are_enough_examples() -> None:
    report = small()
    tests = [replace(report.rows[0], prompt=f"Example {i}") for i in range(10)]
    question = replace(report.rows[3], kind="question", prompt="A question")
    html = report_page(replace(report, rows=[question, *tests]), PASSING)
    assert "<h3>A question</h3>" not in html
    assert re.findall(r"<header><h3>(.*?)</h3>", html) == [
        f"Example {i}" for i in (0, 1, 2, 3, 4, 9, 8, 7, 6, 5)
    ]


def test_earlier_turns_are_folded_in_and_say_who_spoke() -> None:
    report = small()
    talk = replace(report.rows[0], before=["Hello?", "Hello yourself."])
    page = Page(report_page(replace(report, rows=[talk]), PASSING))
    assert (
        "What was said before (2) Customer Hello? Brand Hello yourself. Version 0001" in page.words
    )


def test_what_could_not_be_measured_is_said_and_nothing_breaks() -> None:
    report = without_style(FEW, speakers=["0001"], losses={}, rows=[])
    question = Row(
        "question", "evals/q.jsonl:1", "evals/q.jsonl", "How much?", [], "", {"0001": Told("")}
    )
    page = Page(report_page(replace(report, rows=[question]), UNSURE))
    assert "Style How often an answer could pass as the brand's own. not measured" in page.words
    assert "It is not used here, because there are too few examples: 12 replies" in page.words
    assert "No model judged these answers" in page.words
    assert "How the training went" not in page.words
    assert "No file of examples stands out" in page.words
    assert "Version 0001 (nothing)" in page.words


def test_what_the_page_warns_of() -> None:
    calm = Page(report_page(small(), PASSING)).words
    assert "planted" not in calm.split("How well it does")[0] and "have changed since" not in calm
    report = small(planted=[Planted("Say this.", 9, 3, 2), Planted("Not that.", 8, 3, 0)])
    page = Page(report_page(replace(report, examples_changed=True), PASSING)).words
    top = page.split("How well it does")[0]
    assert "It repeats a planted answer One reply stands 9 times" in top and "“Say this.”" in top
    assert "Not that." not in page
    assert "The examples have changed since this version was trained." in top


def test_what_to_add_next_gives_the_reason_by_which_a_file_lags() -> None:
    advice = [
        {"group": "faq.csv", "trained": 52, "held_out": 11, "loss": 3.47, "style": 0.545, "add": 26,
         "prompts": ["blend?"], "lag": 0.5},
        {"group": "talk.md", "trained": 30, "held_out": 5, "loss": 3.51, "style": 1.0, "add": 15,
         "prompts": ["hi"], "lag": -0.1},
    ]  # fmt: skip
    page = Page(report_page(small(advice=advice), PASSING)).words
    assert (
        "26 more examples like those in faq.csv would help most. 55% of its answers to the 11 "
        "prompts held out of that file pass as the brand's own; over all files it is 75%. It did worst "
        "with: “blend?” 15 more like those in talk.md would help too. The 5 replies held out of that "
        "file surprise it by 3.51 nats a token; over all files it is 3.00. It did worst with: “hi”"
    ) in page


def test_who_judged() -> None:
    judge = {"model": "big-model", "endpoint": "http://10.0.0.7/v1", "against": BASE, "wins": 30,
             "losses": 5, "ties": 5, "n": 40, "value": 0.8125, "low": 0.68, "high": 0.9}  # fmt: skip
    assert (
        "big-model (http://10.0.0.7/v1) compared 40 answers with those of the untuned model, each pair "
        "twice with the two swapped: 30 won, 5 lost, 5 tied. It won 81% (95% interval 68% to 90%), a tie "
        "counting half."
    ) in Page(report_page(small(judge=judge), PASSING)).words
    assert "comparó 40 respuestas con las del modelo sin entrenar" in (
        Page(report_page(small(judge=judge, language="es"), PASSING)).words
    )


def test_the_training_curve_is_drawn_to_scale() -> None:
    curve = [
        {"step": 0, "loss": 4.0}, {"step": 10, "loss": 3.0}, {"step": 5, "loss": float("nan")},
        {"step": 10, "valid_loss": 3.5},
    ]  # fmt: skip
    html = report_page(small(curve=curve), PASSING)
    assert '<line x1="0.0%" y1="0.0%" x2="100.0%" y2="100.0%"/>' in html
    assert '<circle cx="100.0%" cy="50.0%" r="3"/>' in html
    assert (
        "Loss by training step: Training from 4.00 to 3.00; Validation from 3.50 to 3.50." in html
    )
    assert re.findall(r'<text x="0" y="-5">(.*?)</text>', html) == [
        "3.0", "3.2", "3.4", "3.6", "3.8", "4.0",
    ]  # fmt: skip


def test_the_footer_says_what_it_was_made_of() -> None:
    assert (
        "Measured 23 November 2026, 07:17 UTC Took 64 seconds Base model smollm2-135m-instruct Examples "
        "146 to train, 24 for validation, 30 held out"
    ) in Page(report_page(small(), PASSING)).words


# --- Versions side by side ------------------------------------------------------------------------


def later(report: Report, **changes: Any) -> Report:
    """Version 0002, whose every answer passes but breaks a rule."""
    rule = {"code": "never-say", "values": {"word": "cheap"}}
    rows = [
        replace(
            r, told={**{n: t for n, t in r.told.items() if n != "0001"},
                     "0002": told(f"Cheap {i}.", broken=[rule])},
        )
        for i, r in enumerate(report.rows)
    ]  # fmt: skip
    return replace(
        report, **{"version": "0002", "speakers": ["0002", BASE, FEWSHOT], "rows": rows,
                   "losses": {"0002": report.losses["0001"], BASE: report.losses[BASE]}, **changes},
    )  # fmt: skip


def test_versions_side_by_side() -> None:
    curve = [
        {"step": 1, "loss": 4.5},
        {"step": 4, "valid_loss": 4.0},
        {"step": 8, "valid_loss": 3.5},
    ]
    first = small(curve=curve, live="0001")
    page = Page(compare_page([first, later(first, curve=curve[:1], live="0001")]))
    assert "Café Norte Versions 0001 and 0002" in page.words
    assert (
        "Answers out of 100 that could pass as the brand's own: about 75 with version 0001 and "
        "practically all with version 0002."
    ) in page.words
    # Style: one answer of four is better, which may be chance. Rules: all four are worse.
    assert "no sure difference against 0001: +25 points (0 to +75)" in page.words
    assert "worse against 0001: −100 points (−100 to −100)" in page.words
    assert "Version 0002 against 0001. Worse: rules kept." in page.words
    assert "Version 0001 (live) 3.50 Version 0002 4.50" in page.words
    assert "Prompt 4 faq.csv:4 Version 0001 (live) Buy now! Buy now" in page.words
    assert "Version 0002 Cheap 3. says “cheap” The brand's real reply Real reply 4." in page.words
    assert "not measured with the same" not in page.words


def test_versions_measured_with_other_inputs_are_not_compared_prompt_by_prompt() -> None:
    first = small()
    second = later(first, inputs="other", rows=[replace(later(first).rows[0], prompt="New")])
    page = Page(compare_page([first, second]))
    assert (
        "These versions were not measured with the same examples, questions and rules."
        in page.words
    )
    assert "points (" not in page.words and "Version 0002 against 0001" not in page.words
    assert "They were asked no prompt in common." in page.words
    spanish = Page(compare_page([replace(first, language="es"), second]))
    assert "Estas versiones no se midieron con los mismos ejemplos" in spanish.words


# --- Words and looks ------------------------------------------------------------------------------


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_it_with_the_same_values(key: str) -> None:
    english, spanish = (
        {name for _, name, _, _ in string.Formatter().parse(text) if name} for text in WORDS[key]
    )
    # Spanish verbs agree with how many there are; English ones here do not.
    assert english == spanish - {"could"}


def test_nothing_runs_off_a_telephones_screen(tmp_path: Path) -> None:
    from playwright.sync_api import sync_playwright

    long = "w" * 300
    report = small(
        title=long, language="es", curve=[{"step": 1, "loss": 4.0}, {"step": 2, "loss": 3.0}]
    )
    rows = [replace(r, prompt=long, place=long, reference=long) for r in report.rows]
    report = replace(report, rows=[replace(r, told={n: replace(t, text=long) for n, t in r.told.items()})
                                   for r in rows])  # fmt: skip
    (tmp_path / "report.html").write_text(report_page(report, [*PASSING, RULES]), encoding="utf-8")
    (tmp_path / "compare.html").write_text(compare_page([report, later(report)]), encoding="utf-8")
    said: list[str] = []

    def look() -> None:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=["--no-sandbox"]
            )
            page = browser.new_page()
            page.on("console", lambda message: said.append(message.text))
            for file in ("report.html", "compare.html"):
                for width in (375, 1280):
                    page.set_viewport_size({"width": width, "height": 800})
                    page.goto((tmp_path / file).as_uri())
                    page.evaluate(
                        "document.querySelectorAll('details').forEach(d => { d.open = true })"
                    )
                    assert page.evaluate("document.documentElement.scrollWidth") == width, file
            browser.close()

    # In a thread of its own: the browser tests' Playwright may be running in this one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(look).result()
    assert said == []


def test_spanish_articles_and_conjunctions() -> None:
    assert page_words.listed(["escucha", "invenciones"], "es") == "escucha e invenciones"
    assert page_words.listed(["reglas", "estilo"], "es") == "reglas y estilo"
    sides = [words.side_of(tag) for tag in ("es", "ES-MX", "es-419", "en", "est")]
    assert sides == ["es", "es", "es", "en", "en"]
    assert words.speaker_in_text("0001", "es") == "la versión 0001"
    assert words.speaker_in_text("0001", "en") == "version 0001"
    assert words.speaker_in_text("base", "es") == words.speaker("base", "es")


def test_few_pairs_give_no_verdict() -> None:
    for count, outcome in ((1, "unknown"), (5, "unknown"), (6, "fail")):
        rows = [
            row(n, told("No.", right=False), told("Base."), told("Yes.", right=True))
            for n in range(count)
        ]
        assert gate._not_worse("knows", small(rows=rows), "right", FEWSHOT).outcome == outcome


def test_versions_are_compared_prompt_by_prompt_whatever_their_order() -> None:
    nats = [2.0, 3.0, 4.0, 5.0, 3.5, 2.5]
    rows = [row(n, replace(told("A."), nats=value), told("B.")) for n, value in enumerate(nats)]
    better = [
        row(n, replace(told("A."), nats=value - 0.1), told("B.")) for n, value in enumerate(nats)
    ]
    first, second = small(rows=rows), small(rows=better[::-1], version="0001")
    columns = [Column("one", "version", report, "0001") for report in (first, second)]
    found = difference("loss", *columns, "en")
    assert found is not None and found["outcome"] == "better" and "−0.10" in found["text"]
    assert difference("copied", *columns, "en") is None
    other = Column("other", "version", replace(second, base_model="gemma-3-270m"), "0001")
    assert difference("loss", columns[0], other, "en") is None
    assert difference("coherent", columns[0], other, "en") is not None


def test_a_report_is_never_half_in_a_versions_folder(tmp_path: Path) -> None:
    folder = tmp_path / "0001"
    folder.mkdir()
    (folder / "report.json").write_text("old")
    folder.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("os.fsync", _full)
        with pytest.raises(OSError):
            small().save(folder / "report.json")
    assert (folder / "report.json").read_text() == "old"
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["report.json"]
    small().save(folder / "report.json")
    assert [file.name for file in folder.iterdir()] == ["report.json"]


def _full(_descriptor: int) -> None:
    raise OSError(28, "No space left on device")
