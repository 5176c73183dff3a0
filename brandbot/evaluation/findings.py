"""What is found in each answer: everything a report's row holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

from brandbot import examples as example_files
from brandbot import grounding, models, questions
from brandbot.errors import ModelError
from brandbot.evaluation import metrics, ruler
from brandbot.evaluation.answers import Answer
from brandbot.evaluation.losses import RowLoss
from brandbot.evaluation.report import BRAND, Row, Told
from brandbot.examples import Example
from brandbot.grounding import Known, stop_words
from brandbot.lint_text import broken_rules
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """A prompt to answer: a held-out example, an evaluation question, or a probe (neither).

    ``facts`` are what it is given to know and ``quote`` what a version begins with; ``beyond``: it
    asks for a fact that no document holds, so a version would be served handing off.
    """

    conversation: tuple[Message, ...]
    place: str
    group: str
    example: Example | None = None
    question: questions.Question | None = None
    facts: tuple[str, ...] = ()
    quote: str = ""
    beyond: bool = False

    @property
    def reference(self) -> str:
        if self.example is not None:
            return self.example.reply
        return self.question.expect if self.question is not None else ""


def rows(
    workspace: Workspace, persona: Persona, reading: example_files.Reading,
    asked: Sequence[Asked], told: dict[str, dict[Asked, Answer]],
    measured: dict[str, dict[str, list[RowLoss]]], sharp: ruler.Ruler | str,
) -> list[Row]:  # fmt: skip
    """Each prompt with everybody's answer, and the brand's own, and what was found in it."""
    training = metrics.TrainingText(r for e in reading.split("train") for r in e.replies)
    real = [reply for example in reading.examples for reply in example.replies]
    closes = sum(metrics.ends_well(reply) for reply in real) > 0.9 * len(real)
    known = Known(_known_texts(persona, reading), stop_words(persona.language), persona.language)
    given = {**told, BRAND: {one: Answer(one.reference, False) for one in asked if one.example}}
    topical = _on_topic(workspace, asked, given)
    found: dict[Asked, dict[str, Told]] = {one: {} for one in asked}
    for name, answers in given.items():
        passing = _passing(sharp, [answer.text for answer in answers.values()])
        held_out = [one for one in answers if one.example is not None]
        expected = measured.get(name, {})
        own = dict(zip(held_out, expected.get("own", []), strict=False))
        strange = dict(zip(held_out, expected.get("strange", []), strict=False))
        for (one, answer), (score, passes) in zip(answers.items(), passing, strict=True):
            read = _told(one, answer, persona, training, known, closes)
            if passes and {"empty", "cut"} & set(read.faults):
                passes = 0.0  # whatever its words, it was not brought to an end
            found[one][name] = replace(
                read,
                score=score,
                passes=passes,
                on_topic=topical.get(name, {}).get(one),
                nats=own[one].nats if one in own else None,
                tokens=own[one].tokens if one in own else 0,
                stranger=strange[one].nats if one in strange else None,
            )
    return [
        Row(
            "test" if one.example else "question", one.place, one.group,
            one.conversation[-1].content,
            [message.content for message in one.conversation[:-1]],
            one.reference, found[one],
        )
        for one in asked
    ]  # fmt: skip


def _passing(
    sharp: ruler.Ruler | str, texts: Sequence[str]
) -> list[tuple[float | None, float | None]]:
    """Each text's score by the ruler and whether it passes; None where there is no ruler."""
    if isinstance(sharp, str) or sharp.weakness:
        return [(None, None)] * len(texts)
    return [(score, float(score >= sharp.threshold)) for score in sharp.scores(texts)]


def _told(
    one: Asked, answer: Answer, persona: Persona,
    training: metrics.TrainingText, known: Known, closes: bool,
) -> Told:  # fmt: skip
    """What can be read off one answer by itself."""
    text, language = answer.text, persona.language
    said = "\n".join(m.content for m in one.conversation)
    invented = known.inventions(text, said, one.facts)
    copied = training.copied(text)
    right = declined = None
    asked = one.question
    if asked is not None and asked.answerable and (asked.must_contain or asked.expect):
        right = grounding.right(text, asked.must_contain, asked.must_not_contain, asked.expect)
    elif asked is not None and not asked.answerable:
        declined = metrics.declines(text, language, invented, persona.config.handoff, one.quote)
        if declined is not None:
            declined = declined and grounding.right(text, (), asked.must_not_contain, "")
    return Told(
        text=text,
        cut=answer.cut,
        broken=[asdict(rule) for rule in broken_rules(text, persona.config.rules)],
        faults=list(metrics.faults(text, cut=answer.cut, language=language, closes=closes)),
        invented=invented,
        grams=copied.grams,
        copied=copied.copied,
        longest=copied.longest,
        right=right,
        declined=declined,
    )


def _on_topic(
    workspace: Workspace, asked: Sequence[Asked], given: dict[str, dict[Asked, Answer]]
) -> dict[str, dict[Asked, float]]:
    """For each answer the share of the other prompts that are less like it than its own prompt.

    Likeness is the cosine of MiniLM's sentence embeddings (Reimers and Gurevych 2019). Chance is
    one half. Empty where the embedder is not on this machine; ``evaluate`` says so.
    """
    import numpy as np

    try:
        folder = models.embedder_folder(workspace.models)
    except ModelError:
        return {}
    from brandbot.knowledge.embedder import sentences

    embed = sentences(models.EMBEDDER, folder).embed
    prompts = embed(["\n".join(m.content for m in one.conversation[-3:]) for one in asked])
    place = {one: index for index, one in enumerate(asked)}
    found: dict[str, dict[Asked, float]] = {}
    for name, answers in given.items():
        if not answers or len(asked) < 2:  # nothing to be told from
            continue
        found[name] = {}
        likeness = embed([answer.text for answer in answers.values()]) @ prompts.T
        for (one, answer), row in zip(answers.items(), likeness, strict=True):
            own = row[place[one]]
            less = float(np.sum(row < own) + 0.5 * (np.sum(row == own) - 1))
            found[name][one] = less / (len(asked) - 1) if answer.text else 0.0
    return found


def _known_texts(persona: Persona, reading: example_files.Reading) -> list[str]:
    """What is no invention.

    Not what held-out replies say, for the brand's own are measured, too; nor what stands in
    examples with facts, which are made up.
    """
    seen = [e for e in reading.examples if e.split != "test" and not e.facts]
    texts = [message.content for example in seen for message in example.messages]
    texts += [persona.voice, persona.config.name, *persona.config.said_as_it_is]
    return [*texts, *persona.config.starters]
