"""One evaluation: a version answers prompts it never saw, beside others, and is measured.

Straight down: gather prompts, let everybody answer, make the ruler, measure losses, look at each
answer, put the report together, store it with the version.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import TypeVar

from brandbot import approved, models, opening, questions
from brandbot import examples as example_files
from brandbot.adapters import AdapterStore, Version
from brandbot.engines import open_engine
from brandbot.engines.base import EngineName, context
from brandbot.errors import ModelError, PersonaError, VersionError
from brandbot.evaluation import advice, answers, findings, judge, losses, metrics, ruler
from brandbot.evaluation.answers import Answer, Prompt, Speaker
from brandbot.evaluation.brand_ruler import brand_ruler
from brandbot.evaluation.findings import Asked
from brandbot.evaluation.kept import Kept, key
from brandbot.evaluation.losses import RowLoss
from brandbot.evaluation.report import (
    BASE,
    FEWSHOT,
    Losses,
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
from brandbot.prompt import Encoded, Message, build
from brandbot.strict import known_to
from brandbot.tables import people_files
from brandbot.workspace import Workspace

SHOTS = 5
"""Nearest examples in the prompt of ``fewshot``: what people would do instead of training."""

MOST_TEST, FEWSHOT_PROMPTS = 60, 16
"""Held-out examples that are asked, and prompts ``fewshot`` is asked: its own are long and slow."""

RULER_ANSWERS, RULER_TOKENS = 20, 64
"""Untuned answers to training prompts that the ruler learns from, and where they are cut off."""

SEEN, STRANGERS, GENERAL, PROBES = 16, 16, 20, 8
"""How many trained replies, replies under another's prompt, general texts and planted prompts."""

LONGER = 1.1
"""An answer may be so much longer than the longest real reply before it is cut off."""

Progress = Callable[[int, int], None]
T = TypeVar("T")


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
    version = store.get(_newest(store, name) if number is None else number)
    live = store.live_number()
    speakers, base = _speakers(workspace, store, version, live, against, say)
    reading, _ = approved.read(persona)
    found = questions.read(persona.folder / "evals")
    if found.problems:
        raise PersonaError(persona.folder, found.problems, persona.language)
    settings = version.persona.config.knowledge
    measured_with = _inputs(persona, settings, reading, found)  # whatever is saved meanwhile
    served = Served(workspace, persona, settings, say)
    asked = [served.asked(one) for one in _asked(reading, found)]
    asked = _with_room(asked, speakers[0], say)
    try:
        models.embedder_folder(workspace.models)
    except ModelError as error:
        say(f"Whether answers are on topic is not measured. {error}")
    planted = _repeated(reading, persona.config.handoff)
    probes = [served.alone(prompt) for _, prompts in planted for prompt in prompts[:PROBES]]
    lessons = [served.alone(e.prompt) for e in _spread(reading.split("train"), RULER_ANSWERS)]
    asked_of = {
        speaker.name: _spread(asked, FEWSHOT_PROMPTS) if speaker.name == FEWSHOT else asked
        for speaker in speakers
    }
    jobs = [
        Job(speaker, [*asked_of[speaker.name], *(probes if speaker is speakers[0] else [])],
            _most_tokens(reading, speaker))
        for speaker in speakers
    ]  # fmt: skip
    untuned = Job(next(s for s in speakers if s.name == BASE), lessons, RULER_TOKENS)
    done = _Counter(
        progress,
        sum(len(job.asked) for job in [*jobs, untuned])
        + sum(len(_blocks(speaker)) for speaker in speakers)
        + (len(asked) if endpoint else 0),
    )
    kept = Kept(workspace.evaluations(name) / "answers.jsonl")
    near = Nearest(reading.examples)
    seen = [served.example(e) for e in _spread(reading.split("train"), SEEN)]
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
            speaker.name: _unseen_and_seen(measured[speaker.name])
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


