"""One evaluation: a version answers prompts it never saw, beside others, and is measured.

Straight down: gather prompts, let everybody answer, make the ruler, measure losses, look at each
answer, put the report together, store it with the version.
"""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from brandbot import examples as example_files
from brandbot import models, questions
from brandbot.adapters import AdapterStore, Version
from brandbot.engines import open_engine
from brandbot.engines.base import EngineName
from brandbot.errors import PersonaError, VersionError
from brandbot.evaluation import advice, answers, findings, losses, metrics, ruler
from brandbot.evaluation.answers import Answer, Speaker
from brandbot.evaluation.findings import Asked
from brandbot.evaluation.kept import Kept, key
from brandbot.evaluation.losses import LossMeter, RowLoss
from brandbot.evaluation.report import (
    BASE,
    FEWSHOT,
    Losses,
    Planted,
    Report,
    RulerCheck,
)
from brandbot.examples import Example
from brandbot.models import BaseModel, Say
from brandbot.nearest import Nearest
from brandbot.persona import Persona
from brandbot.prompt import Message
from brandbot.workspace import Workspace

SHOTS = 5
"""Nearest examples in the prompt of ``fewshot``: what people would do instead of training."""

MOST_TEST = 60
"""Held-out examples an evaluation asks; more make it slower, not much sharper."""

RULER_ANSWERS = 24
"""Untuned answers to training prompts that the ruler learns from."""

SEEN, STRANGERS, GENERAL, PROBES = 20, 20, 24, 3
"""How many trained replies, replies under another's prompt, general texts and planted prompts."""

LONGER = 1.5
"""An answer may be so much longer than the longest real reply before it is cut off."""

Progress = Callable[[int, int], None]


def evaluate(
    workspace: Workspace,
    name: str,
    number: int | None = None,
    *,
    against: Sequence[str] = (BASE, FEWSHOT),
    engine: EngineName = "auto",
    progress: Progress = lambda _done, _total: None,
    say: Say = lambda _: None,
) -> Report:
    """Measures a version (by default the newest) and stores the report with it.

    ``against``: base, fewshot or version numbers. The untuned base and the live version are always
    among them. Raises PersonaError for evaluation questions that can't be read.
    """
    started = time.monotonic()
    persona = Persona.load(workspace.persona(name))
    store = AdapterStore(workspace.adapters(name))
    version = store.get(_newest(store, name) if number is None else number)
    live = store.live_number()
    speakers, base = _speakers(workspace, store, version, live, against, say)
    reading = example_files.read(persona.folder / "examples")
    found = questions.read(persona.folder / "evals")
    if found.problems:
        raise PersonaError(persona.folder, found.problems, persona.language)
    asked = _asked(reading, found)
    planted = metrics.repeated_replies(
        [(e.messages[i - 1].content, m.content)
         for e in reading.split("train")
         for i, m in enumerate(e.messages) if m.role == "assistant"]
    )  # fmt: skip
    probes = [
        Asked((Message("user", prompt),), "", "")
        for _, prompts in planted for prompt in prompts[:PROBES]
    ]  # fmt: skip
    lessons = [
        Asked((Message("user", e.prompt),), "", "")
        for e in _spread(reading.split("train"), RULER_ANSWERS)
    ]
    kept = Kept(workspace.evaluations(name) / "answers.jsonl")
    done = _Counter(
        progress,
        sum(len(asked) + len(probes) for _ in speakers) + len(lessons) + 4 * len(speakers),
    )

    most_tokens = _most_tokens(persona, reading, speakers[0])
    near = Nearest(reading.examples)
    told = _answer(
        workspace, base, speakers, [*asked, *probes], near, most_tokens, engine, kept, done, say
    )
    base_speaker = next(speaker for speaker in speakers if speaker.name == BASE)
    untuned = _answer(
        workspace, base, [base_speaker], lessons, near, most_tokens, engine, kept, done, say
    )[BASE]
    measured = _losses(base, speakers, reading, near, asked, kept, done)
    sharp = _ruler(
        workspace, persona, reading,
        [answer.text for answer in untuned], [answer.text for answer in told[BASE][: len(asked)]],
    )  # fmt: skip
    rows = findings.rows(workspace, persona, reading, asked, speakers, told, measured, sharp)
    report = Report(
        persona=name,
        title=persona.config.name,
        language=persona.config.language,
        version=version.name,
        live=None if live is None else f"{live:04d}",
        base_model=str(version.meta["base_model"]),
        inputs=inputs(persona),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=0.0,
        examples=version.meta["examples"],
        examples_changed=version.meta["dataset_fingerprint"]
        != example_files.fingerprint(reading.examples),
        speakers=[speaker.name for speaker in speakers],
        ruler=_check(sharp, reading),
        rows=rows,
        losses={
            speaker.name: Losses(
                [loss.nats for loss in measured[speaker.name]["general"]],
                [loss.tokens for loss in measured[speaker.name]["general"]],
                [loss.nats for loss in measured[speaker.name]["seen"]],
                [loss.tokens for loss in measured[speaker.name]["seen"]],
            )
            for speaker in speakers
        },
        planted=_planted(planted, told[version.name][len(asked) :]),
        curve=version.meta.get("curve", []),
        advice=[],
    )
    report.advice.extend(advice.what_to_add(report, reading))
    object.__setattr__(report, "seconds", round(time.monotonic() - started, 1))
    report.save(version.folder / "report.json")
    return report


