"""A persona's folder: ``persona.yaml`` and ``voice.md``, checked, with every problem's line.

Each setting's default stands here and nowhere else; the command line's ``--set``, the README's
table and the web forms are read off these models. Knows nothing of examples, models or training.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)
from ruamel.yaml.error import YAMLError

from brandbot import persona_yaml, tables
from brandbot.errors import PersonaError, Problem

LANGUAGE_TAG = r"^[a-zA-Z]{2,3}(-[a-zA-Z0-9]{2,8})*$"

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


Texts = Annotated[
    list[Text], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)
]
"""One text or several."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


class Rules(Section):
    """What the brand's replies keep to; used by check, evaluation and the gate."""

    never_say: list[Text] = Field([], description="words and phrases the brand does not use")
    emoji: Literal["none", "sparing", "free"] = Field(
        "free", description="none; sparing: at most one a reply; free"
    )
    max_sentences: int | None = Field(None, ge=1, description="longest reply, in sentences")


class Knowledge(Section):
    enabled: bool = Field(True, description="look facts up in knowledge/")
    top_k: int = Field(4, ge=1, le=20, description="passages a reply is given facts from")
    embedder: Text = Field(
        "auto", description="auto: by language; all-minilm-l6-v2, use-multilingual, hub id, folder"
    )
    reranker: bool = Field(
        True, description="a small model reads what was found: which facts answer, if any does"
    )
    quote_first: bool = Field(
        True, description="answers hold the document's own words; false for large models"
    )
    strict: bool = Field(
        False, description="never say a number, name or link that stands nowhere; hand off instead"
    )


class Generation(Section):
    temperature: float = Field(0.4, ge=0, le=2, description="0: always the likeliest word")
    top_p: float = Field(0.9, gt=0, le=1, description="share of likely words to choose from")
    repeat_penalty: float = Field(1.1, ge=1, le=2, description="above 1: repeats itself less")
    max_tokens: int = Field(200, ge=1, le=2048, description="longest reply, in tokens")
    strength: float = Field(1.0, ge=0, le=1, description="how much of the adapter: 0 none, 1 all")
    style_shots: int = Field(
        0, ge=0, le=8, description="nearest style examples put into the prompt, beside the adapter"
    )


class Training(Section):
    method: Literal["lora", "full"] = Field(
        "lora", description="lora: a small adapter; full: all weights"
    )
    rank: int = Field(16, ge=1, le=256, description="LoRA rank")
    epochs: float = Field(3, gt=0, le=100, description="times the examples are gone through")
    learning_rate: float | None = Field(
        None, gt=0, description="default 5e-4 for lora, 1e-4 for full"
    )
    batch_size: int = Field(8, ge=1, le=512, description="examples a step")
    max_length: int = Field(1024, ge=32, le=32768, description="longest example, in tokens")
    patience: int = Field(
        4, ge=1, description="checks without a better validation loss before it stops early"
    )
    seed: int = Field(0, ge=0, description="same folder, settings and seed: same adapter")


class Gate(Section):
    """What a version must show before it goes live; shares are 0 to 1."""

    min_style: float = Field(
        0.6, ge=0, le=2, description="style, as a share of the brand's own replies'"
    )
    min_rules: float = Field(0.85, ge=0, le=1, description="answers that keep every rule")
    max_incoherent: float = Field(
        0.15, ge=0, le=1, description="answers empty, cut, repeating or in another language"
    )
    min_listening: float = Field(
        0.5, ge=0, description="how much the question still counts, untuned model = 1"
    )
    max_invented: float = Field(
        0.2, ge=0, le=1, description="answers with inventions, above the brand's own share"
    )
    max_copied: float = Field(
        0.05, ge=0, le=1, description="copied runs of twelve words, above the brand's own share"
    )
    max_gap: float = Field(
        1.2, ge=0, description="how much better trained replies are known than new ones, in nats"
    )
    max_forgetting: float = Field(0.1, ge=0, description="general language lost, in nats a token")


class Review(Section):
    """How conversations become examples, and how long they are kept."""

    max_author: float = Field(
        0.1, gt=0, le=1, description="share of the examples that one person's words may be"
    )
    max_unedited: float = Field(
        0.3, ge=0, le=1, description="share that the model wrote and a person only approved"
    )
    repeat: int = Field(
        8, ge=1, le=50, description="most times an edited reply is trained each epoch"
    )
    keep_days: int | None = Field(
        None, ge=1, description="days after which conversations are deleted; default: kept"
    )


