"""One evaluation: a version answers prompts it never saw, beside others, and is measured.

Straight down: gather prompts, let everybody answer, make the ruler, measure losses, look at each
answer, put the report together, store it with the version.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime

from brandbot import approved, models, opening, questions
from brandbot import examples as example_files
from brandbot.adapters import AdapterStore
from brandbot.engines import open_engine
from brandbot.engines.base import EngineName
from brandbot.errors import ModelError, PersonaError
from brandbot.evaluation import (
    advice,
    answers,
    asking,
    expectations,
    findings,
    judge,
    metrics,
    ruler,
)
from brandbot.evaluation.answers import Answer, Prompt, Speaker
from brandbot.evaluation.brand_ruler import brand_ruler
from brandbot.evaluation.findings import Asked
from brandbot.evaluation.kept import Kept, key
from brandbot.evaluation.losses import RowLoss
from brandbot.evaluation.report import (
    BASE,
    FEWSHOT,
    Planted,
    Report,
    RulerCheck,
)
from brandbot.evaluation.served import Served
from brandbot.evaluation.speaking import Speaking
from brandbot.examples import Example
from brandbot.grounding import Known
from brandbot.knowledge.reranker import ADAPTERS
from brandbot.models import BaseModel, Say
from brandbot.nearest import Nearest
from brandbot.persona import Knowledge, Persona
from brandbot.strict import known_to
from brandbot.tables import people_files
from brandbot.workspace import Workspace

FEWSHOT_PROMPTS = 16
"""Prompts ``fewshot`` is asked: its own are long and slow."""

RULER_ANSWERS, RULER_TOKENS = 20, 64
"""Untuned answers to training prompts that the ruler learns from, and where they are cut off."""

SEEN, PROBES = 16, 8
"""How many trained replies, and prompts of each reply that is there over and over."""

Progress = Callable[[int, int], None]


def evaluate(
    workspace: Workspace,
    name: str,
    number: int | None = None,
    *,
    against: Sequence[str] = (BASE, FEWSHOT),
    endpoint: judge.Endpoint | None = None,
    engine: EngineName = "auto",
    progress: Progress = lambda _done, _total: None,
    say: Say = lambda _: None,
) -> Report:
    """Measures a version (by default the newest) and stores the report with it.

    ``against``: base, fewshot or version numbers. The untuned base and the live version are always
    among them. ``endpoint``: a language model that judges it against the untuned base, too. Raises
    PersonaError for evaluation questions that can't be read.
    """
    started = time.monotonic()
    persona = Persona.load(workspace.persona(name))
    store = AdapterStore(workspace.adapters(name))
    version = store.get(asking.newest(store, name) if number is None else number)
    live = store.live_number()
    speakers, base = asking.speakers(workspace, store, version, live, against, say)
    reading, _ = approved.read(persona)
    found = questions.read(persona.folder / "evals")
    if found.problems:
        raise PersonaError(persona.folder, found.problems, persona.language)
    settings = version.persona.config.knowledge
    measured_with = _inputs(persona, settings, reading, found)  # whatever is saved meanwhile
    served = Served(workspace, persona, settings, say)
    asked = [served.asked(one) for one in asking.prompts(reading, found)]
    asked = asking.with_room(asked, speakers[0], say)
    try:
        models.embedder_folder(workspace.models)
    except ModelError as error:
        say(f"Whether answers are on topic is not measured. {error}")
    planted = asking.repeated(reading, persona.config.handoff)
    probes = [served.alone(prompt) for _, prompts in planted for prompt in prompts[:PROBES]]
    lessons = [served.alone(e.prompt) for e in asking.spread(reading.split("train"), RULER_ANSWERS)]
    asked_of = {
        speaker.name: asking.spread(asked, FEWSHOT_PROMPTS) if speaker.name == FEWSHOT else asked
        for speaker in speakers
    }
    jobs = [
        Job(speaker, [*asked_of[speaker.name], *(probes if speaker is speakers[0] else [])],
            asking.most_tokens(reading, speaker))
        for speaker in speakers
    ]  # fmt: skip
    untuned = Job(next(s for s in speakers if s.name == BASE), lessons, RULER_TOKENS)
    done = _Counter(
        progress,
        sum(len(job.asked) for job in [*jobs, untuned])
        + sum(len(expectations.blocks(speaker)) for speaker in speakers)
        + (len(asked) if endpoint else 0),
    )
    kept = Kept(workspace.evaluations(name) / "answers.jsonl")
    near = Nearest(reading.examples)
    seen = [served.example(e) for e in asking.spread(reading.split("train"), SEEN)]
    answered, measured = _measure(
        workspace, base, [*jobs, untuned], asked_of, seen, near, engine, kept, done, say
    )
    told = {
        job.speaker.name: dict(zip(asked_of[job.speaker.name], given, strict=False))
        for job, given in zip(jobs, answered, strict=False)
    }
    sharp = brand_ruler(
        workspace, persona, reading,
        [answer.text for answer in answered[-1]], [answer.text for answer in told[BASE].values()],
    )  # fmt: skip
    rows = findings.rows(workspace, persona, reading, asked, told, measured, sharp)
    report = Report(
        persona=name,
        title=persona.config.name,
        language=persona.config.language,
        version=version.name,
        live=None if live is None else f"{live:04d}",
        base_model=str(version.meta["base_model"]),
        inputs=measured_with,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        examples=version.meta["examples"],
        examples_changed=version.meta["dataset_fingerprint"]
        != example_files.fingerprint(reading.examples),
        speakers=[speaker.name for speaker in speakers],
        ruler=_check(sharp),
        rows=rows,
        losses={
            speaker.name: expectations.unseen_and_seen(measured[speaker.name])
            for speaker in speakers
            if speaker.name != FEWSHOT
        },
        planted=_planted(planted, answered[0][len(asked) :]),
        curve=version.meta.get("curve", []),
        advice=[],
    )
    report.advice.extend(advice.what_to_add(report, reading))
    judged = None
    if endpoint is not None:
        judged = judge.judge(report, version.persona.system_prompt, BASE, endpoint, done)
    report = replace(report, judge=judged, seconds=round(time.monotonic() - started, 1))
    report.save(version.folder / "report.json")
    return report


@dataclass(frozen=True)
class Job:
    """What one speaker is to answer, in at most so many tokens each."""

    speaker: Speaker
    asked: Sequence[Asked]
    most_tokens: int


def inputs(persona: Persona, settings: Knowledge) -> str:
    """Names what a version of a persona is measured with.

    The persona's examples, questions, rules and documents, how the version uses these, and what
    reads them.
    """
    reading, _ = approved.read(persona)
    return _inputs(persona, settings, reading, questions.read(persona.folder / "evals"))


def _inputs(
    persona: Persona,
    settings: Knowledge,
    reading: example_files.Reading,
    found: questions.Questions,
) -> str:
    config = persona.config
    documents = people_files(persona.folder / "knowledge") if settings.enabled else {}
    return key(
        example_files.fingerprint(reading.examples),
        [asdict(question) for question in found.questions],
        config.rules.model_dump(), config.handoff, config.courtesies.model_dump(),
        settings.model_dump(),
        [models.file_sha256(file) for file in ADAPTERS if documents and settings.reranker],
        {name: models.file_sha256(file) for name, file in documents.items()},
        persona.language,
    )  # fmt: skip


class _Counter:
    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        self.progress(min(self.done, self.total), self.total)


def _measure(
    workspace: Workspace, base: BaseModel, jobs: Sequence[Job], asked_of: dict[str, list[Asked]],
    seen: Sequence[Example], near: Nearest, engine: EngineName, kept: Kept,
    done: Callable[[], None], say: Say,
) -> tuple[list[list[Answer]], dict[str, dict[str, list[RowLoss]]]]:  # fmt: skip
    """Each job's answers, and of each speaker the losses on held-out, strange, seen, general rows.

    One version after another, so that one model is in memory at a time.
    """
    groups: dict[str, list[int]] = defaultdict(list)
    for place, job in enumerate(jobs):
        groups[job.speaker.version.name if job.speaker.version else BASE].append(place)
    answered: dict[int, list[Answer]] = {}
    measured: dict[str, dict[str, list[RowLoss]]] = {}
    for places in groups.values():
        speaker = jobs[places[0]].speaker
        persona = speaker.persona
        opens = opening.used(near.examples, persona.language)
        strength = persona.config.generation.strength if speaker.version else 1.0
        speaking = Speaking(base, speaker.version, strength)
        with _replies(engine, base, speaker, speaking, workspace, say) as (replies, source):
            for place in places:
                job = jobs[place]
                answered[place] = answers.generate(
                    replies, job.speaker,
                    [
                        Prompt(
                            one.conversation,
                            tuple(near.find(one.conversation[-1].content, job.speaker.shots)),
                            one.facts, one.quote, one.beyond,
                        )
                        for one in job.asked
                    ],
                    max_tokens=job.most_tokens, source=source, kept=kept,
                    known=_known(workspace, job.speaker), opens=opens, step=done,
                )  # fmt: skip
        for job in (jobs[place] for place in places):
            if job.speaker.name not in measured:
                measured[job.speaker.name] = expectations.measure(
                    speaking, base, strength, job.speaker, seen, near, asked_of, kept, done
                )
    return [answered[place] for place in range(len(jobs))], measured


@contextmanager
def _replies(
    engine: EngineName, base: BaseModel, speaker: Speaker, speaking: Speaking,
    workspace: Workspace, say: Say,
) -> Iterator[tuple[answers.Replies, str]]:  # fmt: skip
    """Where replies come from: all side by side, or an engine that serves if one is asked for."""
    if engine == "auto":
        yield speaking.replies, f"{base.sha256} {speaking.name}"
        return
    versions = [speaker.version] if speaker.version else []
    opened = open_engine(
        engine, base, versions, workspace.models, say=say, parallel=answers.AT_ONCE
    )
    try:
        yield answers.one_by_one(opened), f"{base.sha256} {opened.name}"
    finally:
        opened.close()


def _known(workspace: Workspace, speaker: Speaker) -> Known | None:
    """What a strict speaker may say without a source; None if it is not strict."""
    knowledge = speaker.persona.config.knowledge
    if speaker.version is None or not (knowledge.enabled and knowledge.strict):
        return None
    return known_to(speaker.persona, workspace.persona(speaker.persona.name))


def _check(sharp: ruler.Ruler | str) -> RulerCheck:
    if isinstance(sharp, str):
        return RulerCheck(sharp)
    return RulerCheck(
        sharp.weakness, sharp.auc, sharp.ceiling, sharp.others, sharp.ceiling.n, sharp.others.n
    )


def _planted(planted: Sequence[tuple[str, list[str]]], told: Sequence[Answer]) -> list[Planted]:
    found = []
    start = 0
    for reply, prompts in planted:
        probes = told[start : start + len(prompts[:PROBES])]
        start += len(probes)
        said = sum(metrics.says(answer.text, reply) for answer in probes)
        found.append(Planted(reply, len(prompts), len(probes), said))
    return found