def _newest(store: AdapterStore, name: str) -> int:
    numbers = store.numbers()
    if not numbers:
        raise VersionError(f"{name} has no version yet. Train one with: brandbot train {name}")
    return numbers[-1]


def _speakers(
    workspace: Workspace,
    store: AdapterStore,
    version: Version,
    live: int | None,
    against: Sequence[str],
    say: Say,
) -> tuple[list[Speaker], BaseModel]:
    """The version first, the untuned base, then the others asked for, and the live one."""
    base = models.resolve(str(version.meta["base_model"]), workspace.models, say=say)
    prompt_format = version.prompt_format(base)
    persona = version.persona
    shots = persona.config.generation.style_shots
    speakers = [
        Speaker(version.name, persona, prompt_format, version, shots),
        Speaker(BASE, persona, prompt_format),
    ]
    wanted = list(dict.fromkeys(against))
    if live is not None:
        wanted.append(str(live))
    for one in wanted:
        if one == BASE:
            continue
        if one == FEWSHOT:
            speakers.append(Speaker(FEWSHOT, persona, prompt_format, None, SHOTS))
            continue
        if not one.isdigit():
            raise VersionError(
                f"--against takes {BASE}, {FEWSHOT} or a version's number, not {one!r}."
            )
        if any(speaker.name == f"{int(one):04d}" for speaker in speakers):
            continue
        try:
            other = store.get(int(one))
            if other.meta["base_sha256"] != base.sha256:
                raise VersionError(
                    f"Version {other.name} runs on {other.meta['base_model']}, but {version.name} "
                    f"on {base.name}; only versions on the same base model are measured together."
                )
            other_format = other.prompt_format(base)
        except VersionError as error:
            if one in against:
                raise
            say(f"The live version can't be compared with: {error}")
            continue
        shots = other.persona.config.generation.style_shots
        speakers.append(Speaker(other.name, other.persona, other_format, other, shots))
    return speakers, base


def _asked(reading: example_files.Reading, found: questions.Questions) -> list[Asked]:
    asked = [
        Asked(example.messages[:-1], f"{example.file}:{example.line}", example.file, example)
        for example in _spread(reading.split("test"), MOST_TEST)
    ]
    asked += [
        Asked((Message("user", q.prompt),), f"{q.file}:{q.line}", q.file, None, q)
        for q in found.questions
    ]
    if not asked:
        raise VersionError(
            "There is nothing to measure with: no held-out example and no question in evals/. "
            "About one example in seven is held out; add some, or write evals/questions.jsonl."
        )
    return asked


def _repeated(
    reading: example_files.Reading, handoff: Sequence[str]
) -> list[tuple[str, list[str]]]:
    """Replies that the training side holds over and over, under which prompts; not handoffs."""
    pairs = [
        (example.messages[place - 1].content, message.content)
        for example in reading.split("train")
        for place, message in enumerate(example.messages)
        if message.role == "assistant" and not metrics.is_like(message.content, handoff)
    ]
    return metrics.repeated_replies(pairs)


def _with_room(asked: list[Asked], speaker: Speaker, say: Say) -> list[Asked]:
    """Without what is longer than the model has room for; training leaves that out, too."""
    room = context(speaker.prompt_format) - speaker.persona.config.generation.max_tokens
    system, language = speaker.persona.system_prompt, speaker.persona.language

    def fits(one: Asked) -> bool:
        turns = build(system, one.conversation[-1:], one.facts, language)
        return len(speaker.prompt_format.encode(turns).ids) <= room

    kept = [one for one in asked if fits(one)]
    for one in asked:
        if one not in kept:
            say(f"{one.place} is left out: too long for the model.")
    if not kept:
        raise VersionError(
            f"There is nothing to measure with that the model has room for ({room} tokens with "
            "voice.md). Shorten voice.md or the questions."
        )
    return kept