class Courtesies(Section):
    """What is said word for word to who says nothing else; one text or several."""

    hello: Texts = Field([], description="to who only greets")
    thanks: Texts = Field([], description="to who only thanks")
    goodbye: Texts = Field([], description="to who takes leave")
    program: Texts = Field([], description="to who asks whether it is a person or a program")


class PersonaConfig(Section):
    name: Text = Field(description="shown to people")
    language: str = Field("en", pattern=LANGUAGE_TAG, description="BCP 47, such as en, es, es-MX")
    base_model: Text = Field(
        "smollm2-135m-instruct", description="alias, hub id, folder or .gguf file"
    )
    greeting: str = Field("", description="the bot's first line")
    starters: list[Text] = Field([], max_length=8, description="questions offered at the start")
    handoff: Texts = Field(
        [], description="what it says when it does not know, and whom to ask; one or several"
    )
    courtesies: Courtesies = Courtesies()
    rules: Rules = Rules()
    knowledge: Knowledge = Knowledge()
    generation: Generation = Generation()
    training: Training = Training()
    gate: Gate = Gate()
    review: Review = Review()

    @property
    def said_as_it_is(self) -> list[str]:
        """What people read word for word, but for the starters, which they say themselves."""
        fixed = self.courtesies
        said = (*self.handoff, *fixed.hello, *fixed.thanks, *fixed.goodbye, *fixed.program)
        return [self.greeting, *said]


def one_of(texts: Sequence[str], message: str) -> str:
    """Of several texts the same one for the same message."""
    return texts[hashlib.sha256(message.encode()).digest()[0] % len(texts)]


@dataclass(frozen=True)
class Persona:
    """A checked persona. ``name`` is the folder's name, ``voice`` the text of ``voice.md``."""

    folder: Path
    config: PersonaConfig
    voice: str

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def language(self) -> str:
        """Primary language subtag: ``es`` for ``es-MX``."""
        return self.config.language.split("-")[0].lower()

    @property
    def system_prompt(self) -> str:
        """The voice guide as it is; a persona without one gets a plain sentence in its language."""
        if self.voice:
            return self.voice
        if self.language == "es":
            return f"Eres el asistente de {self.config.name}. Responde con su voz."
        return f"You are the assistant of {self.config.name}. Answer in its voice."

    def handoff(self, question: str) -> str:
        """What it says when it does not know: of several, the same one for the same question.

        A plain sentence if the persona gives none.
        """
        texts = self.config.handoff
        if not texts and self.language == "es":
            return "Eso no lo sé. Pregunta, por favor, a una persona del equipo."
        if not texts:
            return "I don't know that. Please ask a person of our team."
        return one_of(texts, question)

    @classmethod
    def load(cls, folder: Path) -> Persona:
        """Reads and checks a persona's folder; PersonaError names every problem at once."""
        persona, problems = read(folder)
        if persona is None:
            raise PersonaError(folder, problems, guess_language(folder))
        return persona

    def with_settings(self, assignments: Sequence[str]) -> Persona:
        """This persona with settings such as ``training.epochs=2`` changed, as ``--set`` gives."""
        raw = self.config.model_dump(exclude_unset=True)
        problems = []
        for assignment in assignments:
            path, equals, text = assignment.partition("=")
            if not equals:
                problems.append(Problem("error", "set-form", "--set", values={"found": assignment}))
                continue
            target = raw
            *parents, last = path.strip().split(".")
            for key in parents:
                section = target.get(key)
                if not isinstance(section, dict):  # name.x=1: the model then says what name is
                    section = target[key] = {}
                target = section
            try:
                target[last] = persona_yaml.value(text)
            except (YAMLError, ValueError) as error:
                problems.append(replace(persona_yaml.problem_of(error, "--set", text), line=None))
        config, found = _validate(raw, lambda _path: None, "--set")
        problems += found
        if config is None or problems:
            raise PersonaError(self.folder, problems, self.language)
        return Persona(self.folder, config, self.voice)


def read(folder: Path) -> tuple[Persona | None, list[Problem]]:
    """The persona, or None, and everything that is wrong with ``persona.yaml`` and ``voice.md``."""
    problems: list[Problem] = []
    config = _read_config(folder / "persona.yaml", problems)
    voice = ""
    if (folder / "voice.md").exists():
        text = _read_text(folder / "voice.md", problems)
        # A comment is a note among the people who write the guide, not a word for the model.
        voice = tables.without_comments(text, "voice.md", problems, keep_lines=False).strip()
    if config is None or any(problem.severity == "error" for problem in problems):
        return None, problems
    return Persona(folder, config, voice), problems


