"""What is found in each answer: everything a report's row holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from brandbot import examples as example_files
from brandbot import models, questions
from brandbot.errors import ModelError
from brandbot.evaluation import metrics, ruler
from brandbot.evaluation.answers import Answer, Speaker
from brandbot.evaluation.losses import RowLoss
from brandbot.evaluation.report import BRAND, Row, Told
from brandbot.examples import Example
from brandbot.lint_text import broken_rules
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace


@dataclass(frozen=True)
class Asked:
    """A prompt to answer: a held-out example, an evaluation question, or a probe (neither)."""

    conversation: tuple[Message, ...]
    place: str
    group: str
    example: Example | None = None
    question: questions.Question | None = None

    @property
    def reference(self) -> str:
        if self.example is not None:
            return self.example.reply
        return self.question.expect if self.question is not None else ""


def rows(
    workspace: Workspace, persona: Persona, reading: example_files.Reading,
    asked: Sequence[Asked], speakers: Sequence[Speaker], told: dict[str, list[Answer]],
    measured: dict[str, dict[str, list[RowLoss]]], sharp: ruler.Ruler | str,
) -> list[Row]:  # fmt: skip
    """Each prompt with everybody's answer, and the brand's own, and what was found in it."""
    training = metrics.TrainingText(r for e in reading.split("train") for r in e.replies)
    real = [reply for example in reading.examples for reply in example.replies]
    closes = sum(metrics.ends_well(reply) for reply in real) > 0.9 * len(real)
    known = metrics.Known(_known_texts(persona, reading), persona.language)
    given = {speaker.name: told[speaker.name][: len(asked)] for speaker in speakers}
    given[BRAND] = [Answer(one.reference if one.example else "", False) for one in asked]
    topical = _on_topic(workspace, asked, given)
    usable = isinstance(sharp, ruler.Ruler) and not sharp.weakness
    held_out = [index for index, one in enumerate(asked) if one.example is not None]
    found: list[dict[str, Told]] = [{} for _ in asked]
    for name, answers in given.items():
        scores: Sequence[float | None] = [None] * len(answers)
        if isinstance(sharp, ruler.Ruler) and usable:
            scores = sharp.scores([answer.text for answer in answers])
        for index, (one, answer, score) in enumerate(zip(asked, answers, scores, strict=True)):
            if name == BRAND and one.example is None:
                continue
            made = _told(one, answer, persona, training, known, closes)
            passes = None
            if score is not None and isinstance(sharp, ruler.Ruler):
                passes = float(score >= sharp.threshold)
            made = replace(made, score=score, passes=passes, on_topic=topical[name][index])
            if name != BRAND and one.example is not None:
                place = held_out.index(index)
                own, strange = measured[name]["own"][place], measured[name]["strange"]
                made = replace(
                    made, nats=own.nats, tokens=own.tokens,
                    stranger=strange[place].nats if place < len(strange) else None,
                )  # fmt: skip
            found[index][name] = made
    return [
        Row(
            "test" if one.example else "question", one.place, one.group,
            one.conversation[-1].content,
            [message.content for message in one.conversation[:-1]],
            one.reference, found[index],
        )
        for index, one in enumerate(asked)
    ]  # fmt: skip


def _told(
    one: Asked, answer: Answer, persona: Persona,
    training: metrics.TrainingText, known: metrics.Known, closes: bool,
) -> Told:  # fmt: skip
    """What can be read off one answer by itself."""
    text, language = answer.text, persona.language
    invented = known.inventions(text, "\n".join(m.content for m in one.conversation))
    copied = training.copied(text)
    right = declined = None
    asked = one.question
    if asked is not None and asked.answerable and (asked.must_contain or asked.expect):
        right = metrics.right(text, asked.must_contain, asked.must_not_contain, asked.expect)
    elif asked is not None and not asked.answerable:
        declined = metrics.declines(text, language, invented)
        if declined is not None:
            declined = declined and metrics.right(text, (), asked.must_not_contain, "")
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


def _known_texts(persona: Persona, reading: example_files.Reading) -> list[str]:
    texts = [message.content for example in reading.examples for message in example.messages]
    texts += [persona.voice, persona.config.name, persona.config.greeting]
    return [*texts, *persona.config.starters, *metrics.documents_text(persona.folder / "knowledge")]


def _on_topic(
    workspace: Workspace, asked: Sequence[Asked], told: dict[str, list[Answer]]
) -> dict[str, list[float | None]]:
    """For each answer the share of the other prompts that are less like it than its own prompt.

    Likeness is the cosine of MiniLM's sentence embeddings (Reimers and Gurevych 2019). Chance is
    one half. None where the embedder is not on this machine.
    """
    import numpy as np

    nothing: dict[str, list[float | None]] = {name: [None] * len(asked) for name in told}
    try:
        folder = models.embedder_folder(workspace.models)
    except ModelError:
        return nothing
    from sentence_transformers import SentenceTransformer

    model: Any = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    prompts = ["\n".join(m.content for m in one.conversation[-3:]) for one in asked]
    places: Any = model.encode(prompts, normalize_embeddings=True, show_progress_bar=False)
    found: dict[str, list[float | None]] = {}
    for name, given in told.items():
        texts: Any = model.encode(
            [answer.text for answer in given], normalize_embeddings=True, show_progress_bar=False
        )
        likeness = texts @ places.T
        own = np.diag(likeness)[:, None]
        others = np.sum(likeness < own, axis=1) + 0.5 * (np.sum(likeness == own, axis=1) - 1)
        found[name] = [
            float(share) / max(1, len(asked) - 1) if answer.text else 0.0
            for share, answer in zip(others, given, strict=True)
        ]
    return found