def inputs(persona: Persona) -> str:
    """Names what versions of a persona are measured with: its examples, questions and rules."""
    reading = example_files.read(persona.folder / "examples")
    found = questions.read(persona.folder / "evals")
    return key(
        example_files.fingerprint(reading.examples),
        [asdict(question) for question in found.questions],
        persona.config.rules.model_dump(),
        persona.language,
    )


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
        other = store.get(int(one))
        if other.meta["base_sha256"] != base.sha256:
            say(
                f"Version {other.name} runs on another base model ({other.meta['base_model']}); it "
                "is left out of the comparison."
            )
            continue
        speakers.append(
            Speaker(other.name, other.persona, other.prompt_format(base), other,
                    other.persona.config.generation.style_shots)
        )  # fmt: skip
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


def _spread(items: Sequence[Example], most: int) -> list[Example]:
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


def _most_tokens(persona: Persona, reading: example_files.Reading, speaker: Speaker) -> int:
    tokens = [
        len(speaker.prompt_format.tokenizer.encode(reply, add_special_tokens=False).ids)
        for example in reading.examples
        for reply in example.replies
    ]
    longest = math.ceil(LONGER * max(tokens, default=0)) or persona.config.generation.max_tokens
    return min(persona.config.generation.max_tokens, max(16, longest))


def _answer(
    workspace: Workspace,
    base: BaseModel,
    speakers: Sequence[Speaker],
    asked: Sequence[Asked],
    near: Nearest,
    most_tokens: int,
    engine: EngineName,
    kept: Kept,
    done: Callable[[], None],
    say: Say,
) -> dict[str, list[Answer]]:
    """Everybody's answers; speakers whose weights go into one engine share it."""  # fmt: skip
    groups: dict[str, list[Speaker]] = defaultdict(list)
    for speaker in speakers:
        full = speaker.version is not None and speaker.version.method == "full"
        groups[speaker.name if full else ""].append(speaker)
    told = {}
    for members in groups.values():
        versions = [member.version for member in members if member.version is not None]
        opened = open_engine(
            engine, base, versions, workspace.models, say=say, parallel=answers.AT_ONCE
        )
        try:
            for speaker in members:
                told[speaker.name] = answers.generate(
                    opened, speaker,
                    [one.conversation for one in asked],
                    [near.find(one.conversation[-1].content, speaker.shots) for one in asked],
                    max_tokens=most_tokens, kept=kept, step=done,
                )  # fmt: skip
        finally:
            opened.close()
    return told