def guess_language(folder: Path) -> str:
    """The language to tell a persona's problems in, even when its file can't be read."""
    files = [folder / name for name in ("persona.yaml", "persona.yaml.txt", "persona.yml")]
    file = next((file for file in files if file.is_file()), files[0])
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "en"
    found = re.search(r"(?m)^\W*(?:language|idioma|lang)\W+([a-zA-Z]{2})\b", text)
    return found.group(1).lower() if found else "en"


def _read_text(file: Path, problems: list[Problem]) -> str:
    try:
        raw = file.read_bytes()
    except OSError as error:
        values = {"reason": error.strerror or str(error)}
        problems.append(Problem("error", "unreadable", file.name, None, values))
        return ""
    return tables.decode(raw, file.name, problems)


def _read_config(file: Path, problems: list[Problem]) -> PersonaConfig | None:
    if not file.is_file():
        names = sorted(other.name for other in file.parent.glob("*") if other.is_file())
        others = [
            n
            for n in names
            if n.lower().startswith("persona") or n.lower().endswith((".yml", ".yaml"))
        ]
        if others:
            values = {"found": others[0]}
            problems.append(Problem("error", "persona-yaml-misnamed", file.name, None, values))
        else:
            problems.append(Problem("error", "no-persona-yaml", file.name))
        return None
    before = len(problems)
    text = _read_text(file, problems)
    if any(problem.severity == "error" for problem in problems[before:]):
        return None
    parsed = persona_yaml.read(text, file.name, problems)
    if parsed is None:
        return None
    raw, line_of = parsed
    config: PersonaConfig | None
    config, found = _validate(raw, line_of, file.name)
    problems += found
    for place, word in enumerate(config.rules.never_say if config else ()):
        if re.search("[,;]", word):  # several in one: none of them would be found
            where = line_of(("rules", "never_say", place))
            values = {"found": word[:60]}
            problems.append(Problem("warning", "yaml-text", file.name, where, values))
    problems += persona_yaml.slips(text, file.name)
    return config


def _validate(raw: Mapping[str, Any], line_of: Any, file: str) -> tuple[Any, list[Problem]]:
    try:
        return PersonaConfig.model_validate(raw), []
    except ValidationError as error:
        return None, [_problem_of(detail, line_of, file) for detail in error.errors()]


def _problem_of(detail: Any, line_of: Any, file: str) -> Problem:
    path = tuple(part if isinstance(part, int) else str(part) for part in detail["loc"])
    key = ".".join(str(part) for part in path)
    line = line_of(path)
    if detail["type"] == "extra_forbidden":
        known = known_keys(path[:-1])
        last = str(path[-1])
        # A misspelt one, or one that stands in the wrong section.
        section = next((s for s in known_keys(()) if last in known_keys((s,))), None)
        at_top = len(path) > 1 and last in known_keys(())
        if file != "--set" and (section or at_top):
            where = {"last": last, "section": section or path[0]}
            return Problem("error", "key-at-top" if at_top else "key-elsewhere", file, line, where)
        close = [f"{section}.{last}"] if section else get_close_matches(last, known, n=1)
        code = "unknown-key-close" if close else "unknown-key"
        meant = {"key": key, "known": ", ".join(known), "close": close[0] if close else ""}
        return Problem("error", code, file, line, meant)
    if detail["type"] == "missing":
        return Problem("error", "missing-key", file, line, {"key": key})
    limits = {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in detail.get("ctx", {}).items()
    }
    values = {
        **limits,
        "key": key,
        "found": _shown(detail.get("input")),
        "way": "@needed" if path == ("name",) else "@or-default",
        "expected": f"@{detail['type']}",
        "choices": str(limits.get("expected", "")).replace(" or ", ", "),
        "message": detail["msg"],
    }
    return Problem("error", "wrong-value", file, line, values)


def _shown(value: Any) -> str:
    """A setting's value as it stands in the file, about."""
    if value is None:
        return "@json-NoneType"
    if isinstance(value, date):
        return value.isoformat()
    return repr(value)[:80]


def known_keys(path: Sequence[str | int]) -> list[str]:
    """The keys a section of ``persona.yaml`` may have; ``()`` is the top, a setting has none."""
    model: Any = PersonaConfig
    for part in path:
        model = model.model_fields[str(part)].annotation
    return list(getattr(model, "model_fields", ()))