def _spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many, evenly from first to last, so that every file has its share."""
    if len(items) <= most:
        return list(items)
    return [items[i * len(items) // most] for i in range(most)]


class _Counter:
    def __init__(self, progress: Progress, total: int) -> None:
        self.progress, self.total, self.done = progress, total, 0

    def __call__(self) -> None:
        self.done += 1
        self.progress(min(self.done, self.total), self.total)


def _most_tokens(reading: example_files.Reading, speaker: Speaker) -> int:
    """Where a speaker's answer is cut off: where it is in service, or a little over any reply."""
    most = speaker.persona.config.generation.max_tokens
    tokens = [
        len(speaker.prompt_format.tokenizer.encode(reply, add_special_tokens=False).ids)
        for example in reading.examples
        for reply in example.replies
    ]
    longest = math.ceil(LONGER * max(tokens, default=0)) or most
    return min(most, max(16, longest))


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
                measured[job.speaker.name] = _losses(
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


def _blocks(speaker: Speaker) -> tuple[str, ...]:
    """What is measured of a speaker's expectations."""
    return ("own",) if speaker.name == FEWSHOT else ("own", "strange", "seen", "general")


def _losses(
    speaking: Speaking, base: BaseModel, strength: float, speaker: Speaker,
    seen: Sequence[Example], near: Nearest, asked_of: dict[str, list[Asked]], kept: Kept,
    done: Callable[[], None],
) -> dict[str, list[RowLoss]]:  # fmt: skip
    held_out = [one.example for one in asked_of[speaker.name] if one.example is not None]
    files = speaker.version.meta["files"] if speaker.version else None
    rows = {block: _block_rows(block, speaker, held_out, seen, near) for block in _blocks(speaker)}
    names = {
        block: key(
            "losses",
            speaking.name,
            base.sha256,
            files,
            strength,
            [[row.ids, row.mask] for row in some],
        )
        for block, some in rows.items()
    }
    missing = [block for block, name in names.items() if kept.get(name) is None]
    # Those that begin alike are measured together; general texts have nothing in common with them.
    for together in (
        [b for b in missing if b != "general"],
        [b for b in missing if b == "general"],
    ):
        if not together:
            continue
        found = speaking.losses([row for block in together for row in rows[block]])
        for block in together:
            own, found = found[: len(rows[block])], found[len(rows[block]) :]
            kept.put(names[block], [[loss.nats, loss.tokens] for loss in own])
    for _ in rows:
        done()
    return {block: [RowLoss(*pair) for pair in kept.get(name)] for block, name in names.items()}


def _block_rows(
    block: str, speaker: Speaker, held_out: Sequence[Example],
    seen: Sequence[Example], near: Nearest,
) -> list[Encoded]:  # fmt: skip
    if block == "general":
        rows = losses.general_rows(speaker.prompt_format, speaker.persona.language)
        return rows[:GENERAL]
    chosen = {
        "own": list(held_out),
        "strange": losses.strangers(held_out)[:STRANGERS],
        "seen": list(seen),
    }[block]
    shots: list[list[Example]] | None = None
    if speaker.shots:  # an example must not stand in its own prompt
        shots = [
            [
                e for e in near.find(one.messages[-2].content, speaker.shots + 1)
                if e.messages != one.messages
            ]
            [-speaker.shots :]
            for one in chosen
        ]  # fmt: skip
    system = speaker.persona.system_prompt
    language = speaker.persona.language
    rows = losses.reply_rows(chosen, speaker.prompt_format, system, shots, language)
    # The end of what is too long: the reply, and as much before it as there is room for.
    room = context(speaker.prompt_format)
    return [Encoded(row.ids[-room:], row.mask[-room:]) for row in rows]


def _unseen_and_seen(measured: dict[str, list[RowLoss]]) -> Losses:
    general, seen = measured["general"], measured["seen"]
    return Losses(
        [loss.nats for loss in general], [loss.tokens for loss in general],
        [loss.nats for loss in seen], [loss.tokens for loss in seen],
    )  # fmt: skip


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