def _losses(
    base: BaseModel,
    speakers: Sequence[Speaker],
    reading: example_files.Reading,
    near: Nearest,
    asked: Sequence[Asked],
    kept: Kept,
    done: Callable[[], None],
) -> dict[str, dict[str, list[RowLoss]]]:
    """Of each speaker: losses on held-out, strange, seen and general rows."""  # fmt: skip
    held_out = [one.example for one in asked if one.example is not None]
    seen = _spread(reading.split("train"), SEEN)
    meters: dict[str, LossMeter] = {}
    measured: dict[str, dict[str, list[RowLoss]]] = {}
    for speaker in speakers:
        system, prompt_format = speaker.persona.system_prompt, speaker.prompt_format

        def shots(examples: Sequence[Example], count: int = speaker.shots) -> list[list[Example]]:
            # A trained example must not stand in its own prompt.
            return [
                [e for e in near.find(one.messages[-2].content, count + 1) if e != one][-count:]
                if count else []
                for one in examples
            ]  # fmt: skip

        strange = losses.strangers(held_out)[:STRANGERS]
        blocks = {
            "own": losses.reply_rows(held_out, prompt_format, system, shots(held_out)),
            "strange": losses.reply_rows(strange, prompt_format, system, shots(strange)),
            "seen": losses.reply_rows(seen, prompt_format, system, shots(seen)),
            "general": losses.general_rows(prompt_format, speaker.persona.language)[:GENERAL],
        }
        measured[speaker.name] = {}
        for block, rows in blocks.items():
            name = key(
                "losses", base.sha256, speaker.version.meta["files"] if speaker.version else None,
                [[row.ids, row.mask] for row in rows],
            )  # fmt: skip
            known = kept.get(name)
            if known is None:
                full = speaker.version is not None and speaker.version.method == "full"
                which = speaker.name if full else ""
                if which not in meters:
                    meters.clear()  # one model in memory at a time
                    meters[which] = LossMeter(base, speaker.version)
                found = meters[which].of(speaker.version, rows)
                known = [[loss.nats, loss.tokens] for loss in found]
                kept.put(name, known)
            measured[speaker.name][block] = [RowLoss(*pair) for pair in known]
            done()
    return measured


def _ruler(
    workspace: Workspace,
    persona: Persona,
    reading: example_files.Reading,
    untuned: Sequence[str],
    untuned_held_out: Sequence[str],
) -> ruler.Ruler | str:
    """The brand's style against texts that ship, untuned answers and the other personas' replies.

    Every third shipped text, and the other personas' held-out replies, are kept for the check.
    Replies in other languages are learnt from but not checked with: they would flatter the ruler.
    """  # fmt: skip
    file = losses.GENERAL / f"others.{persona.language}.txt"
    shipped = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    learnt = [text for i, text in enumerate(shipped) if i % 3] + list(untuned)
    checked = [text for i, text in enumerate(shipped) if not i % 3] + list(untuned_held_out)
    for name in workspace.persona_names():
        folder = workspace.persona(name)
        if name == persona.name or not (folder / "examples").is_dir():
            continue
        other = example_files.read(folder / "examples")
        learnt += [reply for example in other.split("train") for reply in example.replies]
        try:
            same_language = Persona.load(folder).language == persona.language
        except PersonaError:
            continue
        if same_language:
            checked += [reply for example in other.split("test") for reply in example.replies]
    return ruler.make(
        [reply for example in reading.split("train") for reply in example.replies],
        [text for text in learnt if text.strip()],
        [reply for example in reading.split("test") for reply in example.replies],
        [text for text in checked if text.strip()],
        persona.language,
    )


def _check(sharp: ruler.Ruler | str, reading: example_files.Reading) -> RulerCheck:
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
